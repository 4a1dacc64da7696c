"""Files of events: a FLAC with every event behind the other, and what they are as JSON in its comment."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from studio.audio import Audio, Block
from studio.disk import write_whole
from studio.errors import AudioError, MissingError, Place, RecipeError, StudioError
from studio.provenance import STUDIO, installed
from studio.score import Note, Score
from studio.stored import Members, Real, Several, Whole, check_format, located, parse_json
from studio.stretch.attribution import MOST_EVENTS, SoundEvent
from studio.tempo import TempoMap

ENDING = ".events"
FORMAT = 1
_MARK = "events_format"
_FIRST_KEY, _KEYS = 36, 128
_RESOLUTION = 960
_LOUDEST, _OVER_DB = 112, -40.0
_FRAMES = Whole(high=2**36)
_EVENT = Members(
    of={"first": _FRAMES, "onset": _FRAMES, "frames": Whole(low=1, high=2**36), "key": Whole(high=127),
        "channel": Whole(high=15), "velocity": Whole(low=1, high=127)},
)  # fmt: skip
_FILE = Members(
    of={"scale": Real(low=1e-3, high=1e6), "events": Several(each=_EVENT, fewest=1, most=MOST_EVENTS)}, more=True
)


@dataclass(frozen=True, eq=False)
class KeyedEvent:
    """An event and the note that stands for it: its key, channel, and the velocity at which it sounds as it was."""

    event: SoundEvent
    key: int
    channel: int
    velocity: int


@dataclass(frozen=True, eq=False)
class EventBank:
    """The events of a sound, at its `rate`."""

    rate: int
    events: tuple[KeyedEvent, ...]

    def score(self, tempo: TempoMap, name: str = "events") -> Score:
        """A note for each event, at its onset, as long as it is heard; with them the sound plays as it was."""
        notes = []
        for each in self.events:
            onset, samples = each.event.onset, each.event.samples
            level = np.abs(samples).max(axis=0)
            heard = np.flatnonzero(level > level.max() * 10 ** (_OVER_DB / 20))
            over = each.event.first + int(heard[-1]) if heard.size else onset
            start, end = (
                tick_of(Fraction(frame, self.rate), tempo, _RESOLUTION) for frame in (onset, max(over, onset))
            )
            notes.append(Note(start, max(end, start + 1), each.key, each.velocity, each.channel))
        return Score((), _RESOLUTION, tempo, (name,)).with_notes(notes)


def tick_of(second: Fraction, tempo: TempoMap, resolution: int) -> int:
    """The tick that is nearest to a second."""
    return round(tempo.beat_at(second) * resolution)


def bank_of(events: Sequence[SoundEvent], rate: int) -> EventBank:
    """Events with a key each, in the order of time: from 36 up, then from 0, then on the next channel."""
    peaks = np.array([max(float(np.abs(event.samples).max()), 1e-9) for event in events])
    velocities = np.clip(np.round(_LOUDEST * np.sqrt(peaks / peaks.max())), 1, 127).astype(int)
    return EventBank(
        rate,
        tuple(
            KeyedEvent(event, (_FIRST_KEY + index) % _KEYS, index // _KEYS, int(velocity))
            for index, (event, velocity) in enumerate(zip(events, velocities, strict=True))
        ),
    )


def write_events(bank: EventBank, path: Path) -> None:
    """Write a file of events: 24-bit FLAC, which any program plays, with JSON in its comment; no code.

    Raises:
        OutputError: the disk refuses; nothing is left behind.
    """
    import soundfile

    pieces = [each.event.samples for each in bank.events]
    scale = max(1.0, max(float(np.abs(piece).max()) for piece in pieces) * (1 + 2**-20))
    told = {
        _MARK: FORMAT,
        "studio": installed(STUDIO),
        "scale": scale,
        "events": [
            {"first": each.event.first, "onset": each.event.onset, "frames": each.event.samples.shape[1],
             "key": each.key, "channel": each.channel, "velocity": each.velocity}
            for each in bank.events
        ],
    }  # fmt: skip
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", bank.rate, len(pieces[0]), "PCM_24", format="FLAC") as file:
        file.comment = json.dumps(told)
        for piece in pieces:
            file.write(piece.T.astype(np.float64) / scale)
    write_whole(path, content.getvalue())


def read_events(path: Path) -> EventBank:
    """Read a file of events, checked in full.

    Raises:
        MissingError: there is none.
        StudioError: it is none, of another format, or damaged; with file and field.
    """
    import soundfile

    place = Place(str(path))
    if not path.is_file():
        raise MissingError("there is no such file.", place=place)
    try:
        with soundfile.SoundFile(path) as file:
            comment, rate = file.comment, int(file.samplerate)
            sound = np.asarray(file.read(dtype="float64", always_2d=True).T)
    except (soundfile.LibsndfileError, RuntimeError):
        raise AudioError("this is no file of events.", "Make one: studio events loop.wav", place=place) from None
    try:
        if not comment:
            raise RecipeError("this is a sound, and no file of events.", "Make one of it: studio events loop.wav")
        plain = parse_json(comment)
        check_format(plain, _MARK, FORMAT, "a file of events")
        told = _FILE.parse(plain)
        if sum(each["frames"] for each in told["events"]) != sound.shape[1]:
            raise RecipeError("its events and its sound are not equally long.", "Get a complete copy of it.")
    except StudioError as error:
        raise located(error, place) from None
    ends = np.cumsum([each["frames"] for each in told["events"]])
    pieces: list[Block] = np.split((sound * told["scale"]).astype(np.float32), ends[:-1], axis=1)
    return EventBank(
        rate,
        tuple(
            KeyedEvent(SoundEvent(each["first"], each["onset"], piece), each["key"], each["channel"], each["velocity"])
            for each, piece in zip(told["events"], pieces, strict=True)
        ),
    )


def whole_of(bank: EventBank) -> Audio:
    """The sum of the events: the sound that they were taken from."""
    frames = max(each.event.first + each.event.samples.shape[1] for each in bank.events)
    out = np.zeros((len(bank.events[0].event.samples), frames), np.float64)
    for each in bank.events:
        out[:, each.event.first : each.event.first + each.event.samples.shape[1]] += each.event.samples
    return Audio(out.astype(np.float32), bank.rate)
