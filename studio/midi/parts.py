"""Splitting a score into parts whose renders add up to the render of the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from studio.midi.general_midi import family_of, program_names
from studio.score import DRUM_CHANNEL, NOTE_OFF, NOTE_ON, PROGRAM, SYSTEM, Score


@dataclass(frozen=True)
class Part:
    """What one instrument plays: the notes of one channel, track and program.

    Its score holds those notes and every other event of the channel, so each part starts and goes on with
    the controllers, bends and programs of the whole.
    """

    score: Score
    name: str
    port: int
    channel: int
    track: int
    program: int

    @property
    def drums(self) -> bool:
        return self.channel == DRUM_CHANNEL

    @property
    def family(self) -> str:
        """The General MIDI family, or "Drums"."""
        return "Drums" if self.drums else family_of(self.program)

    @property
    def notes(self) -> int:
        return len(self.score.notes)

    def __str__(self) -> str:
        port = f"port {self.port + 1}, " if self.port else ""
        sound = "drums" if self.drums else program_names()[self.program]
        return f"{self.name} ({port}channel {self.channel + 1}, {sound}, {self.notes} notes)"


def split(score: Score) -> tuple[Part, ...]:
    """The parts of a score, in the order in which their tracks and first notes come.

    Programs that change in mid-song open a part of their own.
    """
    programs: dict[tuple[int, int], int] = {}
    found: Counter[tuple[int, int, int, int]] = Counter()
    belongs: dict[int, tuple[int, int, int, int]] = {}
    starts = {first: note for note, first, _ in score.pairs}
    for index, event in enumerate(score.events):
        if event.status == PROGRAM:
            programs[event.port, event.channel] = event.data[1]
        elif index in starts:
            program = 0 if event.channel == DRUM_CHANNEL else programs.get((event.port, event.channel), 0)
            belongs[index] = (event.track, event.port, event.channel, program)
            found[belongs[index]] += 1
    members: dict[tuple[int, int, int, int], set[int]] = {key: set() for key in found}
    for _, first, last in score.pairs:
        members[belongs[first]].update((first,) if last is None else (first, last))
    parts = []
    for key in sorted(found, key=lambda key: (key[0], key[1], key[2], min(members[key]))):
        track, port, channel, program = key
        parts.append(
            Part(
                score=_only(score, port, channel, members[key]),
                name=score.tracks[track] or ("Drums" if channel == DRUM_CHANNEL else program_names()[program]),
                port=port,
                channel=channel,
                track=track,
                program=program,
            )
        )
    return tuple(parts)


def _only(score: Score, port: int, channel: int, notes: set[int]) -> Score:
    events = tuple(
        event
        for index, event in enumerate(score.events)
        if index in notes
        or event.status == SYSTEM
        or (event.status not in (NOTE_ON, NOTE_OFF) and (event.port, event.channel) == (port, channel))
    )
    return replace(score, events=events)
