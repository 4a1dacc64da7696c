"""Scores and MIDI files for tests, made from a seed or written out by hand."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
from hypothesis import strategies as st

from studio.midi import write_midi
from studio.score import Event, Note, Score
from studio.tempo import TempoMap

PROGRAMS = (0, 32, 48, 24, 56, 73, 88, 0)
"""Piano, bass, strings, guitar, trumpet, flute, pad, and a channel for drums."""


_DATA = st.integers(0, 127)
MESSAGES = st.one_of(
    *(
        st.builds(
            lambda kind, channel, *data: bytes((kind | channel, *data)),
            st.just(kind),
            st.integers(0, 15),
            *([_DATA] * count),
        )
        for kind, count in ((0x80, 2), (0x90, 2), (0xA0, 2), (0xB0, 2), (0xC0, 1), (0xD0, 1), (0xE0, 2))
    ),
    st.lists(_DATA, max_size=9).map(lambda body: bytes((0xF0, *body, 0xF7))),
)
"""Channel messages of every kind and sysex, as their bytes."""


def score_of(*notes: Note, bpm: float = 120, resolution: int = 480, end_beats: int = 0) -> Score:
    """A score of just these notes."""
    return Score(resolution=resolution, tempo=TempoMap.constant(bpm), end=end_beats * resolution).with_notes(notes)


def band(seconds: float = 8.0, parts: int = 4, bpm: float = 120, seed: int = 1) -> Score:
    """A song for several instruments, one a track and channel; the last one is the drums."""
    random = np.random.default_rng(seed)
    notes: list[Note] = []
    programs: list[Event] = []
    names: list[str] = []
    beats = int(seconds * bpm / 60)
    for part in range(parts):
        drums = part == parts - 1
        channel = 9 if drums else part
        names.append("Drums" if drums else f"Part {part + 1}")
        if not drums:
            programs.append(Event(0, bytes((0xC0 | channel, PROGRAMS[part % len(PROGRAMS)])), part))
        for beat in np.arange(0, beats, 0.5 if drums else 1.0):
            pitch = (
                int(random.choice([36, 38, 42, 46]))
                if drums
                else int(48 + 12 * (part % 3) + random.choice([0, 2, 4, 7, 9]))
            )
            start = int(beat * 480)
            notes.append(
                Note(start, start + (120 if drums else 420), pitch, int(random.integers(60, 120)), channel, part)
            )
    empty = Score(tuple(programs), 480, TempoMap.constant(bpm), tuple(names), end=beats * 480)
    return empty.with_notes(notes)


def band_file(path: Path, **options: float) -> Path:
    """The same as a MIDI file."""
    write_midi(band(**options), path)  # type: ignore[arg-type]
    return path


def midi_file(path: Path, *tracks: list[mido.Message | mido.MetaMessage], type: int = 1, resolution: int = 480) -> Path:
    """A MIDI file of the messages given, with mido as an independent writer."""
    song = mido.MidiFile(type=type, ticks_per_beat=resolution)
    song.tracks.extend(mido.MidiTrack(track) for track in tracks)
    song.save(path)
    return path
