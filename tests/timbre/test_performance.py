"""`play: {voice}` performs what a part says: bends, pedal, controllers, slurs, and keys struck again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from studio import load, plan
from studio.audio import Audio
from studio.context import RenderContext
from studio.midi import write_midi
from studio.score import BEND, CONTROL, PRESSURE, Event, Note, Score
from studio.steps import Instrument, parse_step
from studio.stretch import track_f0
from studio.tempo import TempoMap
from tests.listening import cents, rms_db
from tests.stretch.battery import RATE

SECOND = 960
"""Ticks: 480 a beat at 120 beats a minute."""


def control(second: float, number: int, value: int, channel: int = 0) -> Event:
    return Event(round(second * SECOND), bytes((CONTROL << 4 | channel, number, value)))


def bend(second: float, share: float, channel: int = 0) -> Event:
    value = min(16383, round(8192 + 8192 * share))
    return Event(round(second * SECOND), bytes((BEND << 4 | channel, value & 127, value >> 7)))


def note(start: float, end: float, pitch: int = 72, velocity: int = 90, channel: int = 0) -> Note:
    return Note(round(start * SECOND), round(end * SECOND), pitch, velocity, channel)


def score(notes: Sequence[Note], events: Sequence[Event] = ()) -> Score:
    return Score(tuple(events), 480, TempoMap.constant(120)).with_notes(notes)


def played(notes: Sequence[Note], *events: Event, **knobs: object) -> np.ndarray:
    """The sound of a part, mono, without vibrato."""
    step = parse_step({"voice": {"voice": "violin", "vibrato": 0, **knobs}})
    assert isinstance(step, Instrument)
    return np.concatenate(list(step.play(score(notes, events), RenderContext(RATE, 1))), axis=1)


def hz(sound: np.ndarray, start: float, end: float) -> float:
    track = track_f0(Audio(sound[:, round(start * RATE) : round(end * RATE)], RATE), 60.0, 2000.0)
    return float(np.nanmedian(track.hz))


def level(sound: np.ndarray, start: float, end: float) -> float:
    return rms_db(sound[:, round(start * RATE) : round(end * RATE)])


def levels(sound: np.ndarray, start: float, end: float) -> np.ndarray:
    """Levels in dB, every 10 ms, of 30 ms each."""
    return np.array([level(sound, at - 0.015, at + 0.015) for at in np.arange(start, end, 0.01)])


def test_bends_are_as_wide_as_their_range() -> None:
    out = played([note(0, 2)], bend(1.0, 1.0))
    assert abs(cents(hz(out, 0.3, 0.9), 523.25)) < 5 and abs(cents(hz(out, 1.1, 1.9), 587.33)) < 5
    wide = [control(0, 101, 0), control(0, 100, 0), control(0, 6, 7), control(0, 38, 50)]
    out = played([note(0, 2)], *wide, bend(0.5, -1.0))
    assert abs(cents(hz(out, 0.7, 1.9), 523.25 * 2 ** (-7.5 / 12))) < 5
    tuned = [control(0, 101, 0), control(0, 100, 1), control(0, 6, 96), control(0, 38, 0)]
    assert abs(cents(hz(played([note(0, 1)], *tuned), 0.3, 0.9), 523.25 * 2 ** (0.5 / 12))) < 5
    two = played([note(0, 1), note(1.5, 2.5, channel=1)], bend(0.0, 1.0))
    assert abs(cents(hz(two, 1.7, 2.4), 523.25)) < 5, "another channel has a wheel of its own"


def test_the_pedal_holds_notes_until_it_comes_up() -> None:
    dry, held = (played([note(0, 0.125), note(1.9, 2.0, 76)], *down) for down in ((), (control(0, 64, 127),)))
    assert level(dry, 0.5, 1.8) < -80
    assert level(held, 1.5, 1.85) > level(held, 0.1, 0.3) - 3
    lifted = played([note(0, 0.125)], control(0, 64, 127), control(1.0, 64, 0))
    assert level(lifted, 0.6, 0.95) > level(lifted, 0.1, 0.3) - 3 and level(lifted, 1.3, 1.9) < -80
    silenced = played([note(0, 2)], control(1.0, 123, 0))
    assert level(silenced, 1.3, 1.9) < -80


def test_expression_swells_and_volume_is_level_alone() -> None:
    swell = [control(second, 11, round(127 * second / 2)) for second in np.arange(0.0, 2.0, 0.05)]
    out = played([note(0, 2)], *swell)
    steps = [level(out, at, at + 0.1) for at in (0.2, 0.6, 1.0, 1.4, 1.8)]
    assert all(later > before + 2 for before, later in pairwise(steps))
    assert steps[-1] - steps[0] > 25
    loud, soft = played([note(0, 1)], control(0, 7, 100)), played([note(0, 1)], control(0, 7, 50))
    assert np.allclose(soft, loud * 0.25, atol=2e-5), "40 log (50 / 100) dB, and no other colour"
    plain = played([note(0, 1)])
    assert np.array_equal(plain, loud)


def test_modulation_and_pressure_make_it_tremble() -> None:
    def width(*events: Event) -> float:
        out = played([note(0, 2)], *events)
        track = track_f0(Audio(out[:, RATE // 2 : round(1.8 * RATE)], RATE), 200.0, 1000.0).hz
        return 1200 * float(np.log2(np.nanmax(track) / np.nanmin(track)))

    assert width() < 12
    for event in (control(0, 1, 127), Event(0, bytes((PRESSURE << 4, 127)))):
        assert 70 < width(event) < 110


@pytest.mark.parametrize("voice", ["violin", "trumpet", "flute"])
@pytest.mark.parametrize("overlap", [0.0, -0.015, 0.05], ids=["touching", "15 ms apart", "50 ms over"])
def test_notes_that_touch_are_slurred(voice: str, overlap: float) -> None:
    pitches = (69, 72, 71, 76)
    notes = [note(0.5 * place, 0.5 * place + 0.5 + overlap, pitch) for place, pitch in enumerate(pitches)]
    out = played(notes, voice=voice)
    for place, pitch in enumerate(pitches):
        assert abs(cents(hz(out, 0.5 * place + 0.1, 0.5 * place + 0.4), 440 * 2 ** ((pitch - 69) / 12))) < 8
        if place:
            border = 0.5 * place
            around = min(level(out, border - 0.2, border - 0.05), level(out, border + 0.1, border + 0.25))
            assert levels(out, border - 0.05, border + 0.1).min() > around - 1.5


def test_chords_stay_chords_and_a_short_gap_is_heard() -> None:
    chord = played([note(0, 1, 69), note(0, 1, 76)])[0, : RATE // 2]
    power = np.abs(np.fft.rfft(chord * np.hanning(len(chord)))) ** 2
    near = lambda pitch: power[round(pitch / 2) - 2 : round(pitch / 2) + 3].sum()  # noqa: E731
    assert min(near(440.0), near(659.26)) > 30 * near(550.0)
    apart = played([note(0, 0.5, 69), note(0.7, 1.2, 72)])
    assert levels(apart, 0.55, 0.72).min() < level(apart, 0.1, 0.4) - 20


@pytest.mark.parametrize("end", [0.5, 0.45, 0.9], ids=["touching", "50 ms apart", "overlapping"])
def test_a_key_struck_again_begins_anew_and_never_sounds_against_itself(end: float) -> None:
    out = played([note(0, end), note(0.5, 1.0)])
    before, after = level(out, 0.2, 0.4), level(out, 0.65, 0.9)
    assert levels(out, 0.45, 0.56).min() < min(before, after) - 6, "the second stroke is heard"
    assert abs(after - before) < 1 and levels(out, 0.6, 0.9).min() > after - 1, "no beats"
    assert level(out, 1.2, 1.5) < -80


def test_the_longer_of_two_players_of_one_key_is_heard_to_its_end() -> None:
    out = played([note(0, 2), note(0.5, 1.0)])
    assert abs(level(out, 1.3, 1.8) - level(out, 0.7, 0.95)) < 1.5
    both, one = played([note(0, 1), note(0, 0.5)]), played([note(0, 1)])
    assert np.array_equal(both[:, : one.shape[1]], one)


def test_what_is_not_played_is_said_beforehand(tmp_path: Path) -> None:
    odd = [control(0, 10, 20), control(0.5, 10, 90), control(0, 65, 127), control(0, 64, 127)]
    write_midi(score([note(0, 1), note(0, 1, 20), note(1, 2, 126)], odd), tmp_path / "odd.mid")
    (tmp_path / "song.yaml").write_text(
        "recipe: 1\nscore: odd.mid\ntracks:\n  lead:\n    part: {channel: 1}\n    play: {voice: violin}\n"
    )
    said = " ".join(plan(load(tmp_path / "song.yaml")).remarks)
    assert "lead: " in said and "pan (CC 10): 2 events" in said and "portamento" in said
    assert "2 notes far outside" in said and "20, 126" in said and "CC 64" not in said
    out = played([note(0, 1, 20), note(1.2, 2.2, 126)])
    assert np.isfinite(out).all() and -60 < level(out, 0.2, 0.9) < 0 and np.abs(out).max() < 1
