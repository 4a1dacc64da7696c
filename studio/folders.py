"""Where things lie on this machine: what ships with the studio, what the user installed, what can be thrown away."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

_reading: ContextVar[Path] = ContextVar("the folder of the document that is being read", default=Path())
_found: ContextVar[dict[str, Any] | None] = ContextVar("what has been searched for in this operation", default=None)

Found = TypeVar("Found")


VARIABLES = (
    "STUDIO_CACHE", "STUDIO_CACHE_BYTES", "STUDIO_KEY", "STUDIO_PLUGINS", "STUDIO_PLUGIN_SANDBOX", "STUDIO_PLUGIN_WORKERS",
    "STUDIO_PRESETS", "STUDIO_SOUNDFONTS", "STUDIO_TRUST",
)  # fmt: skip
"""Every variable of the environment that is read."""


def misspelt_variables() -> dict[str, str]:
    """Variables of the environment that are nearly one of ours, and the one that was meant.

    Others may begin with STUDIO_ too and are none of our business.
    """
    found: dict[str, str] = {}
    for name in os.environ:
        if name.upper().startswith("STUDIO") and name not in VARIABLES:
            for meant in get_close_matches(name.upper().replace("-", "_"), VARIABLES, n=1, cutoff=0.87):
                found[name] = meant
    return found


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While a document is read, paths in it mean files in its folder, and what is searched for is searched for once."""
    token = _reading.set(folder)
    try:
        with searching_once():
            yield
    finally:
        _reading.reset(token)


@contextmanager
def searching_once() -> Iterator[None]:
    """While it lasts, the machine is searched once for what `found_once` is asked for; the next time anew.

    Inside another it is part of that one.
    """
    if _found.get() is not None:
        yield
        return
    token = _found.set({})
    try:
        yield
    finally:
        _found.reset(token)


def found_once(what: str, search: Callable[[], Found]) -> Found:
    """What a search gives: that of before within one `searching_once`, else of now; `what` names it."""
    kept = _found.get()
    if kept is None:
        return search()
    if what not in kept:
        kept[what] = search()
    found: Found = kept[what]
    return found


def folder_of_reading() -> Path:
    """The folder of the document that is being read, else the working folder."""
    return _reading.get()


@cache
def shipped_presets() -> Path:
    """The presets that come with the studio: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "_presets"
    return installed if installed.is_dir() else package.parent / "presets"


def user_presets() -> Path:
    """Where `studio preset install` puts packs; `STUDIO_PRESETS` moves it."""
    from platformdirs import user_data_path

    return Path(os.environ.get("STUDIO_PRESETS") or user_data_path("studio") / "presets")


def trust_file() -> Path:
    """Where the user's list of programs that may run is kept; `STUDIO_TRUST` moves it."""
    from platformdirs import user_data_path

    return Path(os.environ.get("STUDIO_TRUST") or user_data_path("studio") / "trusted.json")


def cache_folder() -> Path:
    """Where finished work is kept for the next render; `STUDIO_CACHE` moves it."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("STUDIO_CACHE") or user_cache_path("studio"))


def user_key_file() -> Path:
    """The key with which the user's notes in the cache are signed; `STUDIO_KEY` moves it."""
    from platformdirs import user_data_path

    return Path(os.environ.get("STUDIO_KEY") or user_data_path("studio") / "cache.key")


def soundfont_folders() -> Iterator[Path]:
    """Where this system keeps SoundFonts; `STUDIO_SOUNDFONTS` comes first."""
    if "STUDIO_SOUNDFONTS" in os.environ:
        yield Path(os.environ["STUDIO_SOUNDFONTS"])
    home = Path.home()
    if sys.platform == "darwin":
        yield from (home / "Library/Audio/Sounds/Banks", Path("/Library/Audio/Sounds/Banks"))
        yield from (Path("/opt/homebrew/share/soundfonts"), Path("/usr/local/share/soundfonts"))
    elif sys.platform == "win32":
        yield from (Path("C:/soundfonts"), home / "soundfonts")
    else:
        yield from (home / ".local/share/soundfonts", home / ".local/share/sounds/sf2")
        for base in ("/usr/share", "/usr/local/share"):
            yield from (Path(base, "sounds/sf2"), Path(base, "sounds/sf3"), Path(base, "soundfonts"))


def plugin_folders() -> Iterator[Path]:
    """Where this system keeps plugins; `STUDIO_PLUGINS` (folders, as in PATH) comes first."""
    for folder in filter(None, os.environ.get("STUDIO_PLUGINS", "").split(os.pathsep)):
        yield Path(folder)
    home = Path.home()
    if sys.platform == "darwin":
        for base in (home, Path("/")):
            yield from (base / "Library/Audio/Plug-Ins" / kind for kind in ("VST3", "Components", "VST", "LV2", "CLAP"))
    elif sys.platform == "win32":
        programs = Path(os.environ.get("PROGRAMFILES", "C:/Program Files"))
        yield from (programs / "Common Files/VST3", programs / "VSTPlugins", programs / "Steinberg/VSTPlugins")
        yield Path(os.environ.get("LOCALAPPDATA", home)) / "Programs/Common/VST3"
        yield from (programs / "Common Files/LV2", programs / "Common Files/CLAP")
    else:
        yield from (home / ".vst3", home / ".vst")
        for kind in ("vst3", "vst", "lxvst"):
            yield from (Path("/usr/local/lib") / kind, Path("/usr/lib") / kind)
        for kind in ("lv2", "clap"):
            yield from (home / f".{kind}", Path("/usr/local/lib") / kind, Path("/usr/lib") / kind)
