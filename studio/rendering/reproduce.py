"""Rendering a song again in fresh processes, and finding out what does not come out the same."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from studio.disk import file_sha256
from studio.engine import Plan, plan
from studio.engine.nodes import Node, Play, Process
from studio.errors import RecipeError, RenderError
from studio.levels import decibels
from studio.processes import python_command
from studio.recipe import Recipe
from studio.recipe.document import write
from studio.rendering.manifest import Manifest
from studio.rendering.render import origin_of
from studio.rendering.verify import FileCheck
from studio.steps import Step

_TIMES = 2


def reproduce(folder: Path, home: Path | None = None, score: Path | None = None) -> list[FileCheck]:
    """Render what lies in a folder again, twice, each in a process of its own with an empty cache.

    Every file is compared with the manifest. Where the two renders differ, the signal in which the difference begins is
    named, with the plugins in it.

    Args:
        folder: holds a render and its manifest.
        home: what the paths in its recipe are relative to; where it was rendered from, on this machine, if not given.
        score: the MIDI file that it was rendered with instead of the recipe's own.

    Raises:
        StudioError: there is no manifest, its recipe needs files that are not there, or a render failed.
    """
    manifest = Manifest.load(folder)
    base = home or origin_of(folder)
    if base is None:
        raise RecipeError(
            "it is not known where this was rendered from.", "Say where the files of its recipe lie: `--home FOLDER`."
        )
    recipe = Recipe.loads(write(dict(manifest.recipe)), base)
    _check_score(recipe, manifest, score)
    with tempfile.TemporaryDirectory(prefix="studio-") as name:
        room = Path(name)
        recipe.save(room / "song.yaml")
        renders = [_rendered(room, number, score) for number in range(_TIMES)]
        planned = plan(Recipe.load(room / "song.yaml"), score)
        files = list(_files(manifest, [Manifest.load(out) for out, _ in renders]))
        return [*files, *_guilty(planned, [cache for _, cache in renders])]


def _check_score(recipe: Recipe, manifest: Manifest, score: Path | None) -> None:
    """See that the notes are those of then.

    Raises:
        RecipeError: they are others.
    """
    played = score or (recipe.folder / recipe.score if recipe.score is not None else None)
    if played is None or not played.is_file() or file_sha256(played) in {each.sha256 for each in manifest.sources}:
        return  # What is not there is told by whoever reads it.
    raise RecipeError(
        f"{str(played)!r} is not the score that was played then.", "Give that one: `--score FILE`, or render anew."
    )


def _rendered(room: Path, number: int, score: Path | None) -> tuple[Path, Path]:
    """The folders of the files and of the cache of a new render."""
    out, cache = room / f"out {number}", room / f"cache {number}"
    words = (
        "render",
        str(room / "song.yaml"),
        "-o",
        str(out),
        "--no-report",
        "--json",
        *(("--score", str(score.resolve())) if score else ()),
    )
    done = subprocess.run(
        python_command("from studio.cli.main import main; main()", *words),
        env=os.environ | {"STUDIO_CACHE": str(cache)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RenderError(f"it cannot be rendered again: {(done.stderr or done.stdout).strip()[-400:]}")
    return out, cache


def _files(manifest: Manifest, again: list[Manifest]) -> Iterator[FileCheck]:
    for entry in manifest.entries:
        now = [found.files[entry.path].sha256 for found in again if entry.path in found.files]
        if not now:
            yield FileCheck(entry.path, False, "it is not rendered any more")
            continue
        same = all(digest == entry.sha256 for digest in now)
        detail = "rendered again, the same bits" if same else "rendered again, it is another sound"
        yield FileCheck(entry.path, same, detail)


def _guilty(planned: Plan, caches: list[Path]) -> Iterator[FileCheck]:
    """The signals that differ between renders although all that they are made of is the same."""
    differ: set[str] = set()
    for node in planned.nodes():
        if not node.kept:
            continue
        one, other = (np.fromfile(cache / f"{node.key}.f32", np.float32) for cache in caches)
        if one.shape == other.shape and np.array_equal(one, other):
            continue
        differ.add(node.key)
        if any(below.key in differ for below in node.needs()):
            continue
        frames = min(len(one), len(other))
        apart = np.abs(one[:frames].astype(np.float64) - other[:frames])
        first = int(np.argmax(apart > 0)) // planned.context.channels / planned.context.rate
        suspects = ", ".join(_suspects(node))
        yield FileCheck(
            node.name,
            False,
            f"two fresh renders differ by {decibels(float(apart.max(initial=0.0))):.1f} dBFS from {first:.2f} s on"
            + (f": {suspects} does not repeat itself" if suspects else ""),
        )


def _suspects(node: Node) -> Iterator[str]:
    """What in a signal is somebody else's program."""
    steps: tuple[Step, ...] = ()
    if isinstance(node, Process):
        steps = node.effects
    elif isinstance(node, Play):
        steps = (node.instrument,)
    for step in steps:
        for inner in (step, *step.inner()):
            if inner.step == "plugin" and not inner.bypass:
                yield inner.label if inner.name else str(getattr(inner, "file", inner.label))
