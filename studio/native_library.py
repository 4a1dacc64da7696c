"""The libraries of native steps in this process: the core, and those of packages, each loaded when it is first needed.

The core comes with the installed studio. Where it does not, or its headers have been changed since (a checkout), it is
compiled on first use and kept for the next time under a hash of all it is made of, as the steps of packages always are.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from studio.disk import make_folder, part_of, writing
from studio.errors import MissingError
from studio.folders import cache_folder
from studio.native.compilers import NoCompilerError, compilers, this_system
from studio.native.glue import ROOT, Native, natives
from studio.native.library import BuildError, Library, file_name, own_core
from studio.notes import is_ours
from studio.provenance import Component

_PACKAGED = Path(__file__).parent / "native" / "built"
_lock = threading.RLock()

_I, _L, _D, _P = ctypes.c_int, ctypes.c_longlong, ctypes.c_double, ctypes.c_void_p
_CALLS: dict[str, tuple[list[object], object]] = {
    "mirepoix_join": ([_P], _I),
    "mirepoix_steps": ([], _P),
    "mirepoix_make": ([ctypes.c_char_p, _P, _I, ctypes.c_char_p, _I], _P),
    "mirepoix_free": ([_P], None),
    "mirepoix_prepare": ([_P, _D, _I, _L], _I),
    "mirepoix_reset": ([_P], None),
    "mirepoix_tail_seconds": ([_P], _D),
    "mirepoix_behind": ([_P, _I], _I),
    "mirepoix_process": ([_P, _P, _L, _P, _P, _P], _I),
}


def native_of(cls: type) -> Native | None:
    """The native struct of a step, in the header beside the file of its class; None where there is none."""
    return _native(cls.__module__, cls.__name__)


@cache
def _native(module: str, name: str) -> Native | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or not Path(file).with_suffix(".hpp").is_file():
        return None
    found = natives(module, Path(file).with_suffix(".py"))
    return next((native for native in found if native.name == name), None)


@cache
def core() -> ctypes.CDLL:
    """The core, loaded.

    Raises:
        MissingError: it is not there, and there is no compiler.
    """
    with _lock:
        library = _opened(own_core(), "the studio's own effects")
        library.mirepoix_join(library.mirepoix_steps())
        return library


def joined(native: Native) -> None:
    """See to it that the core knows a step; that of a package comes with the others of its module.

    Raises:
        MissingError: the header does not compile, or there is no compiler.
    """
    if not _is_own(native):
        with _lock:
            _joined(native.module, native.header.with_suffix(".py"))


def made_natively(cls: type) -> Iterator[Component]:
    """The core, and for a step of a package its own library, by what they are made of."""
    yield Component("program", "core", "", _core_digest())
    native = native_of(cls)
    if native is not None and not _is_own(native):
        digest = _package(native.module, native.header.with_suffix(".py")).digest
        yield Component("program", native.key, "", digest[:16])


@cache
def _core_digest() -> str:
    return own_core().digest[:16]


def _is_own(native: Native) -> bool:
    return native.header.is_relative_to(ROOT / "studio")


@cache
def _package(module: str, source: Path) -> Library:
    return Library(natives(module, source))


@cache
def _joined(module: str, source: Path) -> ctypes.CDLL:
    package = module.partition(".")[0]
    library = _opened(_package(module, source), f"the steps of {package} ({source.with_suffix('.hpp').name})")
    other = core().mirepoix_join(library.mirepoix_steps())
    if other:
        raise MissingError(f"the native steps of {package} were made for another core.", f"Install {package} anew.")
    return library


def _opened(library: Library, what: str) -> ctypes.CDLL:
    path = _found(library, what)
    loaded = ctypes.CDLL(str(path))
    for name, (words, answer) in _CALLS.items():
        if library.core or name == "mirepoix_steps":
            call = getattr(loaded, name)
            call.argtypes, call.restype = words, answer
    return loaded


def _in_a_checkout() -> bool:
    """Whether the studio runs from its sources, and they can be written to: the core is kept beside them then."""
    return (ROOT / "pyproject.toml").is_file() and os.access(_PACKAGED.parent, os.W_OK)


def _found(library: Library, what: str) -> Path:
    """The file of a library, compiled now where it has not been."""
    name = file_name(this_system(), library.digest)
    if library.core and (packaged := _PACKAGED / name).is_file():
        return packaged
    kept = (_PACKAGED if library.core and _in_a_checkout() else cache_folder() / "native") / name
    if kept.is_file() and is_ours(kept.stat()):
        return kept
    try:
        [compiler] = compilers()
    except NoCompilerError as error:
        raise MissingError(f"{what} are not compiled, and {error.cause}", error.mend) from None
    with writing(kept, "the compiled steps", "set STUDIO_CACHE to a folder with room"):
        make_folder(kept.parent, private=True)
        # Whoever is done first is who counts: all that are made at the same time are alike.
        part = part_of(kept)
        try:
            library.build(compiler, part)
            part.chmod(0o700)
            part.replace(kept)
        except BuildError as error:
            raise MissingError(f"{what} do not compile: {error}", f"It was {compiler.version}.") from None
        finally:
            part.unlink(missing_ok=True)
    return kept
