"""What lies on the tracks of a DAWproject and what moves in it, its markers, and its tempo and meter."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

import soundfile

from studio.interchange.dawproject.note_clips import add_notes
from studio.interchange.dawproject.sheet import DawprojectSheet, number
from studio.interchange.lane import Lane
from studio.interchange.timeline import AudioClip, Loss, NoteClip, TimelineStrip
from studio.rendering.xml_text import clean


def arrangement(sheet: DawprojectSheet, tempo: str, signature: str) -> Element:
    """All of it, for a tempo and a meter of some ids."""
    root = Element("Arrangement", id=sheet.id())
    lanes = SubElement(root, "Lanes", id=sheet.id(), timeUnit="beats")
    for strip in sheet.timeline.strips:
        _lanes(sheet, lanes, strip)
    if sheet.timeline.markers:
        markers = SubElement(root, "Markers", id=sheet.id(), timeUnit="beats")
        for marker in sheet.timeline.markers:
            SubElement(markers, "Marker", time=number(marker.beat), name=clean(marker.name) or "Marker")
    _maps(sheet, root, tempo, signature)
    return root


def _lanes(sheet: DawprojectSheet, lanes: Element, strip: TimelineStrip) -> None:
    moving = sheet.moving[strip.name]
    if not strip.clips and not moving:
        return
    own = SubElement(lanes, "Lanes", track=sheet.tracks[strip.name], id=sheet.id())
    if strip.clips:
        clips = SubElement(own, "Clips", id=sheet.id())
        if strip.audio and not sheet.steady:
            clips.set("timeUnit", "seconds")
        for clip in strip.clips:
            if isinstance(clip, NoteClip):
                add_notes(sheet, clips, strip, clip)
            else:
                _audio_clip(sheet, clips, clip)
    for parameter, unit, lane in moving:
        points = SubElement(own, "Points", unit=unit, id=sheet.id())
        SubElement(points, "Target", parameter=parameter)
        _points(sheet, points, lane)


def _points(sheet: DawprojectSheet, points: Element, lane: Lane) -> None:
    """A lane; in seconds where the tempo moves, since a straight line in seconds is none in beats then."""
    if not sheet.steady:
        points.set("timeUnit", "seconds")
    for second, value, held in zip(lane.seconds, lane.values, lane.held, strict=True):
        time = sheet.tempo.beat_at(Fraction(second)) if sheet.steady else Fraction(second)
        SubElement(
            points,
            "RealPoint",
            time=number(time),
            value=number(value),
            interpolation="hold" if held else "linear",
        )


def _audio_clip(sheet: DawprojectSheet, clips: Element, clip: AudioClip) -> None:
    info = soundfile.info(clip.file)
    whole = Fraction(info.frames, info.samplerate)
    time, unit = _time(sheet, clip.start), "beats" if sheet.steady else "seconds"
    per_second = sheet.tempo.tempos[0].bpm / 60 if sheet.steady else Fraction(1)
    outer = SubElement(
        clips,
        "Clip",
        time=number(time),
        duration=number(Fraction(clip.frames, sheet.rate) * per_second),
        contentTimeUnit=unit,
        playStart="0.0",
        fadeTimeUnit=unit,
        fadeInTime=number(Fraction(clip.fade_in, sheet.rate) * per_second),
        fadeOutTime=number(Fraction(clip.fade_out, sheet.rate) * per_second),
        name=clean(clip.name),
    )
    if (clip.fade_in and clip.fade_in_shape != "linear") or (clip.fade_out and clip.fade_out_shape != "linear"):
        sheet.losses.append(Loss("the shape of a fade", clip.name, "DAWproject has straight ones"))
    if clip.muted:
        outer.set("enable", "false")
    inner = SubElement(
        SubElement(outer, "Clips", id=sheet.id()),
        "Clip",
        time="0.0",
        duration=outer.attrib["duration"],
        contentTimeUnit=unit,
        playStart=number(Fraction(clip.offset, sheet.rate) * per_second),
        fadeTimeUnit=unit,
    )
    content = inner
    if clip.gain != 1.0:
        content = SubElement(inner, "Lanes", id=sheet.id(), timeUnit=unit)
    warps = SubElement(content, "Warps", id=sheet.id(), timeUnit=unit, contentTimeUnit="seconds")
    audio = SubElement(
        warps,
        "Audio",
        id=sheet.id(),
        algorithm="raw",
        channels=str(info.channels),
        sampleRate=str(info.samplerate),
        duration=number(whole),
    )
    SubElement(audio, "File", path=sheet.file(clip.file))
    SubElement(warps, "Warp", time="0.0", contentTime="0.0")
    SubElement(warps, "Warp", time=number(whole * per_second), contentTime=number(whole))
    if clip.gain != 1.0:
        gain = SubElement(content, "Points", id=sheet.id(), unit="linear")
        SubElement(gain, "Target", expression="gain")
        SubElement(gain, "RealPoint", time="0.0", value=number(clip.gain), interpolation="hold")


def _time(sheet: DawprojectSheet, frame: int) -> Fraction:
    """Where a frame lies, in the unit of the audio clips."""
    second = Fraction(frame, sheet.rate)
    return sheet.tempo.beat_at(second) if sheet.steady else second


def _maps(sheet: DawprojectSheet, arrangement: Element, tempo: str, signature: str) -> None:
    moving = SubElement(arrangement, "TempoAutomation", id=sheet.id(), unit="bpm", timeUnit="beats")
    SubElement(moving, "Target", parameter=tempo)
    for change in sheet.tempo.tempos:
        SubElement(
            moving,
            "RealPoint",
            time=number(change.beat),
            value=number(change.bpm),
            interpolation="linear" if change.ramp else "hold",
        )
    meters = SubElement(arrangement, "TimeSignatureAutomation", id=sheet.id(), timeUnit="beats")
    SubElement(meters, "Target", parameter=signature)
    for meter in sheet.tempo.meters:
        SubElement(
            meters,
            "TimeSignaturePoint",
            time=number(meter.beat),
            numerator=str(meter.count),
            denominator=str(meter.unit),
        )
