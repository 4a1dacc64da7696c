"""Which host takes a file."""

from __future__ import annotations

import sys
from pathlib import Path

from studio.hosting.contract import Host, PluginError

HOSTS = ("vst3", "vst2", "pedalboard")
"""Those of our own are called by their format; pedalboard's plays VST3 plugins and Audio Units."""

TELLING = ("vst3", "vst2")
"""Hosts that tell plugins where the song is."""


def hosts_of(path: Path, wanted: str | None = None) -> tuple[str, ...]:
    """The hosts that take a file, the best first: where one cannot play it, the next may.

    Raises:
        PluginError: nobody knows its format.
    """
    if wanted:
        return (wanted,)
    suffix = path.suffix.lower()
    if suffix == ".vst3":
        return ("pedalboard",) if sys.platform == "darwin" else ("vst3", "pedalboard")
    if suffix in (".component", ".appex"):
        return ("pedalboard",)
    if suffix in (".so", ".dll", ".vst", ".dylib"):
        return ("vst2",)
    raise PluginError(f"{path.name} is no plugin of a format known here.", "Use a VST3, a VST2 or an Audio Unit.")


def load(path: Path, host: str, inner: str = "") -> Host:
    """Load a plugin into this process, which may be the last thing that it does.

    Raises:
        PluginError: it cannot be loaded.
    """
    if host == "vst2":
        from studio.hosting.vst2 import Vst2

        return Vst2(path)
    if host == "vst3":
        from studio.hosting.vst3_host import Vst3

        return Vst3(path, inner)
    from studio.hosting.pedalboard_host import InPedalboard

    return InPedalboard(path, inner)
