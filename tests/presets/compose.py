"""The demo song, written out as code: `python -m tests.presets.compose` makes presets/recipes/demo.mid anew.

"Small hours", 32 bars in A minor. A five-note motif is stated by the vibraphone, moved down a step, turned upwards,
and drawn out over the chorus; the cello answers it. Chords move to the nearest voicing. The last two bars slow down.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from studio.midi import write_midi
from studio.score import Event, Mark, Note, Score
from studio.tempo import Meter, Tempo, TempoMap

FILE = Path(__file__).parents[2] / "presets" / "recipes" / "demo.mid"

PPQ = 480
BAR = 4 * PPQ
TRACKS = ("Electric Piano", "Bass", "Pad", "Lead", "Cello", "Guitar", "Strings", "Drums")
PIANO, BASS, PAD, LEAD, CELLO, GUITAR, STRINGS, DRUMS = range(8)
CHANNELS = (0, 1, 2, 3, 4, 5, 6, 9)
PROGRAMS = (4, 33, 89, 11, 42, 24, 48, 0)
FLUTE = 73

SECTIONS = (("Intro", 0), ("Verse", 4), ("Chorus", 12), ("Break", 20), ("Chorus 2", 24), ("Outro", 30))

CHORDS = {
    "Am9": (45, (0, 4, 7, 11)), "Fmaj7": (41, (9, 0, 4, 5)), "C/E": (40, (0, 4, 7, 2)), "G6": (43, (11, 2, 4, 7)),
    "Em7": (40, (7, 11, 2, 4)), "Am7": (45, (0, 4, 7, 9)), "C": (36, (0, 4, 7, 11)), "E7": (40, (8, 11, 2, 4)),
    "Dm9": (38, (5, 9, 0, 4)), "Bbmaj7": (46, (2, 5, 9, 10)), "E7sus": (40, (9, 11, 2, 4)),
}  # fmt: skip
"""The bass note, and the pitch classes above it."""

VERSE = ("Am9", "Fmaj7", "C/E", "G6")
CHORUS = ("Fmaj7", "G6", "Em7", "Am7", "Fmaj7", "G6", "C", "E7")
FORM = (*VERSE, *VERSE, *VERSE, *CHORUS, "Dm9", "Am7", "Bbmaj7", "E7sus", *CHORUS[:5], "E7", "Am9", "Am9")

# (beat in the bar, beats, pitch): the motif, its sequence a step lower, its answer a third higher.
VERSE_TUNE = (
    ((0.5, 0.5, 64), (1, 1, 69), (2, 0.75, 71), (2.75, 0.25, 72), (3, 1, 71)),
    ((0, 1.5, 69), (2.5, 0.5, 67), (3, 1, 64)),
    ((0.5, 0.5, 64), (1, 1, 67), (2, 0.75, 69), (2.75, 0.25, 71), (3, 1, 69)),
    ((0, 1.5, 67), (2.5, 0.5, 64), (3, 1, 62)),
    ((0.5, 0.5, 67), (1, 1, 72), (2, 0.75, 74), (2.75, 0.25, 76), (3, 1, 74)),
    ((0, 1.5, 72), (2.5, 0.5, 71), (3, 1, 69)),
    ((0, 0.5, 67), (0.5, 0.5, 69), (1, 1, 72), (2, 1, 71), (3, 1, 67)),
    ((0, 2, 69), (2.5, 0.5, 71), (3, 0.5, 72), (3.5, 0.5, 74)),
)
CHORUS_TUNE = (
    ((0, 1.5, 76), (1.5, 0.5, 74), (2, 2, 72)),
    ((0, 1, 71), (1, 0.5, 72), (1.5, 0.5, 74), (2, 2, 74)),
    ((0, 1.5, 79), (1.5, 0.5, 76), (2, 1, 74), (3, 1, 71)),
    ((0, 3, 72), (3, 0.5, 71), (3.5, 0.5, 72)),
    ((0, 1.5, 76), (1.5, 0.5, 74), (2, 1, 72), (3, 1, 69)),
    ((0, 1, 71), (1, 1, 74), (2, 1.5, 79), (3.5, 0.5, 76)),
    ((0, 1, 76), (1, 1, 79), (2, 2, 76)),
    ((0, 2, 76), (2, 1, 74), (3, 1, 71)),
)
ANSWER = ((0, 3, 57), (0, 4, 59), (0, 3, 55), (0.5, 3.5, 60), (0, 3, 57), (0, 4, 62), (0, 2, 60), (0, 4, 56))


def compose() -> Score:
    """The whole song."""
    random = np.random.default_rng(1959)
    notes = [note for part in (_piano, _bass, _pad, _lead, _cello, _guitar, _strings, _drums) for note in part(random)]
    frame = Score(
        events=tuple(_programs()) + tuple(_controllers()),
        resolution=PPQ,
        tempo=TempoMap(tuple(_tempo()), (Meter(Fraction(0), 4, 4),)),
        tracks=TRACKS,
        marks=(Mark(0, "key", "Am"), *(Mark(bar * BAR, "marker", name) for name, bar in SECTIONS)),
        end=len(FORM) * BAR,
    )
    return frame.with_notes(notes)


def _tempo() -> Iterator[Tempo]:
    for bar, bpm in ((0, 92), (12, 94), (20, 92), (24, 95)):
        yield Tempo(Fraction(bar * 4), Fraction(bpm))
    for step in range(8):
        # The last two bars slow down by beats, from 92 to 64.
        yield Tempo(Fraction(30 * 4 + step), Fraction(92 - 4 * step))


def _programs() -> Iterator[Event]:
    for track, program in enumerate(PROGRAMS):
        if track != DRUMS:
            yield Event(0, bytes((0xC0 | CHANNELS[track], program)), track)
    # The flute takes the tune over in the second chorus.
    yield Event(24 * BAR - 1, bytes((0xC0 | CHANNELS[LEAD], FLUTE)), LEAD)


def _controllers() -> Iterator[Event]:
    for bar in range(len(FORM)):
        yield _control(PIANO, bar * BAR + 20, 64, 127)
        yield _control(PIANO, (bar + 1) * BAR - 30, 64, 0)
    for bar in (*range(12, 20), *range(24, 30)):
        for step in range(16):
            swell = 70 + round(40 * np.sin(np.pi * (step + 0.5) / 16))
            yield _control(STRINGS, bar * BAR + step * BAR // 16, 11, swell)
    for bar in (14, 18, 26):
        # The cello slides into these notes from a semitone below.
        for step in range(9):
            bend = 8192 - round(4096 * (1 - step / 8))
            yield Event(bar * BAR + step * 15, bytes((0xE0 | CHANNELS[CELLO], bend & 127, bend >> 7)), CELLO)
    for bar in (20, 30):
        for step in range(32):
            level = round(100 * (1 - step / 40)) if bar == 30 else 60 + step
            yield _control(PAD, bar * BAR + step * BAR // 16, 11, level)


def _control(track: int, tick: int, number: int, value: int) -> Event:
    return Event(tick, bytes((0xB0 | CHANNELS[track], number, value)), track)


def _note(track: int, bar: int, beat: float, beats: float, pitch: int, velocity: float) -> Note:
    start = round((bar * 4 + beat) * PPQ)
    velocity = int(min(127, max(1, round(velocity))))
    return Note(start, start + round(beats * PPQ * 0.96), pitch, velocity, CHANNELS[track], track)


def _voicings(low: int, high: int) -> list[tuple[int, ...]]:
    """For every bar the voicing of its chord that moves least from the one before."""
    last: tuple[int, ...] | None = None
    found = []
    for name in FORM:
        classes = CHORDS[name][1]
        choices = [[pitch for pitch in range(low, high) if pitch % 12 == wanted] for wanted in classes]
        candidates = [tuple(sorted(choice)) for choice in product(*choices) if len(set(choice)) == len(classes)]

        def cost(chord: tuple[int, ...], before: tuple[int, ...] | None = last) -> tuple[float, float]:
            spread = max(chord) - min(chord)
            moved = sum(abs(a - b) for a, b in zip(chord, before or chord, strict=True))
            return (moved + max(0, spread - 12) + max(0, 7 - spread), abs(float(np.mean(chord)) - (low + high) / 2))

        last = min(candidates, key=cost)
        found.append(last)
    return found


def _piano(random: np.random.Generator) -> Iterator[Note]:
    verse = ((0, 1.4, 66), (1.5, 0.4, 48), (2.5, 1.3, 58))
    chorus = ((0, 0.9, 74), (1, 0.4, 56), (1.75, 0.7, 64), (2.5, 0.45, 60), (3, 0.9, 66))
    for bar, chord in enumerate(_voicings(54, 74)):
        loud = 12 <= bar < 20 or 24 <= bar < 30
        pattern = ((0, 4, 62),) if bar < 2 or bar in (20, 21, 22) or bar >= 30 else chorus if loud else verse
        for beat, beats, velocity in pattern:
            for voice, pitch in enumerate(chord):
                # A hand rolls a chord from the bottom by a few ticks.
                yield _note(PIANO, bar, beat + voice * 0.012, beats, pitch, velocity + 3 * voice + random.normal(0, 4))


def _bass(random: np.random.Generator) -> Iterator[Note]:
    for bar, name in enumerate(FORM):
        root = CHORDS[name][0] - (12 if CHORDS[name][0] > 43 else 0)
        following = CHORDS[FORM[min(bar + 1, len(FORM) - 1)]][0]
        following -= 12 if following > 43 else 0
        approach = following + (1 if root > following else -1)
        fifth = root + 7
        if bar < 4:
            line = ((0, 3.5, root, 70),) if bar >= 2 else ()
        elif 20 <= bar < 24:
            line = ((0, 2, root, 74), (3, 0.9, approach, 62)) if bar >= 22 else ()
        elif bar >= 30:
            line = ((0, 4, root, 72 if bar == 30 else 58),)
        elif bar < 12:
            line = ((0, 1.4, root, 86), (1.5, 0.4, root, 66), (2.5, 0.9, fifth, 76), (3.5, 0.45, approach, 70))
        else:
            line = (
                (0, 0.9, root, 92), (1, 0.4, root + 12, 68), (1.5, 0.45, root, 76), (2, 0.9, fifth, 84),
                (3, 0.45, root + 12, 72), (3.5, 0.45, approach, 78),
            )  # fmt: skip
        for beat, beats, pitch, velocity in line:
            yield _note(BASS, bar, beat, beats, pitch, velocity + random.normal(0, 3))


def _pad(random: np.random.Generator) -> Iterator[Note]:
    for bar, chord in enumerate(_voicings(57, 79)):
        if bar % 2 == 0 or FORM[bar] != FORM[bar - 1]:
            for pitch in chord:
                yield _note(PAD, bar, 0, 4, pitch, 58 + random.normal(0, 2))


def _lead(random: np.random.Generator) -> Iterator[Note]:
    tunes = [(4 + bar, tune) for bar, tune in enumerate(VERSE_TUNE)]
    tunes += [(12 + bar, tune) for bar, tune in enumerate(CHORUS_TUNE)]
    tunes += [(24 + bar, tune) for bar, tune in enumerate((*CHORUS_TUNE[:5], CHORUS_TUNE[7]))]
    tunes += [(30, ((0.5, 0.5, 64), (1, 1, 69), (2, 0.75, 71), (2.75, 0.25, 72), (3, 1, 71))), (31, ((0, 4, 69),))]
    for bar, tune in tunes:
        octave = 0 if bar < 24 or bar >= 30 else 12 if max(pitch for *_, pitch in tune) < 76 else 0
        for beat, beats, pitch in tune:
            accent = 8 if beat == int(beat) else 0
            yield _note(LEAD, bar, beat, beats, pitch + octave, 80 + accent + random.normal(0, 4))


def _cello(random: np.random.Generator) -> Iterator[Note]:
    for start, count in ((12, 8), (24, 6)):
        for index in range(count):
            beat, beats, pitch = ANSWER[index]
            yield _note(CELLO, start + index, beat, beats, pitch, 78 + 2 * index + random.normal(0, 2))
    for bar, pitch in ((20, 50), (21, 52), (22, 53), (23, 56)):
        yield _note(CELLO, bar, 0, 4, pitch, 70)


def _guitar(random: np.random.Generator) -> Iterator[Note]:
    """Held chords: the recipe makes arpeggios of them."""
    for bar, chord in enumerate(_voicings(52, 72)):
        if 2 <= bar < 20 or bar >= 22:
            for pitch in chord:
                yield _note(GUITAR, bar, 0, 3.95, pitch, 72 + random.normal(0, 5))


def _strings(random: np.random.Generator) -> Iterator[Note]:
    for bar, chord in enumerate(_voicings(60, 84)):
        if 12 <= bar < 20 or 23 <= bar < 30:
            for pitch in chord:
                yield _note(STRINGS, bar, 0, 4, pitch, 64 + random.normal(0, 2))


KICK, SNARE, STICK, HAT, OPEN_HAT, RIDE, CRASH, LOW_TOM, HIGH_TOM, SHAKER = 36, 38, 37, 42, 46, 51, 49, 45, 50, 70


def _drums(random: np.random.Generator) -> Iterator[Note]:
    for bar in range(len(FORM)):
        if bar < 2 or bar >= 31:
            continue
        for beat, pitch, velocity in _beat(bar, random):
            yield _note(DRUMS, bar, beat, 0.2, pitch, velocity + random.normal(0, 5))


def _beat(bar: int, random: np.random.Generator) -> Iterator[tuple[float, int, float]]:
    chorus = 12 <= bar < 20 or 24 <= bar < 30
    quiet = bar < 4 or 20 <= bar < 24 or bar == 30
    fill = bar in (11, 19, 23, 29)
    for eighth in range(8):
        if fill and eighth >= 6:
            continue
        timekeeper = RIDE if chorus else SHAKER if quiet else HAT
        yield eighth / 2, timekeeper, (58 if eighth % 2 == 0 else 40) + (6 if chorus else 0)
    if chorus and bar in (12, 24):
        yield 0, CRASH, 84
    if quiet:
        yield 0, KICK, 70
        yield 2, STICK, 54
    else:
        kicks = (0, 1.75, 2.5) if bar % 2 == 0 else (0, 0.75, 2.5, 3.25)
        yield from ((beat, KICK, 96 if beat == 0 else 82) for beat in kicks if not (fill and beat >= 3))
        yield from ((beat, SNARE, 92) for beat in (1, 3) if not (fill and beat == 3))
        # Ghost notes, softer than a word, change from bar to bar.
        yield from ((beat, SNARE, 26) for beat in (1.75, 2.25, 3.75) if random.random() < 0.6 and not fill)
        if chorus:
            yield 3.5, OPEN_HAT, 52
    if fill:
        fill_notes = ((3, SNARE), (3.25, SNARE), (3.5, HIGH_TOM), (3.75, LOW_TOM))
        yield from ((beat, pitch, 64 + 10 * index) for index, (beat, pitch) in enumerate(fill_notes))


if __name__ == "__main__":
    write_midi(compose(), FILE)
