"""What is known of a plugin: what it says of itself, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from studio.errors import RecipeError, shown, within
from studio.hosting.contract import About
from studio.hosting.parameters import Parameter
from studio.records import Kind
from studio.stored import Flag, Members, Real, Several, Whole


@dataclass(frozen=True, kw_only=True)
class _Said(Kind):
    """Text of a plugin's, with whatever marks in it."""

    def parse(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > 4_000:
            raise RecipeError(f"{shown(value)} is not text, or too long.")
        return value


_SAID, _NUMBER, _FRAMES, _BUS = _Said(), Real(), Whole(high=100_000_000), Whole(high=256)
_POSITION = Real(low=0, high=1)
_ANSWER = Members(
    of={
        "about": Members(
            of={
                **dict.fromkeys(("name", "vendor", "version", "id"), _SAID),
                "instrument": Flag(),
                **dict.fromkeys(("inputs", "sides", "outputs"), _BUS),
            }
        ),
        "latency": _FRAMES,
        "programs": Several(each=_SAID),
        "seconds": Real(low=0, high=1e6),
        "parameters": Several(
            each=Members(
                of={
                    **dict.fromkeys(("name", "title", "unit"), _SAID),
                    "index": Whole(low=-(2**63)),
                    "positions": Several(each=_POSITION),
                    "values": Several(each=_NUMBER),
                    "choices": Several(each=_SAID),
                    **dict.fromkeys(("log", "whole", "live"), Flag()),
                    "default": _POSITION,
                }
            ),
            most=100_000,
        ),
    },
    more=True,
)
"""What a process that hosts a plugin says of it; a plugin may have got the better of that process."""


@dataclass(frozen=True)
class Measured:
    """How a plugin was found to behave.

    Attributes:
        reason: why it cannot be used; empty when it can.
        repeats: fresh processes give the same sound to the bit.
        differs_db: by how much they differ at most, in dBFS; -400 where they do not.
        begins: when a render begins as if nothing had been before: ``clean`` after a reset, ``fresh`` only in a new
            instance, ``never`` in the same process.
        ready_seconds: how long after loading it stays silent.
        speed: how many times faster than real time it was.
        latency: the true latency in frames where an impulse has told, else None.
    """

    reason: str = ""
    repeats: bool = True
    differs_db: float = -400.0
    begins: str = "clean"
    ready_seconds: float = 0.0
    speed: float = 0.0
    latency: int | None = None


@dataclass(frozen=True)
class Description:
    """A plugin as the studio knows it."""

    path: Path
    host: str
    inner: str
    about: About
    reported_latency: int
    programs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    load_seconds: float
    measured: Measured = Measured()
    stamp: str = ""
    """A hash of the size and time of its binary: another one may sound different under the same version."""
    instead: str = ""
    """Why its format's own host does not play it, where another does."""

    @classmethod
    def answered(cls, path: Path, host: str, inner: str, answer: object, stamp: str) -> Self:
        """From what the process that hosts it says.

        Raises:
            StudioError: no plugin can be so; with the field.
        """
        said = _ANSWER.parse(answer)
        for index, parameter in enumerate(said["parameters"]):
            with within("parameters", index):
                counts = len(parameter["positions"]), len(parameter["values"]), len(parameter["choices"])
                if counts[0] != counts[1] or not (counts[0] or counts[2]):
                    raise RecipeError(f"{counts[0]} positions, {counts[1]} values and {counts[2]} choices.")
        return cls(
            path=path,
            host=host,
            inner=inner,
            about=About(**said["about"]),
            reported_latency=said["latency"],
            programs=tuple(said["programs"]),
            parameters=tuple(Parameter.read(parameter) for parameter in said["parameters"]),
            load_seconds=said["seconds"],
            stamp=stamp,
        )

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """From `data`'s plain data."""
        return cls(
            path=Path(plain["path"]),
            host=plain["host"],
            inner=plain["inner"],
            about=About(**plain["about"]),
            reported_latency=plain["reported_latency"],
            programs=tuple(plain["programs"]),
            parameters=tuple(Parameter.read(parameter) for parameter in plain["parameters"]),
            load_seconds=plain["load_seconds"],
            measured=Measured(**plain["measured"]),
            stamp=plain["stamp"],
            instead=plain["instead"],
        )

    def data(self) -> dict[str, Any]:
        """Plain data that `parse` reads back as an equal value."""
        return {
            **asdict(self),
            "path": str(self.path),
            "parameters": [parameter.data() for parameter in self.parameters],
        }

    @cached_property
    def named(self) -> Mapping[str, Parameter]:
        """The parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def latency_error(self) -> int:
        """By how many frames the plugin is later than it says."""
        return 0 if self.measured.latency is None else self.measured.latency - self.reported_latency

    @property
    def kind(self) -> str:
        """Whether it is an effect or an instrument."""
        return "instrument" if self.about.instrument else "effect"
