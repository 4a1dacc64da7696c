"""Parameters of plugins as knobs.

A plugin knows its parameters as positions from 0 to 1 and as texts. From the texts at many positions a law is read
(linear, logarithmic, or a table), so that a recipe can say what a person reads on the plugin's face.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from studio import units
from studio.knobs import LINEAR, LOG, Choice, Number, Switch
from studio.records import Kind
from studio.tempo import Floats
from studio.units import Unit

POSITIONS = 129
"""How many positions of a parameter that moves smoothly are read."""

MOST_CHOICES = 256

_NUMBER = re.compile(
    r"\s*([+\-−]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+\-]?\d+)?|[+\-−]?(?:inf|∞)\w*)\s*(.*)", re.IGNORECASE
)
_ALL = (units.DB, units.HZ, units.MS, units.SECONDS, units.SEMITONES, units.DEGREES, units.BPM)
# A unit that is called so comes before one that merely understands the suffix.
_UNITS = {name.casefold(): unit for unit in _ALL for name in unit.suffixes} | {
    unit.symbol.casefold(): unit for unit in _ALL
}
_SYMBOLS = {unit.symbol: unit for unit in (*_UNITS.values(), units.PLAIN)}
_ON_OFF = ({"off", "on"}, {"no", "yes"}, {"false", "true"}, {"disabled", "enabled"})


@dataclass(frozen=True)
class Parameter:
    """One parameter of a plugin.

    Attributes:
        name: what recipes call it, such as ``dry_wet``.
        title: what the plugin calls it.
        index: what the host calls it.
        unit: the symbol of its unit.
        positions, values: pairs of a position (0 to 1, rising) and the number read there; empty for choices.
        log: between two positions the number's logarithm is straight, rather than the number.
        whole: only whole numbers mean anything.
        choices: the texts of a parameter that has a few, at equal distances from 0 to 1.
        default: the position it has in a fresh plugin.
        live: it may move while the song plays.
    """

    name: str
    title: str
    index: int
    unit: str
    positions: tuple[float, ...]
    values: tuple[float, ...]
    log: bool
    whole: bool
    choices: tuple[str, ...]
    default: float
    live: bool

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Self:
        """From `data`'s plain data."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        return cls(**fields)

    def data(self) -> dict[str, Any]:
        """Plain data that `parse` reads back as an equal value."""
        return asdict(self)

    @cached_property
    def knob(self) -> Kind:
        """It as a knob of a step."""
        if self.choices:
            if {choice.casefold() for choice in self.choices} in _ON_OFF:
                return Switch(default=self.default >= 0.5, help=self.title)
            return Choice(default=self.choices[self._nearest(self.default)], options=self.choices, help=self.title)
        low, high = min(self.values), max(self.values)
        if self.whole and (low, high) == (0, 1):
            return Switch(default=self.default >= 0.5, help=self.title)
        taper = LOG if self.log and low > 0 else LINEAR
        # Plugins keep single floats: what a person would read is what was meant.
        default = min(max(float(f"{self.value(self.default):.6g}"), low), high)
        return Number(
            default=round(default) if self.whole else default,
            unit=_unit(self.unit),
            low=low,
            high=high,
            taper=taper,
            whole=self.whole,
            live=self.live and not self.whole,
            help=self.title,
        )

    def position(self, value: object) -> float:
        """The position of a value of its knob."""
        if isinstance(value, bool):
            return float(value) if not self.choices or self._on_is_last else 1.0 - float(value)
        if self.choices:
            return self.choices.index(str(value)) / max(1, len(self.choices) - 1)
        if not isinstance(value, (int, float)):
            raise TypeError(f"a number was due, and {value!r} came.")
        return float(self.positions_of(np.float64(value)))

    def positions_of(self, values: Floats | np.float64) -> Any:
        """The positions of numbers in its unit."""
        known, positions = np.asarray(self.values), np.asarray(self.positions)
        if known[0] > known[-1]:
            known, positions = known[::-1], positions[::-1]
        if self.log:
            known, values = np.log(known), np.log(np.clip(values, known[0], known[-1]))
        return np.interp(values, known, positions)

    def value(self, position: float) -> float:
        """The number in its unit at a position."""
        if self.log:
            return float(np.exp(np.interp(position, self.positions, np.log(self.values))))
        return float(np.interp(position, self.positions, self.values))

    def said(self, position: float) -> Any:
        """What a recipe says of a position: a number, one of the choices, or whether it is on."""
        if self.choices:
            choice = self.choices[self._nearest(position)]
            return (choice == self.choices[-1]) == self._on_is_last if isinstance(self.knob, Switch) else choice
        if isinstance(self.knob, Switch):
            return position >= 0.5
        value = self.value(position)
        return round(value) if self.whole else float(f"{value:.6g}")

    def _nearest(self, position: float) -> int:
        return round(position * (len(self.choices) - 1))

    @property
    def _on_is_last(self) -> bool:
        return self.choices[-1].casefold() in ("on", "yes", "true", "enabled")


@dataclass(frozen=True)
class Raw:
    """What a host tells of a parameter: `text` gives the plugin's words at a position; `steps` is 0 for a smooth one."""

    title: str
    label: str
    index: int
    default: float
    steps: int
    live: bool
    text: Callable[[float], str]


def describe(parameters: Iterable[Raw], taken: Iterable[str]) -> list[Parameter]:
    """Every parameter as a knob, with names that are not among `taken` and differ from each other."""
    described, own = [], set(taken)
    names = set(own)
    for raw in parameters:
        name = _slug(raw.title) or f"parameter_{raw.index}"
        name = plain = f"its_{name}" if name in own else name
        again = 2
        while name in names:
            name, again = f"{plain}_{again}", again + 1
        names.add(name)
        described.append(_described(raw, name))
    return described


def _described(raw: Raw, name: str) -> Parameter:
    few = 2 <= raw.steps <= MOST_CHOICES
    positions = np.linspace(0, 1, raw.steps if few else POSITIONS)
    texts = [raw.text(float(position)).strip() for position in positions]
    read = [_number(text, raw.label) for text in texts]
    about: dict[str, Any] = {
        "name": name, "title": raw.title, "index": raw.index, "default": raw.default, "live": raw.live, "log": False,
    }  # fmt: skip
    if any(number is None for number, _ in read):
        if few or 2 <= len(set(texts)) <= min(64, POSITIONS // 2):
            named = _choices(positions, texts) if not few else texts
            if named is not None and len(set(named)) == len(named):
                return Parameter(**about, unit="", positions=(), values=(), whole=False, choices=tuple(named))
        return Parameter(**about, unit="", positions=(0.0, 1.0), values=(0.0, 1.0), whole=False, choices=())
    numbers = np.array([number for number, _ in read], dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.where(numbers < 0, -120.0, 120.0))
    unit = next((unit for _, unit in read if unit), "")
    steady = np.all(np.diff(numbers) >= 0) or np.all(np.diff(numbers) <= 0)
    if not steady or numbers[0] == numbers[-1]:
        # Not a number that grows with the position: the position itself is all there is to turn.
        return Parameter(**about, unit="", positions=(0.0, 1.0), values=(0.0, 1.0), whole=False, choices=())
    whole = few and bool(np.all(numbers == np.round(numbers)))
    marked, values, log = _law(positions, numbers, _digit(texts))
    about["log"] = log
    return Parameter(**about, unit=unit, positions=marked, values=values, whole=whole, choices=())


def _law(positions: Floats, numbers: Floats, digit: float) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
    """The fewest points through which the numbers run, as exactly as they were written."""
    half = 0.51 * max(digit, 2e-6 * float(np.max(np.abs(numbers))))
    low, high = float(numbers[0]), float(numbers[-1])
    ends = (float(positions[0]), float(positions[-1])), (low, high)
    # Each number was rounded, and so were the two ends through which a law is laid.
    if np.all(np.abs(low + (high - low) * positions - numbers) <= 2 * half):
        return *ends, False
    if low > 0 and high > 0:
        room = half * (1 + numbers / min(low, high))
        if np.all(np.abs(low * (high / low) ** positions - numbers) <= room):
            return *ends, True
    # Where several positions read the same, the number belongs to their middle; the ends stay the ends.
    marks: list[tuple[float, float]] = []
    for number in dict.fromkeys(numbers.tolist()):
        here = positions[numbers == number]
        edge = 0.0 if here[0] == 0 else 1.0 if here[-1] == 1 else None
        marks.append((float(here.mean()) if edge is None else edge, number))
    return tuple(position for position, _ in marks), tuple(number for _, number in marks), False


def _digit(texts: Sequence[str]) -> float:
    """One in the last decimal that the plugin writes, at its coarsest."""
    coarsest = 0.0
    for text in texts:
        match = _NUMBER.match(text)
        number = match[1] if match else ""
        decimals = len(re.split(r"[.,]", number)[1]) if re.search(r"[.,]", number) and "e" not in number.lower() else 0
        factor = 1000.0 if match and match[2].strip().casefold() == "khz" else 1.0
        coarsest = max(coarsest, 10.0**-decimals * factor)
    return coarsest


def _number(text: str, label: str) -> tuple[float | None, str]:
    """The number a text means, in the unit it carries, or in that of the label."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None, ""
    digits = match[1].replace(",", ".").replace("−", "-").replace("∞", "inf")
    number = -math.inf if digits.lower().startswith("-inf") else math.inf if "inf" in digits.lower() else float(digits)
    suffix = (match[2] or label).strip()
    unit = _UNITS.get(suffix.casefold())
    if unit is not None:
        factor = next(factor for name, factor in unit.suffixes.items() if name.casefold() == suffix.casefold())
        return number * factor, unit.symbol
    if match[2].strip() and match[2].strip().casefold() != label.strip().casefold() and len(suffix) > 12:
        return None, ""
    return number, suffix


def _choices(positions: Floats, texts: Sequence[str]) -> list[str] | None:
    """The texts of a parameter that says it is smooth but has a few equal steps."""
    named = list(dict.fromkeys(texts))
    equal = [named[min(int(position * len(named)), len(named) - 1)] for position in positions]
    rounded = [named[round(position * (len(named) - 1))] for position in positions]
    return named if list(texts) in (equal, rounded) else None


def _unit(symbol: str) -> Unit:
    if symbol in _SYMBOLS:
        return _SYMBOLS[symbol]
    return Unit(symbol, f"a number in {symbol}", {symbol: 1.0}, f"1 {symbol}")


def _slug(title: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", title).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    return f"_{words}" if words[:1].isdigit() else words
