"""A sound as events: a file of them, the notes that play them, and a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from studio.audiofile import read_audio
from studio.disk import write_whole
from studio.errors import AudioError, OutputError, Place
from studio.midi import write_midi
from studio.recipe.document import write
from studio.stretch.attribution import MOST_EVENTS, take_apart
from studio.stretch.event_file import ENDING, bank_of, write_events
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.onsets import find_hits
from studio.tempo import TempoMap

_BPM = 120.0
_SILENT_DB = -80.0


@dataclass(frozen=True)
class EventsMade:
    """What was written: the events, their notes and the recipe, how many there are, and the tempo that the notes stand in."""

    events: Path
    midi: Path
    recipe: Path
    count: int
    bpm: float


def make_events(
    source: Path, target: Path | None = None, *, bpm: float | None = None, replace: bool = False
) -> EventsMade:
    """Take a sound apart into events, and write them with the notes and a recipe that play it as it was.

    Args:
        source: an audio file.
        target: the file of events; the MIDI file and the recipe lie beside it. Beside the source when None.
        bpm: the tempo for the notes; found, or 120 where it is not clear, when None.
        replace: whether files that are there may be replaced.

    Raises:
        OutputError: one of the three is there already, or the disk refuses.
        AudioError: the sound cannot be read, is silent, or has too many hits.
    """
    target = target or source.with_suffix(ENDING)
    if target.suffix != ENDING:
        raise OutputError(f"{target.name!r} is no name for events.", f"End it with {ENDING}.")
    midi, recipe = target.with_suffix(".mid"), target.with_suffix(".yaml")
    for path in (target, midi, recipe):
        if path.exists() and not replace:
            raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
    audio = read_audio(source)
    if audio.peak_db < _SILENT_DB:
        raise AudioError("it is silent: there are no events in it.", place=Place(str(source)))
    hits = find_hits(audio.samples, audio.rate)
    if len(hits) > MOST_EVENTS:
        raise AudioError(
            f"it has {len(hits):,} hits; {MOST_EVENTS:,} events are the most.",
            "Take a shorter piece.",
            place=Place(str(source)),
        )
    if bpm is None:
        loop = analyse_loop(audio, source)
        bpm = loop.best.bpm if loop.sure else _BPM
    bank = bank_of(take_apart(audio, hits), audio.rate)
    write_events(bank, target)
    # A MIDI file keeps whole microseconds a beat: so the notes are where it says.
    tempo = TempoMap.constant(Fraction(60_000_000, round(60_000_000 / bpm)))
    write_midi(bank.score(tempo, source.stem), midi)
    track = {"part": "all", "play": {"events": target.name}}
    write_whole(
        recipe,
        write({"recipe": 1, "title": source.stem.replace("_", " "), "score": midi.name, "tracks": {"events": track}}),
    )
    return EventsMade(target, midi, recipe, len(bank.events), bpm)
