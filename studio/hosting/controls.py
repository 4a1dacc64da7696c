"""The parameters of a VST3 plugin as the format itself numbers them, for sessions that keep automation by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from studio.hosting.description import Description
from studio.hosting.vst3 import Control
from studio.hosting.workers import LOADING, Worker


def controls(path: Path, identity: str) -> tuple[Control, ...]:
    """The parameters of a plugin, in its own order, asked for in a process of its own.

    Args:
        path: the plugin's file.
        identity: its class id, 32 hexadecimal digits.

    Raises:
        PluginError: it crashes, hangs, or has no such class.
    """
    return _asked(path, identity, path.stat().st_mtime_ns)


@cache
def _asked(path: Path, identity: str, _changed: int) -> tuple[Control, ...]:
    worker = Worker(path, "pedalboard")
    try:
        answer = worker.ask({"do": "controls", "identity": identity}, LOADING)
    finally:
        worker.close()
    return tuple(Control.read(plain) for plain in answer["controls"])


def named_controls(known: Description, identity: str) -> Mapping[str, Control]:
    """For each parameter of a plugin, by its name in recipes, what the format knows of it.

    Raises:
        PluginError: as `controls`.
    """
    titled: dict[str, list[Control]] = defaultdict(list)
    for control in controls(known.path, identity):
        if control.automatable:
            titled[control.title].append(control)
    # Of those that are called the same, the first is the first.
    return {each.name: titled[each.title].pop(0) for each in known.parameters if titled[each.title]}


__all__ = ["Control", "controls", "named_controls"]
