"""The compilers that make a plugin, one for each processor of a system; what there are, `studio.native.compilers` knows."""

from __future__ import annotations

from studio.errors import MissingError, nearest
from studio.native import compilers as native
from studio.native.compilers import TARGETS, Compiler, this_machine, this_system

__all__ = ["TARGETS", "Compiler", "compilers", "this_machine", "this_system"]


def compilers(target: str | None = None) -> tuple[Compiler, ...]:
    """A compiler for each processor a plugin for `target` should run on; without `target`, for this machine.

    Raises:
        MissingError: there is none, or no such system.
    """
    if target is not None and target not in TARGETS:
        raise MissingError(f"there is no target {target!r}.", nearest(target, TARGETS))
    try:
        return native.compilers(target)
    except native.NoCompilerError as error:
        raise MissingError(error.cause, error.mend) from None
