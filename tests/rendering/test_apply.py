"""One file through a chain: as pedalboard gives it, in constant memory, and nothing left behind by an error."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile

from studio.errors import AudioError, MissingError, OutputError, RecipeError, RenderError
from studio.recipe.presets import presets
from studio.remarks import remarking
from studio.rendering.apply import apply_file, parse_chain
from studio.rendering.layout import Layout, layout_of
from tests.listening import cents, null_db, pitch_hz, sine, white

RATE = 44_100


def test_it_is_what_pedalboard_gives_with_the_tail_kept(tmp_path: Path) -> None:
    sound = white(3.0, 0.2)
    soundfile.write(tmp_path / "in.wav", sound.T, RATE, "FLOAT")
    chain = parse_chain("[{highpass: 200}, chorus, {reverb: {room_size: 0.6, wet: 0.4}}]")
    apply_file(chain, tmp_path / "in.wav", tmp_path / "out.wav", bits="32")
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    board = pedalboard.Pedalboard(
        [pedalboard.HighpassFilter(200), pedalboard.Chorus(), pedalboard.Reverb(0.6, 0.5, 0.4, 0.4, 1.0)]
    )
    theirs = board(np.pad(sound, ((0, 0), (0, len(out) - sound.shape[1]))), RATE, buffer_size=8192)
    assert null_db(out.T, theirs) < -130
    assert len(out) > sound.shape[1] + RATE // 2 and np.abs(out[-64:]).max() < 2e-5


def test_mono_stays_mono_and_the_rate_stays_the_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", white(0.5, channels=1).T, 48_000, "FLOAT")
    apply_file(parse_chain("distortion"), tmp_path / "in.wav", tmp_path / "out.flac")
    info = soundfile.info(tmp_path / "out.flac")
    assert (info.samplerate, info.channels) == (48_000, 1)


def test_the_tempo_is_the_one_given(tmp_path: Path) -> None:
    click = np.zeros((2, RATE), np.float32)
    click[:, 0] = 0.5
    soundfile.write(tmp_path / "in.wav", click.T, RATE, "FLOAT")
    apply_file(parse_chain("echo: {time: 1/4, mix: 1}"), tmp_path / "in.wav", tmp_path / "out.wav", bpm=100)
    out, _ = soundfile.read(tmp_path / "out.wav")
    assert abs(int(np.argmax(np.abs(out[1000:, 0]))) + 1000 - round(0.6 * RATE)) <= 2


def test_its_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from studio.rendering.apply import apply_file, parse_chain
from studio.rendering.layout import Layout, layout_of
apply_file(parse_chain("[chorus, reverb, compressor]"), Path(sys.argv[1]), Path(sys.argv[1]).with_suffix(".flac"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = []
    for minutes in (1, 5):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
            for _ in range(minutes):
                file.write(white(60.0, 0.1).T)
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    unit = 1024 if sys.platform != "darwin" else 1024**2
    assert resource.getpagesize() and (peaks[1] - peaks[0]) / unit < 20


def test_an_error_leaves_nothing_and_says_what_it_was(tmp_path: Path) -> None:
    sound = white(0.5, channels=1)
    soundfile.write(tmp_path / "in.wav", sound.T, RATE, "FLOAT")
    with pytest.raises(RenderError, match="no number of channels suits all steps: pan and stretch"):
        apply_file(parse_chain("[{pan: 0.5}, {stretch: {method: praat}}]"), tmp_path / "in.wav", tmp_path / "out.wav")
    with pytest.raises(MissingError, match="no file"):
        apply_file(parse_chain("chorus"), tmp_path / "gone.wav", tmp_path / "out.wav")
    with pytest.raises(OutputError, match="no ending"):
        apply_file(parse_chain("chorus"), tmp_path / "in.wav", tmp_path / "out.xyz")
    with pytest.raises(MissingError, match="no preset 'corus'"):
        parse_chain("corus")
    with pytest.raises(RecipeError, match="kind score"):
        parse_chain("[chorus, quantise]")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav"]


def test_transforms_work_on_a_file_too_between_effects(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sine(440.0, 2.0).T, RATE, "FLOAT")
    chain = parse_chain("[{gain: -6}, {stretch: {duration_ratio: 0.5, semitones: 12, method: vocoder}}, {gain: 6}]")
    apply_file(chain, tmp_path / "in.wav", tmp_path / "out.wav", bits="32")
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert len(out) == RATE and abs(cents(pitch_hz(out.T, RATE), 880)) < 3


def test_every_shipped_chain_takes_mono_and_a_sound_of_many_channels(tmp_path: Path) -> None:
    for channels in (1, 6):
        soundfile.write(tmp_path / f"{channels}.wav", white(0.1, 0.1, channels=channels).T, RATE, "FLOAT")
    widths = {}
    for preset in presets():
        if preset.kind == "chain":
            for channels in (1, 6):
                apply_file(parse_chain(preset.name), tmp_path / f"{channels}.wav", tmp_path / "out.wav")
                widths[preset.name, channels] = soundfile.info(tmp_path / "out.wav").channels
    assert widths["wide-chorus", 1] == 2, "it places its layers left and right"
    assert widths["mastering", 1] == widths["vinyl", 1] == 1, "mono has no sides to narrow"
    assert widths["mastering", 6] == 2 and widths["tape", 6] == 6


def test_mono_that_is_widened_sounds_as_the_same_in_stereo_and_is_remarked(tmp_path: Path) -> None:
    mono = white(0.2, 0.3, channels=1)
    soundfile.write(tmp_path / "mono.wav", mono.T, RATE, "FLOAT")
    soundfile.write(tmp_path / "stereo.wav", np.repeat(mono, 2, axis=0).T, RATE, "FLOAT")
    chain = parse_chain("[{pan: 0.5}, reverb]")
    with remarking() as remarks:
        apply_file(chain, tmp_path / "mono.wav", tmp_path / "a.wav", bits="32")
    assert remarks == ["the file has one channel; it is widened to stereo, which `pan` needs."]
    apply_file(chain, tmp_path / "stereo.wav", tmp_path / "b.wav", bits="32")
    one, other = (soundfile.read(tmp_path / name, dtype="float32")[0] for name in ("a.wav", "b.wav"))
    assert np.array_equal(one, other)
    apply_file(chain, tmp_path / "mono.wav", tmp_path / "c.wav", bits="32", layout="mono")
    mixed = soundfile.read(tmp_path / "c.wav", dtype="float32", always_2d=True)[0]
    assert mixed.shape[1] == 1 and np.allclose(mixed[:, 0], one.mean(axis=1), atol=1e-6)


def test_layouts_say_what_happens_to_channels() -> None:
    assert layout_of(parse_chain("chorus"), 1) == Layout(1, 1)
    assert layout_of(parse_chain("chorus"), 2, "mono").inside == 1
    many = layout_of(parse_chain("chorus"), 6)
    assert (many.inside, many.out) == (6, 6) and "6 channels" in many.remarks[0]
    down = layout_of(parse_chain("chorus"), 6, "stereo")
    assert (down.inside, down.out) == (2, 2) and "mixed down to stereo" in down.remarks[0]
    praat = layout_of(parse_chain("{pitch: {semitones: 2, method: praat}}"), 2)
    assert (praat.inside, praat.out) == (1, 1) and "mixed down to mono, which `pitch` needs" in praat.remarks[0]
    with pytest.raises(AudioError, match="11 channels"):
        layout_of(parse_chain("chorus"), 11, "stereo")


def test_what_the_file_cannot_hold_is_remarked(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(np.arange(22_050) * 0.1), 22_050, "FLOAT")
    for bits, told in (("24", 1), ("32", 0)):
        with remarking() as remarks:
            apply_file(parse_chain("gain: 12 dB"), tmp_path / "a.wav", tmp_path / "b.wav", bits=bits)
        assert sum("b.wav clips: its peak is +6.0 dBFS" in each for each in remarks) == told
