"""What would not fit is refused before work starts, in numbers."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio import budgets
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.effects.space import Convolution
from studio.engine import Cache, tape
from studio.errors import OutputError, RecipeError, RenderError, StudioError
from studio.interchange.archive import Archive
from studio.recipe import Recipe, document
from studio.recipe.document import Document
from studio.recipe.pack import CARD, install_pack, pack
from studio.rendering.render import render
from tests.listening import white

SONG = "tracks: {hiss: {play: {noise: {length: 1 s}}}}"
MB = 1_000_000


def project(path: Path, sizes: list[int], way: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip file of a small project and of files of zeros."""
    with zipfile.ZipFile(path, "w", way) as archive:
        archive.writestr("project.xml", "<Project version='1.0'><Application name='x' version='1'/></Project>")
        for index, size in enumerate(sizes):
            archive.writestr(f"audio/{index}.wav", bytes(size))
    return path


def test_many_small_bombs_are_one_big_bomb(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'audio/\d.wav' would swell from .* to 20 MB, and all 4 such .* to 80 MB"):
        Archive(project(tmp_path / "bomb.dawproject", [20 * MB] * 4))
    with pytest.raises(RecipeError, match=r"all 150 such files .* to 75 MB; 67 MB at most"):
        Archive(project(tmp_path / "swarm.dawproject", [MB // 2] * 150))
    # A few minutes of silence, packed; and any amount of it, as it is.
    with Archive(project(tmp_path / "rest.dawproject", [20 * MB] * 3)) as few:
        assert len(few.names) == 4
    with Archive(project(tmp_path / "plain.dawproject", [20 * MB] * 4, zipfile.ZIP_STORED)) as plain:
        assert len(plain.names) == 5


def test_what_the_disk_has_no_room_for_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path / "song.dawproject", [3 * MB])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=2 * MB))
    from studio.interchange.dawproject.read import read_dawproject

    with pytest.raises(OutputError, match=r"needs 3 MB of disk; 2 MB are free"):
        read_dawproject(path, tmp_path / "media" / "deep")
    assert [each.name for each in tmp_path.iterdir()] == ["song.dawproject"]

    pack(Recipe.loads(SONG, tmp_path), tmp_path / "whole.studio")
    monkeypatch.setenv("STUDIO_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10))
    with pytest.raises(OutputError, match=r"the pack needs .* of disk; 0 MB are free"):
        install_pack(tmp_path / "whole.studio")
    assert not [each for each in (tmp_path / "presets").rglob("*") if each.is_file()]


def test_a_pack_that_is_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PRESETS", str(tmp_path / "presets"))
    pack(Recipe.loads(SONG, tmp_path), tmp_path / "whole.studio")
    zeros = bytes(80 * MB)
    digest = hashlib.sha256(zeros).hexdigest()
    name = f"assets/{digest[:16]}-room.wav"
    with zipfile.ZipFile(tmp_path / "whole.studio") as whole:
        files = {each: whole.read(each) for each in whole.namelist()}
    card = json.loads(files[CARD])
    card["files"].append({"path": name, "bytes": len(zeros), "sha256": digest, "license": "CC0"})
    with zipfile.ZipFile(tmp_path / "bomb.studio", "w", zipfile.ZIP_DEFLATED) as bomb:
        for each, content in {**files, CARD: json.dumps(card).encode(), name: zeros}.items():
            bomb.writestr(each, content)
    with pytest.raises(StudioError, match=r"room.wav' would swell from .* bytes to 80 MB"):
        install_pack(tmp_path / "bomb.studio")
    assert not [each for each in (tmp_path / "presets").rglob("*") if each.is_file()]


def test_tapes_that_were_put_away_are_read_even_when_they_were_evicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "most_open_files", lambda: 16)
    cache = Cache(tmp_path)
    sounds = [white(0.01, seed=seed) for seed in range(20)]
    for index, sound in enumerate(sounds):
        with cache.record(str(index), "noise", 44_100, sound.shape[0]) as recording:
            recording.write(sound)
            recording.keep()
    handles = len([*Path("/proc/self/fd").iterdir()]) if sys.platform == "linux" else 0
    tapes = [cache.open(str(index)) for index in range(20)]
    if sys.platform == "linux":
        assert len([*Path("/proc/self/fd").iterdir()]) <= handles + 4
    for index in range(20):
        cache.drop(str(index))
    for sound, each in zip(sounds, tapes, strict=True):
        assert each is not None
        assert np.array_equal(each.read(0, sound.shape[1]), sound)
    del tapes, each, recording
    gc.collect()
    assert not [each for each in tmp_path.iterdir() if each.suffix in {".part", ".f32"}]


def test_three_hundred_tracks_in_a_hundred_and_twenty_eight_files(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return
    import resource

    lines = [f"  t{seed}: {{play: {{noise: {{length: 0.02 s, seed: {seed}}}}}}}\n" for seed in range(300)]
    (tmp_path / "song.yaml").write_text("tracks:\n" + "".join(lines))
    done = subprocess.run(
        [Path(sys.executable).parent / "studio", "render", "song.yaml", "-o", "out"],
        cwd=tmp_path,
        env=os.environ | {"STUDIO_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "stems").iterdir())) == 300
    mix, _ = soundfile.read(tmp_path / "out" / "mix.wav", dtype="float64")
    stems = sum(soundfile.read(each, dtype="float64")[0] for each in (tmp_path / "out" / "stems").iterdir())
    assert np.abs(mix - stems).max() < 300 * 2**-23


def test_the_limit_of_open_files_is_raised_to_what_is_allowed() -> None:
    if sys.platform == "win32":
        return
    said = subprocess.run(
        ["sh", "-c", 'ulimit -Sn 100; ulimit -Hn 512; exec "$@"', "sh", sys.executable, "-c", _RAISED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["512"]


_RAISED = "from studio.budgets import most_open_files, raise_open_files; raise_open_files(); print(most_open_files())"


def test_a_long_response_costs_a_short_sound_no_more_than_what_is_heard(tmp_path: Path) -> None:
    rate, seconds = 8_000, 400
    response = np.random.default_rng(1).standard_normal(rate * seconds).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", response, rate, subtype="FLOAT")
    sound = white(1.0, rate=rate, channels=1)
    chain = EffectChain((Convolution(file="long.wav", mix=1),), RenderContext(rate, 1, folder=tmp_path), 8_192)
    tracemalloc.start()
    heard = np.concatenate([chain.push(sound), *(chain.push(np.zeros((1, 8_192), np.float32)) for _ in range(4))], 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The response itself, read, is 13 MB, and its energy is summed up in double precision; all its spectra and those
    # of the sound would be 103 MB more.
    assert peak < 80 * MB
    scale = np.sqrt(np.square(response.astype(np.float64)).sum())
    expected = np.convolve(sound[0].astype(np.float64), response[:40_000].astype(np.float64))[:30_000] / scale
    late = int(np.argmax(np.abs(heard[0]) > 0))
    assert np.abs(heard[0, late : late + 28_000] - expected[:28_000]).max() < 1e-6


def test_what_memory_has_no_room_for_is_refused_in_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "room.wav", np.ones(44_100 * 4, np.float32), 44_100)
    monkeypatch.setattr(budgets, "free_memory", lambda: MB)
    song = "tracks: {a: {play: {noise: {length: 2 s}}, chain: [%s]}}"
    with pytest.raises(RenderError, match=r"a response of 4 s needs 2 MB of memory; 1 MB are free") as refused:
        render(Recipe.loads(song % "{convolution: {file: room.wav}}", tmp_path))
    assert refused.value.path[:2] == ("tracks", "a")
    with pytest.raises(RenderError, match=r"of sound and more, worked on as a whole, needs \d MB .* 1 MB are free"):
        render(Recipe.loads(song % "reverse", tmp_path))


def test_a_recipe_may_hold_as_much_as_a_film_and_no_aliases_without_end(tmp_path: Path) -> None:
    clips = "".join(f"{{file: a.wav, at: {index} s, fade_in: 10 ms, fade_out: 9 ms}}," for index in range(4_500))
    text = f"tracks: {{a: {{play: {{clips: {{clips: [{clips}]}}}}}}}}"
    assert len(Document(text).data["tracks"]["a"]["play"]["clips"]["clips"]) == 4_500
    with pytest.raises(RecipeError, match=r"its aliases \(\*\) repeat more than 20,000.\n .*Write them out"):
        Document("a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: [" + "*a, " * 2_001 + "]")
    with pytest.raises(RecipeError, match=r"more values inside values than 40.\n .*Nest them less"):
        Document("a: " + "[" * 41 + "]" * 41)


def test_a_recipe_with_too_many_values_is_told_how_many_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_VALUES", 1_000)
    with pytest.raises(RecipeError, match=r"1,000 at most.\n .*Divide it into several songs"):
        Document("a: [" + "1, " * 1_000 + "]")
