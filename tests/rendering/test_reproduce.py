"""Renders made again in fresh processes: the same bits, or the name of what is not the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import studio
from studio.engine import Cache
from studio.engine.plan import plan
from studio.errors import RecipeError, StudioError
from studio.recipe import Recipe
from studio.rendering.reproduce import _guilty, reproduce
from tests.listening import white
from tests.songs import band_file

SONG = """
{score: band.mid, tracks: {keys: {part: all, chain: [chorus, reverb], volume: -3 dB, send: {room: -9 dB}},
 hiss: {play: {noise: {length: 0.5 s}}}}, buses: {room: {chain: [reverb]}}, master: {chain: [compressor]}, tail: 0.5 s}
"""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    band_file(tmp_path / "band.mid", seconds=0.5, parts=2)
    (tmp_path / "song.yaml").write_text(SONG)
    return tmp_path / "song.yaml"


def test_a_song_made_again_has_the_same_bits(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    studio.render(song, out, report=False)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["entries"][0]["sha256"] = "0" * 64
    (out / "manifest.json").write_text(json.dumps(manifest))
    [mix, *others] = reproduce(out)
    assert (mix.path, mix.sound, mix.detail) == ("mix.wav", False, "rendered again, it is another sound")
    assert [check.path for check in others] == ["stems/keys.wav", "stems/hiss.wav", "buses/room.wav"]
    assert all(check.sound and check.detail == "rendered again, the same bits" for check in others)


def test_where_it_comes_from_must_be_known(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.render(song, tmp_path / "out", report=False)
    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path / "another"))
    with pytest.raises(RecipeError, match="not known where"):
        reproduce(tmp_path / "out")
    with pytest.raises(StudioError):
        reproduce(tmp_path / "out", tmp_path / "nowhere")


def test_the_signal_in_which_a_difference_begins_is_named(song: Path, tmp_path: Path) -> None:
    planned = plan(Recipe.load(song))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        studio.render(song, cache=Cache(folder))
    assert not list(_guilty(planned, folders))
    nodes = [node for node in planned.nodes() if node.kept]
    chain = next(node for node in nodes if node.name == "keys · chorus → reverb")
    behind = [node for node in nodes if node is chain or chain.key in {below.key for below in node.needs()}]
    assert len(behind) >= 3
    for node in behind:
        path = folders[1] / f"{node.key}.f32"
        sound = np.fromfile(path, np.float32)
        sound[1000:] += 0.001 * white(1, 0.1)[0, 0]
        sound.tofile(path)
    [guilty] = _guilty(planned, folders)
    assert guilty.path == chain.name and not guilty.sound
    assert "dBFS from 0.01 s on" in guilty.detail


def test_a_song_is_made_again_with_the_score_it_was_rendered_with(song: Path, tmp_path: Path) -> None:
    other = band_file(tmp_path / "other.mid", seconds=0.5, parts=1)
    studio.render(song, tmp_path / "out", score=other, report=False)
    with pytest.raises(RecipeError, match=r"band.mid' is not the score that was played then.\n .*--score FILE"):
        reproduce(tmp_path / "out")
    assert all(check.sound for check in reproduce(tmp_path / "out", score=other))
