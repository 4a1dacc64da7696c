"""Patterns of notes in a line of text, in the mini-notation of TidalCycles and Strudel.

A pattern repeats with every cycle. It is asked for what begins between two points of time, counted in cycles; all times are
exact fractions. The notation and its meaning are those of https://tidalcycles.org/docs/reference/mini_notation, for notes:

    c4 eb4 ~ g4        words share the cycle evenly; ~ is a rest, and so are - and a dot alone
    [c4 e4] g4         a group takes the place of one word
    [c4, e4, g4]       side by side: a chord
    <c4 d4> e4         another word in every cycle
    c4*2  c4/2         faster, slower
    c4!3  c4@3  c4 _   again as words of their own; longer; held through the next
    kick(3,8,2)        Euclid's rhythm: 3 hits on 8 steps, turned by 2
    c4?  c4?0.3        sometimes left out
    [c4|e4|g4]         one of them, another in every cycle
    c4:100             with a velocity from 1 to 127

A word of only x, X, o, dots and dashes is a grid: every mark is a step, X is louder and o softer.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from studio.errors import KnobError

MOST_EVENTS = 50_000
"""Notes one pattern may make."""

_TOKEN = re.compile(r"\s*(?:(?P<word>[^\s\[\]<>()*/!@?,|]+)|(?P<mark>[\[\]<>()*/!@?,|]))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RESTS = frozenset({"~", "-", "."})
_GRID = re.compile(r"[xXo.\-]*[xXo][xXo.\-]*")
VELOCITIES = {"x": None, "X": 120, "o": 56}
"""The marks of a grid, and how hard they are struck where that is not the line's own."""


_left: ContextVar[int] = ContextVar("how many more hits and rests a pattern may make", default=MOST_EVENTS)


class Hit(NamedTuple):
    """What begins at `start` and ends at `end`, in cycles: a word with its velocity, or without one its own."""

    start: Fraction
    end: Fraction
    word: str
    velocity: int | None = None


Pattern = Callable[[Fraction, Fraction], list[Hit]]
"""What begins from one time up to, but not at, another."""


def hits_of(pattern: Pattern, cycles: int) -> list[Hit]:
    """All that begins in the first cycles, in order of time.

    Raises:
        KnobError: there is more than anybody could mean.
    """
    token = _left.set(MOST_EVENTS)
    try:
        return sorted(pattern(Fraction(0), Fraction(cycles)), key=lambda hit: hit.start)
    finally:
        _left.reset(token)


def _spend() -> None:
    left = _left.get() - 1
    if left < 0:
        raise KnobError(f"the pattern makes more than {MOST_EVENTS:,} notes and rests.", "Repeat it less.")
    _left.set(left)


def silence(begin: Fraction, end: Fraction) -> list[Hit]:
    """Nothing."""
    return []


def word(text: str, velocity: int | None = None) -> Pattern:
    """One word a cycle."""

    def asked(begin: Fraction, end: Fraction) -> list[Hit]:
        hits = []
        for cycle in range(math.ceil(begin), math.ceil(end)):
            _spend()
            hits.append(Hit(Fraction(cycle), Fraction(cycle + 1), text, velocity))
        return hits

    return asked


def stacked(patterns: Sequence[Pattern]) -> Pattern:
    """All of them at once."""
    return lambda begin, end: [hit for pattern in patterns for hit in pattern(begin, end)]


def faster(pattern: Pattern, factor: Fraction) -> Pattern:
    """The same in a shorter time."""

    def asked(begin: Fraction, end: Fraction) -> list[Hit]:
        return [
            hit._replace(start=hit.start / factor, end=hit.end / factor)
            for hit in pattern(begin * factor, end * factor)
        ]

    return asked


def in_a_row(weighted: Sequence[tuple[Pattern, Fraction]]) -> Pattern:
    """One behind the other in every cycle, each as long as its weight says."""
    if len(weighted) == 1:
        return weighted[0][0]
    whole = sum((weight for _, weight in weighted), Fraction(0))

    def asked(begin: Fraction, end: Fraction) -> list[Hit]:
        hits = []
        for cycle in range(math.floor(begin), math.ceil(end)):
            at = Fraction(cycle)
            for pattern, weight in weighted:
                _spend()
                length = weight / whole
                first, last = max(begin, at), min(end, at + length)
                if first < last:
                    for hit in pattern(cycle + (first - at) / length, cycle + (last - at) / length):
                        start, stop = ((time - cycle) * length + at for time in (hit.start, hit.end))
                        hits.append(hit._replace(start=start, end=stop))
                at += length
        return hits

    return asked


def by_turns(patterns: Sequence[Pattern], choose: Callable[[int], int] | None = None) -> Pattern:
    """Another one in every cycle: in order, or as `choose` says for a cycle."""

    def asked(begin: Fraction, end: Fraction) -> list[Hit]:
        hits = []
        for cycle in range(math.floor(begin), math.ceil(end)):
            _spend()
            turn, lap = (cycle % len(patterns), cycle // len(patterns)) if choose is None else (choose(cycle), cycle)
            shift = cycle - lap
            for hit in patterns[turn](max(begin, Fraction(cycle)) - shift, min(end, Fraction(cycle + 1)) - shift):
                hits.append(hit._replace(start=hit.start + shift, end=hit.end + shift))
        return hits

    return asked


def sometimes(pattern: Pattern, chance_of_none: float, seed: str) -> Pattern:
    """Each hit may be missing; whether it is depends on its time and the seed alone."""
    return lambda begin, end: [
        hit for hit in pattern(begin, end) if random.Random(f"{seed} {hit.start} {hit.word}").random() >= chance_of_none
    ]


def euclid(hits: int, steps: int, turned: int = 0) -> tuple[bool, ...]:
    """Hits spread over steps as evenly as can be, by Bjorklund's algorithm, the first step being a hit.

    G. T. Toussaint, "The Euclidean algorithm generates traditional musical rhythms", BRIDGES 2005.

    Raises:
        ValueError: there are no steps, or more hits than steps.
    """
    if not 0 <= hits <= steps or not steps:
        raise ValueError(f"{hits} hits do not fit on {steps} steps")
    groups, rest = [[True]] * hits, [[False]] * (steps - hits)
    while len(rest) > 1 and groups:
        pairs = min(len(groups), len(rest))
        longer = [groups[index] + rest[index] for index in range(pairs)]
        groups, rest = longer, groups[pairs:] or rest[pairs:]
    row = [step for group in (*groups, *rest) for step in group]
    turned %= steps
    return tuple(row[turned:] + row[:turned])


def parse_pattern(text: str, check: Callable[[str], object] | None = None, seed: int = 0) -> Pattern:
    """Read a pattern.

    Args:
        text: one cycle of it.
        check: is called with every word that is to become a note, and raises a StudioError for those that are none.
        seed: for what is left to chance.

    Raises:
        KnobError: with the column of what cannot be read.
    """
    return _Reader(text, check, seed).read()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


class _Reader:
    """A recursive descent over the tokens of one line."""

    def __init__(self, text: str, check: Callable[[str], object] | None, seed: int) -> None:
        self.text, self.check, self.seed = text, check, seed
        self.tokens, self.at, self.deep = list(self._tokens()), 0, 0

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while self.text[at:].strip():
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self.error("this cannot be read here", at)
            kind = "word" if found["word"] else "mark"
            yield _Token(kind, found[kind], found.start(kind))
            at = found.end()

    def error(self, cause: str, column: int, mend: str = "") -> KnobError:
        """A refusal with the column."""
        line = self.text.replace("\n", " ")
        shown = line if len(line) <= 60 else f"…{line[max(0, column - 30) : column + 30]}…"
        return KnobError(
            f"{cause}, at column {column + 1} of {shown!r}.", mend or "See `studio steps write` for the notation."
        )

    def peek(self) -> str:
        """The next token's text if it is a mark, "" at the end and for words."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token.text if token and token.kind == "mark" else ""

    def take(self) -> _Token:
        """The next token."""
        if self.at >= len(self.tokens):
            raise self.error("it ends too early", len(self.text))
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, mark: str) -> None:
        """The next token, which must be `mark`."""
        if self.peek() != mark:
            column = self.tokens[self.at].column if self.at < len(self.tokens) else len(self.text)
            raise self.error(f"here {mark!r} was expected", column)
        self.at += 1

    def read(self) -> Pattern:
        """The whole line."""
        pattern = self.choices("")
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            raise self.error(f"{token.text!r} closes nothing", token.column)
        return pattern

    def choices(self, closing: str) -> Pattern:
        """What stands inside brackets: rows side by side, or one of several."""
        self.deep += 1
        if self.deep > 32:
            raise self.error("groups are nested too deeply", self.tokens[self.at - 1].column)
        begun, rows, by_chance = self.at, [self.row()], False
        while self.peek() in (",", "|"):
            by_chance = self.take().text == "|"
            rows.append(self.row())
        self.deep -= 1
        if closing:
            self.expect(closing)
        if len(rows) == 1:
            return rows[0]
        if by_chance:
            where = f"{self.seed} {begun}"
            return by_turns(rows, lambda cycle: random.Random(f"{where} {cycle}").randrange(len(rows)))
        return stacked(rows)

    def row(self) -> Pattern:
        """Words one behind the other."""
        weighted = self.words()
        return in_a_row(weighted) if weighted else silence

    def words(self) -> list[tuple[Pattern, Fraction]]:
        """The words of a row with their weights."""
        weighted: list[tuple[Pattern, Fraction]] = []
        while self.at < len(self.tokens) and self.peek() not in ("]", ">", ",", "|", ")"):
            if self.tokens[self.at].text == "_":
                if not weighted:
                    raise self.error("there is nothing to hold before it", self.tokens[self.at].column)
                weighted[-1] = (weighted[-1][0], weighted[-1][1] + 1)
                self.at += 1
                continue
            weighted += self.one()
        return weighted

    def one(self) -> list[tuple[Pattern, Fraction]]:
        """A word or group with what follows it directly."""
        token = self.take()
        if token.text == "[":
            pattern = self.choices("]")
        elif token.text == "<":
            pattern = self.turns()
        elif token.kind == "word":
            pattern = self.word(token)
        else:
            raise self.error(f"{token.text!r} stands where a note should", token.column)
        weight, times = Fraction(1), 1
        while mark := self.peek():
            if mark in ("*", "/"):
                self.at += 1
                factor = self.number(low=Fraction(1, 64), high=256)
                pattern = faster(pattern, factor if mark == "*" else 1 / factor)
            elif mark == "@":
                self.at += 1
                weight = self.number(low=Fraction(1, 64), high=1024)
            elif mark == "!":
                self.at += 1
                times = int(self.number(low=1, high=256, whole=True)) if self.numeric() else times + 1
            elif mark == "?":
                self.at += 1
                chance = float(self.number(low=0, high=1)) if self.numeric() else 0.5
                pattern = sometimes(pattern, chance, f"{self.seed} {token.column}")
            elif mark == "(":
                pattern = self.rhythm(pattern)
            else:
                break
        return [(pattern, weight)] * times

    def turns(self) -> Pattern:
        """What stands inside angle brackets: one word a cycle."""
        rows = [self.words()]
        while self.peek() == ",":
            self.at += 1
            rows.append(self.words())
        self.expect(">")
        turns = []
        for row in rows:
            whole = sum((weight for _, weight in row), Fraction(0))
            turns.append(faster(in_a_row(row), 1 / whole) if row else silence)
        return turns[0] if len(turns) == 1 else stacked(turns)

    def rhythm(self, pattern: Pattern) -> Pattern:
        """Euclid's rhythm behind a word: ``(hits,steps)`` or ``(hits,steps,turned)``."""
        column = self.take().column
        numbers = [int(self.number(low=0, high=256, whole=True))]
        while self.peek() == ",":
            self.at += 1
            numbers.append(int(self.number(low=0, high=256, whole=True)))
        self.expect(")")
        try:
            row = euclid(*numbers)
        except (TypeError, ValueError) as error:
            raise self.error(
                f"{error}" if isinstance(error, ValueError) else "a rhythm is (hits,steps)", column
            ) from None
        return in_a_row([(pattern if hit else silence, Fraction(1)) for hit in row])

    def numeric(self) -> bool:
        """Whether a number follows at once."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        behind = self.tokens[self.at - 1]
        return bool(token and _NUMBER.fullmatch(token.text) and token.column == behind.column + len(behind.text))

    def number(self, low: Fraction | int, high: int, whole: bool = False) -> Fraction:
        """The number that must follow."""
        token = self.take()
        if not _NUMBER.fullmatch(token.text) or (whole and "." in token.text):
            raise self.error(f"{token.text!r} is not a {'whole ' if whole else ''}number", token.column)
        if not low <= Fraction(token.text) <= high:
            raise self.error(f"{token.text} is out of range", token.column, f"It goes from {low} to {high}.")
        return Fraction(token.text)

    def word(self, token: _Token) -> Pattern:
        """A note, a rest, or a grid of hits."""
        if token.text in _RESTS:
            return silence
        if _GRID.fullmatch(token.text) and token.text not in _RESTS:
            steps = [word(mark, VELOCITIES[mark]) if mark in VELOCITIES else silence for mark in token.text]
            self._checked(token.text.strip(".-")[0], token)
            return in_a_row([(step, Fraction(1)) for step in steps])
        text, colon, loud = token.text.partition(":")
        velocity = None
        if colon:
            if not loud.isdecimal() or not 1 <= int(loud) <= 127:
                raise self.error(f"{loud!r} is not a velocity", token.column, "It goes from 1 to 127.")
            velocity = int(loud)
        self._checked(text, token)
        return word(text, velocity)

    def _checked(self, text: str, token: _Token) -> None:
        if self.check is None:
            return
        try:
            self.check(text)
        except KnobError as error:
            raise self.error(error.cause.rstrip("."), token.column, error.mend) from None
