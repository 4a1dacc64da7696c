"""Packs: a recipe and everything it is made of in one file that can be given away, and taken in safely.

A `.studio` file is a ZIP with a card (`pack.json`), the recipe, and its assets under their hashes. Taking one
in checks every byte against the card, runs nothing, and writes nowhere but into a folder of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import lzma
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from studio.budgets import check_disk, check_swelling, size_text
from studio.disk import check_regular, part_of, writing
from studio.errors import MissingError, OutputError, Place, RecipeError, StudioError
from studio.folders import user_presets
from studio.hosting.catalogue import is_installed
from studio.hosting.plugin import Plugin
from studio.provenance import STUDIO, installed
from studio.recipe.assets import Kept, map_files, map_records
from studio.recipe.model import Recipe, Track
from studio.recipe.presets import RECIPE_FILE, Preset, presets
from studio.records import Record
from studio.steps import Step
from studio.stored import SHA256, Inside, Members, Several, Whole, Words, check_format, located, parse_json

log = logging.getLogger(__name__)

CARD = "pack.json"
SUFFIX = ".studio"
FORMAT = 1
MOST_FILES = 1_000
MOST_BYTES = 1 << 30
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError,
)  # fmt: skip
"""What the standard library lets through when the bytes of a ZIP file are not what they should be."""

_TEXTS = ("name", "title", "author", "license", "story", "recipe_hash")
_CARD = Members(
    of={
        **{key: Words(longest=4_000, lines=True) for key in _TEXTS},
        "files": Several(
            each=Members(
                of={"path": Inside(longest=200), "bytes": Whole(high=MOST_BYTES), "sha256": SHA256},
                more=True,
            ),
            most=MOST_FILES,
        ),
    },
    more=True,
)

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ASSET = re.compile(r"assets/[0-9a-f]{16}-[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True)
class Pack:
    """What the card of a pack says."""

    name: str
    title: str
    author: str
    license: str
    story: str
    recipe_hash: str
    files: tuple[dict[str, Any], ...]


def pack(recipe: Recipe, path: Path) -> Pack:
    """Write a recipe with all its files into a pack. The same recipe gives the same bytes.

    Presets it uses are unfolded, so that it needs none. SoundFont aliases stay names: their sounds belong to
    whoever installed them.

    Raises:
        MissingError: a file it names is not there.
        OutputError: the pack cannot be written.
    """
    assets: dict[str, Path] = {}

    def into_pack(file: str) -> str:
        found = recipe.folder / Path(file).expanduser()
        if not found.is_file():
            if "." in Path(file).name:
                raise MissingError(f"there is no file {file!r} to pack.", place=Place(str(found)))
            return file
        digest = _sha256(found)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", found.name)[-80:]
        assets[f"assets/{digest[:16]}-{name}"] = found
        return f"assets/{digest[:16]}-{name}"

    portable = map_files(unfolded(recipe), into_pack)
    files: list[dict[str, Any]] = []
    for name, source in sorted(assets.items()):
        terms = recipe.credits.get(source.name, "")
        if not terms:
            log.warning("no licence is given for %s; write it under `credits` in the recipe", source.name)
        files.append({"path": name, "bytes": source.stat().st_size, "sha256": _sha256(source), "license": terms})
    text = portable.dumps()
    files.append(
        {
            "path": RECIPE_FILE, "bytes": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "license": recipe.license,
        }
    )  # fmt: skip
    if sum(entry["bytes"] for entry in files) > MOST_BYTES:
        raise OutputError("the pack would be larger than 1 GB.", "Use a SoundFont alias instead of a large file.")
    card = Pack(path.stem, recipe.title, recipe.author, recipe.license, recipe.story, portable.hash, tuple(files))
    part = part_of(path)
    with writing(path):
        try:
            with zipfile.ZipFile(part, "w") as archive:
                _add(
                    archive,
                    CARD,
                    json.dumps({"pack": FORMAT, "studio": installed(STUDIO), **card.__dict__}, indent=2).encode(),
                )
                _add(archive, RECIPE_FILE, text.encode())
                for name, source in sorted(assets.items()):
                    _add(archive, name, source.read_bytes())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return card


def unfolded(record: Kept) -> Kept:
    """A copy that uses no presets at any depth: each is a rack with the same steps and knobs."""
    own = {name: getattr(record, name) for name in record.kinds()}
    new = {name: map_records(value, _without_presets) for name, value in own.items()}
    changes = {name: value for name, value in new.items() if value != own[name]}
    return record.replace(**changes) if changes else record


def _without_presets(record: Record) -> Record:
    return unfolded(record.unfolded() if isinstance(record, Preset) else record)


def programs(recipe: Recipe) -> tuple[str, ...]:
    """What of somebody else's would run when a recipe is rendered: models that are programs, and hosted plugins."""
    found: dict[str, None] = {}
    for name, step in _steps(recipe):
        found |= dict.fromkeys(f"{name}: {program}" for program in step.programs())
    return tuple(found)


def _steps(recipe: Recipe) -> Iterator[tuple[str, Step]]:
    """Every step of a recipe, at any depth, with the name of its strip."""
    for _, name, strip in recipe.strips():
        own = (*([strip.play, *strip.notes] if isinstance(strip, Track) else []), *strip.chain)
        for step in filter(None, own):
            yield from ((name, each) for each in (step, *step.inner()))


def install_pack(
    path: Path, *, replace: bool = False, look: Callable[[Recipe], None] | None = None, keep: bool = True
) -> Path:
    """Check a pack and take it in among the user's presets; gives its folder.

    Nothing in it is run by that. What would run when its recipe is rendered, `programs` tells.

    Args:
        look: is shown the recipe before it is taken in.
        keep: off, it is only looked at.

    Raises:
        MissingError: there is no such file.
        RecipeError: it is damaged, or is not what its card says, or tries to be more than data.
        OutputError: a preset of that name is there already, or the disk refuses.
    """
    place = Place(str(path))
    check_regular(path)
    target = user_presets() / "packs" / _name(path.stem)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".install-", dir=target.parent))
    try:
        with zipfile.ZipFile(path) as archive:
            _unpack(archive, _card(archive), work)
        recipe = _check_recipe(work)
        if look is not None:
            look(recipe)
        if not keep:
            return target
        _check_name(target.name)
        if target.exists():
            if not replace:
                raise OutputError(
                    f"there is a preset {target.name!r} already.", "Give --replace to put this in its place."
                )
            shutil.rmtree(target)
        with writing(target):
            work.rename(target)
    except StudioError as error:
        error.place = error.place or place
        raise
    except OSError as error:
        raise MissingError(f"the pack cannot be opened: {error.strerror or error}.", place=place) from None
    except _DAMAGE as error:
        raise RecipeError(f"not a pack: {error}.", "Get a complete copy of it.", place=place) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _card(archive: zipfile.ZipFile) -> Pack:
    place = Place(f"{archive.filename}:{CARD}")
    try:
        info = archive.getinfo(CARD)
        if info.file_size > 1_000_000:
            raise RecipeError("the card of the pack is larger than 1 MB.")
        plain = parse_json(archive.read(info))
        check_format(plain, "pack", FORMAT, "a pack")
        found = _CARD.parse(plain)
        return Pack(**{key: found[key] for key in _TEXTS}, files=tuple(found["files"]))
    except KeyError:
        raise RecipeError("the pack has no card.", "Get a complete copy of it.", place=place) from None
    except StudioError as error:
        raise located(error, place) from None


def _unpack(archive: zipfile.ZipFile, card: Pack, folder: Path) -> None:
    """Write the files that the card announces, each checked, and refuse anything else."""
    announced = {entry["path"]: entry for entry in card.files}
    names = [info.filename for info in archive.infolist()]
    sizes = [entry["bytes"] for entry in card.files]
    if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        raise RecipeError(
            f"the pack holds {len(sizes):,} files of {size_text(sum(sizes))}; {MOST_FILES:,} and"
            f" {size_text(MOST_BYTES)} at most.",
            "Ask for a pack with a SoundFont alias instead of a large file.",
        )
    check_swelling(archive.infolist())
    check_disk(folder, sum(sizes), "the pack")
    if sorted(names) != sorted([CARD, *announced]):
        raise RecipeError("the pack holds other files than its card says.", "Do not trust it.")
    for info in archive.infolist():
        if info.filename == CARD:
            continue
        if info.filename != RECIPE_FILE and not _ASSET.fullmatch(info.filename):
            raise RecipeError(f"a file that does not belong into a pack: {info.filename!r}.", "Do not trust it.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise RecipeError(f"a link in the pack: {info.filename!r}.", "Do not trust it.")
        entry = announced[info.filename]
        target = folder / PurePosixPath(info.filename)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, left = hashlib.sha256(), entry["bytes"]
            with archive.open(info) as source, target.open("wb") as sink:
                while chunk := source.read(1 << 20):
                    left -= len(chunk)
                    if left < 0:
                        break
                    digest.update(chunk)
                    sink.write(chunk)
        if left or digest.hexdigest() != entry["sha256"]:
            raise RecipeError(f"{info.filename!r} is not what the card of the pack says.", "Get a complete copy of it.")


def _check_name(name: str) -> None:
    for listed in presets():
        if (listed.kind, listed.name) == ("recipe", name) and listed.path.name != RECIPE_FILE:
            whose = "that came with the studio" if listed.shipped else "of yours"
            raise OutputError(
                f"there is a recipe {name!r} {whose}; the pack would never be found under that name.",
                "Rename the pack's file.",
            )


def _check_recipe(folder: Path) -> Recipe:
    """The recipe must be readable, name no file outside the pack, and no plugin that is not installed as one."""
    recipe = Recipe.load(folder / RECIPE_FILE)

    def inside(file: str) -> str:
        looks_like_path = any(mark in file for mark in "/\\~:") or "." in file
        if looks_like_path and not (_ASSET.fullmatch(file) and (folder / file).is_file()):
            raise RecipeError(f"the recipe names a file outside the pack: {file!r}.", "Do not trust it.")
        return file

    map_files(recipe, inside)
    for name, step in _steps(recipe):
        if isinstance(step, Plugin):
            file = step.file.partition("#")[0]
            if (
                not step.file.startswith(("http://", "https://", "urn:"))
                and any(mark in file for mark in "/\\~")
                and not is_installed(Path(file).expanduser())
            ):
                raise RecipeError(
                    f"{name!r} names a plugin outside the folders for plugins: {file!r}.", "Do not trust it."
                )
    return recipe


def _name(stem: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-").lower()
    if not name:
        raise RecipeError(f"{stem!r} cannot be the name of a preset.", "Rename the file.")
    return name[:60]


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
