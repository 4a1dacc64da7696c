"""The manifest: what a render wrote and what it was made of, so that it can be verified and made again."""

from __future__ import annotations

import json
import platform
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from studio.disk import write_whole
from studio.engine import Plan
from studio.errors import Gather, MissingError, RecipeError, StudioError, within
from studio.provenance import STUDIO, Asset, Component, Provenance, installed, libraries
from studio.records import ListOf, Nested, Record, field
from studio.stored import SHA256, Flag, Inside, Json, OneOf, Real, Whole, Words, read_stored

MANIFEST = "manifest.json"
FORMAT = 2
_WRITERS = ("numpy", "pyloudnorm", "scipy", "soundfile")
"""What every render is measured and written with."""

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST = 192_000 * 3600 * 24
"""Frames; no song is longer than this by far."""


class Entry(Record):
    """One file: where it is, what it holds, and how loud, measured on the samples that a reader of it gets.

    `clipped_db` is by how much its signal was above full scale where the file cannot hold that.
    """

    path: str = field(Inside())
    role: str = field(OneOf(options=("mix", "stem", "bus", "dry", "premaster", "minus", "section")))
    name: str = field(Words(longest=200))
    frames: int = field(Whole(high=_LONGEST))
    sha256: str = field(SHA256)
    signature: str = field(Words(longest=64, pattern="[0-9a-f]{8,64}"))
    lufs: float = field(Real(high=300))
    peak_db: float = field(Real(high=1000))
    true_peak_db: float = field(Real(high=1000))
    in_premaster: bool = field(Flag())
    clipped_db: float = field(Real(high=1000, default=0.0))
    channels: int = field(Whole(low=1, high=64, default=2))


class Maker(Record):
    """A step, library, program or plugin with its version; see `studio.provenance.Component`."""

    kind: str = field(OneOf(options=("step", "library", "program", "plugin", "code")))
    name: str = field(Words())
    version: str = field(Words())
    build: str = field(Words(default=""))


class SourceFile(Record):
    """A file the song is made of: its path as the recipe writes it, or its name alone where it lies elsewhere."""

    path: str = field(Words(longest=4096))
    sha256: str = field(SHA256)


class Manifest(Record):
    """Everything about a render that fits into a page of JSON."""

    manifest: int = field(Whole(low=FORMAT, high=FORMAT))
    studio: str = field(Words(longest=40))
    title: str = field(Words(longest=4000, lines=True))
    recipe: Mapping[str, Any] = field(Json())
    recipe_hash: str = field(Words(longest=64, pattern="[0-9a-f]{8,64}"))
    rate: int = field(Whole(low=8_000, high=192_000))
    channels: int = field(Whole(low=1, high=64))
    frames: int = field(Whole(high=_LONGEST))
    format: str = field(OneOf(options=("wav", "flac", "ogg", "mp3")))
    bits: str = field(OneOf(options=("16", "24", "32")))
    entries: tuple[Entry, ...] = field(ListOf(each=Nested(of=Entry), default=(), help="what was written"))
    made_by: tuple[Maker, ...] = field(ListOf(each=Nested(of=Maker), default=(), help="what made it"))
    sources: tuple[SourceFile, ...] = field(ListOf(each=Nested(of=SourceFile), default=(), help="what it is made of"))
    remarks: tuple[str, ...] = field(ListOf(each=Words(longest=4000, lines=True), default=(), help="what to know"))

    def __post_init__(self) -> None:
        super().__post_init__()
        gather, seen = Gather(), set[str]()
        for index, entry in enumerate(self.entries):
            with gather, within("entries", index, "path"):
                if not entry.path.endswith(f".{self.format}"):
                    raise RecipeError(f"{entry.path!r} is no {self.format} file, as the manifest says they are.")
                if entry.path.casefold() in seen:
                    raise RecipeError(f"{entry.path!r} stands here for the second time.")
                seen.add(entry.path.casefold())
        gather.done()

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article."""
        return "a manifest"

    @classmethod
    def of(cls, plan: Plan, frames: int, entries: Sequence[Entry], remarks: Sequence[str] = ()) -> Manifest:
        """The manifest of a plan that has been rendered into `entries`."""
        recipe = plan.recipe
        made = Provenance.of([*plan.provenance.components, *libraries(STUDIO, *_WRITERS), _python()])
        return cls(
            manifest=FORMAT,
            studio=installed(STUDIO),
            title=recipe.title,
            recipe=recipe.data(),
            recipe_hash=recipe.hash,
            rate=plan.context.rate,
            channels=plan.context.channels,
            frames=frames,
            format=recipe.output.format,
            bits=recipe.output.bits,
            entries=tuple(entries),
            made_by=tuple(Maker(**vars(each)) for each in made.components if each.version or each.build),
            sources=tuple(SourceFile(**vars(each)) for each in plan.provenance.assets),
            remarks=tuple(remarks),
        )

    @cached_property
    def files(self) -> Mapping[str, Entry]:
        """The entries by path."""
        return {entry.path: entry for entry in self.entries}

    def provenance(self) -> Provenance:
        """What made it."""
        components = [Component(each.kind, each.name, each.version, each.build) for each in self.made_by]
        return Provenance.of(components, [Asset(each.path, each.sha256) for each in self.sources])

    def save(self, folder: Path) -> None:
        """Write it into a folder.

        Raises:
            OutputError: it cannot be written.
        """
        plain = self.data(full=True)
        write_whole(folder / MANIFEST, json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """The manifest of an earlier render in a folder.

        Raises:
            MissingError: there is none.
            StudioError: it is damaged, or of another format; with file and fields.
        """
        try:
            return read_stored(folder / MANIFEST, cls, "manifest", FORMAT, "a manifest")
        except MissingError as error:
            raise MissingError("there is no manifest.", "Render into it first.", place=error.place) from None

    @classmethod
    def earlier(cls, folder: Path) -> Manifest | None:
        """The manifest of an earlier render, if there is one that can be gone on with."""
        try:
            return cls.load(folder)
        except StudioError:
            return None


def _python() -> Component:
    return Component("program", "python", platform.python_version())


def slug(name: str, taken: set[str]) -> str:
    """A name as the name of a file on every system, different from all `taken`."""
    plain = unicodedata.normalize("NFC", name)
    plain = re.sub(r"[^\w\-. ()]+", "_", plain).strip(" .") or "_"
    plain = plain[:80].rstrip(" .")
    if plain.split(".")[0].casefold() in _RESERVED:
        plain = f"_{plain}"
    unique, count = plain, 2
    while unique.casefold() in taken:
        unique, count = f"{plain} {count}", count + 1
    taken.add(unique.casefold())
    return unique
