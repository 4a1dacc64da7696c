"""Blocks that nest chains: in time, flat when they should be, and turned by their own knobs."""

from __future__ import annotations

import numpy as np
import pytest

from studio.context import RenderContext
from studio.effects.blocks import Layers, Multiband, Parallel, RackBlock
from studio.errors import KnobError, RecipeError
from tests.listening import gain_db_at, impulse, null_db, through, white

RATE = 44_100
STAGE = RenderContext(RATE)
LATE = {"brickwall": {"ceiling": 0, "lookahead": 10}}
"""Ten milliseconds of latency, and nothing else on a soft sound."""


def test_a_parallel_branch_with_latency_does_not_comb() -> None:
    soft = white(0.5, 0.05)
    out = through(Parallel(chain=(LATE,), mix=0.5), soft, STAGE, cuts=(100, 5000))
    assert null_db(out, soft) < -110


def test_layers_add_up_in_time_and_an_empty_one_is_the_dry_sound() -> None:
    soft = white(0.5, 0.05)
    out = through(Layers(chains=((), (LATE,), ({"gain": -6.0205999},))), soft, STAGE, cuts=(3000,))
    assert null_db(out, soft * 2.5) < -110


@pytest.mark.parametrize("crossovers", [(150,), (200, 2000), (80, 300, 1200, 5000)])
def test_bands_left_alone_add_up_flat(crossovers: tuple[float, ...]) -> None:
    split = Multiband(crossovers=crossovers, bands=((),) * (len(crossovers) + 1))
    response = through(split, impulse(at=100), STAGE)[0]
    for hz in (30, 79, 150, 200, 430, 1200, 2000, 5000, 15_000):
        assert abs(gain_db_at(response, hz, RATE)) < 0.05


def test_a_muted_band_falls_by_24_db_an_octave_beyond_its_crossover() -> None:
    lows = Multiband(crossovers=(250,), bands=((), ({"gain": "-inf dB"},)))
    response = through(lows, impulse(at=100), STAGE)[0]
    assert abs(gain_db_at(response, 250, RATE) + 6.02) < 0.1
    assert abs(gain_db_at(response, 1000, RATE) - gain_db_at(response, 2000, RATE) - 24) < 0.3
    assert abs(gain_db_at(response, 30, RATE)) < 0.05


def test_the_knob_of_a_rack_turns_what_it_drives() -> None:
    drives = {"gain": [-20, 0], "width.width": [0, 2]}
    rack = {"chain": ["gain", "width"], "knobs": {"size": {"value": 0.25, "drives": drives}}}
    sound = white(0.2)
    middle, side = (sound[0] + sound[1]) / 2, (sound[0] - sound[1]) / 2 * 0.5
    expected = np.stack([middle + side, middle - side]) * 10 ** (-15 / 20)
    assert null_db(through(RackBlock.parse(rack), sound, STAGE), expected) < -120


def test_blocks_nest_in_blocks() -> None:
    inner = {"multiband": {"crossovers": [500], "bands": [[], [LATE]]}}
    soft = white(0.3, 0.05)
    whole = through(
        Parallel(chain=({"layers": {"chains": [[inner], [LATE]]}}, {"gain": -6.0205999}), mix=1), soft, STAGE
    )
    plain = through(Multiband(crossovers=(500,), bands=((), ())), soft, STAGE)
    assert null_db(whole, (plain + soft) / 2) < -100


def test_the_number_of_bands_must_fit_and_a_drive_must_lead_somewhere() -> None:
    with pytest.raises(KnobError, match="2 crossovers make 3 bands"):
        Multiband(crossovers=(200, 2000), bands=((),))
    with pytest.raises(RecipeError, match="there is no 'corus'") as refused:
        RackBlock.parse({"chain": ["chorus"], "knobs": {"x": {"drives": {"corus.rate": [1, 2]}}}})
    assert "chorus" in refused.value.mend
