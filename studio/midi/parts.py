"""Splitting a score into parts whose renders add up to the render of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from studio.midi.general_midi import family_of, program_names
from studio.midi.instruments import DRUM_BANK, MidiInstrument, instruments
from studio.score import NOTE_OFF, NOTE_ON, SYSTEM, Score


@dataclass(frozen=True)
class Part:
    """What one instrument plays: the notes of one channel, track, bank and program; all kits of a drum channel are one.

    Attributes:
        whole: the score it is a part of.
        own: which events of the whole start and end its notes.
    """

    whole: Score = field(repr=False)
    own: frozenset[int] = field(repr=False)
    name: str
    port: int
    channel: int
    track: int
    program: int
    bank: int = 0

    @cached_property
    def score(self) -> Score:
        """Its notes and every other event of the channel, so that it starts and goes on as in the whole."""
        return together((self,))

    def only(self, keys: frozenset[int]) -> Part:
        """The same part with the notes on some keys (0 to 127) alone."""
        return replace(self, own=frozenset(index for index in self.own if self.whole.events[index].data[1] in keys))

    @property
    def drums(self) -> bool:
        """Whether it plays drums."""
        return self.bank == DRUM_BANK

    @property
    def family(self) -> str:
        """The General MIDI family, or "Drums"."""
        return "Drums" if self.drums else family_of(self.program)

    @property
    def notes(self) -> int:
        """Its notes, by start."""
        return sum(self.whole.events[index].starts_note for index in self.own)

    def __str__(self) -> str:
        port = f"port {self.port + 1}, " if self.port else ""
        sound = "drums" if self.drums else program_names()[self.program] + (f", bank {self.bank}" if self.bank else "")
        return f"{self.name} ({port}channel {self.channel + 1}, {sound}, {self.notes} notes)"


def split(score: Score) -> tuple[Part, ...]:
    """The parts of a score, in the order in which their tracks and first notes come.

    Banks and programs that change in mid-song open a part of their own.
    """
    belongs: dict[int, tuple[int, int, int, MidiInstrument]] = {}
    for index, chosen in instruments(score).items():
        event = score.events[index]
        heard = MidiInstrument(DRUM_BANK, 0) if chosen.drums else chosen
        belongs[index] = (event.track, event.port, event.channel, heard)
    members: dict[tuple[int, int, int, MidiInstrument], set[int]] = {key: set() for key in belongs.values()}
    for _, first, last in score.pairs:
        members[belongs[first]].update((first,) if last is None else (first, last))
    parts = []
    for key in sorted(members, key=lambda key: (key[0], key[1], key[2], min(members[key]))):
        track, port, channel, heard = key
        parts.append(
            Part(
                whole=score,
                own=frozenset(members[key]),
                name=score.tracks[track] or ("Drums" if heard.drums else program_names()[heard.program]),
                port=port,
                channel=channel,
                track=track,
                program=heard.program,
                bank=heard.bank,
            )
        )
    return tuple(parts)


def together(parts: Sequence[Part]) -> Score:
    """What several parts of one score play, in the order of the whole; what they share is there once.

    A key that other parts strike or let go on the same channel ends their note on that key too, as it does in a
    synthesiser that plays them all: there those events are releases.
    """
    whole = parts[0].whole
    own = frozenset[int]().union(*(part.own for part in parts))
    channels = {(part.port, part.channel) for part in parts}
    keys = {(event.port, event.channel, event.data[1]) for event in (whole.events[index] for index in own)}
    events = []
    for index, event in enumerate(whole.events):
        if index in own or event.status == SYSTEM:
            events.append(event)
        elif event.status not in (NOTE_ON, NOTE_OFF):
            if (event.port, event.channel) in channels:
                events.append(event)
        elif (event.port, event.channel, event.data[1]) in keys:
            release = event._replace(data=bytes((event.data[0], event.data[1], 0)))
            events.append(release if event.starts_note else event)
    return replace(whole, events=tuple(events))
