"""The cache: bounded, self-checking, and safe when processes work at once or die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import studio
from studio.engine import Cache
from studio.recipe import Recipe
from tests.listening import white
from tests.songs import band_file
from tests.waiting import PATIENCE, wait_until

STUDIO = Path(sys.executable).parent / "studio"


def written(cache: Cache, key: str, block: np.ndarray) -> None:
    with cache.record(key, key, 44_100, block.shape[0]) as recording:
        recording.write(block)
        recording.keep()


def test_what_is_kept_is_read_from_any_place(tmp_path: Path) -> None:
    cache, sound = Cache(tmp_path), white(0.5)
    written(cache, "a", sound)
    tape = cache.open("a")
    assert tape is not None and tape.frames == sound.shape[1]
    assert np.array_equal(tape.read(100, 50), sound[:, 100:150])
    past = tape.read(sound.shape[1] - 10, 30)
    assert np.array_equal(past[:, :10], sound[:, -10:]) and not past[:, 10:].any()


@pytest.mark.parametrize("damage", ["flipped bit", "cut short", "torn card", "no card", "other length"])
def test_a_damaged_entry_is_thrown_away(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)
    written(cache, "a", white(0.5))
    data, card = cache.paths("a")
    content = bytearray(data.read_bytes())
    if damage == "flipped bit":
        content[1001] ^= 1
        data.write_bytes(content)
    elif damage == "cut short":
        data.write_bytes(content[:-8])
    elif damage == "torn card":
        card.write_text(card.read_text()[:20])
    elif damage == "no card":
        card.unlink()
    else:
        card.write_text(json.dumps(json.loads(card.read_text()) | {"frames": 7}))
    assert cache.open("a") is None


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    one = white(0.1).astype(np.float32)
    cache = Cache(tmp_path, limit=3 * one.nbytes)
    for index, key in enumerate("abcd"):
        written(cache, key, one)
        os.utime(cache.paths(key)[1], (index, index))
    cache.open("a")
    cache.prune()
    assert [key for key in "abcd" if cache.holds(key)] == ["a", "c", "d"]


def test_an_open_tape_outlives_its_entry(tmp_path: Path) -> None:
    cache, sound = Cache(tmp_path, limit=0), white(0.1)
    written(cache, "a", sound)
    tape = cache.open("a")
    cache.prune()
    assert not cache.holds("a")
    assert tape is not None and np.array_equal(tape.read(0, sound.shape[1]), sound)


def test_a_render_over_a_damaged_cache_gives_the_same_sound(tmp_path: Path) -> None:
    band_file(tmp_path / "band.mid", seconds=2, parts=2)
    song = Recipe.loads("{score: band.mid, tracks: {a: {part: all, chain: [chorus]}}}", tmp_path)
    cache = Cache(tmp_path / "cache")
    first = studio.render(song, cache=cache).mix
    for path in (tmp_path / "cache").glob("*.f32"):
        path.write_bytes(path.read_bytes()[:-400] + bytes(400))
    again = studio.render(song, cache=Cache(tmp_path / "cache")).mix
    assert np.array_equal(first.samples, again.samples)


def long_song(folder: Path) -> Path:
    band_file(folder / "band.mid", seconds=60, parts=6)
    tracks = {f"t{index}": {"part": {"channel": index + 1}, "chain": ["chorus", "reverb"]} for index in range(5)}
    # The master is worked on last and longest, so that there is time to stop a render of which part is done.
    master = {"chain": ["reverb"] * 16, "loudness": -14}
    Recipe(score="band.mid", tracks=tracks, master=master, title="long").save(folder / "song.yaml")
    return folder / "song.yaml"


def test_two_processes_at_once_share_a_cache_and_agree(tmp_path: Path) -> None:
    song = long_song(tmp_path)
    pair = [
        subprocess.Popen([STUDIO, "render", song, "-o", tmp_path / name, "--json"], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    answers = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in pair]
    assert [len(answer["files"]) for answer in answers] == [6, 6]
    for path in (tmp_path / "one").rglob("*.wav"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_render_that_is_stopped_breaks_nothing_and_the_next_goes_on(tmp_path: Path, blow: signal.Signals) -> None:
    song, out = long_song(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "mix.wav").write_bytes(b"an older mix")
    process = subprocess.Popen([STUDIO, "render", song, "-o", out], stderr=subprocess.PIPE, text=True)
    cache = Path(os.environ["STUDIO_CACHE"])
    wait_until(lambda: len(list(cache.glob("*.json"))) >= 2, "something is kept")
    assert process.poll() is None
    process.send_signal(blow)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (out / "mix.wav").read_bytes() == b"an older mix"
    assert not (out / "manifest.json").exists()
    if blow == signal.SIGINT:
        assert process.returncode == 130
        assert "the render was stopped" in errors and "Traceback" not in errors
        assert not [path for path in out.rglob("*") if path.name.endswith(".part")]
    kinds: list[str] = []
    result = studio.render(song, out, listener=lambda event: kinds.append(event.kind))
    assert kinds.count("cached") >= 2
    fresh = studio.render(song, cache=False)
    assert np.array_equal(result.mix.samples, fresh.mix.samples)
