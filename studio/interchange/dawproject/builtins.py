"""The devices that DAWproject itself describes, as steps of the studio, by their units.

The format says what each knob is, not how the device sounds: shapes of filters, knees and detectors are the studio's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from studio.interchange.dawproject.document import number
from studio.interchange.safe_xml import having

Lose = Callable[[str, str], object]

_CUTS = {"highPass": "low_cut", "lowPass": "high_cut"}
_BANDS = {"bell": "peak", "lowShelf": "low_shelf", "highShelf": "high_shelf"}


def builtin_steps(device: Element, lose: Lose) -> list[dict[str, Any]] | None:
    """The steps that do what a device does, or None if the studio has none.

    Args:
        device: Equalizer, Compressor, NoiseGate or Limiter.
        lose: hears of what of it is lost, and why.
    """
    made: list[dict[str, Any]] | None = None
    if device.tag == "Equalizer":
        made = [step for band in device.iterfind("Band") for step in _band(band, lose)]
    elif device.tag == "Compressor":
        made = [{"compressor": _dynamics(device, ("Threshold", "Ratio", "Attack", "Release"))}]
        if having(device, "AutoMakeup", value="true") is not None:
            lose("automatic make-up", "the compressor of the studio has none: set `makeup`")
    elif device.tag == "NoiseGate":
        made = [{"gate": _dynamics(device, ("Threshold", "Ratio", "Attack", "Release"))}]
        if device.find("Range") is not None:
            lose("the range of the gate", "the gate of the studio has a ratio instead")
    elif device.tag == "Limiter":
        knobs = _dynamics(device, ("Threshold", "Release"))
        made = [{"brickwall": {"ceiling": knobs.pop("threshold", 0.0), **knobs}}]
    if made is None:
        return None
    before, after = (_decibels(device.find(tag)) for tag in ("InputGain", "OutputGain"))
    steps = [{"gain": before}] if before else []
    return [*steps, *made, *([{"gain": after}] if after else [])]


def _band(band: Element, lose: Lose) -> list[dict[str, Any]]:
    """One band of an equaliser."""
    enabled = band.find("Enabled")
    if enabled is not None and enabled.get("value") == "false":
        return []
    kind = band.get("type", "bell")
    hertz = max(10.0, min(20_000.0, _hertz(band.find("Freq"))))
    gain, q = _decibels(band.find("Gain")), number(band.find("Q"), "value")
    order = number(band, "order")
    if kind in _CUTS:
        if order not in (None, 2.0):
            lose(f"the order {order:g} of a {kind} band", "the studio's cut has 12 dB per octave")
        return [{"eq": {_CUTS[kind]: hertz}}]
    if kind not in _BANDS:
        lose(f"a {kind} band", "the equaliser of the studio has none")
        return []
    knobs = {"cutoff": hertz, "gain": max(-36.0, min(36.0, gain))}
    return [{_BANDS[kind]: knobs if q is None else {**knobs, "q": max(0.1, min(18.0, q))}}]


_KNOBS: dict[str, tuple[str, float, float]] = {
    "Threshold": ("threshold", -60.0, 0.0),
    "Ratio": ("ratio", 1.0, 60.0),
    "Attack": ("attack", 0.1, 500.0),
    "Release": ("release", 1.0, 5000.0),
}
"""What the studio calls a knob, and from where to where it goes: dB, a ratio, and milliseconds."""


def _dynamics(device: Element, tags: tuple[str, ...]) -> dict[str, Any]:
    """The knobs of a compressor or the like, those that the file gives."""
    knobs: dict[str, Any] = {}
    for tag in tags:
        element = device.find(tag)
        value = number(element, "value")
        if element is None or value is None:
            continue
        name, low, high = _KNOBS[tag]
        if tag == "Threshold":
            value = _decibels(element)
        elif tag == "Ratio":
            value = _ratio(value, element.get("unit", "linear"))
        elif element.get("unit", "seconds") == "seconds":
            value *= 1000
        knobs[name] = round(max(low, min(high, value)), 6)
    return knobs


def _ratio(value: float, unit: str) -> float:
    """Input change over output change: said as that, as its inverse, or as the share that is taken away."""
    if unit in ("percent", "normalized"):
        share = value / 100 if unit == "percent" else value
        return 1 / max(1e-3, 1 - share)
    return 1 / value if 0 < value < 1 else value


def _decibels(element: Element | None) -> float:
    """A level in dB, whichever way it is said."""
    value = number(element, "value")
    if element is None or value is None:
        return 0.0
    if element.get("unit", "decibel") == "linear":
        return round(20 * math.log10(max(value, 1e-5)), 6)
    return value


def _hertz(element: Element | None) -> float:
    """A frequency, said in Hz or as a key."""
    value = number(element, "value")
    if element is None or value is None:
        return 1_000.0
    return 440.0 * 2 ** ((value - 69) / 12) if element.get("unit", "hertz") == "semitones" else value
