"""Songs for the tests of sessions, quick to render."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from studio.recipe import Recipe

SONG = """\
recipe: 1
title: Täst söng
author: Nobody
license: CC0-1.0
rate: 44100
tempo: {tempo}
meter: [[0 bars, 4/4], [2 bars, 7/8]]
score: song.mid
tracks:
  hiss:
    play: {{noise: {{length: 4 s, level: -20 dB}}}}
    volume: -6 dB
    pan: -0.3
    send: {{room: {{level: -12 dB, pre: true}}, group: -3 dB}}
    colour: '#ff8800'
  rain & snow:
    play: {{noise: {{length: 3 s, level: -20 dB, seed: 5}}}}
    volume: {volume}
    pan: 0.25
    to: group
  cuts:
    play:
      clips:
        - {{file: tone.wav, at: 0.5 s, length: 0.25 s, fade_in: 10 ms}}
        - {{file: tone.wav, at: 2 beats, offset: 0.1 s, gain: -6 dB}}
  keys:
    part: {{channel: 1}}
    play: {{soundfont: {{gain: 6 dB}}}}
    mute: true
buses:
  room: {{volume: 2 dB}}
  group: {{volume: -3 dB, pan: 0.1, send: {{room: -6 dB}}}}
master:
  volume: -1 dB
"""


def song(folder: Path, *, moving: bool = False, tempo: str = "[[0 bars, 120 bpm], [2 bars, 90 bpm, linear]]") -> Recipe:
    """A recipe with every kind of strip, with its files in `folder`; with `moving` a fader moves."""
    from studio.midi import write_midi
    from studio.score import Event, Mark, Note, Score

    folder.mkdir(parents=True, exist_ok=True)
    seconds = np.arange(44_100) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * np.array([[220.0], [330.0]]) * seconds)
    soundfile.write(folder / "tone.wav", tone.T, 44_100, subtype="FLOAT")
    notes = [Note(480 * beat, 480 * beat + 400, 60 + beat, 90 + beat, 0, 0) for beat in range(6)]
    marks = (Mark(0, "marker", "Intro"), Mark(1920, "marker", "Größer & 'leiser'"))
    controls = (Event(0, bytes((0xC0, 4))), Event(240, bytes((0xB0, 1, 64))), Event(960, bytes((0xE0, 0, 80))))
    write_midi(Score(controls, 480, tracks=("Keys",), marks=marks, end=480 * 8).with_notes(notes), folder / "song.mid")
    volume = "[[0.5 s, -30 dB], [2.5 s, 0 dB]]" if moving else "-4 dB"
    return Recipe.loads(SONG.format(tempo=tempo, volume=volume), folder)
