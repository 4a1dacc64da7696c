"""Reading back what the studio, or somebody in its name, wrote as JSON: checked in full before any of it is believed.

A stored document is a `Record` whose fields are of the strict kinds below: a number is a number inside its range, a path
stays inside its folder, and nothing is as long as it likes. Errors name the file and the field, several at once.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from studio.errors import Gather, MissingError, Place, Problems, RecipeError, StudioError, shown, within
from studio.provenance import STUDIO, installed
from studio.records import Kind, Record

MOST_BYTES = 64 * 1024**2
"""No document that we write is larger."""

DEEPEST = 64

Stored = TypeVar("Stored", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Whole(Kind):
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int = 2**63 - 1

    def parse(self, value: object) -> int:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if isinstance(value, bool) or not isinstance(value, int):
            raise RecipeError(f"{shown(value)} is not a whole number.")
        if not self.low <= value <= self.high:
            raise RecipeError(f"{shown(value)} is out of range.", f"It goes from {self.low} to {self.high}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Real(Kind):
    """A number from `low` to `high`, written as text where JSON has no word for it."""

    low: float = -math.inf
    high: float = math.inf

    def parse(self, value: object) -> float:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value in ("-inf", "inf"):
            value = float(str(value))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise RecipeError(f"{shown(value)} is not a number.")
        if not self.low <= value <= self.high:
            raise RecipeError(f"{shown(value)} is out of range.", f"It goes from {self.low:g} to {self.high:g}.")
        return float(value)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return float(value) if math.isfinite(value) else str(value)


@dataclass(frozen=True, kw_only=True)
class Words(Kind):
    """Text up to `longest` characters, of a `pattern` where it has one; with `lines`, on several of them."""

    longest: int = 400
    pattern: str = ""
    lines: bool = False

    def parse(self, value: object) -> str:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, str):
            raise RecipeError(f"{shown(value)} is not text.")
        if len(value) > self.longest:
            raise RecipeError(f"the text has {len(value)} characters.", f"It may have {self.longest}.")
        if any(unicodedata.category(mark) in ("Cc", "Cs") and not (self.lines and mark in "\n\t") for mark in value):
            raise RecipeError(f"{shown(value)} holds control characters.")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise RecipeError(f"{shown(value)} is not what stands here.", f"It has the form {self.pattern}.")
        return value


SHA256 = Words(longest=64, pattern="[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class OneOf(Kind):
    """One of a few words."""

    options: tuple[str, ...]

    def parse(self, value: object) -> str:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, str) or value not in self.options:
            raise RecipeError(f"{shown(value)} is not one of {', '.join(self.options)}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Flag(Kind):
    """True or false."""

    def parse(self, value: object) -> bool:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, bool):
            raise RecipeError(f"{shown(value)} is neither true nor false.")
        return value


@dataclass(frozen=True, kw_only=True)
class Inside(Words):
    """The path of a file inside the document's folder, with slashes: nothing that climbs, and nothing absolute."""

    def parse(self, value: object) -> str:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        path = super().parse(value)
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in path or ":" in parts[0]:
            raise RecipeError(f"{shown(path)} does not lie in the folder of this file.", "Do not trust it.")
        return path


@dataclass(frozen=True, kw_only=True)
class Json(Kind):
    """Any mapping of plain data, no deeper than a recipe."""

    def parse(self, value: object) -> dict[str, Any]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, Mapping):
            raise RecipeError(f"{shown(value)} is not a mapping.")
        _check_plain(value, 0)
        return dict(value)


@dataclass(frozen=True, kw_only=True)
class Members(Kind):
    """A mapping with these members; with `more`, others may stand beside them as plain data."""

    of: Mapping[str, Kind]
    more: bool = False

    def parse(self, value: object) -> dict[str, Any]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, Mapping):
            raise RecipeError(f"{shown(value)} is not a mapping.")
        gather, found = Gather(), {}
        for key, item in value.items():
            with gather, within(str(key)):
                if key in self.of:
                    found[key] = self.of[key].parse(item)
                elif not self.more:
                    raise RecipeError(f"nothing of this name belongs here; known are {', '.join(self.of)}.")
                else:
                    _check_plain(item, 1)
                    found[key] = item
        for key, kind in self.of.items():
            with gather, within(key):
                if kind.required and key not in value:
                    raise RecipeError("it is missing.")
        gather.done()
        return found


@dataclass(frozen=True, kw_only=True)
class Several(Kind):
    """A list of `fewest` to `most` values of one kind."""

    each: Kind
    fewest: int = 0
    most: int = 10_000

    def parse(self, value: object) -> list[Any]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, list):
            raise RecipeError(f"{shown(value)} is not a list.")
        if not self.fewest <= len(value) <= self.most:
            raise RecipeError(f"it has {len(value)} values.", f"It may have {self.fewest} to {self.most}.")
        gather, found = Gather(), []
        for index, item in enumerate(value):
            with gather, within(index):
                found.append(self.each.parse(item))
        gather.done()
        return found


@dataclass(frozen=True, kw_only=True)
class Named(Kind):
    """A mapping of `fewest` to `most` names to values of one kind."""

    each: Kind
    fewest: int = 0
    most: int = 10_000

    def parse(self, value: object) -> dict[str, Any]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, Mapping):
            raise RecipeError(f"{shown(value)} is not a mapping.")
        if not self.fewest <= len(value) <= self.most:
            raise RecipeError(f"it has {len(value)} names.", f"It may have {self.fewest} to {self.most}.")
        gather, found = Gather(), {}
        for key, item in value.items():
            with gather, within(str(key)[:80]):
                found[Words(longest=80).parse(key)] = self.each.parse(item)
        gather.done()
        return found


def _check_plain(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise RecipeError("it is nested too deeply.", f"{DEEPEST} levels at most.")
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for each in inside:
        _check_plain(each, depth + 1)


def check_format(plain: object, key: str, newest: int, what: str) -> None:
    """Find out whether a document is of a format that this studio reads, before anything else in it is looked at.

    Args:
        key: where the number of the format stands; beside it `studio` may say which version wrote the document.

    Raises:
        RecipeError: it is of a later format, or says none; the text names the version that reads it.
    """
    if not isinstance(plain, Mapping):
        raise RecipeError(f"{shown(plain)} is not {what}.")
    given = plain.get(key)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise RecipeError(f"it does not say which format of {what} it is.", f"`{key}` is {newest}.", path=(key,))
    if given < newest:
        cause = f"it is {what} of format {given}; Mirepoix {installed(STUDIO)} reads format {newest}."
        raise RecipeError(cause, "Make it anew.", path=(key,))
    refuse_later(plain, key, newest, what)


def refuse_later(plain: object, key: str, newest: int, what: str) -> None:
    """Refuse a document of a later format than this studio reads, and name the version that does.

    Raises:
        RecipeError: it is one.
    """
    given = plain.get(key) if isinstance(plain, Mapping) else None
    if not isinstance(plain, Mapping) or isinstance(given, bool) or not isinstance(given, int) or given <= newest:
        return
    here, wrote = installed(STUDIO), plain.get("studio")
    known = isinstance(wrote, str) and re.fullmatch(r"[0-9][0-9A-Za-z.+!-]{0,40}", wrote)
    reader = f"Mirepoix {wrote}, which wrote it, reads it" if known else f"A later Mirepoix than {here} reads it"
    cause = f"it is {what} of format {given}; Mirepoix {here} reads format {newest}."
    raise RecipeError(cause, f"{reader}: pip install --upgrade {STUDIO}.", path=(key,))


def parse_json(text: str | bytes) -> Any:
    """Plain data of JSON text.

    Raises:
        RecipeError: it is none, is nested too deeply, or holds NaN or numbers without end.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise RecipeError("it is nested too deeply.", f"{DEEPEST} levels at most.") from None
    except ValueError as error:
        raise RecipeError(f"this is not JSON: {str(error)[:200]}.", "Get a complete copy of it.") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def read_json(path: Path, most: int = MOST_BYTES) -> Any:
    """Plain data of a JSON file.

    Raises:
        MissingError: it is not there, or no file.
        RecipeError: as `parse_json`, or it is larger than `most` bytes.
    """
    place = Place(str(path))
    try:
        if not path.is_file():
            raise MissingError("there is no such file.", place=place)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise MissingError(f"it cannot be read: {(error.strerror or str(error)).lower()}.", place=place) from None
    try:
        if len(content) > most:
            raise RecipeError(f"it is larger than {most // 1024**2} MB.", "Get a complete copy of it.")
        return parse_json(content)
    except StudioError as error:
        raise located(error, place) from None


def read_stored(path: Path, kind: type[Stored], key: str, newest: int, what: str) -> Stored:
    """A stored document, checked in full.

    Args:
        key: the field with the number of the format, which is `newest` in this studio.
        what: what it is called, with its article.

    Raises:
        MissingError: there is none.
        StudioError: it is damaged, or of another format; with file and fields.
    """
    plain = read_json(path)
    try:
        check_format(plain, key, newest, what)
        return kind.parse(plain)
    except StudioError as error:
        raise located(error, Place(str(path))) from None


def located(error: StudioError, place: Place) -> StudioError:
    """The error, with the file named in all of it."""
    for single in error.errors if isinstance(error, Problems) else (error,):
        single.place = single.place or place
    return error
