"""A chain of native steps at work: one object of the core's, entered once a block.

`Tree` writes a chain down as the core reads it (`studio/native/core/tree.hpp`), and remembers what moves in it. What
moves is told to the core with every block, as tables: where each knob stands at the beginning, in the middle and at the
end of every cell of the grid.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio, Block
from studio.context import GRID, RenderContext, SideReader
from studio.curves import Curve, moves
from studio.errors import RenderError, within
from studio.knobs import Choice, File, Number, Port, Span, Switch
from studio.native.glue import Native
from studio.native_library import core, joined, native_of
from studio.records import Kind
from studio.tempo import Floats, Time
from studio.typed import expect

MOST_CHANNELS = 64
_ERROR_ROOM = 500


class NativeEffect(Protocol):
    """What a tree has to know of an effect; `studio.steps.Effect` is one."""

    step: ClassVar[str]

    @property
    def bypass(self) -> bool:
        """Whether it leaves the sound as it is."""
        ...

    @property
    def label(self) -> str:
        """What errors call it."""
        ...

    def parameters(self) -> Any:
        """Its knobs."""
        ...

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        ...

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        ...

    def write(self, tree: Tree) -> None:
        """Write it into a tree."""
        ...

    def response(self, knob: str, context: RenderContext) -> Audio:
        """The recorded sound that a knob names."""
        ...


@dataclass(frozen=True)
class _Row:
    """What moves: a knob of an effect."""

    effect: NativeEffect
    knob: str


class _Response(ctypes.Structure):
    _fields_ = [
        ("channels", ctypes.c_int), ("frames", ctypes.c_int), ("rate", ctypes.c_double),
        ("coarse", ctypes.c_void_p), ("fine", ctypes.c_void_p),
    ]  # fmt: skip


class _Tables(ctypes.Structure):
    _fields_ = [
        ("knobs", ctypes.c_void_p), ("first", ctypes.c_void_p), ("offset", ctypes.c_void_p),
        ("song", ctypes.c_void_p), ("song_first", ctypes.c_longlong), ("bpm", ctypes.c_double),
    ]  # fmt: skip


_Told: TypeAlias = tuple[object, tuple[object, ...]]
"""Tables as they are handed over, and what has to live as long."""


class Tree:
    """A chain as text.

    Attributes:
        sides: the tracks and buses it listens to.
        rows: what moves in it, in the order of the tables.
        paths: where each step lies, as labels from the outside in.
        responses: the recorded sounds in it.
        timed: whether the place in the song has a say in how it sounds.
    """

    def __init__(self, effects: Iterable[NativeEffect], context: RenderContext) -> None:
        self.context = context
        self.sides: list[str] = []
        self.rows: list[_Row] = []
        self.paths: list[tuple[str, ...]] = []
        self.responses: list[NDArray[np.float32]] = []
        self.timed = False
        self._rates: list[int] = []
        self._lines = ["mirepoix 1"]
        self._path: tuple[str, ...] = ()
        self.chain(effects)

    @property
    def text(self) -> str:
        """The whole of it."""
        return "\n".join([*self._lines, ""])

    def chain(self, effects: Iterable[NativeEffect]) -> None:
        """Write a chain."""
        running = [effect for effect in effects if not effect.bypass]
        self._lines.append(f"chain {len(running)}")
        for effect in running:
            with self._inside(effect.label):
                effect.write(self)

    def layers(self, chains: Iterable[Iterable[NativeEffect]]) -> None:
        """Write chains side by side."""
        chains = list(chains)
        self._lines.append(f"layers {len(chains)}")
        for chain in chains:
            self.chain(chain)

    def parallel(self, effect: NativeEffect, mix: str, chain: Iterable[NativeEffect]) -> None:
        """Write a chain beside the dry sound; `mix` is the knob of `effect` that says how much of each."""
        self._lines.append(f"parallel mix={self._knob(effect, mix)}")
        self.chain(chain)

    def multiband(self, crossovers: Iterable[float], bands: Iterable[Iterable[NativeEffect]]) -> None:
        """Write a chain for each band."""
        self._lines.append(" ".join(["multiband", *map(_number, crossovers)]))
        for chain in bands:
            self.chain(chain)

    def step(self, effect: NativeEffect) -> None:
        """Write an effect that has a native struct."""
        native = expect(Native, native_of(type(effect)))
        channels = self.context.channels
        if channels > MOST_CHANNELS or not effect.takes(channels):
            raise RenderError(f"{channels} channels are none for `{effect.step}`.", "Take the step out.")
        joined(native)
        beats = effect.follows_tempo()
        self.timed |= beats or any(isinstance(kind, Span) for kind in effect.parameters().values())
        words = ["step", native.key, *(["beats"] if beats else [])]
        for knob, kind in effect.parameters().items():
            if isinstance(kind, Port):
                if (name := getattr(effect, knob)) is not None:
                    words.append(f"listen={self._side(name)}")
            else:
                with within(knob):
                    words.append(f"{knob}={self._value(effect, knob, kind)}")
        self._lines.append(" ".join(words))
        self.paths.append(self._path)

    def given(self) -> ctypes.Array[_Response]:
        """The recorded sounds as the core takes them; they live as long as this tree."""
        found = [
            _Response(*samples.shape, float(rate), None, samples.ctypes.data)
            for samples, rate in zip(self.responses, self._rates, strict=True)
        ]
        return (_Response * len(found))(*found)

    @contextmanager
    def _inside(self, label: str) -> Iterator[None]:
        before, self._path = self._path, (*self._path, label)
        try:
            with within(label):
                yield
        finally:
            self._path = before

    def _value(self, effect: NativeEffect, knob: str, kind: Kind) -> str:
        value = getattr(effect, knob)
        if isinstance(kind, File):
            audio = effect.response(knob, self.context)
            self.responses.append(np.ascontiguousarray(audio.samples, dtype=np.float32))
            self._rates.append(audio.rate)
            return f"@{len(self.responses) - 1}"
        if isinstance(kind, Number) and kind.live:
            return self._knob(effect, knob)
        if isinstance(kind, Span):
            steady = not value.musical or len(self.context.tempo.tempos) + len(self.context.tempo.meters) == 2
            return _number(_seconds(value, 0, self.context)) if steady else self._row(effect, knob)
        if isinstance(kind, Choice):
            return _number(kind.options.index(value) if value is not None else -1)
        if not isinstance(kind, (Number, Switch)):
            raise TypeError(f"a {type(kind).__name__} has no native form")
        return _number(float(value))

    def _knob(self, effect: NativeEffect, knob: str) -> str:
        value = getattr(effect, knob)
        return self._row(effect, knob) if moves(value) else _number(value)

    def _row(self, effect: NativeEffect, knob: str) -> str:
        self.rows.append(_Row(effect, knob))
        return "~"

    def _side(self, name: str) -> int:
        if name not in self.sides:
            self.sides.append(name)
        return self.sides.index(name)


class NativeChain:
    """Native effects one behind the other; feed it blocks of any size, with silence at the end for the tail.

    What comes out belongs, frame by frame, to what went in: latency only delays when it comes.

    The first frame it takes is frame `start` of the song, a multiple of the grid.
    """

    def __init__(self, effects: Iterable[NativeEffect], context: RenderContext, start: int = 0) -> None:
        self._context, self._position, self._start = context, start, start
        self._tree = tree = Tree(effects, context)
        self._core = core()
        error, responses = ctypes.create_string_buffer(_ERROR_ROOM), tree.given()
        made = self._core.mirepoix_make(tree.text.encode(), responses, len(responses), error, _ERROR_ROOM)
        if not made:
            raise RenderError(f"the chain cannot be built: {error.value.decode()}.", "Please report it.")
        self._chain = ctypes.c_void_p(made)
        weakref.finalize(self, self._core.mirepoix_free, self._chain)
        self._latency = self._core.mirepoix_prepare(self._chain, float(context.rate), context.channels, start)
        if self._latency < 0:
            raise MemoryError
        self._behind = [self._core.mirepoix_behind(self._chain, row) for row in range(len(tree.rows))]
        self._early = self._latency
        # A song that goes straight on at one tempo needs no table.
        self._straight = not tree.timed or (context.song_frame is int and len(context.tempo.tempos) == 1)
        self._known: list[object] | None = None
        self._at_rest = self._told(np.empty((0, 3)), np.empty(0, np.int64), np.empty(0, np.int64), None, 0)

    def push(self, block: Block, sides: SideReader | None = None) -> Block:
        """Process a block of shape (channels, frames); fewer frames come out while latency fills.

        Raises:
            RenderError: a step gave NaN or infinity.
        """
        frames = block.shape[1]
        if not frames:
            return block
        audio = np.array(block, dtype=np.float32, order="C")
        beside = self._heard(sides, frames) if sides is not None and self._tree.sides else None
        tables, _kept = self._tables(frames)
        failed = ctypes.c_longlong()
        step = self._core.mirepoix_process(
            self._chain,
            audio.ctypes.data,
            frames,
            tables,
            None if beside is None else beside.ctypes.data,
            ctypes.byref(failed),
        )
        self._position += frames
        if step >= 0:
            with within(*self._tree.paths[step]):
                raise RenderError(
                    f"the step gave NaN or infinity at {self._context.song_frame(failed.value) / self._context.rate:.2f} s.",
                    "Its knobs make it unstable: lower feedback, resonance or gain.",
                )
        early = min(self._early, frames)
        self._early -= early
        return audio[:, early:]

    def _heard(self, sides: SideReader, frames: int) -> Block:
        """The side inputs during a block, one behind the other."""
        names, channels = self._tree.sides, self._context.channels
        beside = np.zeros((len(names) * channels, frames), np.float32)
        for index, name in enumerate(names):
            for first, last in self._runs(frames):
                place = self._context.song_frame(self._position + first)
                beside[index * channels : (index + 1) * channels, first:last] = sides(name, place, last - first)
        return beside

    def _runs(self, frames: int) -> Iterator[tuple[int, int]]:
        """The parts of a block over which the song goes straight on."""
        place, begin = self._context.song_frame, self._position
        if place(begin + frames - 1) == place(begin) + frames - 1:
            yield 0, frames
            return
        yield from pairwise([0, *range(GRID - begin % GRID, frames, GRID), frames])

    def _tables(self, frames: int) -> _Told:
        """Where everything stands, for every cell that the block reaches in every step."""
        values = [getattr(row.effect, row.knob) for row in self._tree.rows]
        if self._straight and (values == self._known or not values):
            return self._at_rest
        first, last = self._cells(self._latency, frames)
        song = None if self._straight else self._song(first, last)
        firsts, offsets = np.full(len(values), -1, np.int64), np.zeros(len(values), np.int64)
        rows, count = [np.empty((0, 3))], 0
        for index, (row, value, behind) in enumerate(zip(self._tree.rows, values, self._behind, strict=True)):
            if isinstance(value, (int, float)):
                rows.append(np.array([[value, value, 0.0]]))
            else:
                firsts[index], end = self._cells(behind, frames)
                rows.append(self._knob_table(row, value, int(firsts[index]), end))
            offsets[index] = count
            count += len(rows[-1])
        told = self._told(np.concatenate(rows), firsts, offsets, song, first)
        if song is None and np.all(firsts < 0):
            self._known, self._at_rest = values, told
        return told

    def _told(
        self,
        knobs: NDArray[np.float64],
        firsts: NDArray[np.int64],
        offsets: NDArray[np.int64],
        song: NDArray[np.float64] | None,
        song_first: int,
    ) -> _Told:
        """Tables as the core takes them, with what holds them in memory."""
        tables = _Tables(
            knobs.ctypes.data, firsts.ctypes.data, offsets.ctypes.data, None if song is None else song.ctypes.data,
            song_first, float(self._context.tempo.tempos[0].bpm),
        )  # fmt: skip
        return ctypes.byref(tables), (tables, knobs, firsts, offsets, song)

    def _cells(self, behind: int, frames: int) -> tuple[int, int]:
        """The cells, from and up to, that a block reaches in a step with so much latency before it."""
        begin = max(self._start, self._position - behind) // GRID
        return begin, max(begin, (self._position - behind + frames - 1) // GRID) + 1

    def _places(self, first: int, last: int) -> Floats:
        """The frames of the song at which cells begin."""
        place = self._context.song_frame
        if place is int:
            return np.arange(first, last, dtype=np.float64) * GRID
        return np.array([place(cell * GRID) for cell in range(first, last)], np.float64)

    def _song(self, first: int, last: int) -> NDArray[np.float64]:
        tempo = self._context.tempo
        song = np.empty((last - first, 3))
        song[:, 0] = self._places(first, last) / self._context.rate
        song[:, 1] = tempo.beats_at(song[:, 0])
        if len(tempo.tempos) == 1:
            song[:, 2] = float(tempo.tempos[0].bpm)
        else:
            song[:, 2] = [tempo.bpm_at(Fraction(beat)) for beat in song[:, 1]]
        return song

    def _knob_table(self, row: _Row, value: Curve | Time, first: int, last: int) -> NDArray[np.float64]:
        """From, to and bow for each cell of a knob."""
        table = np.zeros((last - first, 3))
        if isinstance(value, Time):
            with within(row.effect.label, row.knob):
                places = self._places(first, last)
                table[:, 0] = [_seconds(value, int(place), self._context) for place in places]
            return table
        rate, tempo, places = self._context.rate, self._context.tempo, self._places(first, last)
        marks = np.append(np.stack([places, places + GRID / 2], axis=1).ravel(), places[-1] + GRID)
        values = value.values(marks / rate, tempo)
        begin, middle, end = values[:-1:2], values[1::2], values[2::2].copy()
        for seam in np.flatnonzero(np.diff(places) != GRID):  # behind it the song goes on elsewhere
            end[seam] = value.values((places[seam : seam + 1] + GRID) / rate, tempo)[0]
        table[:, 0], table[:, 1] = begin, end
        table[:, 2] = middle - (begin + end) / 2
        return table


def _seconds(time: Time, frame: int, context: RenderContext) -> float:
    """How long a time lasts at the tempo and meter that the song has come to at `frame`."""
    start = context.tempo.beat_at(Fraction(frame, context.rate)) if time.musical else Fraction(0)
    return float(context.tempo.held_length_of(time, start))


def _number(value: float) -> str:
    """A number exactly, free of any locale: whole, or a whole number times a power of two."""
    mantissa, power = float(value).as_integer_ratio()
    return str(mantissa) if power == 1 and abs(mantissa) < 2**53 else f"{mantissa:#x}p-{power.bit_length() - 1}"
