"""What the studio hears in a sound file: what `studio show` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.audiofile import probe, read_audio
from studio.stretch.content import MethodChoice, choose
from studio.stretch.loop_analysis import LoopAnalysis, analyse_loop
from studio.stretch.loop_hints import cues_in, hints_in, key_told, root_told
from studio.stretch.loop_key import KeyReading, find_key
from studio.stretch.onsets import find_hits


@dataclass(frozen=True)
class SoundCard:
    """What is known of a sound.

    Attributes:
        rate, channels, seconds, peak_db: of the file; the peak in dBFS.
        loop: its tempo and beats, were it a loop.
        told: what the file says of its tempo, in phrases.
        key: the key that is heard, if any, and the share of belief in it.
        key_told: the key that its tags or its name state.
        root: the MIDI key that its chunks state.
        hits: how many there are.
        cues: the seconds of its cue points.
        method: what `auto` would stretch it with, and why.
    """

    rate: int
    channels: int
    seconds: float
    peak_db: float
    loop: LoopAnalysis
    told: tuple[str, ...]
    key: KeyReading | None
    key_told: str | None
    root: int | None
    hits: int
    cues: tuple[float, ...]
    method: MethodChoice


def describe_sound(path: Path | str) -> SoundCard:
    """Listen to a sound file.

    Raises:
        MissingError: there is no such file.
        AudioError: it is not audio.
    """
    path = Path(path)
    rate, channels, _ = probe(path)
    audio = read_audio(path)
    return SoundCard(
        rate=rate,
        channels=channels,
        seconds=audio.seconds,
        peak_db=audio.peak_db,
        loop=analyse_loop(audio, path),
        told=tuple(
            f"{hint.bpm:.5g} bpm{f', {hint.beats} beats' if hint.beats else ''} ({hint.where})"
            for hint in hints_in(path)
        ),
        key=find_key(audio),
        key_told=key_told(path),
        root=root_told(path),
        hits=len(find_hits(audio.samples, audio.rate)),
        cues=tuple(cue / rate for cue in cues_in(path)),
        method=choose(audio),
    )
