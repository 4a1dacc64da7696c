"""LV2 bundles: which folders are some, and which plugins they hold.

What bundles hold is read by lilv in a process of its own, all that are new in one go, and kept beside the catalogue.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

from studio.errors import OutputError
from studio.folders import cache_folder
from studio.hosting.contract import PluginError
from studio.hosting.host import MANIFEST
from studio.hosting.workers import LOADING, Worker
from studio.notes import read_note, write_note

Held = tuple[tuple[str, str], ...]
"""The plugins of a bundle: (URI, name)."""

_known: dict[str, Held] = {}


def has_plugins(path: Path) -> bool:
    """Whether a bundle names a binary; others hold presets or specifications."""
    try:
        return "binary" in (path / MANIFEST).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def recall_held(bundle: Path) -> Held | None:
    """What a bundle holds, if it is known."""
    note = _note(bundle)
    if str(note) not in _known:
        plain = read_note(note)
        if plain is None:
            return None
        try:
            _known[str(note)] = tuple((str(uri), str(name)) for uri, name in plain["holds"])
        except (KeyError, TypeError, ValueError):
            return None
    return _known[str(note)]


def read_bundles(bundles: Sequence[Path]) -> None:
    """Find out what bundles hold of which nothing is known, in a process of its own."""
    new = [bundle for bundle in bundles if recall_held(bundle) is None]
    if not new:
        return
    worker: Worker | None = None
    try:
        worker = Worker(new[0], "lv2")
        answer = worker.ask({"do": "contents", "bundles": [str(bundle.absolute()) for bundle in new]}, LOADING)
    except PluginError:
        # Without lilv, or with a bundle that it cannot stand, they are told apart when they are looked at.
        return
    finally:
        if worker is not None:
            worker.close()
    for bundle in new:
        held = answer["contents"].get(str(bundle.absolute()), [])
        note = _note(bundle)
        with contextlib.suppress(OutputError):
            write_note(note, {"path": str(bundle), "holds": held})
        _known[str(note)] = tuple((str(uri), str(name)) for uri, name in held)


def forget_bundles() -> None:
    """Forget what is held in memory; the notes go with those of the catalogue."""
    _known.clear()


def inner_uri(bundle: Path, inner: str) -> str:
    """The URI of a plugin by its name, where that is known; the bundle's only one goes by no name.

    Where none is named the one that is called as the bundle is meant.
    """
    held = recall_held(bundle) or ()
    if len(held) == 1 and inner in ("", *held[0]):
        return ""
    return next((uri for uri, name in held if name == (inner or bundle.stem)), inner)


def _note(bundle: Path) -> Path:
    manifest = bundle / MANIFEST
    stat = manifest.stat() if manifest.is_file() else None
    facts = f"holds:1:{bundle.absolute()}:{stat and (stat.st_size, stat.st_mtime_ns)}"
    return cache_folder() / "plugins" / f"{hashlib.sha256(facts.encode()).hexdigest()[:40]}.json"
