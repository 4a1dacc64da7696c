"""What is known of a plugin: what it says of itself, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from studio.hosting.contract import About
from studio.hosting.parameters import Parameter


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
