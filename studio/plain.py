"""Plain data out of what Python programs hand over: numbers and arrays of numpy as numbers and lists."""

from __future__ import annotations

from typing import Any

_LEAVES = frozenset({str, int, float, bool, type(None)})


def plain(value: Any) -> Any:
    """The same value with everything of numpy in it, at any depth of lists and mappings, as plain Python has it.

    A number of single precision becomes the shortest decimal that it stands for: ``np.float32(0.3)`` is 0.3, as a file
    would say it.
    """
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is list or kind is tuple:
        return kind(plain(item) for item in value)
    if kind is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    if kind.__module__ != "numpy" or not hasattr(value, "dtype"):
        return value
    if value.ndim:
        return [plain(item) for item in value]
    if value.dtype.kind == "f" and value.dtype.itemsize != 8:
        return float(str(value))
    return value.item()
