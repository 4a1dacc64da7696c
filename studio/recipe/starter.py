"""The first recipe of a song: a track for each part of a MIDI file, with a chain that fits what plays it."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from studio.errors import Place, ScoreError, StudioError
from studio.midi import Part, read_midi, split
from studio.midi.general_midi import program_names
from studio.midi.picks import Pick
from studio.recipe.document import Document, write
from studio.recipe.model import Recipe

BLANK = """\
# A recipe for the studio. Render it with:  studio render {name} -o out/
# Every step and its knobs:  studio steps        One of them:  studio steps chorus
recipe: 1
title: {title}
score: {score}           # a MIDI file, beside this one
tempo: score              # or 92 bpm, or a map: [[0 bars, 92 bpm], [16 bars, 120 bpm, linear]]

# Knobs that turn several others at once; try  --set warmth=0.8
knobs:
  warmth:
    value: 0.3
    drives:
      master.lowpass.cutoff: [18 kHz, 6 kHz]
      everything.chorus.depth: [0, 0.4]

tracks:
  everything:
    part: all             # or {{channel: 1}}, {{track: Melody}}, {{family: Bass}}, {{drums: true}}, rest
    # gm comes with the studio, fluid and musescore when they are installed; or name a file
    play: {{soundfont: {{file: gm, gain: 6 dB}}}}
    chain:
      - compressor: {{threshold: -24 dB, ratio: 2:1}}
      - chorus: {{rate: 0.6 Hz, mix: 0.3}}
    send: {{room: -14 dB}}
    # volume, pan and every knob can move:
    # pan: {{lfo: sine, period: 4 bars, from: -0.3, to: 0.3}}
    # volume: [[0 bars, -inf dB], [2 bars, 0 dB, smooth]]

buses:
  room:
    chain:
      - reverb: {{room_size: 0.6, wet: 1, dry: 0}}

master:
  chain:
    - lowpass: 18 kHz
  loudness: -14 LUFS
  ceiling: -1 dB
"""

_CHAINS: dict[str, list[Any]] = {
    "Drums": [
        {"compressor": {"threshold": "-20 dB", "ratio": "4:1", "attack": "15 ms"}},
        {"high_shelf": {"gain": "2 dB"}},
    ],
    "Bass": [{"eq": {"low_cut": "35 Hz", "low_mid": "-2 dB"}}, {"compressor": {"threshold": "-24 dB", "ratio": "4:1"}}],
    "Guitar": [{"eq": {"low_cut": "90 Hz"}}, {"compressor": {"threshold": "-22 dB"}}],
    "Piano": [{"eq": {"low_cut": "60 Hz", "high": "1 dB"}}],
    "Organ": [{"tremolo": {"period": "1/8", "depth": 0.15, "spread": "180°"}}],
    "Strings": [{"eq": {"low_cut": "80 Hz", "high": "-1 dB"}}],
    "Ensemble": [{"eq": {"low_cut": "120 Hz"}}, {"chorus": {"mix": 0.25}}],
    "Brass": [{"compressor": {"threshold": "-22 dB"}}],
    "Reed": [{"eq": {"low_cut": "100 Hz"}}],
    "Pipe": [{"eq": {"low_cut": "150 Hz"}}],
    "Synth Lead": [{"delay": {"time": "1/8.", "mix": 0.18}}],
    "Synth Pad": [{"eq": {"low_cut": "150 Hz"}}, {"chorus": {"mix": 0.35}}],
    "Synth Effects": [{"delay": {"time": "1/4", "mix": 0.25}}],
}
_SENDS = {"Drums": "-22 dB", "Bass": None, "Strings": "-10 dB", "Ensemble": "-10 dB", "Synth Pad": "-9 dB"}
_SEND = "-14 dB"
_SEATS = (0.0, -0.25, 0.25, -0.45, 0.45, -0.1, 0.1, -0.6, 0.6)


def blank(name: str, score: str = "song.mid") -> str:
    """A commented recipe to start from."""
    title = Path(name).stem.replace("-", " ").replace("_", " ").title()
    return BLANK.format(name=name, title=_scalar(title), score=_scalar(score))


def _scalar(text: str) -> str:
    """A text as YAML, quoted if it would else be read as something other."""
    with contextlib.suppress(StudioError):
        if Document(f"text: {text}").data == {"text": text}:
            return text
    return json.dumps(text, ensure_ascii=False)


def from_midi(midi: Path, target: Path, *, bare: bool = False, loudness: float | None = None) -> str:
    """A recipe with a track for each part of a MIDI file; `bare` leaves out chains, buses and master.

    A bare one has a `loudness` in LUFS if one is given.

    Raises:
        StudioError: the MIDI file cannot be read, or has no notes.
    """
    score = read_midi(midi)
    parts = split(score)
    if not parts:
        raise ScoreError("the MIDI file has no notes.", "Give one that has.", place=Place(str(midi)))
    tracks: dict[str, Any] = {}
    taken: set[str] = set()
    seats: Counter[str] = Counter()
    picks: list[dict[str, Any]] = []
    for part in parts:
        pick = _pick(part, parts)
        if pick in picks:
            # No words tell these two apart, so the track of the first plays both.
            continue
        picks.append(pick)
        track: dict[str, Any] = {"part": pick}
        if not bare and not part.bank:
            # Of drum kits and other banks the score says best what it means.
            track["play"] = {"soundfont": {"program": program_names()[part.program]}}
        if not bare:
            # FluidSynth leaves room for a whole song; a part alone wants more level into its chain.
            track.setdefault("play", {"soundfont": {}})["soundfont"]["gain"] = "12 dB"
            track |= _dressed(part, seats)
        tracks[_track_name(part, parts, taken)] = track
    song: dict[str, Any] = {
        "recipe": 1,
        "title": midi.stem.replace("_", " "),
        "score": Path(os.path.relpath(midi, target.parent)).as_posix(),
        "tracks": tracks,
    }
    if not bare:
        if any("send" in track for track in tracks.values()):
            song["buses"] = {"room": {"chain": [{"reverb": {"room_size": 0.55, "wet": 1, "dry": 0}}]}}
        song["master"] = {
            "chain": [{"compressor": {"threshold": "-20 dB", "ratio": "2:1", "attack": "30 ms"}}],
            "loudness": "-14 LUFS",
        }
    elif loudness is not None:
        song["master"] = {"loudness": f"{loudness:g} LUFS"}
    return write(song)


def _pick(part: Part, parts: tuple[Part, ...]) -> dict[str, Any]:
    """The fewest words that single the part out."""
    named = {"track": part.name}
    program: dict[str, Any] = {} if part.drums else {"program": program_names()[part.program]}
    if part.bank and not part.drums:
        program["bank"] = part.bank
    channel = {"channel": part.channel + 1}
    port = {"port": part.port + 1} if part.port else {}
    for words in (channel, named, channel | named, channel | program, channel | named | program):
        if Pick.parse(words | port).among(parts) == [part]:
            return words | port
    return channel | named | program | port


def _dressed(part: Part, seats: Counter[str]) -> dict[str, Any]:
    """A chain, a seat in the stereo picture and a send that suit the family."""
    dress: dict[str, Any] = {}
    if chain := _CHAINS.get(part.family):
        dress["chain"] = chain
    centred = part.family in ("Drums", "Bass")
    seat = 0.0 if centred else _SEATS[seats["all"] % len(_SEATS)]
    seats["all"] += not centred
    if seat:
        dress["pan"] = seat
    if send := _SENDS.get(part.family, _SEND):
        dress["send"] = {"room": send}
    return dress


def _track_name(part: Part, parts: tuple[Part, ...], taken: set[str]) -> str:
    # In a file of type 0, a track holds the whole band: there the instruments are the names.
    shared = any(other.track == part.track and other.channel != part.channel for other in parts)
    called = part.name if not shared else "Drums" if part.drums else program_names()[part.program]
    plain = "".join(mark if mark.isalnum() or mark in " -_" else " " for mark in called)
    base = "-".join(plain.lower().split())[:40] or f"channel-{part.channel + 1}"
    name, count = base, 2
    while name in taken or name in Recipe.kinds() or name == "room":
        name, count = f"{base}-{count}", count + 1
    taken.add(name)
    return name
