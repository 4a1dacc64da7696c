"""Addresses: how macros, the command line and widgets name one knob in a tree of records.

``keys.chorus.rate`` is the rate of the step labelled chorus anywhere in the track keys; ``keys.volume`` is the
track's own; ``master.limiter`` is the limiter's first knob; ``dust`` is a macro.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from studio.errors import Gather, Key, RecipeError, Told, nearest, within
from studio.records import Kind, Record
from studio.steps import Step, Unread
from studio.typed import expect

Path = tuple[Key, ...]


def locate(root: Record, address: str) -> tuple[Path, Kind]:
    """The way from `root` to the knob at `address`, and its kind.

    Raises:
        RecipeError: nothing or more than one thing has that name.
    """
    record, names = root, address.split(".")
    path: Path = ()
    while True:
        if not names:
            # A record named without a knob means its first one, as in `gain: -3 dB`.
            names = [next(iter(_parameters(record)))]
        name, *names = names
        kind = record.now().get(name)
        value = getattr(record, name, None)
        if kind is not None and not isinstance(value, (Record, Mapping)):
            if names:
                raise RecipeError(f"{address!r}: {name!r} is a knob and has no {names[0]!r}.")
            return (*path, name), record.kind_of(name)
        if isinstance(value, Mapping) and kind is not None and names:
            step, *names = names
            if step not in value:
                raise RecipeError(f"{address!r}: there is no {name} {step!r}.", nearest(step, value))
            found: list[tuple[Path, Record]] = [((name, step), value[step])]
        elif isinstance(value, Record) and kind is not None:
            found = [((name,), value)]
        else:
            found = [(way, member) for way, label, member in _members(record) if label == name]
            if len(found) > 1:
                found = _preferred(found, alone=not names)
        if not found:
            if get_close_matches(name, _unread(record)):
                raise Told
            raise RecipeError(f"{address!r}: there is no {name!r} in {_called(record)}.", nearest(name, _names(record)))
        if len(found) > 1:
            raise RecipeError(
                f"{address!r}: {len(found)} steps in {_called(record)} are called {name!r}.",
                "Give one of them a name of its own, such as `chorus: {name: wide, …}`.",
            )
        [(way, record)] = found
        path = (*path, *way)


def _unread(record: Record) -> list[str]:
    """The words of steps in it that could not be read: an address may well mean one of them."""
    return [label for _, label, member in _members(record) if isinstance(member, Unread)]


def _preferred(found: list[tuple[Path, Record]], alone: bool) -> list[tuple[Path, Record]]:
    """Of several things with one name: alone it is the macro, with a knob behind it the step nearest the surface."""
    macros = [entry for entry in found if entry[0][0] == "knobs"]
    steps = [entry for entry in found if entry[0][0] != "knobs"]
    nearest_depth = min((len(way) for way, _ in steps), default=0)
    steps = [entry for entry in steps if len(entry[0]) == nearest_depth]
    return (macros or steps) if alone else (steps or macros)


def _parameters(record: Record) -> Mapping[str, Kind]:
    return record.dials() if isinstance(record, Step) else record.kinds()


def _called(record: Record) -> str:
    return f"{record.label!r}" if isinstance(record, Step) else record.called()


def _names(record: Record) -> list[str]:
    members = [label for _, label, _ in _members(record)]
    own = [name for name, kind in _parameters(record).items() if getattr(kind, "live", False)]
    return own + members


def _members(record: Record) -> Iterator[tuple[Path, str, Record]]:
    """Everything with a label below a record: named entries of its maps, then steps, depth first."""
    for name in _parameters(record):
        value = getattr(record, name)
        if isinstance(value, Mapping):
            for key, member in value.items():
                if isinstance(member, Record):
                    yield (name, key), key, member
        elif not isinstance(record, Step) or name != "name":
            for way, step in steps_in(value):
                yield (name, *way), step.label, step


def steps_in(value: object, *, bypassed: bool = True) -> Iterator[tuple[Path, Step]]:
    """A step or every step of a chain, with those inside of them, depth first; each with the way to it.

    Without `bypassed`, what is bypassed is left out with all that it holds.
    """
    if isinstance(value, Step):
        if value.bypass and not bypassed:
            return
        yield (), value
        for name in value.parameters():
            for way, step in steps_in(getattr(value, name), bypassed=bypassed):
                yield (name, *way), step
    elif isinstance(value, Record):
        for name in value.kinds():
            for way, step in steps_in(getattr(value, name), bypassed=bypassed):
                yield (name, *way), step
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            for way, step in steps_in(item, bypassed=bypassed):
                yield (index, *way), step


def check_values(value: object) -> None:
    """Check, in a recipe, a chain or a step with all that it holds, the values whose ranges only this machine knows.

    Raises:
        StudioError: values that do not fit (all of them at once), each with the way to it.
    """
    gather = Gather()
    members: Iterable[tuple[Path, object]] = ()
    if isinstance(value, Step):
        with gather, within(value.step):
            value.check_values()
        members = (((value.step, name), getattr(value, name)) for name in value.parameters())
    elif isinstance(value, Record):
        members = (((name,), getattr(value, name)) for name in value.kinds())
    elif isinstance(value, Mapping):
        members = (((str(name),), member) for name, member in value.items())
    elif isinstance(value, tuple):
        members = (((index,), member) for index, member in enumerate(value))
    for way, member in members:
        if member and isinstance(member, (Record, Mapping, tuple)):
            with gather, within(*way):
                check_values(member)
    gather.done()


def addresses(root: Record) -> Iterator[tuple[str, Kind]]:
    """Every knob below a recipe or preset that has an address, and its kind: macros, strips' own, and those of steps."""
    for name, macro in getattr(root, "knobs", {}).items():
        yield name, macro.kind_of("value")
    strips = [(name, strip) for where in ("tracks", "buses") for name, strip in getattr(root, where, {}).items()]
    for name, strip in [*strips, ("master", getattr(root, "master", root))]:
        for knob, kind in _parameters(strip).items():
            if getattr(kind, "live", False):
                yield f"{name}.{knob}", kind
        for send in getattr(strip, "send", {}):
            yield f"{name}.send.{send}", strip.send[send].kind_of("level")
        for _, label, member in _members(strip):
            for knob, kind in _parameters(member).items() if isinstance(member, Step) else ():
                if hasattr(kind, "live"):
                    yield f"{name}.{label}.{knob}", kind


def get(root: Any, path: Path) -> Any:
    """What stands at the end of a path."""
    for key in path:
        root = getattr(root, str(key)) if isinstance(root, Record) else root[key]
    return root


def put(root: Any, path: Path, value: object) -> Any:
    """A copy of `root` with `value` at the end of a path; everything around it is checked anew."""
    if not path:
        return value
    key, *rest = path
    if isinstance(root, Record):
        return root.replace(**{str(key): put(getattr(root, str(key)), tuple(rest), value)})
    if isinstance(root, Mapping):
        return {**root, key: put(root[str(key)], tuple(rest), value)}
    index = expect(int, key)
    return (*root[:index], put(root[index], tuple(rest), value), *root[index + 1 :])
