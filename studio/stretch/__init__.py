"""Time and pitch: stretching, transposing, fitting, tuning, and finding the pitch of a sound."""

from studio.stretch import event_player, fitting, harmonising, paulstretching, slicing, stretching, tuning
from studio.stretch.content import choose
from studio.stretch.f0 import F0Track, track_f0
from studio.stretch.loop_analysis import LoopAnalysis, LoopReading, analyse_loop
from studio.stretch.marks import Marks, pitch_marks
from studio.stretch.onsets import find_hits
from studio.stretch.stretcher import METHODS, stretch
from studio.stretch.timemap import OverTime, TimeMap

__all__ = [
    "METHODS", "F0Track", "LoopAnalysis", "LoopReading", "Marks", "OverTime", "TimeMap", "analyse_loop", "choose", "event_player",
    "find_hits", "fitting", "harmonising", "paulstretching", "pitch_marks", "slicing", "stretch", "stretching", "track_f0", "tuning",
]  # fmt: skip
