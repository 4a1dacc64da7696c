"""FluidSynth in process against midi2audio, which drives FluidSynth's own program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from midi2audio import FluidSynth

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import MissingError, RecipeError, RenderError, StudioError
from studio.midi import read_midi
from studio.score import Note
from studio.sources.fonts import aliases, find_font
from studio.sources.soundfont import SoundFont
from tests.fluidsynth import by_fluidsynth, differs_only_at_onsets
from tests.listening import cents, log_mel_distance_db, null_db, peak_db, pitch_hz, rms_db
from tests.songs import band, band_file, midi_file, score_of
from tests.waiting import PATIENCE

RATE = 44_100
Message, Meta = mido.Message, mido.MetaMessage


def in_process(path: Path, **knobs: Any) -> Block:
    blocks = list(SoundFont(**knobs).play(read_midi(path), RenderContext(RATE, folder=path.parent)))
    return np.concatenate(blocks, axis=1)


def by_midi2audio(path: Path) -> Block:
    """As a straightforward script renders it: 16-bit, FluidSynth's own settings."""
    out = path.with_suffix(".wav")
    FluidSynth(str(aliases()["gm"].find()), sample_rate=RATE).midi_to_audio(str(path), str(out))
    samples, _ = soundfile.read(out, dtype="float32")
    return samples.T


def onsets(block: Block, spacing: int = 4000) -> np.ndarray:
    """Where the level jumps up from silence."""
    loud = np.flatnonzero(np.abs(block).max(axis=0) > 0.002)
    return loud[np.concatenate([[True], np.diff(loud) > spacing])]


def wild(path: Path, resolution: int) -> Path:
    """Drums, bends, controllers, programs that change in mid-song, and tempo changes where ticks are fine enough.

    FluidSynth's player rounds to a tick at each change, so at 96 ticks a beat it is the one that is off.
    """
    beat = resolution
    conductor = [Meta("set_tempo", tempo=500_000)]
    if resolution >= 480:
        conductor += [Meta("set_tempo", tempo=400_000, time=4 * beat), Meta("set_tempo", tempo=650_000, time=4 * beat)]
    lead: list[Any] = [Message("program_change", program=73), Message("control_change", control=7, value=110)]
    for index in range(12):
        lead.append(Message("note_on", note=60 + index, velocity=90, time=0))
        lead += [Message("pitchwheel", pitch=pitch, time=beat // 8) for pitch in (1500, 3000, 4500, 0)]
        lead.append(Message("note_off", note=60 + index, time=beat // 4))
        if index % 4 == 3:
            lead.append(Message("program_change", program=[0, 40, 19][index // 4], time=beat // 4))
            lead.append(Message("control_change", control=10, value=20 + 30 * index // 4))
    drums = []
    for index in range(24):
        drums.append(Message("note_on", channel=9, note=[36, 42, 38, 42][index % 4], velocity=100))
        drums.append(Message("note_off", channel=9, note=[36, 42, 38, 42][index % 4], time=beat // 2))
    return midi_file(path, conductor, lead, drums, resolution=resolution)


@pytest.mark.parametrize("resolution", [96, 480, 960])
def test_a_song_sounds_as_midi2audio_renders_it(tmp_path: Path, resolution: int) -> None:
    path = wild(tmp_path / "wild.mid", resolution)
    ours, theirs = in_process(path), by_midi2audio(path)
    frames = min(ours.shape[1], theirs.shape[1])
    ours, theirs = ours[:, :frames], theirs[:, :frames]
    assert abs(rms_db(ours) - rms_db(theirs)) < 0.1
    assert log_mel_distance_db(ours, theirs, RATE) < 0.5
    dry = in_process(path, reverb=0, chorus=0)
    assert differs_only_at_onsets(dry, by_fluidsynth(path, "gm", dry=True), path)


@pytest.mark.parametrize("resolution", [96, 480, 960])
def test_every_note_starts_within_64_frames_of_midi2audio(tmp_path: Path, resolution: int) -> None:
    hits: list[Any] = []
    for index in range(16):
        hits.append(
            Message("note_on", channel=9, note=37, velocity=110, time=resolution // 2 + 7 * index if index else 0)
        )
        hits.append(Message("note_off", channel=9, note=37, time=resolution // 4))
    path = midi_file(tmp_path / "hits.mid", hits, resolution=resolution)
    ours, theirs = onsets(in_process(path)), onsets(by_midi2audio(path))
    assert len(ours) == len(theirs) == 16
    assert np.abs(ours - theirs).max() <= 64


def test_every_kind_of_channel_message_is_heard(tmp_path: Path) -> None:
    """Each message changes the sound of a held note in the way it should."""

    def held(*messages: Any) -> Block:
        track = [Message("program_change", program=79), *messages, Message("note_on", note=69, velocity=100)]
        path = midi_file(tmp_path / "held.mid", [*track, Message("note_off", note=69, time=960)])
        return in_process(path, reverb=0, chorus=0)[:, :RATE]

    plain = held()
    bent = held(Message("pitchwheel", pitch=8191))
    assert abs(cents(pitch_hz(bent, RATE), pitch_hz(plain, RATE)) - 200) < 3
    rpn = [Message("control_change", control=control, value=value) for control, value in ((101, 0), (100, 0), (6, 12))]
    octave = held(*rpn, Message("pitchwheel", pitch=8191))
    # FluidSynth's bend of 12 semitones is 12/128 of 12,700 cents.
    assert abs(cents(pitch_hz(octave, RATE), pitch_hz(plain, RATE)) - 1190.6) < 2
    quiet = held(Message("control_change", control=7, value=50))
    assert rms_db(quiet) - rms_db(plain) == pytest.approx(40 * np.log10(50 / 100), abs=0.3)
    left = held(Message("control_change", control=10, value=0))
    assert rms_db(left[0]) - rms_db(left[1]) > 30
    vibrato = held(Message("aftertouch", value=127))
    assert null_db(vibrato, plain) > -40
    tuned = held(Message("sysex", data=[0x7F, 0x7F, 0x04, 0x01, 0x00, 0x20]))
    assert np.isfinite(tuned).all()


def test_the_recipe_chooses_program_bank_and_level(tmp_path: Path) -> None:
    path = band_file(tmp_path / "band.mid", seconds=2, parts=2)
    flute = in_process(path, program="Flute", reverb=0, chorus=0)
    number = in_process(path, program=73, reverb=0, chorus=0)
    assert np.array_equal(flute, number)
    assert null_db(flute, in_process(path, reverb=0, chorus=0)[:, : flute.shape[1]]) > -40
    louder = in_process(path, program=73, gain=6, reverb=0, chorus=0)
    assert null_db(louder, flute * np.float32(10 ** (6 / 20))) < -120
    with pytest.raises(MissingError, match="no program 3 in bank 77"):
        in_process(path, program=3, bank=77)


def test_reverb_and_chorus_are_knobs_and_may_move(tmp_path: Path) -> None:
    path = band_file(tmp_path / "band.mid", seconds=2, parts=2)
    dry = in_process(path, program=73, reverb=0, chorus=0)
    wet = in_process(path, program=73, reverb=0.9, chorus=0)
    after = slice(round(2.2 * RATE), 3 * RATE)
    assert rms_db(wet[:, after]) > rms_db(dry[:, after]) + 3
    opening = in_process(path, program=73, reverb=[["0 s", 0], ["1 s", 0], ["1 s", 0.9, "step"]], chorus=0)
    assert null_db(opening[:, : RATE - 64], dry[:, : RATE - 64]) < -80
    assert null_db(opening[:, RATE : 2 * RATE], dry[:, RATE : 2 * RATE]) > -50


def test_two_threads_at_once_give_the_same_bits(tmp_path: Path) -> None:
    path = band_file(tmp_path / "band.mid", seconds=3)
    with ThreadPoolExecutor(4) as pool:
        renders = list(pool.map(in_process, [path] * 4))
    assert all(np.array_equal(renders[0], other) for other in renders[1:])


def test_an_sf3_sounds_like_the_sf2_it_was_packed_from(tmp_path: Path) -> None:
    """SF3 holds its samples as Ogg Vorbis; sf3convert packs the shipped font."""
    tool = shutil.which("sf3convert")
    assert tool, "sf3convert is missing: apt install sf3convert"
    source = aliases()["gm"].find()
    subprocess.run([tool, "-z", "-a", "0", str(source), str(tmp_path / "small.sf3")], check=True, capture_output=True)
    assert (tmp_path / "small.sf3").stat().st_size < source.stat().st_size / 2  # type: ignore[union-attr]
    path = band_file(tmp_path / "band.mid", seconds=3)
    packed, plain = in_process(path, file="small.sf3"), in_process(path)
    frames = min(packed.shape[1], plain.shape[1])
    assert abs(rms_db(packed) - rms_db(plain)) < 0.2
    assert log_mel_distance_db(packed[:, :frames], plain[:, :frames], RATE) < 1.5


def test_fonts_are_found_by_alias_and_missing_ones_say_how_to_get_them(tmp_path: Path) -> None:
    context = RenderContext(folder=tmp_path)
    assert find_font("gm", context).name == "TimGM6mb.sf2"
    assert find_font("fluid", context).name.startswith("FluidR3_GM")
    with pytest.raises(MissingError) as missing:
        find_font("flued", context)
    assert "fluid" in missing.value.mend
    (tmp_path / "noise.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    with pytest.raises(RenderError, match="not a SoundFont"):
        in_process(band_file(tmp_path / "band.mid", seconds=1), file="noise.sf2")
    with pytest.raises(RecipeError) as unknown:
        SoundFont(program="Flutte")
    assert "Flute" in unknown.value.mend
    with pytest.raises(StudioError, match="cannot run at 192000 Hz"):
        list(SoundFont().play(band(1, 2), RenderContext(192_000)))


def test_a_note_rings_out_to_its_end() -> None:
    """The release of a soft piano note is kept until it cannot be heard."""
    score = score_of(Note(0, 240, 60, 100), end_beats=1)
    sound = np.concatenate(list(SoundFont(reverb=0, chorus=0).play(score, RenderContext(RATE))), axis=1)
    assert sound.shape[1] > RATE // 2
    assert peak_db(sound[:, -64:]) < -90


FRESH = """
import hashlib, sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from studio.score import Event, Note, Score
from studio.sources.soundfont import SoundFont
from studio.context import RenderContext
from studio.tempo import TempoMap

def render(program):
    notes = [Note(step * 120, step * 120 + 100, 48 + step, 100) for step in range(24)]
    score = Score((Event(0, bytes((0xC0, program))),), 480, TempoMap.constant(120)).with_notes(notes)
    sound = hashlib.sha1()
    for block in islice(SoundFont("gm").play(score, RenderContext()), 8):
        sound.update(block.tobytes())
    return sound.hexdigest()

with ThreadPoolExecutor(4) as pool:
    print(*pool.map(render, (0, 32, 48, 56)))
"""


def test_synths_that_start_at_once_in_a_fresh_process_give_the_same_bits() -> None:
    """FluidSynth fills its tables when its first synth is made: without a lock one render in ten differed."""
    fresh = [subprocess.Popen([sys.executable, "-c", FRESH], stdout=subprocess.PIPE, text=True) for _ in range(8)]
    heard = {process.communicate(timeout=PATIENCE)[0] for process in fresh}
    assert len(heard) == 1 and len(heard.pop().split()) == 4
