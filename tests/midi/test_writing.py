"""Notes that are written in the recipe: the mini-notation, drums in grids, Euclid's rhythms."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import studio
from studio.context import RenderContext
from studio.errors import KnobError, StudioError
from studio.midi.patterns import euclid, hits_of, parse_pattern
from studio.midi.writing import keys_of_word
from studio.recipe import Recipe
from studio.score import Score
from studio.steps import ScoreStep, parse_step
from studio.tempo import TempoMap


def played(step: Any, tempo: TempoMap | None = None) -> list[tuple[float, float, int, int]]:
    """Start and end in beats, key and velocity of every note."""
    made = parse_step(step)
    assert isinstance(made, ScoreStep)
    score = made.edit(Score(tempo=tempo or TempoMap()), RenderContext())
    return [
        (float(score.beat(note.start)), float(score.beat(note.end)), note.pitch, note.velocity) for note in score.notes
    ]


def words(text: str, cycles: int = 1) -> list[tuple[Fraction, Fraction, str]]:
    return [hit[:3] for hit in hits_of(parse_pattern(text), cycles)]


F = Fraction


@pytest.mark.parametrize(
    ("text", "cycles", "told"),
    [
        ("a b", 1, [(0, F(1, 2), "a"), (F(1, 2), 1, "b")]),
        ("a ~ [b c]", 1, [(0, F(1, 3), "a"), (F(2, 3), F(5, 6), "b"), (F(5, 6), 1, "c")]),
        ("[a, b c]", 1, [(0, 1, "a"), (0, F(1, 2), "b"), (F(1, 2), 1, "c")]),
        ("<a b> c", 2, [(0, F(1, 2), "a"), (F(1, 2), 1, "c"), (1, F(3, 2), "b"), (F(3, 2), 2, "c")]),
        ("a*2", 1, [(0, F(1, 2), "a"), (F(1, 2), 1, "a")]),
        ("a/2", 3, [(0, 2, "a"), (2, 4, "a")]),
        ("a!2 b", 1, [(0, F(1, 3), "a"), (F(1, 3), F(2, 3), "a"), (F(2, 3), 1, "b")]),
        ("a@3 b", 1, [(0, F(3, 4), "a"), (F(3, 4), 1, "b")]),
        ("a _ b", 1, [(0, F(2, 3), "a"), (F(2, 3), 1, "b")]),
        ("a(3,8)", 1, [(0, F(1, 8), "a"), (F(3, 8), F(1, 2), "a"), (F(6, 8), F(7, 8), "a")]),
        ("<a b>*2", 2, [(0, F(1, 2), "a"), (F(1, 2), 1, "b"), (1, F(3, 2), "a"), (F(3, 2), 2, "b")]),
        ("<a@2 b>", 3, [(0, 2, "a"), (2, 3, "b")]),
        ("<a [b c]>", 2, [(0, 1, "a"), (1, F(3, 2), "b"), (F(3, 2), 2, "c")]),
    ],
)
def test_the_notation_means_what_it_means_in_tidal(text: str, cycles: int, told: list[Any]) -> None:
    assert words(text, cycles) == told


def test_rhythms_are_those_that_euclid_is_known_for() -> None:
    for hits, steps, row in [
        (3, 8, "x..x..x."), (5, 8, "x.xx.xx."), (2, 5, "x.x.."), (4, 9, "x.x.x.x.."), (7, 12, "x.xx.x.xx.x."), (0, 4, "...."), (4, 4, "xxxx"),
    ]:  # fmt: skip
        assert "".join("x" if hit else "." for hit in euclid(hits, steps)) == row
    assert euclid(3, 8, 3) == (True, False, False, True, False, True, False, False)


@given(st.integers(1, 64).flatmap(lambda steps: st.tuples(st.integers(0, steps), st.just(steps), st.integers(0, 99))))
def test_euclid_has_its_hits_as_evenly_as_can_be(case: tuple[int, int, int]) -> None:
    hits, steps, turned = case
    row = euclid(hits, steps, turned)
    assert len(row) == steps and sum(row) == hits
    at = [index for index, hit in enumerate(row) if hit]
    gaps = {(after - before) % steps or steps for before, after in zip(at, [*at[1:], *at[:1]], strict=True)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_notes_stand_where_the_meter_and_the_tempo_put_them() -> None:
    assert played({"write": "c4 eb4:20 ~ [f#5, 60]"}) == [
        (0, 1, 60, 96),
        (1, 2, 63, 20),
        (3, 4, 78, 96),
        (3, 4, 60, 96),
    ]
    assert played(
        {"write": {"text": "c", "octave": 2, "times": 2, "gate": 0.5, "at": "1 bar"}}, TempoMap.constant(90, 3, 4)
    ) == [
        (3, 4.5, 36, 96),
        (6, 7.5, 36, 96),
    ]
    assert played({"write": {"text": "c4'm7", "cycle": "1/4", "until": "1/2"}}) == [
        (start, start + 1, key, 96) for start in (0, 1) for key in (60, 63, 67, 70)
    ]
    assert played({"write": {"text": "c4 d4 e4 f4", "until": "3 beats"}})[-1][:3] == (2, 3, 64)


def test_drums_are_written_in_grids_and_patterns() -> None:
    notes = played({"drums": {"kick": "x...x...", "snare": "....X..o", "hat": "x*4", "low_tom": "x(2,4)"}})
    assert [note[:1] + note[2:] for note in notes if note[2] == 36] == [(0, 36, 96), (2, 36, 96)]
    assert [note[:1] + note[2:] for note in notes if note[2] == 38] == [(2, 38, 120), (3.5, 38, 56)]
    assert [note[0] for note in notes if note[2] == 42] == [0, 1, 2, 3]
    assert [note[0] for note in notes if note[2] == 45] == [0, 2]
    assert (
        [note[0] for note in played({"euclid": [3, 8]})]
        == [0, 1.5, 3]
        == [note[0] for note in played({"euclid": {"note": "c4"}})]
    )


def test_chance_is_the_same_for_the_same_seed_alone() -> None:
    one = played({"write": {"text": "c4*16?", "times": 4, "seed": 1}})
    assert one == played({"write": {"text": "c4*16?", "times": 4, "seed": 1}}) and 15 < len(one) < 49
    assert one != played({"write": {"text": "c4*16?", "times": 4, "seed": 2}})
    assert {note[2] for note in played({"write": {"text": "[c4|e4|g4]*8", "times": 8}})} == {60, 64, 67}


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"write": "c4 h4 e4"}, "'h4' is not a note, at column 4"),
        ({"write": "c4 [e4 g4"}, "']' was expected, at column 10"),
        ({"write": "c4 ] e4"}, "']' closes nothing, at column 4"),
        ({"write": "c4*x"}, "'x' is not a number, at column 4"),
        ({"write": "c4(9,8)"}, "9 hits do not fit on 8 steps, at column 3"),
        ({"write": "c4:200"}, "'200' is not a velocity, at column 1"),
        ({"write": "c4'wide"}, "no chord 'wide'"),
        ({"write": "_ c4"}, "nothing to hold"),
        ({"write": "c12"}, "not a note"),
        ({"write": "b9"}, "beyond the keys"),
        ({"write": "[" * 40 + "c4" + "]" * 40}, "nested too deeply"),
        ({"write": {"text": "c4", "program": "Kazoo"}}, "Kazoo"),
        ({"drums": {"kik": "x"}}, "Did you mean kick"),
        ({"drums": {"kick": "x c4"}}, "'c4' is not a hit, at column 3"),
        ({"euclid": [9, 8]}, "9 hits do not fit"),
        ({"euclid": {"note": "nothing"}}, "no drum 'nothing'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_column(step: Any, told: str) -> None:
    with pytest.raises(StudioError) as caught:
        parse_step(step)
    assert told in str(caught.value)


def test_a_pattern_that_never_ends_is_refused_at_once() -> None:
    begun = time.process_time()
    for text in ("[[[c4*256]*256]*256]*256", "[[[~ ~]*256]*256]*256", "<c4 [~ ~]>!256*256"):
        with pytest.raises(KnobError, match="more than"):
            hits_of(parse_pattern(text), 20_000)
    assert time.process_time() - begun < 30  # it would be for ever


@given(st.text(alphabet="abcdefgxXo4 0123~_[]<>()*/!@?,|:'.-\n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        step = parse_step({"write": {"text": text, "times": 2}})
        assert isinstance(step, ScoreStep)
        score = step.edit(Score(), RenderContext())
    except StudioError as error:
        assert error.cause
        return
    assert parse_step(step.data()) == step
    assert all(note.end > note.start for note in score.notes)


@given(st.integers(0, 127))
def test_every_key_has_its_word(key: int) -> None:
    name = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "ab", "a", "bb", "b"][key % 12]
    assert keys_of_word(f"{name}{key // 12 - 1}", 4) == keys_of_word(str(key), 4) == (key,)


SONG = """
tempo: 120
tracks:
  lead:
    notes: a4 ~ a5 ~
    play: {soundfont: {program: Flute, reverb: 0, chorus: 0}}
  beat:
    notes: [{drums: {kick: x...x..., snare: ....x..., times: 2}}, humanise]
"""


def test_a_song_of_written_notes_alone_sounds_and_reads_back(tmp_path: Path) -> None:
    song = Recipe.loads(SONG)
    (tmp_path / "song.yaml").write_text(SONG)
    assert Recipe.loads(song.dumps()) == song and "notes: a4 ~ a5 ~" in song.dumps()
    checked = studio.check(tmp_path / "song.yaml")
    assert not checked.errors
    lead = studio.render(song).stems["lead"].samples.mean(axis=0)
    for start, hz in ((0.1, 440.0), (1.1, 880.0)):
        piece = lead[round(start * 44_100) :][:16_384] * np.hanning(16_384)
        found = np.argmax(np.abs(np.fft.rfft(piece, 1 << 18))[: round(1200 / 44_100 * (1 << 18))]) * 44_100 / (1 << 18)
        assert abs(1200 * np.log2(found / hz)) < 15


def test_a_step_that_only_changes_notes_still_needs_a_part() -> None:
    with pytest.raises(StudioError, match="no part of the score"):
        Recipe.loads("tracks: {lead: {notes: [humanise]}}")
    with pytest.raises(StudioError, match="no step 'quantize'"):
        Recipe.loads("tracks: {lead: {part: all, notes: quantize}}")
