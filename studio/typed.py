"""What a value is known to be, said so that types follow and it still holds under `python -O`."""

from __future__ import annotations

from typing import TypeVar

_T = TypeVar("_T")


def expect(kind: type[_T], value: object) -> _T:
    """The value, which is of this class.

    Raises:
        TypeError: it is not, by a mistake of the studio.
    """
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__} was due, and a {type(value).__name__} came.")
    return value


def present(value: _T | None) -> _T:
    """The value, which is there.

    Raises:
        TypeError: it is None, by a mistake of the studio.
    """
    if value is None:
        raise TypeError("a value was due, and nothing came.")
    return value
