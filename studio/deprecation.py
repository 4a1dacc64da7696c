"""Saying in good time that something will go: what stands in its place, and the version that no longer has it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def deprecated(*, since: str, removed_in: str, instead: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function or method as going away; every call gives a DeprecationWarning at the caller's line.

    Args:
        since: the version in which it became deprecated, as "0.4".
        removed_in: the first version without it, as "0.6".
        instead: what to use, as a caller would write it.
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        text = f"{function.__qualname__} is deprecated since {since} and goes in {removed_in}: use {instead}."

        @functools.wraps(function)
        def told(*args: P.args, **kwargs: P.kwargs) -> R:
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        told.__doc__ = f"{text}\n\n{function.__doc__ or ''}".rstrip()
        return told

    return mark


__all__ = ["deprecated"]
