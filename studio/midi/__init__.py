"""Standard MIDI Files in and out, parts, and the steps from score to score."""

from studio.midi import arpeggiate, articulation, dynamics, pitch, structure, timing, writing
from studio.midi.files import parse_midi, read_midi, write_midi
from studio.midi.parts import Part, split, together

__all__ = [
    "Part", "arpeggiate", "articulation", "dynamics", "parse_midi", "pitch", "read_midi", "split",
    "structure", "timing", "together", "write_midi", "writing",
]  # fmt: skip
