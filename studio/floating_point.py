"""The floating-point state of a thread, kept as it is while somebody else's code runs.

Libraries built with fast mathematics switch flush-to-zero on when they are loaded, in the thread that loads them and in
every thread begun by it later: subnormal numbers become zero in all that is computed from then on. The C standard's
`fegetenv` and `fesetenv` (C11, 7.6.4) hold that switch with the rest of the state, on x86 and ARM alike.
"""

from __future__ import annotations

import ctypes
import inspect
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

_BYTES = 256
"""More than any C library's `fenv_t`, which is 8 to 32 bytes long."""

_FLUSH = {
    ("linux", "x86_64"): (28, 0x8040), ("darwin", "x86_64"): (4, 0x8040),
    ("linux", "aarch64"): (0, 1 << 24), ("darwin", "arm64"): (8, 1 << 24),
}  # fmt: skip
"""Where in `fenv_t` the word lies that holds flush-to-zero (with x86's denormals-are-zero), and its bits."""

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C", bound=type)


@contextmanager
def floating_point_kept(flush: bool = False) -> Iterator[None]:
    """Give this thread its floating-point state back at the end, whatever was loaded or run in between.

    Also serves as a decorator. Where the C library has no such calls it does nothing.

    Args:
        flush: meanwhile round subnormal numbers to zero, as the audio threads of DAWs do: plugins are written for
            that, and some take ten times as long over what rings out otherwise.
    """
    calls = _calls()
    if calls is None:
        yield
        return
    read, write = calls
    state = ctypes.create_string_buffer(_BYTES)
    read(state)
    try:
        if flush:
            write(_flushing(state))
        yield
    finally:
        write(state)


def as_in_a_daw(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that calls a plugin: subnormals are zero in it, and the thread's state is kept."""

    @wraps(function)
    def kept(*words: _P.args, **named: _P.kwargs) -> _R:
        with floating_point_kept(flush=True):
            return function(*words, **named)

    return kept


def all_as_in_a_daw(owner: _C) -> _C:
    """A class that hosts a plugin: its `__init__`, public methods and properties are `as_in_a_daw`."""
    for name, member in list(vars(owner).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if inspect.isfunction(member):
            setattr(owner, name, as_in_a_daw(member))
        elif isinstance(member, property) and member.fget is not None:
            setattr(owner, name, property(as_in_a_daw(member.fget), member.fset, member.fdel, member.__doc__))
    return owner


def _flushing(state: ctypes.Array[ctypes.c_char]) -> ctypes.Array[ctypes.c_char]:
    """The same state with flush-to-zero; as it is on machines of other kinds."""
    flushing = ctypes.create_string_buffer(state.raw, _BYTES)
    if (kind := (sys.platform, platform.machine())) in _FLUSH:
        offset, bits = _FLUSH[kind]
        word = ctypes.c_uint32.from_buffer(flushing, offset)
        word.value |= bits
    return flushing


@cache
def _calls() -> tuple[Callable[[Any], int], Callable[[Any], int]] | None:
    """`fegetenv` and `fesetenv`; nothing where they are not to be had."""
    names = {"linux": ("libm.so.6", None), "win32": ("ucrtbase",)}.get(sys.platform, (None,))
    for name in names:
        try:
            # The interpreter's lock is kept: both take nanoseconds.
            library = ctypes.PyDLL(name)
            return library.fegetenv, library.fesetenv
        except (OSError, AttributeError, TypeError):
            continue
    return None
