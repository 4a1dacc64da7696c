"""Side-chains, linking, and what a gate and a ducker do, in dB."""

from __future__ import annotations

import numpy as np
import pedalboard
from scipy.signal import resample_poly

from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.effects.dynamics import Brickwall, Compressor, Ducker, Gate
from studio.steps import Effect
from tests.listening import db, null_db, rms_db, sine, white

RATE = 44_100
QUIET = sine(220, 2.0, 0.1)


def beside(effect: Effect, block: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The effect on one sound while it listens to another."""
    line = EffectChain([effect], RenderContext(RATE))
    frames = block.shape[1] // 64 * 64
    return line.push(block[:, :frames], lambda name, start, count: other[:, start : start + count])


def level(block: np.ndarray, start: float, end: float) -> float:
    return rms_db(block[:, round(start * RATE) : round(end * RATE)])


def bursts() -> np.ndarray:
    """Loud from 0.5 s to 1 s, else silent."""
    other = sine(60, 2.0, 0.9)
    other[:, : RATE // 2] = other[:, RATE:] = 0
    return other


def test_a_ducker_steps_back_by_its_depth_while_the_other_sounds_and_comes_back() -> None:
    out = beside(Ducker(sidechain="kick", depth=9, attack=1, release=50), QUIET, bursts())
    assert abs(level(out, 0.1, 0.4) - level(QUIET, 0.1, 0.4)) < 0.01
    assert abs(level(out, 0.7, 0.95) - level(QUIET, 0.7, 0.95) + 9) < 0.01
    assert abs(level(out, 1.7, 1.95) - level(QUIET, 1.7, 1.95)) < 0.1


def test_a_side_chained_compressor_turns_down_by_what_the_other_has_over_the_threshold() -> None:
    steady = np.full((2, 2 * RATE), 10 ** (-6 / 20), np.float32)
    out = beside(Compressor(threshold=-26, ratio=4, attack=1, release=100, sidechain="other"), QUIET, steady)
    # 20 dB over the threshold at 4:1 leave 5 dB over: 15 dB less.
    assert abs(level(out, 1, 1.9) - level(QUIET, 1, 1.9) + 15) < 0.05


def test_a_side_chained_gate_opens_for_the_other_sound_only() -> None:
    out = beside(Gate(threshold=-30, ratio=20, attack=1, release=20, sidechain="kick"), QUIET, bursts())
    assert level(out, 0.1, 0.4) < level(QUIET, 0.1, 0.4) - 40
    assert abs(level(out, 0.7, 0.95) - level(QUIET, 0.7, 0.95)) < 0.2


def test_linked_channels_keep_the_stereo_image_and_unlinked_ones_do_not() -> None:
    lopsided = np.stack([white(1, 0.5, channels=1)[0], white(1, 0.02, channels=1, seed=2)[0]])
    settings = {"threshold": -30, "ratio": 8, "attack": 1, "release": 50}
    linked = EffectChain([Compressor(**settings)], RenderContext(RATE)).push(lopsided[:, :44_032])
    apart = EffectChain([Compressor(**settings, link=False)], RenderContext(RATE)).push(lopsided[:, :44_032])

    def image(block: np.ndarray) -> float:
        return rms_db(block[0]) - rms_db(block[1])

    assert abs(image(linked) - image(lopsided)) < 0.3
    assert abs(image(apart) - image(lopsided)) > 6


def test_a_mono_sound_is_compressed_alike_linked_or_not() -> None:
    mono = np.repeat(white(1, 0.4, channels=1), 2, axis=0)[:, :44_032]
    settings = {"threshold": -24, "ratio": 4, "attack": 5, "release": 80}
    linked = EffectChain([Compressor(**settings)], RenderContext(RATE)).push(mono)
    assert null_db(linked, pedalboard.Compressor(-24, 4, 5, 80).process(mono, RATE)) < -100


def test_nothing_passes_the_brickwall_not_even_between_the_samples() -> None:
    hot = white(2, 1.5)
    line = EffectChain([Brickwall(ceiling=-3)], RenderContext(RATE))
    out = line.push(np.pad(hot, ((0, 0), (0, 4096))))
    assert db(float(np.abs(out).max())) <= -3 + 1e-3
    # Fourfold oversampling, as in BS.1770-4 and as the effect looks ahead; the meter of the mastering is finer.
    between = resample_poly(out.astype(np.float64), 4, 1, axis=1)
    assert db(float(np.abs(between).max())) <= -3 + 0.15
    assert db(float(np.abs(out).max())) > -4
