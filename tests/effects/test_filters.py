"""What filters do to the spectrum, against the formulas they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve, sosfreqz

from studio.context import RenderContext
from studio.effects.equaliser import Eq
from studio.effects.space import Convolution
from studio.steps import Effect, parse_step
from tests.effects.cookbook import section
from tests.effects.oracle import eq_bands
from tests.listening import cents, gain_db_at, impulse, null_db, pitch_hz, sine, through, white

RATE = 44_100


def response(step: Any) -> np.ndarray:
    effect = parse_step(step)
    assert isinstance(effect, Effect)
    return through(effect, impulse(2 * RATE, 0.1), RenderContext(RATE))[0] * 10


@pytest.mark.parametrize(
    ("knobs", "hz", "expected_db"),
    [
        ({"low": 6}, 15, 6.0), ({"low": 6}, 10_000, 0.0), ({"low": 6}, 110, 3.0),
        ({"low_mid": -9}, 400, -9.0), ({"high_mid": 12, "high_mid_hz": 3000, "high_mid_q": 4}, 3000, 12.0),
        ({"high": -5, "high_hz": 6000}, 18_000, -5.0), ({"high": -5, "high_hz": 6000}, 6000, -2.5),
        ({"low_cut": 100}, 100, -3.01), ({"low_cut": 400}, 50, -36.1), ({"high_cut": 2000}, 2000, -3.01),
        ({"low": 3, "high": 3, "low_mid": -3}, 400, None),
    ],
)  # fmt: skip
def test_the_equaliser_does_what_its_bands_say(knobs: dict[str, Any], hz: float, expected_db: float | None) -> None:
    measured = gain_db_at(response({"eq": knobs}), hz, RATE)
    held = {name: getattr(Eq.parse(knobs), name) for name in Eq.parameters()}
    _, formula = sosfreqz(np.array(sections(held, RATE)), worN=[hz], fs=RATE)
    assert measured == pytest.approx(20 * np.log10(abs(formula[0])), abs=0.02)
    if expected_db is not None:
        assert measured == pytest.approx(expected_db, abs=0.35)


def sections(held: dict[str, float], rate: int) -> list[list[float]]:
    """Those of an equaliser that do something."""
    return [section(kind, hz, q, gain, rate) for there, kind, hz, q, gain in eq_bands(held) if there]


def test_an_idle_equaliser_is_not_there() -> None:
    sound = white(0.2)
    assert np.array_equal(through(Eq(), sound, RenderContext(RATE)), sound)


@pytest.mark.parametrize(
    ("step", "octave_db"), [({"lowpass": 500}, -6), ({"ladder": {"cutoff": 500, "resonance": 0}}, -24)]
)
def test_a_low_pass_falls_as_steeply_as_it_says(step: Any, octave_db: float) -> None:
    heard = response(step)
    assert gain_db_at(heard, 4000, RATE) - gain_db_at(heard, 2000, RATE) == pytest.approx(octave_db, abs=1.5)


def test_a_swept_filter_is_where_its_curve_is() -> None:
    """A tone through a moving low-pass has the level that the still one has at that moment."""
    curve = [["0 s", 200], ["1 s", 6400, "exponential"]]
    swept = through(parse_step({"lowpass": {"cutoff": curve}}), sine(1000, 1.0), RenderContext(RATE))  # type: ignore[arg-type]
    for second in (0.2, 0.5, 0.8):
        cutoff = 200 * 32**second
        still = through(parse_step({"lowpass": cutoff}), sine(1000, 1.0), RenderContext(RATE))  # type: ignore[arg-type]
        place = slice(round(second * RATE) - 220, round(second * RATE) + 221)
        assert np.abs(swept[:, place]).max() == pytest.approx(np.abs(still[:, place]).max(), rel=0.02)


def test_convolution_is_convolution(tmp_path: Any) -> None:
    room = (white(0.5, 0.3, seed=9) * np.exp(-np.arange(round(0.5 * RATE)) / 4000)).astype(np.float32)
    soundfile.write(tmp_path / "room.wav", room.T, RATE, "FLOAT")
    unit = 1 / np.sqrt(np.max(np.sum(room.astype(float) ** 2, axis=1)))
    sound = white(0.5, 0.05)
    out = through(
        Convolution(file="room.wav", mix=1, gain=-6), sound, RenderContext(RATE, folder=tmp_path), (5000,), tail=RATE
    )
    for channel in (0, 1):
        exact = (
            fftconvolve(sound[channel].astype(float), room[channel].astype(float))[: out.shape[1]]
            * unit
            * 10 ** (-6 / 20)
        )
        assert null_db(out[channel, : len(exact)], exact) < -100
    mixed = through(
        Convolution(file="room.wav", mix=0.25, gain=-6), sound, RenderContext(RATE, folder=tmp_path), (5000,), tail=RATE
    )
    dry = np.pad(sound, ((0, 0), (0, RATE)))
    assert null_db(mixed, 0.75 * dry + 0.25 * out) < -120


@pytest.mark.parametrize("semitones", [-12, -5, 3, 7])
def test_a_pitch_shift_is_in_tune_to_what_an_ear_can_tell(semitones: int) -> None:
    from studio.audio import Audio

    step = parse_step({"pitch_shift": f"{semitones} st"})
    # Rubber Band's fast engine takes a perfectly clean tone for a row of attacks; a note has overtones and some breath.
    tone = white(3.0, 0.001) + sum(sine(440 * partial, 3.0, 0.4 / partial**2) for partial in range(1, 9))
    shifted = step.apply(Audio(tone, RATE), RenderContext(RATE))  # type: ignore[union-attr]
    middle = shifted.samples[:, RATE : 2 * RATE]
    assert abs(cents(pitch_hz(middle, RATE), 440 * 2 ** (semitones / 12))) < 6
    assert shifted.frames == 3 * RATE
