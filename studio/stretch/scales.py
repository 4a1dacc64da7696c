"""Scales: which of the twelve pitches of the octave belong to a key."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.knobs import Choice
from studio.tempo import Floats

KEYS = ("C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B")

_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

SCALES = {
    "chromatic": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
"""Semitones above the key's note."""

KEY = Choice(default="C", options=KEYS, help="the note the scale starts on")


def scale_kind(default: str) -> Choice:
    """The knob that chooses a scale."""
    return Choice(default=default, options=tuple(SCALES), help="the notes there are")


def ladder(key: str, scale: str) -> NDArray[np.int64]:
    """All pitches of a scale in MIDI's numbers, rising, over more than the range of MIDI."""
    first = _PITCHES[key[0]] + {"#": 1, "b": -1, "": 0}[key[1:]]
    octaves = 12 * np.arange(-3, 14)[:, np.newaxis]
    pitches: NDArray[np.int64] = (octaves + first + np.array(SCALES[scale])).ravel()
    return pitches


def midi_of(hz: Floats) -> Floats:
    """Frequencies as MIDI's note numbers, with fractions: 69 is 440 Hz."""
    return 69 + 12 * np.log2(hz / 440)
