"""Effects as others compute them, to compare ours with: pedalboard's own plugins, scipy, and formulas in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pedalboard
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter, resample_poly, sosfilt

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.curves import Lfo
from studio.effects.delays import Delay, Echo
from studio.effects.dynamics import Compressor, Ducker, Gate
from studio.effects.equaliser import Eq
from studio.effects.filters import Ladder
from studio.effects.mixing import Gain, Invert, Pan, Width
from studio.effects.modulation import Tremolo
from studio.effects.pedal import Pedal
from studio.effects.response import read_response
from studio.effects.space import Convolution
from studio.levels import amplitude
from studio.steps import Effect
from tests.effects.cookbook import BUTTERWORTH, section

LARGEST = 8192
"""pedalboard forgets its state when a block is larger than any before it."""

Floats = NDArray[np.float64]


def oracle(effect: Effect, block: Block, context: RenderContext, side: Block | None = None) -> Block:
    """A sound through somebody else's version of an effect; what is late comes late."""
    now = BlockContext(effect, context, 0, block.shape[1], (lambda *_: side) if side is not None else None)
    if (own := _OWN.get(type(effect))) is not None:
        return np.asarray(own(effect, block, now, context), np.float32)
    assert isinstance(effect, Pedal)
    return _pedalboards(effect, block, now, context)


def _plugin(effect: Pedal, context: RenderContext) -> pedalboard.Plugin:
    values = {attribute: getattr(effect, knob) for knob, attribute in effect.turns.items()}
    fixed = {attribute: value for attribute, value in values.items() if isinstance(value, (int, float))}
    plugin: Any = getattr(pedalboard, effect.pedal)(**fixed)
    if isinstance(effect, Ladder):
        side = {"lowpass": "LPF", "highpass": "HPF", "bandpass": "BPF"}[effect.passes]
        plugin.mode = getattr(pedalboard.LadderFilter.Mode, side + effect.slope.partition(" ")[0])
    if isinstance(effect, Delay):
        plugin.delay_seconds = float(context.tempo.length_of(effect.time))
    if isinstance(effect, Ducker):
        plugin.ratio = 20.0
    return plugin  # type: ignore[no-any-return]


def _pedalboards(effect: Pedal, block: Block, now: BlockContext, context: RenderContext) -> Block:
    """pedalboard's own plugin, its attributes held over the pieces of a block."""
    plugin: Any = _plugin(effect, context)
    out, known, silence = list[Block](), dict[str, float](), 0
    for piece, held in now.cells(*effect.turns):
        for knob, value in held.items():
            # Some begin to glide anew whenever they are told the same again.
            if known.get(knob) != value:
                setattr(plugin, effect.turns[knob], value)
                known[knob] = value
        if not out:
            prepare = np.zeros((len(block), LARGEST), np.float32)
            given = plugin.process(prepare, context.rate, buffer_size=LARGEST, reset=False)
            silence = LARGEST - given.shape[1]
        for start in range(piece.start, piece.stop, LARGEST):
            part = block[:, start : min(start + LARGEST, piece.stop)]
            # What has latency cannot be reset without giving its delayed sound at once; at rest it stays.
            fresh = not out and not silence
            out.append(plugin.process(part, context.rate, buffer_size=LARGEST, reset=fresh))
    return np.concatenate([each for each in out if each.size], axis=1)[:, silence:]


def _detected(effect: Any, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    """The one gain for all channels that pedalboard's plugin has for the loudest of what it hears."""
    heard = now.side("sidechain")
    key = np.maximum(np.abs(block if heard is None else heard).max(axis=0, keepdims=True), np.float32(1e-6))
    return _pedalboards(effect, key, now, context) / key


def _compressor(effect: Compressor, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    alone = effect.sidechain is None and not effect.link
    out = _pedalboards(effect, block, now, context) if alone else block * _detected(effect, block, now, context)
    return np.asarray(out * amplitude(now["makeup"]))


def _gate(effect: Gate, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    alone = effect.sidechain is None and not effect.link
    return np.asarray(
        _pedalboards(effect, block, now, context) if alone else block * _detected(effect, block, now, context)
    )


def _ducker(effect: Ducker, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    deepest = amplitude(-np.asarray(now["depth"]))
    return np.asarray(block * np.maximum(_detected(effect, block, now, context), deepest))


def _eq(effect: Eq, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    state, out = np.zeros((6, len(block), 2)), np.empty(block.shape)
    idle = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    for piece, held in now.cells(*effect.parameters()):
        bands = [
            (held["low_cut"] > 10.0, "highpass", held["low_cut"], BUTTERWORTH, 0.0),
            (held["low"], "low shelf", held["low_hz"], BUTTERWORTH, held["low"]),
            (held["low_mid"], "bell", held["low_mid_hz"], held["low_mid_q"], held["low_mid"]),
            (held["high_mid"], "bell", held["high_mid_hz"], held["high_mid_q"], held["high_mid"]),
            (held["high"], "high shelf", held["high_hz"], BUTTERWORTH, held["high"]),
            (held["high_cut"] < 22_000.0, "lowpass", held["high_cut"], BUTTERWORTH, 0.0),
        ]
        sections = [section(*rest, context.rate) if there else idle for there, *rest in bands]
        out[:, piece], state = sosfilt(sections, block[:, piece].astype(np.float64), axis=1, zi=state)
    return out


def _echo(effect: Echo, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    delay = max(1, round(float(context.tempo.length_of(effect.time)) * context.rate))
    ring, low, high = np.zeros((len(block), delay)), np.zeros((len(block), 1)), np.zeros((len(block), 1))
    out, written = np.empty(block.shape), 0
    for piece, held in now.cells("feedback", "mix", "highs", "lows"):
        start = piece.start
        while start < piece.stop:
            stop = min(piece.stop, start + delay)
            places = np.arange(written, written + stop - start) % delay
            pole = np.exp(-2 * np.pi * held["highs"] / context.rate)
            heard, low = lfilter([1 - pole], [1, -pole], ring[:, places], axis=1, zi=low)
            pole = np.exp(-2 * np.pi * held["lows"] / context.rate)
            heard, high = lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1, -pole], heard, axis=1, zi=high)
            sent, again = block[:, start:stop].astype(np.float64), heard * held["feedback"]
            jumps = effect.pingpong and len(block) == 2
            ring[:, places] = np.stack([sent.mean(axis=0) + again[1], again[0]]) if jumps else sent + again
            out[:, start:stop] = block[:, start:stop] + heard * held["mix"]
            start, written = stop, written + stop - start
    return out


def _tremolo(effect: Tremolo, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    out = np.empty(block.shape)
    for channel in range(len(block)):
        lfo = Lfo(effect.wave, effect.period, 0.0, 1.0, 0.5 + channel * effect.spread / 360)
        out[channel] = block[channel] * (1 - now["depth"] * (1 - lfo.values(now.seconds, context.tempo)))
    return out


def _pan(effect: Pan, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    right = (np.broadcast_to(now["position"], block.shape[1]) + 1) / 2
    left, cosine, sine = 1 - right, np.cos(right * np.pi / 2), np.sin(right * np.pi / 2)
    gains = {
        "balance": (np.minimum(1, 2 * left), np.minimum(1, 2 * right)), "-6 dB": (left, right),
        "-3 dB": (cosine, sine), "-4.5 dB": (np.sqrt(left * cosine), np.sqrt(right * sine)),
    }  # fmt: skip
    return np.asarray(block * np.stack(gains[effect.law]))


def _width(effect: Width, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    middle, side = block.astype(np.float64).mean(axis=0), (block[0].astype(np.float64) - block[1]) / 2 * now["width"]
    return np.stack([middle + side, middle - side])


def _convolution(effect: Convolution, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    room = read_response(context.find(effect.file))
    taps = room.samples.astype(np.float64)
    if room.rate != context.rate:
        taps = _polyphase(taps, room.rate, context.rate).astype(np.float32).astype(np.float64)
    if len(taps) != len(block):
        taps = np.repeat(taps.mean(axis=0, keepdims=True), len(block), axis=0)
    wet = block * (amplitude(now["gain"]) * now["mix"]) / np.sqrt(np.square(taps).sum(axis=1).max())
    return np.asarray(block * (1 - np.asarray(now["mix"])) + fftconvolve(wet, taps, axes=1)[:, : block.shape[1]])


def _polyphase(samples: Floats, source: int, target: int) -> Floats:
    """At another rate, through the low-pass that `studio/effects/response.hpp` describes."""
    common = np.gcd(source, target)
    up, down = target // common, source // common
    most = max(up, down)
    offsets = np.arange(-96 * most, 96 * most + 1) / most
    window = 0.96 / most * np.sinc(0.96 * offsets) * np.kaiser(len(offsets), 12.0)
    return np.asarray(resample_poly(samples, up, down, axis=1, window=window))


_OWN: dict[type, Callable[..., Any]] = {
    Compressor: _compressor, Gate: _gate, Ducker: _ducker, Eq: _eq, Echo: _echo, Tremolo: _tremolo, Pan: _pan,
    Width: _width, Convolution: _convolution,
    Gain: lambda effect, block, now, context: block * amplitude(now["gain"]),
    Invert: lambda effect, block, now, context: -block,
}  # fmt: skip
