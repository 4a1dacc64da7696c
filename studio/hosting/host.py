"""Which host takes a file."""

from __future__ import annotations

from pathlib import Path

from studio.hosting.contract import Host, PluginError

HOSTS = ("pedalboard", "vst2", "vst3")
"""`vst3` is our own: it tells VST3 plugins the tempo, and feeds their side inputs."""

TELLING = ("vst2", "vst3")
"""Hosts that tell plugins where the song is."""


def host_of(path: Path, wanted: str | None = None) -> str:
    """The host that takes a file.

    Raises:
        PluginError: nobody knows its format.
    """
    if wanted:
        return wanted
    suffix = path.suffix.lower()
    if suffix in (".vst3", ".component", ".appex"):
        return "pedalboard"
    if suffix in (".so", ".dll", ".vst", ".dylib"):
        return "vst2"
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
