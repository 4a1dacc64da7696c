"""A cache that is shared, tiny, full, read-only or somebody else's: a render goes on, and nothing foreign is ever served."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import studio
from studio.engine import Cache
from studio.engine.cache import _checked
from studio.notes import _key, is_ours, read_note, write_note
from studio.recipe import Recipe
from tests.listening import white

HARASS = """
import sys
import numpy as np
from pathlib import Path
from studio.engine import Cache
folder, number = Path(sys.argv[1]), int(sys.argv[2])
cache, random, served = Cache(folder, limit=200_000), np.random.default_rng(number), 0
for turn in range(60):
    key = f"{random.integers(12):040d}"
    sound = np.full((2, 6_000), int(key) + 1, np.float32)
    tape = cache.open(key)
    if tape is None:
        with cache.record(key, "noise", 44_100, 2) as recording:
            for start in range(0, 6_000, 1_000):
                recording.write(sound[:, start : start + 1_000])
            recording.keep()
        tape = recording.tape
    else:
        served += 1
    cache.prune()
    assert tape.frames == 6_000 and np.array_equal(tape.read(0, 6_000), sound)
print(served)
"""


def song() -> Recipe:
    tracks = {"hiss": {"play": {"noise": {"length": "0.2 s"}}, "chain": [{"delay": {"time": "10 ms"}}, "reverse"]}}
    return Recipe.parse({"recipe": 1, "tail": "1 s", "tracks": tracks})


def written(cache: Cache, key: str, block: np.ndarray) -> None:
    with cache.record(key, key, 44_100, block.shape[0]) as recording:
        recording.write(block)
        recording.keep()


def test_eight_processes_on_a_tiny_cache_never_lose_what_they_hold(tmp_path: Path) -> None:
    """Of 48 renders two failed: what was in place was pruned before it was opened again."""
    commands = [[sys.executable, "-c", HARASS, str(tmp_path / "cache"), str(number)] for number in range(8)]
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for each in commands]
    answers = [each.communicate(timeout=300) for each in running]
    assert [each.returncode for each in running] == [0] * 8, "".join(errors for _, errors in answers)[-2000:]
    assert sum(int(said) for said, _ in answers) > 0, "what one wrote another was served"
    cache = Cache(tmp_path / "cache", limit=200_000)
    cache.prune()
    assert sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.f32")) <= 200_000
    assert not list((tmp_path / "cache").glob("*.part"))


def test_what_is_kept_is_nobody_elses_to_read_or_write(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        written(Cache(tmp_path / "cache"), "a", white(0.1))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").iterdir()} == {0o600}
    assert stat.S_IMODE(Path(os.environ["STUDIO_KEY"]).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "attack", ["card and sound", "unsigned card", "another's key", "renamed entry", "others may write"]
)
def test_a_poisoned_entry_is_never_served(tmp_path: Path, attack: str) -> None:
    """The hash beside the data had no key, so whoever could write there could say what is heard."""
    cache, sound = Cache(tmp_path), white(0.1)
    written(cache, "a", sound)
    written(cache, "b", white(0.1, seed=2))
    data, card = cache.paths("a")
    poison = np.ascontiguousarray(white(0.1, seed=3).T).tobytes()
    _checked.clear()
    if attack == "card and sound":
        import xxhash

        plain = json.loads(card.read_text())
        plain["note"]["xxh3"] = xxhash.xxh3_128(poison).hexdigest()
        data.write_bytes(poison)
        card.write_text(json.dumps(plain))
    elif attack == "unsigned card":
        card.write_text(json.dumps(json.loads(card.read_text())["note"]))
    elif attack == "another's key":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STUDIO_KEY", str(tmp_path / "theirs.key"))
            written(cache, "a", white(0.1, seed=3))
    elif attack == "renamed entry":
        for source, target in zip(cache.paths("b"), cache.paths("a"), strict=True):
            source.replace(target)
    else:
        data.chmod(0o666)
    assert cache.open("a") is None


def test_what_belongs_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"")
    (tmp_path / "mine").chmod(0o644)
    status = (tmp_path / "mine").stat()
    assert is_ours(status)
    other = os.stat_result((*status[:4], status.st_uid + 1, *status[5:]))
    assert not is_ours(other)


def test_notes_of_somebody_else_are_not_believed(tmp_path: Path) -> None:
    """What is remembered of files leads to what is served for them."""
    write_note(tmp_path / "a.json", {"sha256": "ab"})
    assert read_note(tmp_path / "a.json") == {"sha256": "ab"}
    (tmp_path / "b.json").write_bytes((tmp_path / "a.json").read_bytes())
    (tmp_path / "b.json").chmod(0o600)
    assert read_note(tmp_path / "b.json") is None, "a note counts under its own name only"
    plain = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(plain | {"note": {"sha256": "cd"}}))
    assert read_note(tmp_path / "a.json") is None
    for text in ("", "5", "[" * 50_000, '{"mac": 5, "note": {}}', '{"mac": "' + "0" * 64 + '", "note": NaN}'):
        (tmp_path / "a.json").write_text(text)
        assert read_note(tmp_path / "a.json") is None


def test_a_key_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cache.key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o644)
    assert _key(path) != b"k" * 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "file").write_text("no folder")
    assert len(_key(tmp_path / "file" / "cache.key")) == 32, "where none can be kept there is one for the process"


@pytest.mark.parametrize("kind", ["no folder", "full at once", "full on the way"])
def test_a_cache_that_cannot_be_written_costs_a_remark_and_not_the_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    expected = studio.render(song(), cache=False).mix
    folder = tmp_path / "cache"
    if kind == "no folder":
        folder.write_text("a file stands where the cache should")
    else:
        # A file that cannot grow beyond a limit is what a full disk is; the folder for temporary files is on another.
        _limit(monkeypatch, folder, 0 if kind == "full at once" else 50_000)
    result = studio.render(song(), tmp_path / "out", cache=Cache(folder))
    assert np.array_equal(result.mix.samples, expected.samples)
    assert any("cannot be used" in remark and str(folder) in remark for remark in result.remarks)
    assert (tmp_path / "out" / "mix.wav").is_file() and "<svg" in (tmp_path / "out" / "report.html").read_text()
    assert not folder.is_dir() or not list(folder.glob("*.part"))


def _limit(monkeypatch: pytest.MonkeyPatch, folder: Path, most: int) -> None:
    """Files in a folder have room for so many bytes each, as if the disk were full then."""
    import errno

    from studio.engine import cache

    opened = cache._opened

    def small(where: Path, key: str):  # type: ignore[no-untyped-def]
        part, file = opened(where, key)
        if where != folder:
            return part, file
        write = file.write

        class Full:
            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def write(self, content: memoryview) -> int:
                if file.tell() + len(content) > most:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return int(write(content))

        return part, Full()

    monkeypatch.setattr(cache, "_opened", small)


def test_a_read_only_cache_still_serves_what_it_has(tmp_path: Path) -> None:
    """As whoever may write everywhere, this is asked of a process whose files have no room at all."""
    cache = Cache(tmp_path / "cache")
    first = studio.render(song(), cache=cache)
    before = {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); import signal; " \
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from pathlib import Path; import studio; " \
        "from studio.engine import Cache; from studio.recipe import Recipe; " \
        "r = studio.render(Recipe.load(sys.argv[1]), cache=Cache(Path(sys.argv[2]))); " \
        "print(float(abs(r.mix.samples).max()), r.remarks)"  # fmt: skip
    (tmp_path / "song.yaml").write_text(song().dumps())
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "song.yaml", tmp_path / "cache"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [str(float(np.abs(first.mix.samples).max())), "()"]
    assert {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
