"""Where trainings keep what they have learned so far: by the content of what they learn from, never by its name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.errors import OutputError, StudioError
from studio.folders import cache_folder
from studio.notes import read_note, write_note
from studio.provenance import Asset
from studio.stored import SHA256, Members

KEPT_DAYS = 30
"""How long what was learned is kept after it was last gone on with."""

_NOTE = Members(of={"sounds": SHA256, "settings": SHA256})


def checkpoint_path(
    out: Path, kind: str, sounds: Sequence[Asset], settings: Mapping[str, object], say: Callable[[str], object]
) -> Path:
    """The file of a training's checkpoint: the same for the same sounds and settings, whatever they are called.

    It is remembered beside, for which file this was learned, so that a training which cannot go on since its sounds or
    settings are others than last time says so.

    Args:
        out: the file that is going to be written.
        sounds: what is learned from, in its order.
        settings: all else that decides what is learned, but not for how long.
    """
    folder = cache_folder() / "training"
    now: dict[str, Any] = {"sounds": _digest([asset.sha256 for asset in sounds]), "settings": _digest([kind, settings])}
    _forget_old(folder)
    note = folder / f"{_digest(str(out.resolve()))[:40]}.json"
    with contextlib.suppress(StudioError):
        earlier = _NOTE.parse(read_note(note))
        changed = [what for what in now if earlier[what] != now[what]]
        if changed and _file(folder, earlier).exists():
            say(f"The {' and the '.join(changed)} are others than when {out.name} was trained last: it begins anew.")
    with contextlib.suppress(OutputError):
        # Not being able to remember costs a remark, not correctness.
        write_note(note, now)
    return _file(folder, now)


def sound_hash(*samples: memoryview) -> str:
    """The SHA-256 of samples, or other arrays, as they are learned from."""
    digest = hashlib.sha256()
    for each in samples:
        digest.update(f"{each.shape}{each.format}".encode())
        digest.update(each.cast("B"))
    return digest.hexdigest()


def _file(folder: Path, facts: Mapping[str, str]) -> Path:
    return folder / f"{_digest([facts['sounds'], facts['settings']])[:40]}.checkpoint"


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _forget_old(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
