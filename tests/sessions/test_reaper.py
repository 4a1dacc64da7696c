"""REAPER projects, re-read by the package `rpp` and by our own reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rpp

from studio.interchange.reaper.text import Chunk, parse
from studio.interchange.reaper.vst import read_vst, write_vst
from studio.interchange.timeline import Device
from studio.interchange.vstpreset import chunks, vstpreset
from studio.levels import decibels
from studio.recipe import Recipe
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from tests.sessions.sessions import song

PROJECT = """\
<REAPER_PROJECT 0.1 "7.16/linux-x86_64" 1
  SAMPLERATE 44100 1 0
  TEMPO 120 4 4
  MARKER 1 1 "Verse" 0
  MARKER 2 2 'A "region"' 1
  MARKER 2 3 "" 1
  <TRACK
    NAME "Drum Bus"
    ISBUS 1 1
    VOLPAN 0.5 0 -1 -1 1
  >
  <TRACK
    NAME `Kick "in" 'out'`
    ISBUS 2 -1
    PEAKCOL 16744448
    <ITEM
      POSITION 0.5
      LENGTH 2.5
      LOOP 1
      SOFFS 0.25
      <SOURCE WAVE
        FILE "tone.wav"
      >
    >
    <ITEM
      POSITION 4
      LENGTH 1
      <SOURCE WAVE
        FILE "C:\\Users\\me\\gone.wav"
      >
    >
    <FXCHAIN
      BYPASS 0 0 0
      <JS loser/3BandEQ ""
        1 2 3
      >
    >
  >
  <TRACK
    NAME Keys
    <ITEM
      POSITION 1
      LENGTH 1
      <SOURCE MIDI
        HASDATA 1 480 QN
        E 0 90 3c 64
        E 480 80 3c 40
        E 0 c0 05 00
        E 480 b0 7b 00
      >
    >
  >
>
"""


@pytest.mark.parametrize("tempo", ["[[0 bars, 120 bpm], [2 bars, 90 bpm, linear]]", "100 bpm"])
@pytest.mark.parametrize("moving", [False, True])
def test_a_song_sounds_the_same_after_a_round_trip(tmp_path: Path, tempo: str, moving: bool) -> None:
    recipe = song(tmp_path / "song", tempo=tempo, moving=moving)
    made = export_session(recipe, tmp_path / "out", "reaper", name="Song")
    import_session(made.path / "Song.rpp", tmp_path / "in" / "back.yaml")
    back = render(tmp_path / "in" / "back.yaml").mix.samples
    mix = render(recipe).mix.samples
    assert back.shape == mix.shape
    assert decibels(float(np.max(np.abs(back - mix)))) < (-60 if moving else -120)
    again = Recipe.load(tmp_path / "in" / "back.yaml").tempo_map(None)
    first = recipe.tempo_map(None)
    assert again.meters == first.meters
    beats = np.linspace(0, 40, 400)
    assert np.max(np.abs(again.seconds_at(beats) - first.seconds_at(beats))) < 1e-4


def test_another_reader_finds_everything_in_its_place(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song", moving=True)
    made = export_session(recipe, tmp_path / "out", "reaper", name="Song")
    project = rpp.loads((made.path / "Song.rpp").read_text())
    tracks = project.findall("TRACK")
    named = {track.find("NAME")[1]: track for track in tracks}
    assert list(named) == ["hiss", "rain & snow", "cuts", "keys", "keys (notes)", "room", "group"]
    assert int(named["hiss"].find("PEAKCOL")[1]) == 0x1000000 | 0xFF | 0x88 << 8
    assert abs(float(named["hiss"].find("VOLPAN")[1]) - 10 ** (-6 / 20)) < 1e-12
    assert float(named["hiss"].find("VOLPAN")[2]) == -0.3
    assert named["keys"].find("MUTESOLO")[1] == "1"
    receives = [words[1:4] for words in named["group"].findall("AUXRECV")]
    assert [words[:2] for words in receives] == [["0", "0"], ["1", "0"]]
    assert named["rain & snow"].find("VOLENV2") is not None and named["rain & snow"].find("MAINSEND")[1] == "0"
    starts = [float(item.find("POSITION")[1]) for item in named["cuts"].findall("ITEM")]
    tempo = recipe.tempo_map(None)
    assert np.allclose(starts, [0.5, float(tempo.second_at(2))], atol=1 / 44_100)  # type: ignore[arg-type]
    markers = [(line[3], float(line[2])) for line in project.findall("MARKER")]
    assert [name for name, _ in markers] == ["Intro", "Größer & 'leiser'"]
    points = [child for child in project.find("TEMPOENVEX") if child[0] == "PT"]
    assert abs(float(points[-1][1]) - float(tempo.second_at(8))) < 1e-9 and float(points[-1][2]) == 90  # type: ignore[arg-type]
    assert int(points[-1][4]) == 65_536 * 8 + 7
    notes = [child for child in named["keys (notes)"].find("ITEM").find("SOURCE") if child[0] == "E"]
    assert sum(child[2].startswith("9") for child in notes) == 6


def test_a_project_of_reaper_s_own_kind_is_read_with_its_losses_named(tmp_path: Path) -> None:
    song(tmp_path)
    (tmp_path / "a.rpp").write_text(PROJECT)
    made = import_session(tmp_path / "a.rpp", tmp_path / "in" / "a.yaml")
    recipe = made.recipe
    assert recipe.tracks["Kick _in_ 'out'"].to == "Drum Bus" and recipe.buses["Drum Bus"].volume == pytest.approx(
        -6.0206, abs=1e-4
    )
    clips = recipe.tracks["Kick _in_ 'out'"].play.clips  # type: ignore[union-attr]
    assert [float(clip.at.seconds) for clip in clips] == [0.5, 1.25, 2.25]
    assert [float(clip.offset.seconds) for clip in clips] == [0.25, 0, 0]
    named = " | ".join(str(loss) for loss in made.losses)
    for what in ("gone.wav", "3BandEQ", "region", "Kick"):
        assert what in named
    from studio.midi import read_midi

    score = read_midi(tmp_path / "in" / "a media" / "notes.mid")
    assert [(score.beat(note.start), note.pitch) for note in score.notes] == [(2, 60)]
    assert [mark.text for mark in score.marks if mark.kind == "marker"] == ["Verse", 'A "region"']


def test_the_state_of_a_plugin_comes_back_to_the_byte() -> None:
    identity = "56535441447A636F6D707832783200FF"
    random = np.random.default_rng(3)
    for size in (0, 1, 70, 71, 72, 5000):
        state = vstpreset(identity, {"Comp": random.bytes(size), "Cont": random.bytes(size // 2)})
        chain = Chunk("FXCHAIN")
        write_vst(chain, Device("Comp X2", "vst3", identity, state, vendor="Zam (Audio)"))
        text = "\n".join(["<REAPER_PROJECT 0.1", *rpp_lines(chain), ">"])
        [read] = next(parse(text).chunks("FXCHAIN")).chunks("VST")
        found = read_vst(read, True)
        assert found.id == identity and found.format == "vst3" and not found.instrument
        assert found.state is not None
        parts, before = chunks(found.state), chunks(state)
        assert parts["Comp"] == before["Comp"] and parts.get("Cont", b"") == before["Cont"]


def rpp_lines(chain: Chunk) -> list[str]:
    from studio.interchange.reaper.text import dump

    return list(dump(chain))
