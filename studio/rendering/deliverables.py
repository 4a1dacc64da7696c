"""What files a render consists of: the mix, and stems in the ways in which engineers ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from studio.engine import Plan, plan
from studio.engine.arranging import Passage
from studio.engine.nodes import Node
from studio.engine.plan import PlannedStrip
from studio.errors import RecipeError
from studio.recipe import Recipe
from studio.recipe.model import Output
from studio.rendering.manifest import slug

_LONGEST_FRAMES = 1 << 40

SETS: Mapping[str, Mapping[str, object]] = {
    "mastering": {
        "format": "wav", "bits": "32", "stems": "post", "effects": "wet", "channels": "auto", "names": "{number} {track}",
        "premaster": True,
    },
    "practice": {"format": "mp3", "bitrate": "192", "stems": "none", "minus_one": True},
}  # fmt: skip
"""What is written for a purpose, as knobs of `output`."""


@dataclass(frozen=True)
class OutputFile:
    """One file to write.

    Attributes:
        role: mix, stem, bus, dry, premaster, minus or section.
        name: the strip that it holds, or lacks.
        path: where it goes in the folder of the render.
        node: the signal.
        start: the frame of the song at which it begins.
        frames: how long it is; to the end of the song if None.
        thin: whether it is written in one channel if its channels are the same.
        in_premaster: whether it is one of those that add up to what enters the master.
    """

    role: str
    name: str
    path: str
    node: Node
    start: int = 0
    frames: int | None = None
    thin: bool = False
    in_premaster: bool = False

    def length(self, song: int) -> int:
        """Its frames in a song of so many."""
        return self.frames if self.frames is not None else max(0, song - self.start)


def stem_of(strip: PlannedStrip, recipe: Recipe) -> Node:
    """The signal of a track that is written as its stem."""
    return _stem(strip, recipe.output, recipe.output.effects != "dry")


def _stem(strip: PlannedStrip, output: Output, wet: bool) -> Node:
    if wet:
        return strip.post if output.stems != "pre" else strip.pre
    return strip.dry_post if output.stems != "pre" else strip.dry


def output_files(planned: Plan) -> list[OutputFile]:
    """Every file that a render of the plan writes, the mix first.

    Raises:
        RecipeError: sections are asked for in a song that has none.
    """
    output = planned.recipe.output
    files = [OutputFile("mix", "mix", f"mix.{output.format}", planned.mix)]
    if output.premaster:
        files.append(OutputFile("premaster", "premaster", f"premaster.{output.format}", planned.premaster))
    whole = list(_stems(planned)) if output.stems != "none" else []
    files += whole
    if output.by_section:
        if not planned.sections:
            raise RecipeError(
                "stems by section, of a song without an arrangement.", "Write `sections` and `arrangement`, or leave it out.",
                path=("output", "by_section"),
            )  # fmt: skip
        files += _by_section(planned, [files[0], *whole])
    if output.minus_one:
        files += _minus_one(planned)
    return files


def _stems(planned: Plan) -> Iterator[OutputFile]:
    output, thin = planned.recipe.output, planned.recipe.output.channels == "auto"
    taken: set[str] = set()
    strips = [
        *(("stem", "stems", each) for each in planned.tracks.items()),
        *(("bus", "buses", each) for each in planned.buses.items()),
    ]
    for number, (role, folder, (name, strip)) in enumerate(strips, 1):
        node = stem_of(strip, planned.recipe) if role == "stem" else strip.post
        called = slug(named(output.names, planned, name, role, number), taken)
        path = f"{folder}/{called}.{output.format}"
        yield OutputFile(role, name, path, node, thin=thin, in_premaster=name in planned.direct)
        if role == "stem" and output.effects == "both":
            dry = _stem(strip, output, wet=False)
            yield OutputFile("dry", name, f"stems dry/{called}.{output.format}", dry, thin=thin)


def _by_section(planned: Plan, files: list[OutputFile]) -> Iterator[OutputFile]:
    """The files cut where sections begin; the last of each has its tail."""
    for number, section in enumerate(planned.sections, 1):
        last = number == len(planned.sections)
        folder = f"sections/{number:02} {slug(section.name, set())}"
        for file in files:
            frames = None if last else section.end - section.start
            part = Passage(file.node.name, planned.context, (file.node,), section.start, frames or _LONGEST_FRAMES)
            path = (
                f"{folder}/{PurePosixPath(file.path).name}"
                if file.role != "dry"
                else f"{folder}/dry/{PurePosixPath(file.path).name}"
            )
            yield replace(
                file, role="section", path=path, node=part, start=section.start, frames=frames, in_premaster=False
            )


def _minus_one(planned: Plan) -> Iterator[OutputFile]:
    """The song without each of its tracks, mastered as the song is."""
    recipe, taken = planned.recipe, set[str]()
    for number, name in enumerate(planned.tracks, 1):
        if len(planned.tracks) == 1:
            return
        tracks = {**recipe.tracks, name: recipe.tracks[name].replace(mute=True)}
        without = plan(recipe.replace(tracks=tracks), planned.score)
        called = slug(named(recipe.output.names, planned, name, "minus", number), taken)
        yield OutputFile("minus", name, f"minus one/without {called}.{recipe.output.format}", without.mix)


def named(pattern: str, planned: Plan, track: str, role: str, number: int) -> str:
    """What a file is called by a pattern such as `{number} {track}`."""
    values = {
        "track": track, "number": f"{number:02}", "title": planned.recipe.title or "song", "role": role,
        "bpm": f"{float(planned.context.tempo.tempos[0].bpm):.6g}",
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], pattern)


__all__ = ["SETS", "OutputFile", "output_files", "stem_of"]
