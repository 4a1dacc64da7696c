"""What writers of steps need, in one place: the kinds of steps, their knobs, and what surrounds them while they run.

A package of steps imports from here and names its module in the entry point group ``studio.steps``; see
CONTRIBUTING.md, "Adding a step", and the complete package under ``tests/package``. What is here changes only as
docs/stability.md says.
"""

from __future__ import annotations

from studio.audio import Audio, Block
from studio.context import GRID, BlockContext, RenderContext
from studio.curves import Curve
from studio.deprecation import deprecated
from studio.effect_chain import AlignedSum, EffectChain, Fifo, tail_seconds
from studio.errors import KnobError, MissingError, RenderError, StudioError
from studio.knobs import Live, choice, file, knob, numbers, port, span, switch, text
from studio.levels import amplitude, decibels
from studio.provenance import behind
from studio.remarks import remark
from studio.score import Event, Note, Score
from studio.steps import Effect, Instrument, Run, ScoreStep, Source, Step, Transform
from studio.tempo import TempoMap, Time
from studio.units import BITS, BPM, COUNT, DB, DEGREES, HZ, LUFS, MS, PLAIN, RATIO, SECONDS, SEMITONES, Unit

__all__ = [
    "BITS", "BPM", "COUNT", "DB", "DEGREES", "GRID", "HZ", "LUFS", "MS", "PLAIN", "RATIO", "SECONDS", "SEMITONES",
    "AlignedSum", "Audio", "Block", "BlockContext", "Curve", "Effect", "EffectChain", "Event", "Fifo", "Instrument",
    "KnobError", "Live", "MissingError", "Note", "RenderContext", "RenderError", "Run", "Score", "ScoreStep", "Source",
    "Step", "StudioError", "TempoMap", "Time", "Transform", "Unit",
    "amplitude", "behind", "choice", "decibels", "deprecated", "file", "knob", "numbers", "port", "remark", "span", "switch",
    "tail_seconds", "text",
]  # fmt: skip
