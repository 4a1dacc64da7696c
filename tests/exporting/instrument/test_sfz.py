"""Instruments as SFZ: read by a linter and played by a converter and a synth that are not ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.errors import OutputError, RecipeError
from studio.exporting.export import Exported, export
from studio.exporting.instrument.card import InstrumentCard
from studio.midi import write_midi
from studio.recipe.presets import ChainPreset
from studio.score import Note
from tests.exporting.instrument.conftest import PLAY, SMALL
from tests.songs import score_of


@pytest.fixture(scope="module")
def sfz(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(PLAY, tmp_path_factory.mktemp("sfz") / "Keys.sfz", grid=SMALL)


def test_it_is_played_by_programs_that_are_not_ours(sfz: Exported) -> None:
    assert isinstance(sfz.card, InstrumentCard) and sfz.card.heard
    [(host, found)] = sfz.card.heard.distances.items()
    assert host.startswith("Polyphone, then FluidSynth")
    assert abs(found.level_db) < 1.5
    assert found.mel_db < 3
    assert found.onset_ms < 5
    assert found.pitch_cents < 6


def test_a_reader_that_is_not_ours_understands_all_but_the_crossfades(sfz: Exported, tmp_path: Path) -> None:
    command = ["polyphone", "-1", "-i", str(sfz.path), "-d", str(tmp_path), "-o", "made"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    unknown = set(re.findall(r"opcode not supported: ([a-z]+)", said.stdout + said.stderr))
    assert "bendup" in unknown
    assert unknown <= {
        "bendup", "benddown", "xfvelcurve", "ampveltrack", "ampvelcurve", "xfinlovel", "xfinhivel", "xfoutlovel", "xfouthivel",
    }  # fmt: skip


def test_regions_cover_the_keyboard_and_all_velocities(sfz: Exported) -> None:
    regions = [dict(re.findall(r"(\w+)=(\S+)", part)) for part in sfz.path.read_text().split("<region>")[1:]]
    for key in range(128):
        for velocity in range(1, 128):
            heard = [
                each
                for each in regions
                if int(each["lokey"]) <= key <= int(each["hikey"])
                and int(each["lovel"]) <= velocity <= int(each["hivel"])
            ]
            assert 1 <= len(heard) <= 2
    for each in regions:
        samples, rate = soundfile.read(sfz.path.parent / each["sample"], always_2d=True)
        assert rate == 44_100
        if each["loop_mode"] == "loop_continuous":
            assert 0 < int(each["loop_start"]) < int(each["loop_end"]) == len(samples) - 1


def test_the_chain_lies_beside_it_as_a_preset(sfz: Exported) -> None:
    preset = ChainPreset.load(sfz.path.with_name("Keys.chain.yaml"))
    assert [step.step for step in preset.chain] == ["brickwall", "gain"]
    card = json.loads((sfz.path.parent / "card.json").read_text())
    assert card["state"].startswith("verified in Polyphone")
    assert (sfz.path.parent / "card.png").read_bytes().startswith(b"\x89PNG")


def test_an_export_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    grid = {"lowest": 60, "highest": 60, "velocities": [127], "seconds": 0.6}
    one = export("soundfont: {program: 11}", tmp_path / "Bell.sfz", grid=grid)
    before = one.path.read_text()
    assert export("soundfont: {program: 11}", tmp_path / "Bell.sfz", grid=grid).path.read_text() == before
    (tmp_path / "Mine").mkdir()
    (tmp_path / "Mine" / "song.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else already"):
        export("soundfont: {program: 11}", tmp_path / "Mine.sfz", grid=grid)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["Bell", "Mine"]
    assert (tmp_path / "Mine" / "song.txt").read_text() == "mine"


SONG = """\
recipe: 1
score: song.mid
tracks:
  keys: {part: {channel: 1}, play: {soundfont: {reverb: 0, chorus: 0}}, chain: [{gain: {name: g, gain: -3}}]}
  kit: {part: {channel: 10}}
  loop: {play: {audio: loop.wav}}
  ducked: {part: {channel: 1}, chain: [{ducker: {sidechain: kit}}]}
  faded: {part: {channel: 1}, chain: [{fade_in: 1 s}]}
knobs:
  level: {value: 0.5, drives: {keys.g.gain: [-12, 0]}}
"""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    from dataclasses import replace

    from studio.score import Event

    keys = [Note(480 * place, 480 * place + 400, key, 100) for place, key in enumerate((57, 60, 64))]
    kit = [Note(480 * place, 480 * place + 200, key, 110, channel=9) for place, key in enumerate((36, 38, 36, 49))]
    score = score_of(*keys, *kit, end_beats=4)
    write_midi(replace(score, events=(Event(0, bytes((0xC0, 11))), *score.events)), tmp_path / "song.mid")
    soundfile.write(tmp_path / "loop.wav", np.zeros((4410, 2)), 44_100)
    (tmp_path / "song.yaml").write_text(SONG)
    return tmp_path / "song.yaml"


def test_the_instrument_of_a_track_is_the_program_its_part_asks_for(song: Path, tmp_path: Path) -> None:
    made = export(f"{song}#keys", tmp_path / "Keys.sfz", grid={"velocities": [127], "seconds": 0.8})
    assert isinstance(made.card, InstrumentCard) and made.card.heard
    assert (made.card.keys[0], made.card.keys[-1]) == (57, 64), "as far as the part goes"
    assert made.card.heard.failures == ()
    assert next(iter(made.card.heard.distances.values())).mel_db < 2.5, "it is a vibraphone, not a piano"


def test_a_drum_kit_keeps_its_keys(song: Path, tmp_path: Path) -> None:
    made = export(f"{song}#kit", tmp_path / "Kit.sfz", grid={"velocities": [127], "seconds": 0.8})
    assert isinstance(made.card, InstrumentCard)
    assert made.card.keys == (36, 38, 49)
    assert "loop_mode=one_shot" in made.path.read_text()


@pytest.mark.parametrize(
    ("track", "words"),
    [
        ("strings", "there is no track 'strings'"),
        ("loop", "plays no instrument"),
        ("ducked", "side-chain has no way into an instrument"),
        ("faded", "fade_in"),
    ],
)
def test_tracks_that_cannot_be_an_instrument_are_refused(song: Path, tmp_path: Path, track: str, words: str) -> None:
    with pytest.raises((RecipeError, OutputError)) as refused:
        export(f"{song}#{track}", tmp_path / "out" / "No.vst3")
    assert words in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_what_sfz_and_source_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="SFZ holds an instrument") as refused:
        export("gain: -6", tmp_path / "Gain.sfz")
    assert "song.yaml#keys" in refused.value.mend
    with pytest.raises(OutputError, match="cannot be written as a project"):
        export("voice: violin", tmp_path / "project", format="source")
    with pytest.raises(RecipeError):
        export("{play: chorus}", tmp_path / "No.sfz")
    assert list(tmp_path.iterdir()) == []


def test_far_from_its_recipe_it_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.exporting.instrument import verify
    from studio.exporting.instrument.distance import Distance

    monkeypatch.setattr(verify, "GATES", Distance(0.0, 4.0, 15.0, 12.0))
    grid = {"lowest": 60, "highest": 60, "velocities": [127], "seconds": 0.6}
    with pytest.raises(OutputError, match="not what the recipe sounds like") as refused:
        export("soundfont: {program: 11}", tmp_path / "Bell.sfz", grid=grid)
    assert "--allow-mismatch" in refused.value.mend
    assert list(tmp_path.iterdir()) == []
    made = export("soundfont: {program: 11}", tmp_path / "Bell.sfz", grid=grid, allow_mismatch=True)
    assert isinstance(made.card, InstrumentCard) and made.card.state.startswith("differs from the recipe")


def test_the_command_takes_a_track_and_a_grid(song: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from studio.cli import main

    words = ["export", f"{song}#keys", "--format", "sfz", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*words, "--grid", "velocities: [127], seconds: 0.6"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "song keys" / "song keys.sfz").is_file()
    assert "verified in Polyphone" in result.output
    refused = CliRunner().invoke(main, [*words, "--grid", "velocity: 127"])
    assert refused.exit_code == 1 and "velocities" in refused.output
