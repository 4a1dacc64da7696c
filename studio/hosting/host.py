"""Which host takes a file."""

from __future__ import annotations

import sys
from pathlib import Path

from studio.hosting.contract import Host, PluginError

HOSTS = ("vst3", "vst2", "lv2", "clap", "pedalboard")
"""Those of our own are called by their format; pedalboard's plays VST3 plugins and Audio Units."""

TELLING = ("vst3", "vst2", "lv2", "clap")
"""Hosts that tell plugins where the song is."""


MANIFEST = "manifest.ttl"


def is_bundle(path: Path) -> bool:
    """Whether a folder is an LV2 bundle, with a plugin in it or not."""
    return (path / MANIFEST).is_file()


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
    if suffix == ".lv2" or is_bundle(path):
        return ("lv2",)
    if suffix == ".clap":
        return ("clap",)
    if suffix in (".component", ".appex"):
        return ("pedalboard",)
    if suffix in (".so", ".dll", ".vst", ".dylib"):
        return ("vst2",)
    raise PluginError(
        f"{path.name} is no plugin of a format known here.", "Use a VST3, VST2, LV2 or CLAP plugin, or an Audio Unit."
    )


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
    if host == "lv2":
        from studio.hosting.lv2_host import Lv2

        return Lv2(path, inner)
    if host == "clap":
        from studio.hosting.clap_host import Clap

        return Clap(path, inner)
    from studio.hosting.pedalboard_host import InPedalboard

    return InPedalboard(path, inner)
