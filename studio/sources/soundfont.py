"""MIDI through a SoundFont."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block, to_channels
from studio.context import BlockContext, RenderContext
from studio.curves import moves
from studio.errors import MissingError, within
from studio.knobs import File, KnobKind, Live, Number, count, knob
from studio.levels import SILENCE_DB, amplitude
from studio.midi.bends import with_bends_in_cents
from studio.midi.general_midi import program_names, program_number
from studio.midi.instruments import (
    DRUM_BANK,
    MidiInstrument,
    drum_channels,
    instruments,
    reset_of,
    rhythm_part_of,
    unheard,
)
from studio.records import field
from studio.remarks import remark
from studio.score import CONTROL, DRUM_CHANNEL, PROGRAM, SYSTEM, Event, Score
from studio.sources.fluid import PERIOD, Fluid, check_rate
from studio.sources.fluid_performance import FluidPerformance
from studio.sources.fonts import find_font
from studio.sources.sf2 import damaged_samples, presets_with_chorus
from studio.steps import Instrument
from studio.units import COUNT, DB


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

    version = 3

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
        events = self._events(score)
        chorus = self.chorus != 0 and self._sends_chorus(score, font)
        with Fluid(font, context.rate, 16 * ports, **self._settings(chorus)) as synth:
            self._select(synth, score, ports)
            performance = FluidPerformance(
                synth,
                score,
                events,
                context.rate,
                turned=partial(self._turns, context) if moves(self.reverb) or moves(self.chorus) else None,
                reverb=(self.reverb or None) if isinstance(self.reverb, float) else 0.0,
                chorus=chorus,
                reset=partial(self._select, synth, score, ports),
            )
            position = 0
            for block in chain(performance.blocks(), performance.tail()):
                now = BlockContext(self, context, position, block.shape[1])
                position += block.shape[1]
                if self.gain != 0.0:
                    block = (block * amplitude(now["gain"])).astype(np.float32)
                yield to_channels(block, context.channels)
            if not performance.sounded and any(event.starts_note for event in events):
                remark(f"the SoundFont {self.file!r} has no sound for any of the notes: they are silent.")

    def _settings(self, chorus: bool) -> dict[str, int | float]:
        settings: dict[str, int | float] = {"synth.polyphony": self.polyphony}
        for unit in ("reverb", "chorus"):
            level = getattr(self, unit)
            if isinstance(level, float):
                settings |= {f"synth.{unit}.active": int(level > 0), f"synth.{unit}.level": level}
        # Nothing in, nothing out, so it need not run.
        return settings if chorus else settings | {"synth.chorus.active": 0}

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

    def _sends_chorus(self, score: Score, font: Path) -> bool:
        """Whether anything that is played may send to the chorus."""
        presets = presets_with_chorus(font)
        if presets is None or any(map(_may_send_chorus, score.events)):
            return True
        heard = {*instruments(score).values(), MidiInstrument(self.bank or 0, self.program or 0)}
        # Where a SoundFont lacks a bank or a kit, the first one plays.
        heard |= {MidiInstrument(bank, one.program) for one in heard for bank in (0, DRUM_BANK)}
        return not presets.isdisjoint({*heard, (0, 0), (DRUM_BANK, 0)})

    def _turns(self, context: RenderContext, start: int, stop: int) -> dict[int, dict[str, float]]:
        """The levels of moving reverb and chorus, by the period at which they are to be set."""
        now = BlockContext(self, context, start * PERIOD, (stop - start) * PERIOD)
        moving = [unit for unit in ("reverb", "chorus") if not isinstance(getattr(self, unit), float)]
        return {start + piece.start // PERIOD: held for piece, held in now.cells(*moving)} if moving else {}


@lru_cache(maxsize=16)
def _instruments(font: Path, changed: int) -> frozenset[tuple[int, int]]:
    """What a SoundFont holds, for as long as it stays as it is."""
    with Fluid(font, 44_100, 16) as synth:
        return synth.instruments()


def _may_send_chorus(event: Event) -> bool:
    """Whether an event may raise a send to the chorus: its controller, a generator's NRPN, or a SysEx of unknown meaning."""
    if event.status == SYSTEM:
        return event.data[0] == 0xF0 and not reset_of(event.data) and rhythm_part_of(event.data) is None
    return event.status == CONTROL and ((event.data[1] == 93 and event.data[2] > 0) or event.data[1:3] == b"\x63\x78")


def _selects_bank(event: Event) -> bool:
    return event.status == CONTROL and event.data[1] in (0, 32)
