"""What is there on this machine that recipes may need, and how to get the rest."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from studio.errors import StudioError
from studio.folders import cache_folder, shipped_presets, user_presets
from studio.hosting.catalogue import list_plugins
from studio.sandbox import protection
from studio.sources.fluid import version as fluidsynth_version
from studio.sources.fonts import aliases

_SYSTEM = {"darwin": "brew install {brew}", "win32": "choco install {choco}"}
_APT = "apt install {apt}"


@dataclass(frozen=True)
class Diagnosis:
    """One thing: whether it is there, whether every recipe needs it, and the line that installs it."""

    name: str
    there: bool
    needed: bool
    detail: str
    install: str = ""


def examine() -> list[Diagnosis]:
    """Look at everything the studio can use."""
    return [
        Diagnosis("Python", sys.version_info >= (3, 11), True, platform.python_version(), "Python 3.11 or newer"),
        *(_package(name, True, "") for name in ("mirepoix", "pedalboard", "soundfile", "soxr")),
        _fluidsynth(),
        *_soundfonts(),
        _program("Rubber Band", "rubberband", apt="rubberband-cli", brew="rubberband", choco="rubberband"),
        _package("torch", False, "pip install 'mirepoix[neural]'"),
        _package("ipywidgets", False, "pip install 'mirepoix[notebook]'"),
        Diagnosis(
            "presets",
            (shipped_presets() / "soundfonts.yaml").is_file(),
            True,
            str(shipped_presets()),
            "install it again",
        ),
        _plugins(),
        _sandbox(),
        _folder("cache", cache_folder(), "STUDIO_CACHE"),
        _folder("your presets", user_presets(), "STUDIO_PRESETS"),
    ]


def _line(apt: str, brew: str, choco: str) -> str:
    return _SYSTEM.get(sys.platform, _APT).format(apt=apt, brew=brew, choco=choco)


def _package(name: str, needed: bool, install: str) -> Diagnosis:
    if find_spec(name) is None and name != "mirepoix":
        return Diagnosis(name, False, needed, "", install or f"pip install {name}")
    try:
        return Diagnosis(name, True, needed, version(name))
    except PackageNotFoundError:
        return Diagnosis(name, False, needed, "found, but not installed as a package", install or f"pip install {name}")


def _fluidsynth() -> Diagnosis:
    line = _line("libfluidsynth3", "fluid-synth", "fluidsynth")
    try:
        return Diagnosis("FluidSynth", True, True, fluidsynth_version())
    except StudioError as error:
        return Diagnosis("FluidSynth", False, True, error.cause, line)


def _soundfonts() -> Iterator[Diagnosis]:
    for alias in aliases().values():
        found = alias.find()
        yield Diagnosis(
            f"SoundFont {alias.name}", found is not None, alias.name == "gm", str(found or alias.about), alias.install
        )


def _program(name: str, program: str, **packages: str) -> Diagnosis:
    found = shutil.which(program)
    if found is None:
        return Diagnosis(name, False, False, "", _line(**packages))
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return Diagnosis(name, True, False, (answer.stdout or answer.stderr).strip().split("\n")[0][:40])


def _plugins() -> Diagnosis:
    found = list(list_plugins())
    blocked, new = sum(isinstance(each.known, str) for each in found), sum(each.known is None for each in found)
    detail = f"{len(found)} found, {new} not looked at, {blocked} blocked"
    return Diagnosis("plugins", not new, False, detail, "studio plugins scan")


def _sandbox() -> Diagnosis:
    """What holds plugins and models that are programs."""
    held = protection()
    return Diagnosis("sandbox", bool(held), False, held or "plugins and models run with all your rights", "Linux 5.13")


def _folder(name: str, folder: Path, variable: str) -> Diagnosis:
    """A folder that may be made when it is first needed."""
    standing = next(ancestor for ancestor in (folder, *folder.parents) if ancestor.exists())
    there = os.access(standing, os.W_OK)
    return Diagnosis(name, there, False, str(folder), f"set {variable} to a folder you can write")
