"""What every host of plugins can do, whatever the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from studio.audio import Block
from studio.errors import RenderError
from studio.hosting.parameters import Raw


@dataclass(frozen=True)
class About:
    """What a plugin says of itself; `inputs` are those of its main bus, `sides` those behind it."""

    name: str
    vendor: str
    version: str
    id: str
    instrument: bool
    inputs: int
    sides: int
    outputs: int


@dataclass(frozen=True)
class Transport:
    """Where the song is at the first frame of a block, for plugins that follow the tempo."""

    frame: int
    quarters: float
    bar_start: float
    tempo_bpm: float
    numerator: int
    denominator: int

    def later(self, frames: int, rate: float) -> Transport:
        """The same some frames on, at its tempo."""
        quarters = self.quarters + frames / rate * self.tempo_bpm / 60
        return replace(self, frame=self.frame + frames, quarters=quarters) if frames else self

    def data(self) -> dict[str, Any]:
        """Its fields as plain data."""
        return asdict(self)


class Host(Protocol):
    """One plugin at work in this process; blocks are float32 `(channels, frames)`."""

    about: About

    @property
    def latency(self) -> int:
        """Frames by which the plugin says it is late."""
        ...

    def parameters(self) -> Sequence[Raw]:
        """What can be turned."""
        ...

    def turn(self, index: int, position: float) -> None:
        """Turn a parameter to a position from 0 to 1."""
        ...

    def programs(self) -> Sequence[str]:
        """The names of its own programs."""
        ...

    def choose(self, program: int) -> None:
        """Load one of its own programs."""
        ...

    def prepare(self, rate: int) -> None:
        """Begin anew at a sample rate, with all sound of before forgotten and every parameter where it is."""
        ...

    def process(self, block: Block, transport: Transport | None) -> Block:
        """The next frames through an effect; while latency fills fewer come out."""
        ...

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The next frames of an instrument, with messages at frames of the block."""
        ...

    def state(self) -> bytes:
        """Everything it would save in a session, in the format's own preset file."""
        ...

    def load_state(self, content: bytes) -> None:
        """Take up a state: the format's preset file, or the plugin's bytes as they are."""
        ...

    def close(self) -> None:
        """Let go of it; it is not used again."""
        ...


class PluginError(RenderError):
    """A plugin that could not be loaded, crashed, hung, or gave what is no sound."""
