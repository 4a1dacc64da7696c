"""Everything the studio can refuse, and how it says so.

An error names the place (file, line, and the path inside the document), the cause, and the mend::

    StudioError
    ├── KnobError       a value that does not fit its knob          (also a ValueError)
    ├── RecipeError     a document that cannot be understood        (also a ValueError)
    ├── ScoreError      a MIDI file or a score edit                 (also a ValueError)
    ├── AudioError      samples or an audio file                    (also a ValueError)
    ├── MissingError    a file, part, step, preset or library absent (also a LookupError)
    ├── RenderError     a step that failed while running            (also a RuntimeError)
    ├── OutputError     a result that could not be written          (also an OSError)
    ├── Interrupted     the user stopped a render
    └── Problems        several of the above, found in one reading
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from difflib import get_close_matches

from studio.synonyms import meant
from studio.visible import visible

Key = str | int


@dataclass(frozen=True)
class Place:
    """Where in which file: lines and columns count from 1, 0 means unknown; `text` is the line, where it is known."""

    file: str
    line: int = 0
    column: int = 0
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"

    def excerpt(self) -> str:
        """The line with a caret under the column; nothing where either is unknown."""
        if not self.column or not self.text.strip():
            return ""
        start = max(0, self.column - 1 - _BEFORE_CARET)
        line = "".join(mark if mark.isprintable() else " " for mark in self.text[start : start + _LONGEST_EXCERPT])
        gutter = f"{self.line} │ "
        cut = "…" if start else ""
        caret = " " * (len(cut) + self.column - 1 - start)
        return f"{gutter}{cut}{line.rstrip()}\n{' ' * (len(gutter) - 2)}│ {caret}^"


_BEFORE_CARET, _LONGEST_EXCERPT = 80, 120


class StudioError(Exception):
    """A refusal: `cause` says what is wrong, `mend` how to put it right.

    `path` is the way through the document (``("tracks", "keys", "chain", 0, "chorus", "rate")``)
    and grows outwards as the error passes through `within`; `place` is the file and line, added
    by whoever read the file.
    """

    def __init__(self, cause: str, mend: str = "", *, path: Sequence[Key] = (), place: Place | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.mend = mend
        self.path: tuple[Key, ...] = tuple(path)
        self.place = place

    def __str__(self) -> str:
        way = " › ".join(f"[{key + 1}]" if isinstance(key, int) else key for key in self.path)
        where = "  ".join(part for part in (str(self.place or ""), way) if part)
        seen = self.place.excerpt().split("\n") if self.place else ()
        return "\n  ".join(_readable(part) for part in (where, *seen, self.cause, self.mend) if part)


def _readable(part: str) -> str:
    """On one line, visible, and no longer than a person would read, even when a name in it is as long as a file may be."""
    return visible(part if len(part) <= 2000 else f"{part[:1999]}…")


class KnobError(StudioError, ValueError):
    """A value that does not fit its knob: unit, range, choice or type."""


class RecipeError(StudioError, ValueError):
    """A document that cannot be understood."""


class ScoreError(StudioError, ValueError):
    """A MIDI file that cannot be read, or an edit its notes do not allow."""


class AudioError(StudioError, ValueError):
    """Samples that are not sound, or an audio file that cannot be read."""


class MissingError(StudioError, LookupError):
    """A file, part, step, preset or library that is not there."""


class RenderError(StudioError, RuntimeError):
    """A step that failed while it was running."""


class ModelError(StudioError, ValueError):
    """A model file that is none, or not the one that is needed."""


class OutputError(StudioError, OSError):
    """A result that could not be written; what was there before is untouched."""


class Interrupted(StudioError):
    """The user stopped the render; finished work stays in the cache."""


class Told(StudioError):
    """What is wrong here has been collected already; nothing of it is left to say."""

    def __init__(self) -> None:
        super().__init__("this cannot be read.")


class Problems(StudioError):
    """Several errors found in one reading of a document."""

    def __init__(self, errors: Iterable[StudioError]) -> None:
        self.errors: tuple[StudioError, ...] = tuple(_flatten(errors))
        super().__init__(f"{len(self.errors)} problems")

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def _flatten(errors: Iterable[StudioError]) -> Iterator[StudioError]:
    for error in errors:
        if isinstance(error, Problems):
            yield from error.errors
        else:
            yield error


class Collector:
    """Takes every error of a document while it is read to its end in spite of them.

    Attributes:
        errors: those found, with their whole paths, each once.
        path: where the reading is.
        lost: paths of what could not be read and was left out, so that what follows from that is not told too.
        half_read: paths of records whose fields do not go together.
    """

    def __init__(self) -> None:
        self.errors: list[StudioError] = []
        self.path: list[Key] = []
        self.lost: set[tuple[Key, ...]] = set()
        self.half_read: set[tuple[Key, ...]] = set()
        self._seen: set[tuple[tuple[Key, ...], str]] = set()

    def take(self, *errors: StudioError) -> None:
        """Keep errors whose paths begin where the reading is."""
        for error in _flatten(errors):
            error.path = (*self.path, *error.path)
            if not isinstance(error, Told) and (error.path, error.cause) not in self._seen:
                self._seen.add((error.path, error.cause))
                self.errors.append(error)

    def lose(self, *path: Key) -> None:
        """Remember that what stands at `path`, from here, is left out."""
        self.lost.add((*self.path, *path))

    def lost_near(self, *path: Key) -> bool:
        """Whether a field here, or one of its items, was left out."""
        here = (*self.path, *path)
        return any(way[: len(here)] == here and len(way) <= len(here) + 2 for way in self.lost)


_collecting: ContextVar[Collector | None] = ContextVar("who takes the errors of a document", default=None)


def collector() -> Collector | None:
    """Who takes the errors, while a document is read to its end in spite of them."""
    return _collecting.get()


@contextmanager
def collecting(into: Collector | None) -> Iterator[None]:
    """While it lasts, readings go on behind errors, which `into` takes; with None they stop, as they else do."""
    token = _collecting.set(into)
    try:
        yield
    finally:
        _collecting.reset(token)


def within(*path: Key) -> AbstractContextManager[None]:
    """Prefix the path of any error that passes through, so it names its place from the outside in."""
    return _Within(path)


class _Within:
    """A class, since a recipe is in and out of it a million times, and a generator takes three times as long."""

    __slots__ = ("collected", "path")

    def __init__(self, path: tuple[Key, ...]) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.collected = _collecting.get()
        if self.collected is not None:
            self.collected.path.extend(self.path)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StudioError):
            for single in error.errors if isinstance(error, Problems) else (error,):
                single.path = (*self.path, *single.path)
        if self.collected is not None and self.path:
            del self.collected.path[-len(self.path) :]


class Gather:
    """Collect the errors of several independent readings, then raise them together.

    Under a `Collector` it takes them instead, and the reading goes on with what there is.

    >>> gather = Gather()
    >>> for key in keys:
    ...     with gather, within(key):
    ...         read(key)
    >>> gather.done()
    """

    def __init__(self) -> None:
        self._errors: list[StudioError] = []
        self.caught = False
        """Whether any reading failed."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, StudioError) and not isinstance(error, Interrupted):
            self._errors.append(error)
            self.caught = True
            return True
        return False

    def done(self) -> None:
        """Raise what was gathered: nothing, the one error, or all of them as `Problems`."""
        if self._errors and (taking := _collecting.get()) is not None:
            taking.take(*self._errors)
            self._errors = []
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise Problems(self._errors)


@contextmanager
def attempt(*path: Key) -> Iterator[None]:
    """Do something that may be refused, and go on behind it: the collector takes the errors; without one they are raised."""
    gather = Gather()
    with gather, within(*path):
        yield
    gather.done()


def shown(value: object) -> str:
    """A value as an error quotes it: as Python writes it, cut when it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def nearest(word: str, options: Iterable[str]) -> str:
    """A hint for a mistyped name: what it is called here, the closest options, or all of them when they are few.

    >>> nearest("corus", ["chorus", "reverb"])
    'Did you mean chorus?'
    """
    names = sorted({str(option) for option in options})
    if here := meant(str(word), names):
        return f"Here it is called {here[0]}."
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(str(word).casefold(), list(folded), n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(folded[name] for name in close)}?"
    if not names:
        return ""
    listed = names if len(names) <= 12 else [*names[:12], f"… ({len(names)} in all)"]
    return f"There is: {', '.join(listed)}."
