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
        if isinstance(kind, File) and isinstance(value, str):
            new = change(value)
        else:
            new = map_records(value, lambda inner: map_files(inner, change))
        if new is not value and new != value:
            changes[name] = new
    return record.replace(**changes) if changes else record


def map_records(value: Any, change: Callable[[Record], Record]) -> Any:
    """The value of a field, with every record in its lists and maps gone through `change`."""
    if isinstance(value, Record):
        return change(value)
    if isinstance(value, tuple) and any(isinstance(item, (Record, tuple)) for item in value):
        return tuple(map_records(item, change) for item in value)
    if isinstance(value, Mapping):
        return {key: map_records(item, change) for key, item in value.items()}
    return value
