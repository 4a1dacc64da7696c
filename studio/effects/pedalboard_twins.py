"""Which of pedalboard's plugins are which of our steps, number by number, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONVOLUTION_DB = -18.061799739838872
"""JUCE brings a response to an eighth of unit energy, we to all of it."""

QUALITIES = {
    "ZeroOrderHold": "hold",
    "Linear": "linear",
    "CatmullRom": "cubic",
    "Lagrange": "lagrange",
    "WindowedSinc": "sinc",
    "WindowedSinc256": "sinc",
    "WindowedSinc8": "fast sinc",
}
"""pedalboard's qualities of resampling by its names, and ours."""

_SLOPES = {"12": "12 dB", "24": "24 dB"}
_PASSES = {"LPF": "lowpass", "HPF": "highpass", "BPF": "bandpass"}
MODES = {
    short + slope: {"passes": name, "slope": ours} for short, name in _PASSES.items() for slope, ours in _SLOPES.items()
}
"""Modes of pedalboard's ladder filter, and our two choices for each."""


@dataclass(frozen=True)
class Twin:
    """One of pedalboard's classes and the step that sounds the same.

    Attributes:
        step: the name of the step.
        knobs: the step's knobs, by pedalboard's attributes.
        fixed: knobs of the step that must stand so for the two to be the same.
    """

    step: str
    knobs: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


_SHELF = {"cutoff_frequency_hz": "cutoff", "gain_db": "gain", "q": "q"}
_LEVELS = {"threshold_db": "threshold", "ratio": "ratio", "attack_ms": "attack", "release_ms": "release"}

TWINS: Mapping[str, Twin] = {
    "Bitcrush": Twin("bitcrush", {"bit_depth": "depth"}),
    "BrickwallLimiter": Twin(
        "brickwall",
        {"ceiling_db": "ceiling", "release_ms": "release", "lookahead_ms": "lookahead", "true_peak": "true_peak"},
    ),
    "Chorus": Twin(
        "chorus",
        {"rate_hz": "rate", "depth": "depth", "centre_delay_ms": "delay", "feedback": "feedback", "mix": "mix"},
    ),
    "Clipping": Twin("clip", {"threshold_db": "threshold"}),
    "Compressor": Twin("compressor", _LEVELS, {"link": False, "sidechain": None, "makeup": 0.0, "knee": 0.0}),
    "Convolution": Twin("convolution", {"impulse_response_filename": "file", "mix": "mix"}, {"gain": CONVOLUTION_DB}),
    "Delay": Twin("delay", {"delay_seconds": "time", "feedback": "feedback", "mix": "mix"}),
    "Distortion": Twin("distortion", {"drive_db": "drive"}),
    "GSMFullRateCompressor": Twin("gsm", {"quality": "quality"}),
    "Gain": Twin("gain", {"gain_db": "gain"}),
    "HighShelfFilter": Twin("high_shelf", _SHELF),
    "HighpassFilter": Twin("highpass", {"cutoff_frequency_hz": "cutoff"}),
    "Invert": Twin("invert"),
    "LadderFilter": Twin("ladder", {"mode": "mode", "cutoff_hz": "cutoff", "resonance": "resonance", "drive": "drive"}),
    "Limiter": Twin("limiter", {"threshold_db": "threshold", "release_ms": "release"}),
    "LowShelfFilter": Twin("low_shelf", _SHELF),
    "LowpassFilter": Twin("lowpass", {"cutoff_frequency_hz": "cutoff"}),
    "MP3Compressor": Twin("mp3", {"vbr_quality": "quality"}),
    "NoiseGate": Twin("gate", _LEVELS, {"link": False, "sidechain": None, "hold": 0.0}),
    "PeakFilter": Twin("peak", _SHELF),
    "Phaser": Twin(
        "phaser",
        {"rate_hz": "rate", "depth": "depth", "centre_frequency_hz": "centre", "feedback": "feedback", "mix": "mix"},
    ),
    "PitchShift": Twin("pitch_shift", {"semitones": "semitones"}),
    "Resample": Twin("resample", {"target_sample_rate": "rate", "quality": "quality"}),
    "Reverb": Twin(
        "reverb",
        {
            "room_size": "room_size", "damping": "damping", "wet_level": "wet", "dry_level": "dry", "width": "width",
            "freeze_mode": "freeze",
        },
        {"predelay": 0.0},
    ),
}  # fmt: skip
"""Every plugin of pedalboard's but those that hold or host others."""


def knobs_of(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of the twin of pedalboard's class `name`, as plain data, from values of all its attributes.

    Raises:
        LookupError: a quality of resampling that no step has.
    """
    twin = TWINS[name]
    knobs = {key: value for key, value in twin.fixed.items() if value is not None}
    for attribute, knob in twin.knobs.items():
        value = values[attribute]
        if attribute == "mode":
            knobs |= MODES[value]
        elif attribute == "quality" and isinstance(value, str):
            knobs[knob] = QUALITIES[value]
        elif attribute == "delay_seconds" and isinstance(value, (int, float)):
            knobs[knob] = f"{float(value)!r} s"
        elif attribute == "freeze_mode" and isinstance(value, (int, float)):
            knobs[knob] = value >= 0.5
        else:
            knobs[knob] = value
    return knobs


def values_of(name: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of pedalboard's class `name` from the values of its twin's knobs; those of choices by their names."""
    values = {attribute: knobs[knob] for attribute, knob in TWINS[name].knobs.items() if knob in knobs}
    if "mode" in TWINS[name].knobs:
        ours = {"passes": knobs["passes"], "slope": knobs["slope"]}
        values["mode"] = next(mode for mode, choices in MODES.items() if choices == ours)
    if "freeze_mode" in values:
        values["freeze_mode"] = float(values["freeze_mode"])
    if "quality" in values and isinstance(values["quality"], str):
        values["quality"] = next(name for name, ours in QUALITIES.items() if ours == values["quality"])
    return values
