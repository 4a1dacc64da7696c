"""Units: what a person writes behind a number, and how a number is written back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from studio.errors import KnobError, nearest, shown

_QUANTITY = re.compile(
    r"\s*(?P<number>[+\-−]?(?:inf|∞|\d+(?:\.\d*)?(?:e[+\-]?\d+)?|\.\d+(?:e[+\-]?\d+)?))\s*(?P<suffix>\D.*)?",
    re.IGNORECASE,
)


_NUMBER = r"[+\-−]?(?:[iI][nN][fF]|∞|\d+(?:\.\d*)?(?:[eE][+\-]?\d+)?|\.\d+(?:[eE][+\-]?\d+)?)"
"""As `_QUANTITY` has it, in the regular expressions of a JSON Schema."""


@dataclass(frozen=True)
class Unit:
    """A unit of measure: its symbol and every suffix a value may carry, as factors of the symbol.

    >>> HZ.parse("1.2 kHz")
    1200.0
    >>> HZ.format(18000.0)
    '18 kHz'
    """

    symbol: str
    what: str
    suffixes: Mapping[str, float] = field(default_factory=dict, hash=False)
    example: str = ""

    def parse(self, text: str) -> float:
        """The number `text` means, in this unit; a bare number is already in it.

        Raises:
            KnobError: `text` is not a number, or carries a suffix of another unit.
        """
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise KnobError(f"{shown(text)} is not {self.what}.", self.hint)
        number = match["number"].replace("−", "-").replace("∞", "inf")
        suffix = (match["suffix"] or "").strip()
        if not suffix:
            return float(number)
        factors = {name.casefold(): factor for name, factor in self.suffixes.items()}
        factor = factors.get(suffix.casefold())
        if factor is None:
            close = nearest(suffix, self.suffixes) if self.suffixes else ""
            raise KnobError(f"{shown(text)} is not {self.what}: unknown unit {shown(suffix)}.", close or self.hint)
        return _times(number, factor)

    def format(self, value: float) -> str:
        """The shortest way to write `value` that `parse` reads back as exactly the same number."""
        texts = [_join(_digits(value), self.symbol)]
        for suffix, factor in self.suffixes.items():
            if factor > 1 and abs(value) >= factor:
                scaled = _digits(value / factor)
                if _times(scaled, factor) == value:
                    texts.append(_join(scaled, suffix))
        return min(reversed(texts), key=len)

    @property
    def pattern(self) -> str:
        """A regular expression, as a JSON Schema has them, of the texts that `parse` reads."""
        suffixes = "|".join("".join(_either_case(mark) for mark in suffix) for suffix in self.suffixes)
        return rf"^\s*{_NUMBER}\s*(?:{suffixes})?\s*$" if suffixes else rf"^\s*{_NUMBER}\s*$"

    @property
    def slug(self) -> str:
        """A name of the unit in letters."""
        return re.sub("[^A-Za-z]", "", self.symbol) or re.sub(r"\W+", "-", self.what)

    @property
    def hint(self) -> str:
        """How a value of it is written."""
        return f"Write a number{' with ' + self.symbol if self.symbol else ''}, such as {self.example}."


def _either_case(mark: str) -> str:
    return f"[{mark.lower()}{mark.upper()}]" if mark.isascii() and mark.isalpha() else re.escape(mark)


def _times(number: str, factor: float) -> float:
    """The float nearest to the product as a person would work it out: 57 % is 0.57."""
    rough = float(number)
    if rough == 0 or not math.isfinite(rough):
        return rough
    return float(Decimal(number) * Decimal(repr(factor)))


def _digits(value: float) -> str:
    if not math.isfinite(value):
        return str(float(value))
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def _join(number: str, suffix: str) -> str:
    glued = suffix in ("", "%", ":1", "°")
    return number + suffix if glued else f"{number} {suffix}"


PLAIN = Unit("", "a number", {"%": 0.01}, "0.5 or 50 %")
COUNT = Unit("", "a whole number", {}, "3")
RATIO = Unit(":1", "a ratio", {":1": 1.0}, "4:1")
DB = Unit("dB", "a level", {"dB": 1.0}, "-12 dB")
HZ = Unit("Hz", "a frequency", {"Hz": 1.0, "kHz": 1000.0}, "440 Hz or 1.2 kHz")
SECONDS = Unit("s", "a length of time", {"s": 1.0, "ms": 0.001, "min": 60.0}, "1.5 s or 80 ms")
MS = Unit("ms", "a length of time", {"ms": 1.0, "s": 1000.0}, "80 ms")
SEMITONES = Unit(
    "st",
    "an interval",
    {"st": 1.0, "semitones": 1.0, "semitone": 1.0, "cents": 0.01, "cent": 0.01, "octaves": 12.0, "octave": 12.0},
    "-2 st or 50 cents",
)
LUFS = Unit("LUFS", "a loudness", {"LUFS": 1.0, "LKFS": 1.0}, "-14 LUFS")
BPM = Unit("bpm", "a tempo", {"bpm": 1.0}, "92 bpm")
DEGREES = Unit("°", "an angle", {"°": 1.0, "deg": 1.0}, "90°")
BITS = Unit("bits", "a bit depth", {"bits": 1.0, "bit": 1.0}, "8 bits")
