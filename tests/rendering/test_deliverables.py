"""Stems in the ways in which engineers ask for them, read back and added up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import studio
from studio.cli.main import main
from studio.errors import StudioError
from studio.recipe import Recipe
from studio.rendering.verify import verify
from tests.listening import null_db, sine, white

RATE = 32_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    soundfile.write(folder / "tone.wav", sine(440, 2, 0.1, RATE, channels=1).T, RATE)
    soundfile.write(folder / "wide.wav", white(2, 0.1, RATE).T, RATE)
    plain = {
        "title": "A song", "rate": RATE, "tail": "0.2 s", "sections": {"a": "1 s", "b": "1 s"}, "arrangement": ["b", "a"],
        "tracks": {
            "tone": {"play": {"audio": "tone.wav"}, "send": {"room": "-6 dB"}},
            "wide": {"play": {"audio": "wide.wav"}, "chain": [{"lowpass": "2 kHz"}], "volume": -6},
        },
        "buses": {"room": {"chain": [{"reverb": {"wet": 1, "dry": 0}}]}}, "master": {"chain": [{"gain": "-3 dB"}]},
    }  # fmt: skip
    (folder / "song.yaml").write_text(json.dumps(plain))
    return folder


def rendered(desk: Path, out: Path, **output: Any) -> dict[str, np.ndarray]:
    """The files of a render by their paths."""
    song = Recipe.load(desk / "song.yaml").replace(output={"bits": "32", **output})
    result = studio.render(song, out, report=False)
    assert result.manifest is not None
    assert all(check.sound for check in verify(out)), [check for check in verify(out) if not check.sound]
    return {entry.path: soundfile.read(out / entry.path, always_2d=True)[0].T for entry in result.manifest.entries}


def test_stems_are_numbered_mono_where_they_are_and_add_up(desk: Path, tmp_path: Path) -> None:
    files = rendered(desk, tmp_path, channels="auto", names="{number} {title} - {track}", premaster=True)
    assert {path: len(samples) for path, samples in files.items()} == {
        "mix.wav": 2, "premaster.wav": 2, "stems/01 A song - tone.wav": 1, "stems/02 A song - wide.wav": 2,
        "buses/03 A song - room.wav": 2,
    }  # fmt: skip
    total = sum(samples for path, samples in files.items() if path.startswith(("stems", "buses")))
    assert null_db(total, files["premaster.wav"]) < -120
    assert null_db(files["premaster.wav"] * 10 ** (-3 / 20), files["mix.wav"]) < -120


def test_dry_and_wet_stems_lie_side_by_side(desk: Path, tmp_path: Path) -> None:
    files = rendered(desk, tmp_path, effects="both")
    assert null_db(files["stems/tone.wav"], files["stems dry/tone.wav"]) < -120
    assert null_db(files["stems/wide.wav"], files["stems dry/wide.wav"]) > -30


def test_the_song_without_each_track(desk: Path, tmp_path: Path) -> None:
    files = rendered(desk, tmp_path, minus_one=True)
    lacks = files["minus one/without wide.wav"]
    assert null_db((files["mix.wav"] - lacks) * 10 ** (3 / 20), files["stems/wide.wav"]) < -100
    assert {path for path in files if "minus" in path} == {"minus one/without tone.wav", "minus one/without wide.wav"}


def test_stems_by_section_are_the_song_in_pieces(desk: Path, tmp_path: Path) -> None:
    files = rendered(desk, tmp_path, by_section=True)
    for name in ("mix.wav", "wide.wav", "room.wav"):
        whole = next(samples for path, samples in files.items() if path.endswith(name) and "sections" not in path)
        pieces = [
            samples for path, samples in sorted(files.items()) if path.startswith("sections") and path.endswith(name)
        ]
        assert pieces[0].shape[1] == RATE and np.array_equal(np.concatenate(pieces, axis=1), whole), name
    assert "sections/01 b/mix.wav" in files and "sections/02 a/tone.wav" in files


def test_sets_for_a_purpose_and_bit_rates(desk: Path, tmp_path: Path) -> None:
    def run(*words: str) -> list[str]:
        done = CliRunner().invoke(main, ["render", str(desk / "song.yaml"), "--json", "--no-report", *words])
        assert done.exit_code == 0, done.output
        return sorted(each["path"] for each in json.loads(done.stdout)["files"])

    assert run("--for", "practice", "-o", str(tmp_path / "p")) == [
        "minus one/without tone.mp3", "minus one/without wide.mp3", "mix.mp3",
    ]  # fmt: skip
    small = run("--for", "practice", "--bitrate", "64", "-o", str(tmp_path / "s"))
    sizes = [(tmp_path / folder / small[0]).stat().st_size for folder in ("p", "s")]
    seconds = soundfile.info(tmp_path / "p" / small[0]).duration
    assert sizes[0] * 8 / seconds / 1000 == pytest.approx(192, rel=0.1) and sizes[
        1
    ] * 8 / seconds / 1000 == pytest.approx(64, rel=0.1)
    mastering = run("--for", "mastering", "-o", str(tmp_path / "m"))
    assert mastering == ["buses/03 room.wav", "mix.wav", "premaster.wav", "stems/01 tone.wav", "stems/02 wide.wav"]
    assert soundfile.info(tmp_path / "m" / "stems/01 tone.wav").subtype == "FLOAT"


def test_what_cannot_be_delivered_is_refused(desk: Path, tmp_path: Path) -> None:
    song = Recipe.load(desk / "song.yaml")
    for output, said in (
        ({"names": "{numbr}"}, "no {numbr}"), ({"bitrate": "192"}, "no bit rate"),
    ):  # fmt: skip
        with pytest.raises(StudioError, match=said):
            song.replace(output=output)
    with pytest.raises(StudioError, match="without an arrangement"):
        studio.render(song.replace(arrangement=(), output={"by_section": True}), tmp_path / "out")
    with pytest.raises(StudioError, match="goes up to 160"):
        studio.render(song.replace(rate=22_050, output={"format": "mp3", "bitrate": "320"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
