"""MIDI through a SoundFont."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block, to_channels
from studio.context import BlockContext, RenderContext
from studio.errors import MissingError, within
from studio.knobs import File, KnobKind, Live, Number, count, knob
from studio.levels import SILENCE_DB, amplitude
from studio.midi.bends import with_bends_in_cents
from studio.midi.general_midi import program_names, program_number
from studio.midi.instruments import DRUM_BANK, drum_channels, unheard
from studio.records import field
from studio.remarks import remark
from studio.score import CONTROL, DRUM_CHANNEL, PROGRAM, SYSTEM, Event, Score
from studio.sources.fluid import PERIOD, Fluid, check_rate
from studio.sources.fonts import find_font
from studio.sources.sf2 import damaged_samples
from studio.steps import Instrument
from studio.units import COUNT, DB

LONGEST_TAIL = 30.0
"""Seconds that notes may ring after the end of the score."""

_PERIODS = 256
_SILENCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class _Program(KnobKind):
    """A program by number from 0 or General MIDI name; None leaves it to the score."""

    default: Any = None

    def parse(self, value: object) -> int | None:
        if value is None or value == "score":
            return None
        return program_number(value)  # type: ignore[arg-type]

    def data(self, value: Any, full: bool = False) -> object:
        return None if value is None else program_names()[value]

    def schema(self) -> dict[str, Any]:
        names = {"enum": ["score", *program_names()]}
        return {"description": self.describe(), "anyOf": [{"type": "integer", "minimum": 0, "maximum": 127}, names]}

    @property
    def range(self) -> str:
        return "0 to 127, a General MIDI name, or score"


class SoundFont(Instrument, step="soundfont"):
    """Play the notes with a SoundFont (SF2 or SF3), through FluidSynth.

    Every channel message is obeyed: controllers, bends (their range in cents too), pressure, RPN, programs and banks in
    mid-song, and the resets and rhythm parts of General MIDI, GS and XG. What FluidSynth does not have is told.
    """

    version = 2

    file: str = field(File(default="gm", help="a SoundFont: gm, fluid, musescore, or a file"))
    program: int | None = field(_Program(help="the instrument, instead of what the score asks for"))
    bank: int | None = field(
        Number(default=None, unit=COUNT, low=0, high=128, whole=True, help="its bank (128 holds drum kits)")
    )
    gain: Live = knob(0.0, SILENCE_DB, 24.0, DB, help="level; 0 dB is FluidSynth's own")
    reverb: Live = knob(0.9, 0.0, 1.0, help="level of FluidSynth's own reverb; 0 turns it off")
    chorus: Live = knob(2.0, 0.0, 10.0, help="level of FluidSynth's own chorus; 0 turns it off")
    polyphony: int = count(256, 1, 4096, help="how many voices may sound at once")

    libraries = ("pyfluidsynth",)

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("file"):
            yield find_font(self.file, context)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        check_rate(context.rate)
        [font] = self.assets(context)
        with within("file"):
            there = _instruments(font, font.stat().st_mtime_ns)
        if self.program is not None or self.bank is not None:
            bank, program = self.bank or 0, self.program or 0
            if (bank, program) not in there:
                raise self._lacks(bank)

    def remarks(self, context: RenderContext) -> Iterator[str]:
        """What whoever hears it should know beforehand."""
        if context.score is not None:
            yield from unheard(context.score)
        [font] = self.assets(context)
        bad, samples = damaged_samples(font)
        if bad:
            yield (
                f"the SoundFont {self.file!r} is damaged: {bad} of its {samples} samples lie outside its sound, and notes"
                " that need them are silent."
            )

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        [font] = self.assets(context)
        ports = 1 + max((event.port for event in score.events), default=0)
        with Fluid(font, context.rate, 16 * ports, **self._settings()) as synth:
            self._select(synth, score, ports)
            position = 0
            for block in self._blocks(synth, score, context, ports):
                now = BlockContext(self, context, position, block.shape[1])
                position += block.shape[1]
                yield to_channels((block * amplitude(now["gain"])).astype(np.float32), context.channels)

    def _settings(self) -> dict[str, int | float]:
        settings: dict[str, int | float] = {"synth.polyphony": self.polyphony}
        for unit in ("reverb", "chorus"):
            level = getattr(self, unit)
            if isinstance(level, float):
                settings |= {f"synth.{unit}.active": int(level > 0), f"synth.{unit}.level": level}
        return settings

    def _select(self, synth: Fluid, score: Score, ports: int) -> None:
        """Put the recipe's instrument, if it names one, on every channel; where the score has drums, as a kit."""
        if self.program is None and self.bank is None:
            return
        kits = drum_channels(score) | {(port, DRUM_CHANNEL) for port in range(ports)}
        for channel in range(16 * ports):
            drums = divmod(channel, 16) in kits
            bank = self.bank if self.bank is not None else (DRUM_BANK if drums else 0)
            if not synth.select(channel, bank, self.program or 0) and not drums:
                raise self._lacks(bank)

    def _lacks(self, bank: int) -> MissingError:
        return MissingError(
            f"{self.file!r} has no program {self.program or 0} in bank {bank}.",
            "Choose another program or bank.",
            path=("program" if self.program is not None else "bank",),
        )

    def _events(self, score: Score) -> list[Event]:
        """What is sent to the synth: without program changes and banks when the recipe chooses the instrument."""
        events = with_bends_in_cents(score.events)
        if self.program is None and self.bank is None:
            return events
        return [event for event in events if not (event.status == PROGRAM or _selects_bank(event))]

    def _blocks(self, synth: Fluid, score: Score, context: RenderContext, ports: int) -> Iterator[Block]:
        """The score, then what still rings after it, in blocks cut at events and turns of the knobs."""
        events = self._events(score)
        milliseconds = _milliseconds([*events, Event(score.end, b"")], score)
        *periods, length = _periods(milliseconds, context.rate)
        due = deque(zip(periods, events, strict=True))
        edges = {*periods, length}
        if ports == 1 and self.program is None and self.bank is None:
            # To the bit as FluidSynth's own program, also in which of its voices a note takes over: its player sends a
            # period ahead, and that period must be a call of its own.
            synth.perform(zip(milliseconds, events, strict=False), milliseconds[-1])
            due.clear()
            edges |= {period - 1 for period in edges}
        sounded = False

        def send(until: int) -> None:
            while due and due[0][0] <= until:
                event = due.popleft()[1]
                synth.send(event, event.channel + 16 * event.port)
                if event.status == SYSTEM:
                    # A reset, or a rhythm part, puts an instrument of its own in place.
                    self._select(synth, score, ports)

        for start in range(0, length, _PERIODS):
            stop = min(start + _PERIODS, length)
            turns = self._turns(context, start, stop)
            marks = sorted({start, *turns, *(edge for edge in edges if start < edge < stop)} | {stop})
            pieces = []
            for mark, after in pairwise(marks):
                for turn, level in turns.get(mark, {}).items():
                    synth.turn(turn, level)
                send(mark)
                pieces.append(synth.render((after - mark) * PERIOD))
            block = np.concatenate(pieces, axis=1)
            sounded = sounded or bool(np.abs(block).max(initial=0.0) > _SILENCE / 10)
            yield block
        send(length)
        if not sounded and any(event.starts_note for event in events) and not synth.voices:
            remark(f"the SoundFont {self.file!r} has no sound for any of the notes: they are silent.")
        synth.release_all()
        yield from self._tail(synth, context)

    def _turns(self, context: RenderContext, start: int, stop: int) -> dict[int, dict[str, float]]:
        """The levels of moving reverb and chorus, by the period at which they are to be set."""
        now = BlockContext(self, context, start * PERIOD, (stop - start) * PERIOD)
        moving = [unit for unit in ("reverb", "chorus") if not isinstance(getattr(self, unit), float)]
        return {start + piece.start // PERIOD: held for piece, held in now.cells(*moving)} if moving else {}

    def _tail(self, synth: Fluid, context: RenderContext) -> Iterator[Block]:
        quiet, left = 0, round(LONGEST_TAIL * context.rate / PERIOD)
        while left > 0 and (synth.voices or quiet < context.rate // 4):
            block = synth.render(min(left, _PERIODS) * PERIOD)
            quiet = quiet + block.shape[1] if np.abs(block).max() < _SILENCE else 0
            left -= _PERIODS
            yield block


@lru_cache(maxsize=16)
def _instruments(font: Path, changed: int) -> frozenset[tuple[int, int]]:
    """What a SoundFont holds, for as long as it stays as it is."""
    with Fluid(font, 44_100, 16) as synth:
        return synth.instruments()


def _milliseconds(events: Sequence[Event], score: Score) -> list[int]:
    """The millisecond at which FluidSynth's own player would send each event.

    It looks once a period, at a clock of whole milliseconds, and takes what is due within half a tick. At one tempo it
    counts ticks in single precision, which adds up over a long song, and so do we; at every change of tempo it rounds to
    a tick and drifts away from the score by that: there the tempo map stays exact.
    """
    ticks = np.array([event.tick for event in events], dtype=np.float64)
    tempos = score.tempo.tempos
    if len(tempos) == 1:
        single = np.float32(round(60_000_000 / tempos[0].bpm)) / np.float32(score.resolution) / np.float32(1000)
        found = np.ceil((ticks - 0.5) * float(single))
    else:
        found = np.ceil(score.tempo.seconds_at((ticks - 0.5) / score.resolution) * 1000 - 1e-6)
    return list(np.maximum.accumulate(np.maximum(found, 0).astype(int)).tolist()) if len(found) else []


def _periods(milliseconds: Sequence[int], rate: int) -> list[int]:
    """The periods from which on events that are sent at these milliseconds are heard; the player's first one passes."""
    return [-(-millisecond * rate // (1000 * PERIOD)) + 1 for millisecond in milliseconds]


def _selects_bank(event: Event) -> bool:
    return event.status == CONTROL and event.data[1] in (0, 32)
