"""Notes that were edited in a session, written into the MIDI file that they came from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from studio.interchange.timeline import Marker, NoteClip
from studio.midi import read_midi
from studio.midi.files import write_midi
from studio.score import Mark, Note, Score

_NEAR = Fraction(1, 50)
"""Beats by which a note may lie beside another and be the same: what formats round by."""


@dataclass(frozen=True)
class HeardNote:
    """A note of a song: when it begins and how long it lasts in beats, and what it is."""

    start: Fraction
    beats: Fraction
    pitch: int
    velocity: int
    channel: int

    def near(self, other: HeardNote) -> bool:
        """Whether another is the same but for what formats round."""
        same = (self.pitch, self.velocity, self.channel) == (other.pitch, other.velocity, other.channel)
        return same and abs(self.start - other.start) < _NEAR and abs(self.beats - other.beats) < _NEAR


@dataclass(frozen=True)
class NoteEdits:
    """What of a track's notes went and what came; `added` is a track that was not there."""

    track: str
    gone: tuple[HeardNote, ...]
    new: tuple[HeardNote, ...]
    added: bool = False


@dataclass(frozen=True)
class MarkerEdits:
    """Which markers went and which came."""

    gone: tuple[Marker, ...]
    new: tuple[Marker, ...]


def marker_edits(was: Sequence[Marker], now: Sequence[Marker]) -> MarkerEdits | None:
    """What changed between the markers of a song as they were written and as they are, if anything did."""
    left, gone = list(now), list[Marker]()
    for marker in was:
        same = next((other for other in left if _alike(marker, other)), None)
        if same is None:
            gone.append(marker)
        else:
            left.remove(same)
    return MarkerEdits(tuple(gone), tuple(left)) if gone or left else None


def _alike(one: Marker, other: Marker) -> bool:
    return one.name == other.name and abs(one.beat - other.beat) < _NEAR


def heard(clips: Sequence[NoteClip]) -> list[HeardNote]:
    """The notes of clips, by the beats of the song."""
    found = [
        HeardNote(
            clip.start + clip.score.beat(note.start),
            clip.score.beat(note.end - note.start),
            note.pitch,
            note.velocity,
            note.channel,
        )
        for clip in clips
        for note in clip.score.notes
    ]
    return sorted(found, key=lambda note: (note.start, note.pitch))


def edits_of(track: str, was: Sequence[NoteClip], now: Sequence[NoteClip]) -> NoteEdits | None:
    """What changed between the notes of a track as they were written and as they are, if anything did."""
    left = heard(now)
    gone = []
    for note in heard(was):
        same = next((index for index, other in enumerate(left) if note.near(other)), None)
        if same is None:
            gone.append(note)
        else:
            del left[same]
    return NoteEdits(track, tuple(gone), tuple(left)) if gone or left else None


def edited(
    score: Score, edits: Sequence[NoteEdits], markers: MarkerEdits | None = None
) -> tuple[Score, list[HeardNote | Marker]]:
    """A score with edits made in it, and the notes and markers that were to go and are not there."""
    notes, lost = list(score.notes), list[HeardNote | Marker]()
    marks, names = list(score.marks), score.tracks
    for each in edits:
        owner: Note | None = None
        if each.added:
            names = (*names, each.track)
        for gone in each.gone:
            found = next((index for index, note in enumerate(notes) if _is(note, gone, score)), None)
            if found is None:
                lost.append(gone)
            else:
                owner = notes.pop(found)
        for new in each.new:
            beside = owner or next((note for note in notes if note.channel == new.channel), None)
            start, end = score.tick(new.start), score.tick(new.start + new.beats)
            track, port = (beside.track, beside.port) if beside is not None else (0, 0)
            if each.added:
                track, port = len(names) - 1, 0
            notes.append(Note(start, max(end, start + 1), new.pitch, new.velocity, new.channel, track, port))
    for marker in markers.gone if markers is not None else ():
        there = next((mark for mark in marks if _alike(Marker(score.beat(mark.tick), mark.text), marker)), None)
        if there is None or there.kind != "marker":
            lost.append(marker)
        else:
            marks.remove(there)
    marks += [Mark(score.tick(each.beat), "marker", each.name) for each in (markers.new if markers is not None else ())]
    changed = replace(score, tracks=names, marks=tuple(sorted(marks, key=lambda mark: mark.tick)))
    return changed.with_notes(sorted(notes)), lost


def came_home(score: Score, edits: Sequence[NoteEdits], markers: MarkerEdits | None) -> bool:
    """Whether a score has been edited so before: nothing of what was to go is there, and all that was to come is."""
    marks = [Marker(score.beat(mark.tick), mark.text) for mark in score.marks if mark.kind == "marker"]
    gone = [any(_is(note, other, score) for note in score.notes) for each in edits for other in each.gone]
    new = [any(_is(note, other, score) for note in score.notes) for each in edits for other in each.new]
    if markers is not None:
        gone += [any(_alike(mark, other) for mark in marks) for other in markers.gone]
        new += [any(_alike(mark, other) for mark in marks) for other in markers.new]
    return not any(gone) and all(new)


def _is(note: Note, other: HeardNote, score: Score) -> bool:
    same = (note.pitch, note.velocity, note.channel) == (other.pitch, other.velocity, other.channel)
    return same and abs(score.beat(note.start) - other.start) < _NEAR


def _without_conductor(score: Score) -> Score:
    """The score without a first track that holds tempo and markers only: whoever writes it adds one."""
    if len(score.tracks) < 2 or any(event.track == 0 for event in score.events):
        return score
    return replace(
        score,
        tracks=score.tracks[1:],
        events=tuple(event._replace(track=event.track - 1) for event in score.events),
        marks=tuple(mark._replace(track=max(0, mark.track - 1)) for mark in score.marks),
    )


def write_edits(midi: Path, edits: Sequence[NoteEdits], markers: MarkerEdits | None = None) -> list[HeardNote | Marker]:
    """Make edits in a MIDI file, with a copy of what it was beside it; what was to go and is not there.

    Raises:
        StudioError: the file cannot be read or written.
    """
    score, lost = edited(_without_conductor(read_midi(midi)), edits, markers)
    if not lost:
        shutil.copyfile(midi, midi.with_suffix(f"{midi.suffix}.bak"))
        write_midi(score, midi)
    return lost
