"""Automation: exact on its grid, close between, and the same however the sound is cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.context import GRID, BlockContext, RenderContext
from studio.curves import WAVES
from studio.errors import MissingError
from studio.knobs import Live, knob
from studio.steps import Effect
from studio.tempo import Tempo, TempoMap
from studio.units import HZ
from tests.listening import white

RATE, FRAMES = 44_100, 40_000
TEMPO = TempoMap((Tempo(TempoMap().beat_of_bar(0), 120, ramp=True), Tempo(TempoMap().beat_of_bar(1), 300)))  # type: ignore[arg-type]
STAGE = RenderContext(RATE, 2, TEMPO)


class Held(Effect, abstract=True):
    """An effect with knobs that move."""

    cutoff: Live = knob(1000.0, 20.0, 20_000.0, HZ, taper="log", help="where")
    mix: Live = knob(0.5, 0.0, 1.0, help="how much")


CURVES: dict[str, Any] = {
    "line": [["0.1 s", 200], ["0.8 s", "8 kHz"]],
    "exponential": [["0.1 s", 200], ["0.8 s", "8 kHz", "exponential"]],
    "musical": [["0 bars", 100], ["1/4", 5000, "smooth"], ["2 beats", 300]],
    **{wave: {"lfo": wave, "period": "70 ms", "from": 300, "to": "3 kHz"} for wave in sorted(WAVES)},
}
CONTINUOUS = ["line", "exponential", "musical", "sine", "triangle", "drift"]
CUTS = st.lists(st.integers(1, FRAMES - 1), max_size=8, unique=True).map(lambda cuts: [0, *sorted(cuts), FRAMES])


def exact(step: Held, frames: np.ndarray) -> np.ndarray:
    return step.cutoff.values(frames / RATE, TEMPO)  # type: ignore[union-attr, no-any-return]


@pytest.mark.parametrize("curve", CURVES)
@settings(max_examples=10, deadline=None)
@given(cuts=CUTS)
def test_a_moving_knob_is_exact_on_the_grid_straight_between_and_the_same_in_any_blocks(
    curve: str, cuts: list[int]
) -> None:
    step = Held(cutoff=CURVES[curve])
    blocks = [BlockContext(step, STAGE, start, stop - start)["cutoff"] for start, stop in pairwise(cuts)]
    values = np.concatenate(blocks)
    marks = np.arange(0, FRAMES, GRID)
    assert np.array_equal(values[marks], exact(step, marks.astype(float)))
    ends = exact(step, np.append(marks, marks[-1] + GRID).astype(float))
    for place in (1, 17, 32, 63):
        between = ends[:-1] + (ends[1:] - ends[:-1]) * place / GRID
        assert values[marks + place] == pytest.approx(between, rel=1e-12)
    assert BlockContext(step, STAGE, 0, FRAMES)["mix"] == 0.5


@pytest.mark.parametrize("curve", CURVES)
@settings(max_examples=10, deadline=None)
@given(cuts=CUTS)
def test_held_cells_tile_the_block_and_are_the_same_in_any_blocks(curve: str, cuts: list[int]) -> None:
    step = Held(cutoff=CURVES[curve], mix=[["0.3 s", 0], ["0.4 s", 1]])
    whole = held(step, [0, FRAMES])
    assert np.array_equal(held(step, cuts), whole)
    # A cell holds the value of its middle, so every frame of it has the value of the frame 32.
    middles = np.arange(GRID // 2, FRAMES, GRID)
    assert np.array_equal(whole[0], np.repeat(exact(step, middles.astype(float)), GRID)[:FRAMES])


def held(step: Held, cuts: list[int]) -> np.ndarray:
    rows = np.full((2, cuts[-1]), np.nan)
    for start, stop in pairwise(cuts):
        place = 0
        for piece, values in BlockContext(step, STAGE, start, stop - start).cells("cutoff", "mix"):
            assert piece.start == place and piece.stop > piece.start
            place = piece.stop
            rows[:, start + piece.start : start + piece.stop] = [[values["cutoff"]], [values["mix"]]]
        assert place == stop - start
    return rows


@pytest.mark.parametrize("curve", CONTINUOUS)
def test_a_held_value_strays_by_no_more_than_32_frames_of_the_slope(curve: str) -> None:
    step = Held(cutoff=CURVES[curve])
    true = exact(step, np.arange(FRAMES, dtype=float))
    steepest = np.abs(np.diff(exact(step, np.arange(-GRID, FRAMES + GRID, dtype=float)))).max()
    assert np.abs(held(step, [0, FRAMES])[0] - true).max() <= 32 * steepest * (1 + 1e-9)
    assert np.abs(BlockContext(step, STAGE, 0, FRAMES)["cutoff"] - true).max() < 32 * steepest


def test_what_stands_still_is_one_cell_and_a_curve_that_rests_is_not_cut() -> None:
    moment = BlockContext(Held(mix=[["0.1 s", 0.2], ["0.2 s", 0.4]]), STAGE, 100, 30_000)
    assert list(moment.cells("cutoff")) == [(slice(0, 30_000), {"cutoff": 1000.0})]
    pieces = [piece for piece, _ in moment.cells("mix")]
    # Cells change between 0.1 and 0.2 s only, which is 69 cells and the two ends.
    assert len(pieces) == pytest.approx(0.1 * RATE / GRID + 2, abs=1)
    assert pieces[-1] == slice(pieces[-2].stop, 30_000) and all((piece.start + 100) % GRID == 0 for piece in pieces[1:])


def test_a_moment_knows_its_frames_seconds_and_sides() -> None:
    asked: list[tuple[str, int, int]] = []

    def side(name: str, start: int, frames: int) -> np.ndarray:
        asked.append((name, start, frames))
        return white(1.0)[:, :frames]

    from studio.steps import parse_step

    ducker = parse_step({"ducker": {"sidechain": "drums"}})
    moment = BlockContext(ducker, STAGE, 441, 3, side)
    assert moment.positions.tolist() == [441, 442, 443] and moment.seconds[0] == 0.01
    assert np.array_equal(moment.side("sidechain"), white(1.0)[:, :3]) and asked == [("drums", 441, 3)]  # type: ignore[arg-type]
    assert moment.sides is side
    assert BlockContext(ducker, STAGE, 0, 3).side("sidechain") is None
    assert BlockContext(parse_step("compressor"), STAGE, 0, 3, side).side("sidechain") is None


def test_a_file_is_found_beside_the_recipe_and_a_missing_one_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "loops").mkdir()
    (tmp_path / "loops" / "break.wav").write_bytes(b"")
    context = RenderContext(folder=tmp_path)
    assert context.find("loops/break.wav") == tmp_path / "loops" / "break.wav"
    assert RenderContext().find(str(tmp_path / "loops" / "break.wav")).name == "break.wav"
    for path, hint in (
        ("loops/brake.wav", "Did you mean break.wav?"),
        ("lops/x.wav", f"There is no folder {tmp_path / 'lops'}"),
        ("loops", ""),
    ):
        with pytest.raises(MissingError, match="there is no file") as caught:
            context.find(path)
        assert hint in caught.value.mend
