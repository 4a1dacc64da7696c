"""The manifest: what a render wrote and what it was made of, so that it can be verified and made again."""

from __future__ import annotations

import json
import math
import platform
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from studio.disk import write_whole
from studio.engine import Plan

MANIFEST = "manifest.json"
FORMAT = 1
_PACKAGES = ("mirepoix", "pedalboard", "numpy", "scipy", "soundfile", "soxr", "pyloudnorm", "mido", "pyfluidsynth")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Entry:
    """One file: where it is, what it holds, and how loud."""

    path: str
    role: str
    name: str
    frames: int
    sha256: str
    signature: str
    lufs: float
    peak_db: float
    true_peak_db: float
    in_premaster: bool


@dataclass(frozen=True)
class Manifest:
    """Everything about a render that fits into a page of JSON."""

    title: str
    recipe: Mapping[str, Any]
    recipe_hash: str
    rate: int
    channels: int
    frames: int
    format: str
    bits: str
    entries: tuple[Entry, ...]
    sources: Mapping[str, str]
    versions: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: Plan, frames: int, entries: Sequence[Entry], remarks: Sequence[str] = ()) -> Manifest:
        recipe, folder = plan.recipe, plan.context.folder.resolve()
        sources = {_shown(Path(path), folder): digest for path, digest in sorted(plan.files.items())}
        return cls(
            title=recipe.title,
            recipe=recipe.data(),
            recipe_hash=recipe.hash,
            rate=plan.context.rate,
            channels=plan.context.channels,
            frames=frames,
            format=recipe.output.format,
            bits=recipe.output.bits,
            entries=tuple(entries),
            sources=sources,
            versions=_versions(plan),
            remarks=tuple(remarks),
        )

    @cached_property
    def files(self) -> Mapping[str, Entry]:
        """The entries by path."""
        return {entry.path: entry for entry in self.entries}

    def save(self, folder: Path) -> None:
        plain = {"manifest": FORMAT, **asdict(self)}
        write_whole(folder / MANIFEST, json.dumps(_finite(plain), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """The manifest of an earlier render in a folder, if there is one that can be read."""
        try:
            plain = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if plain.pop("manifest") != FORMAT:
                return None
            numbers = ("lufs", "peak_db", "true_peak_db")
            entries = tuple(
                Entry(**entry | {key: float(entry[key]) for key in numbers}) for entry in plain.pop("entries")
            )
            return cls(**plain | {"remarks": tuple(plain.get("remarks", ()))}, entries=entries)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


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


def _shown(path: Path, folder: Path) -> str:
    """A path as the recipe would write it, or the name alone for files from elsewhere."""
    try:
        return path.resolve().relative_to(folder).as_posix()
    except ValueError:
        return path.name


def _versions(plan: Plan) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | dict(engine.split(" ", 1) for engine in sorted(plan.engines))


def _finite(plain: Any) -> Any:
    """JSON has no infinity: as text, which reads back as the number."""
    if isinstance(plain, float) and not math.isfinite(plain):
        return str(plain)
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [_finite(value) for value in plain]
    return plain
