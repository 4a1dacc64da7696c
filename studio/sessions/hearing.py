"""A recipe from a recording: one voice or drums as notes, beside the sound they were heard in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from studio.audiofile import read_audio
from studio.disk import write_whole
from studio.errors import AudioError, OutputError, Place, StudioError
from studio.midi import write_midi
from studio.recipe.document import write
from studio.stretch.content import choose
from studio.stretch.drum_transcription import drum_score, transcribe_drums
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.loop_key import find_key
from studio.stretch.transcription import transcribe
from studio.tempo import TempoMap

SOUNDS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".opus", ".w64", ".rf64", ".caf")
HEARD_AS = ("auto", "voice", "drums")
_BPM = 120.0


@dataclass(frozen=True)
class HeardSound:
    """What a recording was heard as.

    Attributes:
        kind: `voice` or `drums`.
        midi: the file with the notes.
        notes: how many there are.
        remarks: what was found, and what is not sure, in sentences.
    """

    kind: str
    midi: Path
    notes: int
    remarks: tuple[str, ...]


def is_sound(path: Path) -> bool:
    """Whether a file is called like an audio file."""
    return path.suffix.lower() in SOUNDS


def recipe_from_sound(target: Path, source: Path, *, heard_as: str = "auto", replace: bool = False) -> HeardSound:
    """Write a recipe and a MIDI file for a recording of one voice or of drums.

    A voice plays as it is, through `tune` that follows its own notes: what is changed in the MIDI file is heard in the
    voice. Drums play from the notes. The other of the two, notes or recording, is there as a muted track.

    Args:
        target: the recipe to write; the MIDI file lies beside it.
        source: the recording.
        heard_as: `voice`, `drums`, or `auto`.
        replace: whether files that are there may be replaced.

    Raises:
        OutputError: something is there already, or the disk refuses.
        AudioError: the recording cannot be read, or is neither one voice nor drums.
    """
    midi = target.with_suffix(".mid")
    if midi.exists() and not replace:
        raise OutputError(f"{midi} is there already.", "Choose another name, or give --force to write over it.")
    audio = read_audio(source)
    if heard_as == "auto":
        heard_as = _kind(source)
    loop = analyse_loop(audio, source)
    bpm = loop.best.bpm if loop.sure else _BPM
    # A MIDI file keeps whole microseconds a beat: so the notes are where it says.
    tempo, name = TempoMap.constant(Fraction(60_000_000, round(60_000_000 / bpm))), source.stem
    remarks = [
        f"The tempo is {bpm:.4g} bpm (confidence {loop.confidence:.0%})."
        if loop.sure
        else f"Its tempo is not clear: the notes stand in their own time, on bars of {_BPM:g} bpm."
    ]
    try:
        if heard_as == "drums":
            score, notes = drum_score(hits := transcribe_drums(audio), tempo, name), len(hits)
            remarks.append(f"{len({hit.cluster for hit in hits})} drums are told apart.")
        else:
            heard = transcribe(audio)
            score, notes = heard.score(tempo, name), len(heard.notes)
            remarks.append(f"It is tuned {heard.tuning:+.0f} cents.")
            if not notes:
                raise AudioError("no notes are heard.", "Give one voice alone, or say --as drums.")
    except StudioError as error:
        if error.place is None:
            error.place = Place(str(source))
        raise
    if (key := find_key(audio)) is not None and heard_as == "voice":
        remarks.append(f"Its key may be {key.name} ({key.share:.0%}).")
    write_midi(score, midi)
    write_whole(target, _recipe(target, source, midi, heard_as))
    return HeardSound(heard_as, midi, notes, tuple(remarks))


def _kind(source: Path) -> str:
    method = choose(read_audio(source))
    if method.method == "psola":
        return "voice"
    if "percussive" in method.reason:
        return "drums"
    raise AudioError(
        f"it is neither one voice alone nor drums ({method.reason}).",
        "Chords and mixes are not made into notes. Say --as voice or --as drums if it is one of these all the same.",
        place=Place(str(source)),
    )


def _recipe(target: Path, source: Path, midi: Path, kind: str) -> str:
    file = Path(os.path.relpath(source.resolve(), target.resolve().parent)).as_posix()
    sound: dict[str, Any] = {"play": {"audio": file}}
    notes: dict[str, Any]
    if kind == "drums":
        notes = {"part": {"drums": True}, "play": {"soundfont": {"gain": "12 dB"}}}
        tracks = {"drums": notes, "recording": sound | {"mute": True}}
    else:
        sound["chain"] = [{"tune": {"part": "all", "speed": "0 ms"}}]
        notes = {"part": "all", "play": {"soundfont": {"gain": "12 dB"}}, "mute": True}
        tracks = {"voice": sound, "notes": notes}
    return write({"recipe": 1, "title": source.stem.replace("_", " "), "score": midi.name, "tracks": tracks})
