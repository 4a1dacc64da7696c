"""Items of REAPER projects: speeds, loops, takes, envelopes and fades are heard as they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.levels import decibels
from studio.midi import read_midi
from tests.sessions.rpp_text import RATE, imported, item, notes, project, sounds, told, track


def null(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return decibels(float(np.max(np.abs(one - other))))


def pitch(sound: np.ndarray) -> float:
    """The strongest frequency of a sound, in Hz."""
    spectrum = np.abs(np.fft.rfft(sound[0] * np.hanning(sound.shape[1])))
    return float(np.argmax(spectrum)) * RATE / sound.shape[1]


def played(made_at: Path) -> list[tuple[float, float, int]]:
    """Notes as seconds of start and end, and pitch."""
    score = read_midi(made_at)
    seconds = [
        (score.tempo.second_at(score.beat(note.start)), score.tempo.second_at(score.beat(note.end)))
        for note in score.notes
    ]
    return [
        (round(float(a), 3), round(float(b), 3), note.pitch) for (a, b), note in zip(seconds, score.notes, strict=True)
    ]


@pytest.mark.parametrize(
    ("rate", "seconds", "hz"), [("0.5 1 0", 4, 440), ("2 0 0", 1, 880), ("1 1 12", 2, 880), ("0.5 0 12", 4, 440)]
)
def test_a_take_plays_at_its_rate_and_pitch(tmp_path: Path, rate: str, seconds: int, hz: float) -> None:
    sounds(tmp_path)
    made, sound = imported(project(tmp_path / "p.rpp", track("t", item("b.wav", length=seconds, rate=rate))))
    assert sound.shape[1] == seconds * RATE and made.losses == ()
    middle = sound[:, RATE // 4 : -RATE // 4]
    assert abs(1200 * np.log2(pitch(middle) / hz)) < 5
    assert abs(decibels(float(np.sqrt(np.mean(middle**2)))) - decibels(0.3 / np.sqrt(2))) < 1


def test_stretch_markers_bend_time(tmp_path: Path) -> None:
    sounds(tmp_path)
    made, sound = imported(
        project(tmp_path / "p.rpp", track("t", item("up.wav", length=4, inside="SM 0 0 + 1 2 + 4 4")))
    )
    assert made.losses == ()
    level = [float(np.max(np.abs(sound[:, int(at * RATE) - 400 : int(at * RATE) + 400]))) for at in (0.5, 1.0, 2.5)]
    assert np.allclose(level, [0.3 * 1 / 4, 0.3 * 2 / 4, 0.3 * 3 / 4], rtol=0.06)


def test_a_reversed_section_is_played_backwards_and_loops(tmp_path: Path) -> None:
    a = sounds(tmp_path)["a"]
    section = "<SOURCE SECTION\nLENGTH 1\nMODE 2\nSTARTPOS 0.5\nOVERLAP 0.01\n<SOURCE WAVE\nFILE a.wav\n>\n>"
    made, sound = imported(
        project(tmp_path / "p.rpp", track("t", item(source=section, length=1.5, loop=1, offset="0.25")))
    )
    back = a[:, RATE // 2 : RATE // 2 + RATE][:, ::-1]
    whole = np.concatenate([back[:, RATE // 4 :], back[:, : RATE * 3 // 4]], axis=1)
    assert null(sound, whole) < -120 and made.losses == ()


def test_the_chosen_take_is_heard_and_the_others_are_told(tmp_path: Path) -> None:
    tones = sounds(tmp_path)
    second = "TAKE SEL\nNAME two\nTAKEVOLPAN 0 -0.5 -1\nSOFFS 0\nPLAYRATE 1 1 0 -1 0 0.0025\nCHANMODE 0\n<SOURCE WAVE\nFILE b.wav\n>"
    made, sound = imported(project(tmp_path / "p.rpp", track("t", item(inside=second))))
    assert null(sound, -0.5 * tones["b"][:, : 2 * RATE]) < -120
    assert told(made) == "it: 1 other take: what is chosen is taken"


def test_pan_gain_envelope_and_fades_of_an_item(tmp_path: Path) -> None:
    a = sounds(tmp_path)["a"]
    ramp = "<VOLENV\nEGUID {9}\nACT 1 -1\nVIS 1 1 1\nARM 0\nDEFSHAPE 0 -1 -1\nPT 0 1 0\nPT 2 0.5 0\n>"
    there = track("t", item(volpan="0.5 -1 1 -1", inside=ramp, fades=("0 0.5 0", "2 0.5 0")))
    made, sound = imported(project(tmp_path / "p.rpp", there))
    time = np.arange(2 * RATE) / RATE
    level = 0.5 * (1 - time / 4) * np.minimum(1, time / 0.5) * np.minimum(1, (2 - time) / 0.5) ** 2
    assert made.losses == () and not sound[1].any()
    assert null(sound[:1], (a[:1, : 2 * RATE] * level)) < -55


def test_the_envelope_of_a_looped_item_goes_on_over_its_passes(tmp_path: Path) -> None:
    a = sounds(tmp_path, 1.0)["a"]
    ramp = "<VOLENV\nACT 1 -1\nPT 0 1 0\nPT 3 0 0\n>"
    _, sound = imported(project(tmp_path / "p.rpp", track("t", item(length=3, loop=1, inside=ramp))))
    assert null(sound, np.tile(a, 3) * (1 - np.arange(3 * RATE) / RATE / 3)) < -55


def test_polarity_mute_and_volume_before_the_effects(tmp_path: Path) -> None:
    a = sounds(tmp_path)["a"]
    envelopes = "<VOLENV\nACT 1 -1\nPT 0 0.5 1\nPT 1 0.25 1\n>\n<MUTEENV\nACT 1 -1\nPT 0 1 1\nPT 1.5 0 1\n>"
    made, sound = imported(project(tmp_path / "p.rpp", track("t", item(), inside=envelopes, phase=1)))
    level = np.where(np.arange(2 * RATE) < RATE, -0.5, -0.25) * (np.arange(2 * RATE) < 1.5 * RATE)
    apart = np.abs(sound - a[:, : 2 * RATE] * level)
    for jump in (RATE, RATE * 3 // 2):
        apart[:, jump - 64 : jump + 64] = 0
    assert decibels(float(apart.max())) < -100 and made.losses == ()


def test_the_whole_project_at_half_the_speed(tmp_path: Path) -> None:
    sounds(tmp_path)
    there = project(
        tmp_path / "p.rpp",
        track("t", item("b.wav", position=1, length=1)),
        inside="PLAYRATE 0.5 1 0.25 4\nMARKER 1 1 x 0",
    )
    made, sound = imported(there)
    assert sound.shape[1] == 4 * RATE and not sound[:, : 2 * RATE].any() and made.losses == ()
    assert abs(pitch(sound[:, 5 * RATE // 2 : 7 * RATE // 2]) - 440) < 2
    assert float(made.recipe.tempo_map(None).tempos[0].bpm) == 60


@pytest.mark.parametrize("mode", ["0", "1"])
def test_automation_of_a_fader_multiplies_it_or_stands_for_it(tmp_path: Path, mode: str) -> None:
    a = sounds(tmp_path)["a"]
    there = track("t", item(), inside="<VOLENV2\nACT 1 -1\nPT 0 0.5 0\nPT 2 0.5 0\n>", volpan="0.5 0 -1 -1 1")
    _, sound = imported(project(tmp_path / "p.rpp", there.replace("AUTOMODE 0", f"AUTOMODE {mode}")))
    assert null(sound, a[:, : 2 * RATE] * (0.25 if mode == "0" else 0.5)) < -100


def test_notes_loop_for_as_long_as_their_item(tmp_path: Path) -> None:
    loop = notes((0, "90 3c 60"), (480, "80 3c 00"), (1440, "b0 7b 00"))
    path = project(tmp_path / "p.rpp", track("m", item(source=loop, position=1, length=2.5, loop=1)))
    imported(path)
    found = played(tmp_path / "in" / "p media" / "notes.mid")
    assert found == [(1.0, 1.25, 60), (2.0, 2.25, 60), (3.0, 3.25, 60)]


def test_a_trimmed_item_of_notes_begins_at_its_offset_with_its_controllers(tmp_path: Path) -> None:
    source = notes(
        (0, "b0 07 40"), (0, "90 3c 60"), (960, "80 3c 00"), (0, "90 3e 60"), (960, "90 40 60"), (0, "80 3e 00"), (960, "80 40 00"),
        (0, "b0 7b 00"),
    )  # fmt: skip
    for offset in ("0.75 1.5", "0.75"):
        made, _ = imported(project(tmp_path / "p.rpp", track("m", item(source=source, length=1, offset=offset))))
        midi = tmp_path / "in" / "p media" / "notes.mid"
        assert played(midi) == [(0.25, 0.75, 64)]
        assert [event.data for event in read_midi(midi).events if event.status == 0xB] == [b"\xb0\x07\x40"]
        assert "1 note: they begin before the item does" in told(made)


def test_notes_keep_their_own_tempo_and_speed(tmp_path: Path) -> None:
    source = notes((0, "90 3c 60"), (960, "80 3c 00"), (960, "b0 7b 00"), head="HASDATA 1 960 QN\nIGNTEMPO 1 60 4 4")
    path = project(tmp_path / "p.rpp", track("m", item(source=source, length=4)))
    imported(path)
    assert played(tmp_path / "in" / "p media" / "notes.mid") == [(0.0, 1.0, 60)]
    twice = notes((0, "90 3c 60"), (960, "80 3c 00"), (960, "b0 7b 00"))
    imported(project(tmp_path / "p.rpp", track("m", item(source=twice, length=1, rate="2 1 0", loop=1))))
    assert played(tmp_path / "in" / "p media" / "notes.mid") == [(0.0, 0.25, 60), (0.5, 0.75, 60)]


def test_notes_in_a_file_are_read_from_it(tmp_path: Path) -> None:
    from studio.midi import write_midi
    from studio.score import Note, Score

    write_midi(Score((), 480).with_notes([Note(480, 960, 62, 90, 0, 0)]), tmp_path / "n.mid")
    imported(project(tmp_path / "p.rpp", track("m", item(source="<SOURCE MIDI\nFILE n.mid\n>", length=4))))
    assert played(tmp_path / "in" / "p media" / "notes.mid") == [(0.5, 1.0, 62)]


def test_items_on_lanes_that_do_not_play_are_silent(tmp_path: Path) -> None:
    tones = sounds(tmp_path)
    first, second = item("a.wav", inside="YPOS 0 0.5 0"), item("b.wav", inside="YPOS 0.5 0.5 0")
    there = track("t", first, second, inside="FREEMODE 2\nFIXEDLANES 9 0 0 0 0\nLANESOLO 2 0 0 0 0 0 0 0")
    made, sound = imported(project(tmp_path / "p.rpp", there))
    assert null(sound, tones["b"][:, : 2 * RATE]) < -120
    assert "lane" in told(made)


@pytest.mark.parametrize("shape", range(7))
def test_fades_keep_their_shape_in_one_word_and_leave_with_it(tmp_path: Path, shape: int) -> None:
    from studio.rendering import render
    from studio.sessions.exporting import export_session
    from studio.sessions.importing import import_session

    sounds(tmp_path)
    path = project(tmp_path / "p.rpp", track("t", item(fades=(f"{shape} 0.5 0", f"{shape} 0.01 0"))))
    made, sound = imported(path)
    [clip] = made.recipe.tracks["t"].play.clips  # type: ignore[union-attr]
    assert made.losses == () and not clip.chain and len(made.recipe.dumps()) < 600
    assert shape == 0 or clip.fade_in_shape == clip.fade_out_shape != "linear"
    export_session(made.recipe, tmp_path / "out", "reaper", name="S")
    import_session(tmp_path / "out" / "S" / "S.rpp", tmp_path / "back" / "s.yaml")
    assert null(render(tmp_path / "back" / "s.yaml").mix.samples, sound) < -120
