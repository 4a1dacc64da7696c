"""Notes and controllers as clips of a DAWproject."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from studio.interchange.dawproject.sheet import DawprojectSheet, number
from studio.interchange.notes import trimmed
from studio.interchange.timeline import Loss, NoteClip, TimelineStrip
from studio.rendering.xml_text import clean
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, POLY_PRESSURE, PRESSURE, PROGRAM, Event, Score


def add_notes(sheet: DawprojectSheet, clips: Element, strip: TimelineStrip, clip: NoteClip) -> None:
    """Add a clip of notes, with controllers beside them."""
    element = SubElement(
        clips,
        "Clip",
        time=number(clip.start),
        duration=number(clip.beats),
        contentTimeUnit="beats",
        playStart="0.0",
        name=clean(clip.name),
    )
    score = trimmed(clip)
    lanes = _controllers(score)
    content = SubElement(element, "Lanes", id=sheet.id(), timeUnit="beats") if lanes else element
    notes = SubElement(content, "Notes", id=sheet.id())
    for note in score.notes:
        SubElement(
            notes,
            "Note",
            time=number(score.beat(note.start)),
            duration=number(max(score.beat(note.end - note.start), Fraction(1, score.resolution))),
            channel=str(note.channel),
            key=str(note.pitch),
            vel=number(note.velocity / 127),
            rel=number(note.release / 127),
        )
    for (expression, channel, key), events in lanes.items():
        if expression == "system":
            sheet.losses.append(Loss(f"{len(events)} system messages", strip.name, "DAWproject has none"))
            continue
        points = SubElement(content, "Points", id=sheet.id(), unit="normalized")
        target = SubElement(points, "Target", expression=expression, channel=str(channel))
        if expression == "channelController":
            target.set("controller", str(key))
        elif expression == "polyPressure":
            target.set("key", str(key))
        for event in events:
            SubElement(
                points,
                "RealPoint",
                time=number(score.beat(event.tick)),
                value=number(_normal(event)),
                interpolation="hold",
            )


def _controllers(score: Score) -> dict[tuple[str, int, int], list[Event]]:
    """Events that are no notes, by what they move: (expression, channel, controller or key)."""
    lanes: dict[tuple[str, int, int], list[Event]] = {}
    for event in score.events:
        if event.status in (NOTE_ON, NOTE_OFF):
            continue
        key = {
            CONTROL: ("channelController", event.channel, event.data[1] if len(event.data) > 1 else 0),
            POLY_PRESSURE: ("polyPressure", event.channel, event.data[1] if len(event.data) > 1 else 0),
            PRESSURE: ("channelPressure", event.channel, 0),
            BEND: ("pitchBend", event.channel, 0),
            PROGRAM: ("programChange", event.channel, 0),
        }.get(event.status, ("system", 0, 0))
        lanes.setdefault(key, []).append(event)
    return lanes


def _normal(event: Event) -> float:
    """The value of a controller from 0 to 1."""
    if event.status == BEND:
        return (event.data[1] | event.data[2] << 7) / 16_383
    return event.data[1 if event.status in (PRESSURE, PROGRAM) else 2] / 127
