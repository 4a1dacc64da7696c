"""Notes of a timeline as one score, and back."""

from __future__ import annotations

import math

from studio.interchange.timeline import NoteClip, Timeline
from studio.midi.files import FINEST_RESOLUTION
from studio.score import NOTE_OFF, NOTE_ON, Event, Mark, Score

RESOLUTION = 960
"""Ticks per beat where the clips do not agree on a finer one."""


def merged(timeline: Timeline) -> Score:
    """All note tracks as one score with the tempo map and the markers, a track for each strip that has notes."""
    strips = [strip for strip in timeline.tracks if strip.plays_notes]
    resolution = _common([clip.score.resolution for strip in strips for clip in strip.notes])
    events: list[Event] = []
    end = 0
    for number, strip in enumerate(strips):
        for clip in strip.notes:
            events += _events(clip, resolution, number)
            end = max(end, round((clip.start + clip.beats) * resolution))
    marks = tuple(Mark(round(marker.beat * resolution), "marker", marker.name) for marker in timeline.markers)
    names = tuple(strip.name for strip in strips) or ("",)
    return Score(tuple(events), resolution, timeline.tempo, names, marks, end)


def _common(resolutions: list[int]) -> int:
    least = math.lcm(*resolutions, RESOLUTION)
    return least if least <= FINEST_RESOLUTION else RESOLUTION


def _events(clip: NoteClip, resolution: int, track: int) -> list[Event]:
    score = trimmed(clip)
    return [
        event._replace(tick=round((clip.start + score.beat(event.tick)) * resolution), track=track, port=0)
        for event in score.events
    ]


def trimmed(clip: NoteClip) -> Score:
    """What is heard of a clip: notes that begin in it, cut at its end, and the controllers in it."""
    score = clip.score
    end = score.tick(clip.beats)
    if score.end <= end:
        return score
    kept = score.keep(lambda note: note.start < end).map_notes(lambda note: note._replace(end=min(note.end, end)))
    inside = tuple(
        event
        for event in kept.events
        if event.tick < end or (event.tick == end and event.status in (NOTE_OFF, NOTE_ON))
    )
    return Score(inside, score.resolution, score.tempo, score.tracks, (), end)
