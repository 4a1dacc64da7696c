"""Notes and controllers in clips of a DAWproject."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.dawproject.document import number, target
from studio.interchange.dawproject.window import Window
from studio.interchange.safe_xml import consume
from studio.interchange.timeline import Loss, NoteClip
from studio.score import BEND, CONTROL, POLY_PRESSURE, PRESSURE, PROGRAM, Event, Note, Score

RESOLUTION = 30_720
"""Ticks per beat of the notes that are read."""

LONGEST_SECONDS = 24 * 3600.0
"""Nothing is heard after a day."""

_STATUS = {
    "channelController": CONTROL, "polyPressure": POLY_PRESSURE, "channelPressure": PRESSURE, "pitchBend": BEND,
    "programChange": PROGRAM,
}  # fmt: skip
_NEAR = 1e-7
_FINEST, _MOST_STEPS = 127, 127
"""Steps of a controller from its lowest to its highest value, and at most for a straight line."""


def controls(points: Element) -> bool:
    """Whether points move what MIDI can say."""
    return target(points).get("expression") in _STATUS


def note_clip(
    notes: Element, window: Window, clock: DawprojectClock, track: str, controllers: list[Element], losses: list[Loss]
) -> NoteClip:
    """The notes that are heard in a window, with the controllers beside them."""
    end = window.end if math.isfinite(window.end) else LONGEST_SECONDS
    start_beat, end_beat = _snapped(clock.beat(window.start)), _snapped(clock.beat(end))

    def tick(time: float) -> int:
        return round((clock.beat(window.seconds(time)) - float(start_beat)) * RESOLUTION)

    last = round(float(end_beat - start_beat) * RESOLUTION)
    found: list[Note] = []
    for time, duration, note in _notes(notes, track, losses):
        if not window.start - _NEAR <= window.seconds(time) < end - _NEAR:
            continue
        ends = max(tick(time) + 1, min(tick(time + duration), last))
        found.append(note._replace(start=max(0, tick(time)), end=ends))
    events = [
        Event(max(0, tick(at)), data)
        for points in controllers
        for at, value in _drawn(points)
        if window.start - _NEAR <= window.seconds(at) <= end + _NEAR and (data := _message(target(points), value))
    ]
    beats = end_beat - start_beat
    if not math.isfinite(window.end):
        beats = Fraction(max((note.end for note in found), default=RESOLUTION), RESOLUTION)
    score = Score(tuple(events), RESOLUTION, tracks=(track,)).with_notes(found)
    return NoteClip(start_beat, beats, score, window.name)


def _drawn(points: Element) -> Iterator[tuple[float, float]]:
    """Times and values of a controller: a straight line is as many steps as the controller has on the way."""
    read = [
        (time, value, point.get("interpolation") == "linear")
        for point in points.iterfind("RealPoint")
        if (time := number(point, "time")) is not None and (value := number(point, "value")) is not None
    ]
    read.sort(key=lambda point: point[0])
    for (time, value, ramp), after in zip(read, [*read[1:], None], strict=True):
        yield time, value
        if not ramp or after is None or after[0] <= time:
            continue
        steps = min(_MOST_STEPS, abs(round((after[1] - value) * _FINEST)))
        for index in range(1, steps):
            yield time + (after[0] - time) * index / steps, value + (after[1] - value) * index / steps


def _notes(notes: Element, track: str, losses: list[Loss]) -> Iterator[tuple[float, float, Note]]:
    """When each note begins, for how long, and what it is."""
    for note in notes.iterfind("Note"):
        time, duration, key = (number(note, name) for name in ("time", "duration", "key"))
        for inside in note:
            moved = [each for each in (inside, *inside) if each.tag == "Points"]
            named = ", ".join(sorted({target(each).get("expression", "something") for each in moved})) or inside.tag
            losses.append(Loss(f"note expression ({named})", track, "a recipe's notes have none of their own"))
            consume(inside)
        if time is None or duration is None or key is None or not 0 <= key <= 127 or duration <= 0:
            losses.append(Loss("a note", track, f"{dict(note.attrib)} is none"))
            continue
        velocity, release = number(note, "vel"), number(note, "rel")
        loud = max(1, _seven_bits(0.8 if velocity is None else velocity))
        let_go = 64 if release is None else _seven_bits(release)
        yield time, duration, Note(0, 1, int(key), loud, int(number(note, "channel") or 0) & 15, release=let_go)


def _message(moved: dict[str, str], value: float | None) -> bytes | None:
    """The MIDI message of a controller point."""
    status = _STATUS.get(moved.get("expression", ""))
    if status is None or value is None:
        return None
    channel = int(moved.get("channel", "0")) & 15
    if status == BEND:
        bend = max(0, min(16_383, round(value * 16_383)))
        return bytes((status << 4 | channel, bend & 127, bend >> 7))
    data = _seven_bits(value)
    if status in (PRESSURE, PROGRAM):
        return bytes((status << 4 | channel, data))
    called = moved.get("controller" if status == CONTROL else "key", "0")
    return bytes((status << 4 | channel, int(called) & 127, data))


def _seven_bits(value: float) -> int:
    return max(0, min(127, round(value * 127)))


def _snapped(beat: float) -> Fraction:
    """The beat, on a tick where the way through seconds has only just missed it."""
    grid = Fraction(round(beat * RESOLUTION), RESOLUTION)
    return grid if abs(grid - beat) < 1e-6 else Fraction(beat)
