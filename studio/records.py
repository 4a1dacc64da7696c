"""Records: frozen values whose fields are declared once and read, written and documented by that.

A `Kind` says how one field is parsed from plain data (what YAML, JSON or Python gives), written back, and
described in a JSON Schema. A `Record` is a dataclass of such fields; making one in Python and reading one
from a file run through the same checks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, dataclass_transform

from studio.errors import Gather, RecipeError, StudioError, Told, collector, nearest, shown, within
from studio.plain import plain
from studio.typed import present

REQUIRED: Any = object()
"""The default of a field that has none."""

_READ = "fields were read"
"""Marks a record, while it is made, whose fields have been parsed."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one field is read, written and described; `help` is one phrase, without a full stop."""

    default: Any = REQUIRED
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED

    def parse(self, value: object) -> Any:
        """The value that plain data means; a parsed value comes through unchanged."""
        return value

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value; `full` spells out defaults inside it."""
        return value

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {}

    def member(self, name: str) -> dict[str, Any]:
        """The same under its name and with its help, as editors show them; a reference would hide these, so it is wrapped."""
        schema = self.schema()
        inner = {"allOf": [{"$ref": schema["$ref"]}]} if "$ref" in schema else schema
        about = schema.get("description") or self.describe()
        return {"title": name, **({"description": about} if about else {}), **inner}

    @property
    def range(self) -> str:
        """What it accepts, for people."""
        return ""

    def describe(self) -> str:
        """Help, range and default in one line."""
        # An identity, since 0 equals False but is worth telling.
        silent = self.required or self.default is None or self.default is False or self.default in ("", ())
        default = "" if silent else f", default {self.data(self.parse(self.default))}"
        about = f"{self.range}{default}"
        return f"{self.help} ({about})" if about else self.help


def field(kind: Kind, *, kw_only: bool = False) -> Any:
    """Declare a field of a `Record`."""
    metadata = {"kind": kind}
    if kind.required:
        return dataclasses.field(metadata=metadata, kw_only=kw_only)
    return dataclasses.field(default_factory=_default_of(kind), metadata=metadata, kw_only=kw_only)


def _default_of(kind: Kind) -> Callable[[], Any]:
    """What gives the default of a field; one that says a single thing is read once for all records."""
    known: list[Any] = []

    def default() -> Any:
        if known:
            return known[0]
        value = kind.parse(kind.default)
        if isinstance(kind.default, _SINGLE) or kind.default == ():
            known.append(value)
        return value

    return default


_SINGLE = (str, int, float, NoneType)


Value = TypeVar("Value")

if TYPE_CHECKING:

    class Parsed(Generic[Value]):
        """The type of a field that may be given as plain data, as a file would say it, and is read as a `Value`."""

        def __get__(self, record: Record | None, kind: type[Record] | None = None) -> Value:
            """What the plain data means."""

        def __set__(self, record: Record, data: Any) -> None:
            """Anything that the field's kind can parse."""

else:

    class Parsed(Generic[Value]):
        """The type of a field that may be given as plain data, as a file would say it, and is read as a `Value`."""


@dataclass_transform(frozen_default=True)
class Record:
    """A frozen value made of declared fields."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(frozen=True, repr=False)(cls)
        cls.__init__ = _checked(cls.__init__)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        if self.__dict__.pop(_READ, False):
            return
        gather = Gather()
        for name, kind in self.kinds().items():
            with gather, within(name):
                self._finish(name, kind.parse(plain(getattr(self, name))))
        gather.done()

    def _finish(self, name: str, value: object) -> None:
        """Write a field while the record is being made; for `__post_init__` and nothing else."""
        object.__setattr__(self, name, value)

    @classmethod
    def kinds(cls) -> Mapping[str, Kind]:
        """The declared fields, in order."""
        return _kinds(cls)  # type: ignore[arg-type]

    def kind_of(self, name: str) -> Kind:
        """The kind of one field; of a field whose range depends on others, as it is now."""
        return self.kinds()[name]

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read the record from a mapping of its fields.

        Raises:
            StudioError: an unknown or missing field, or values that do not fit (all of them at once).
        """
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise RecipeError(f"{shown(data)} is not {cls.called()}.", "Write it as `name: value` pairs.")
        gather, values, kinds = Gather(), dict[str, Any](), cls.kinds()
        for key, value in data.items():
            with gather, within(str(key)):
                if key not in kinds:
                    raise RecipeError(f"{cls.called()} has no {key!r}.", cls.hint(str(key)))
                values[key] = kinds[key].parse(plain(value))
        for key, kind in kinds.items():
            with gather:
                if kind.required and key not in data:
                    raise RecipeError(f"{cls.called()} needs {key!r}: {kind.describe()}.")
        gather.done()
        return cls._of(values) if collector() is None else cls._of_what_is_left(values, data)

    @classmethod
    def _of(cls, values: Mapping[str, Any], record: Self | None = None) -> Self:
        """The record of fields that have been read, which `__init__` would read once more."""
        record = cls.__new__(cls) if record is None else record
        for name, default in _defaults(cls):  # type: ignore[arg-type]
            object.__setattr__(record, name, values[name] if name in values else default())
        record.__dict__[_READ] = True
        record.__post_init__()
        return record

    @classmethod
    def _of_what_is_left(cls, values: dict[str, Any], data: Mapping[Any, Any]) -> Self:
        """The record as far as it could be read, for a reading that goes on behind errors.

        Raises:
            Told: a field is missing that it cannot be without.
        """
        taking = present(collector())
        for key in data:
            if str(key) not in values:
                taking.lose(str(key))
        if any(kind.required and name not in values for name, kind in cls.kinds().items()):
            raise Told
        record = cls.__new__(cls)
        try:
            cls._of(values, record)
        except StudioError as error:
            # Its fields stand; what they should be together is only worth telling where all of them were read.
            if not taking.lost_near():
                taking.take(error)
            taking.half_read.add(tuple(taking.path))
        return record

    def data(self, *, full: bool = False) -> Any:
        """Plain data: only what differs from the defaults, or with `full` every field."""
        names = self.kinds() if full else self.changed()
        return {name: self.kind_of(name).data(getattr(self, name), full) for name in names}

    def changed(self) -> list[str]:
        """The fields that are required or differ from their defaults."""
        return [
            name
            for name, kind in self.kinds().items()
            if kind.required or getattr(self, name) != kind.parse(kind.default)
        ]

    def now(self) -> Mapping[str, Kind]:
        """The fields that this value has: the declared ones, and for some records more."""
        return self.kinds()

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody who wrote a field that there is not may have meant."""
        return nearest(word, cls.kinds())

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article: the words of its class's name."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", cls.__name__).lower()
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of its plain data."""
        kinds = cls.kinds()
        return {
            "type": "object",
            "properties": {name: kind.member(name) for name, kind in kinds.items()},
            "required": [name for name, kind in kinds.items() if kind.required],
            "additionalProperties": False,
        }

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self.changed())
        return f"{type(self).__name__}({', '.join(fields)})"


def _checked(made: Callable[..., None]) -> Callable[..., None]:
    """A dataclass's `__init__` that refuses unknown and missing fields in the words in which a file's are refused."""

    @wraps(made)
    def begin(self: Record, *given: Any, **named: Any) -> None:
        fields = [field for field in dataclasses.fields(self) if field.init]  # type: ignore[arg-type]
        taken = [field.name for field in fields if not field.kw_only][: len(given)]
        gather, called = Gather(), self.called()
        with gather:
            if len(given) > len(taken):
                raise RecipeError(f"{called} takes {len(taken)} values without a name, not {len(given)}.")
        names = [field.name for field in fields]
        for name in named:
            with gather, within(name):
                if name not in names:
                    raise RecipeError(f"{called} has no {name!r}.", nearest(name, names))
                if name in taken:
                    raise RecipeError(f"{called} is given {name!r} twice.", "Give it once.")
        for name, kind in self.kinds().items():
            with gather:
                if kind.required and name not in named and name not in taken:
                    raise RecipeError(f"{called} needs {name!r}: {kind.describe()}.")
        gather.done()
        made(self, *given, **named)

    return begin


@cache
def _defaults(cls: type[Record]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """Every field of the dataclass, and what gives its default."""

    def default(field: dataclasses.Field[Any]) -> Callable[[], Any]:
        made = field.default_factory
        return made if made is not dataclasses.MISSING else lambda: field.default

    return tuple((field.name, default(field)) for field in dataclasses.fields(cls) if field.init)  # type: ignore[arg-type]


@cache
def _kinds(cls: type[Record]) -> Mapping[str, Kind]:
    fields = sorted(dataclasses.fields(cls), key=lambda field: bool(field.kw_only))  # type: ignore[arg-type]
    return {field.name: field.metadata["kind"] for field in fields if "kind" in field.metadata}


@dataclass(frozen=True, kw_only=True)
class Nested(Kind):
    """A record inside a record."""

    of: type[Record]

    def parse(self, value: object) -> Any:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        return None if value is None and self.default is None else self.of.parse(value)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return None if value is None else value.data(full=full)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return self.of.schema()


@dataclass(frozen=True, kw_only=True)
class ListOf(Kind):
    """Several values of one kind; a single one may stand without the list, and with `bare` is written so."""

    each: Kind
    default: Any = ()
    bare: bool = False

    def parse(self, value: object) -> tuple[Any, ...]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None:
            return ()
        items = value if isinstance(value, (list, tuple)) else [value]
        gather, parsed = Gather(), []
        for index, item in enumerate(items):
            with gather, within(index):
                parsed.append(self.each.parse(item))
                continue
            if taking := collector():
                taking.lose(index)
        gather.done()
        return tuple(parsed)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        items = [self.each.data(item, full) for item in value]
        return items[0] if self.bare and len(items) == 1 and not full else items

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        one = self.each.schema()
        return {"description": self.help, "anyOf": [{"type": "array", "items": one}, one]}


@dataclass(frozen=True, kw_only=True)
class MapOf(Kind):
    """Named values of one kind, in the order written."""

    each: Kind
    default: Any = dataclasses.field(default_factory=dict)
    what: str = "name"

    def parse(self, value: object) -> dict[str, Any]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise RecipeError(f"{shown(value)} is not a mapping.", f"Write `{self.what}: value` pairs.")
        gather, parsed = Gather(), {}
        for key, item in value.items():
            with gather, within(str(key)):
                self.check_name(key)
            with gather, within(str(key)):
                parsed[str(key)] = self.each.parse(item)
                continue
            if taking := collector():
                taking.lose(str(key))
        gather.done()
        return parsed

    def check_name(self, key: object) -> str:
        """The key as a name: anything printable of up to 80 characters that is no path and no address."""
        name = str(key)
        bad = [mark for mark in name if mark in './\\:*?"<>|\0' or not mark.isprintable()]
        if bad or not name.strip() or len(name) > 80 or name != name.strip():
            raise RecipeError(
                f"{name[:80]!r} cannot be a {self.what}.", "Use letters, digits, spaces, - and _ (80 at most)."
            )
        return name

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return {key: self.each.data(item, full) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.help, "type": "object", "additionalProperties": self.each.schema()}
