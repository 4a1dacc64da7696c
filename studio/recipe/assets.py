"""The files that a recipe names, wherever in it they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from studio.knobs import File
from studio.records import Record

Kept = TypeVar("Kept", bound=Record)


def map_files(record: Kept, change: Callable[[str], str]) -> Kept:
    """A copy in which every path of a file has gone through `change`; the rest is the same."""
    changes: dict[str, Any] = {}
    for name, kind in record.kinds().items():
        value = getattr(record, name)
        new = change(value) if isinstance(kind, File) and isinstance(value, str) else _mapped(value, change)
        if new is not value and new != value:
            changes[name] = new
    return record.replace(**changes) if changes else record


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Record):
        return map_files(value, change)
    if isinstance(value, tuple) and any(isinstance(item, (Record, tuple)) for item in value):
        return tuple(_mapped(item, change) for item in value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    return value
