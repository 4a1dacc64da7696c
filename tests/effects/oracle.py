"""Effects as others compute them, to compare ours with: pedalboard's own plugins, scipy, and formulas in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pedalboard
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin, lfilter, resample_poly, sosfilt

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
from studio.effects.saturation import Saturation
from studio.effects.shaping import DeEsser, DynamicEq, Transient, Vocoder
from studio.effects.space import Convolution, Reverb
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


def _followed(levels: Floats, attack: Floats, release: Floats, rate: int) -> Floats:
    """Rows of magnitudes as JUCE's ballistics filter follows them."""
    factor = -2000 * np.pi / rate
    ups, downs = (np.where(each < 1e-3, 0, np.exp(factor / np.maximum(each, 1e-9))) for each in (attack, release))
    out, level = np.empty(levels.shape), np.zeros(levels.shape[0])
    for frame in range(levels.shape[1]):
        level = levels[:, frame] + np.where(levels[:, frame] > level, ups[frame], downs[frame]) * (
            level - levels[:, frame]
        )
        out[:, frame] = level
    return out


def _own_key(effect: Compressor | Gate, block: Block, now: BlockContext) -> Floats:
    """What a detector hears: every channel, or the loudest of them or of the side input."""
    heard = now.side("sidechain")
    if heard is None and not effect.link:
        return np.abs(block.astype(np.float64))
    return np.maximum(np.abs(block if heard is None else heard).max(axis=0, keepdims=True), 1e-6).astype(np.float64)


def _kneed(effect: Compressor, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    """A compressor with a soft knee: Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", 2012."""
    held = _held(now, block.shape[1], "threshold", "ratio", "attack", "release", "knee")
    level = _followed(_own_key(effect, block, now), held["attack"], held["release"], context.rate)
    over, knee = 20 * np.log10(np.maximum(level, 1e-30)) - held["threshold"], held["knee"]
    bent = np.where(over + knee / 2 < knee, np.square(over + knee / 2) / (2 * np.maximum(knee, 1e-9)), over)
    bent = np.where(over + knee / 2 <= 0, 0, bent)
    return np.asarray(block * 10 ** (bent * (1 / held["ratio"] - 1) / 20) * amplitude(now["makeup"]))


def _holding(effect: Gate, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    """A gate that stays open for a while."""
    held = _held(now, block.shape[1], "threshold", "ratio", "attack", "release", "hold")
    key, still = _own_key(effect, block, now), np.zeros(block.shape[1])
    power = np.sqrt(np.abs(_followed(np.square(key), still, still + 50, context.rate)))
    level, threshold = _followed(power, held["attack"], held["release"], context.rate), 10 ** (held["threshold"] / 20)
    holds, gain = np.floor(context.rate * held["hold"] / 1000 + 0.5), np.empty(level.shape)
    left = np.zeros(len(level))
    for frame in range(level.shape[1]):
        opened = level[:, frame] > threshold[frame]
        left = np.where(opened, holds[frame], left)
        stays = opened | (left > 0)
        gain[:, frame] = np.where(stays, 1, (level[:, frame] / threshold[frame]) ** (held["ratio"][frame] - 1))
        left = np.where(opened, left, np.maximum(left - 1, 0))
    return np.asarray(block * gain)


def _reverb(effect: Reverb, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    """pedalboard's room behind a silence, and its dry sound without one."""
    late = math.floor(context.rate * effect.predelay / 1000 + 0.5)
    if not late:
        return np.asarray(_pedalboards(effect, block, now, context))
    silent = effect.replace(dry=0.0)
    waited = np.pad(block, ((0, 0), (late, 0)))[:, : block.shape[1]]
    room = _pedalboards(silent, waited, BlockContext(silent, context, 0, block.shape[1]), context)
    dry = effect.replace(wet=0.0)
    return np.asarray(room + _pedalboards(dry, block, BlockContext(dry, context, 0, block.shape[1]), context))


def _compressor(effect: Compressor, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    if effect.knee != 0:
        return _kneed(effect, block, now, context)
    alone = effect.sidechain is None and not effect.link
    out = _pedalboards(effect, block, now, context) if alone else block * _detected(effect, block, now, context)
    return np.asarray(out * amplitude(now["makeup"]))


def _gate(effect: Gate, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    if effect.hold != 0:
        return _holding(effect, block, now, context)
    alone = effect.sidechain is None and not effect.link
    return np.asarray(
        _pedalboards(effect, block, now, context) if alone else block * _detected(effect, block, now, context)
    )


def _ducker(effect: Ducker, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    deepest = amplitude(-np.asarray(now["depth"]))
    return np.asarray(block * np.maximum(_detected(effect, block, now, context), deepest))


def eq_bands(held: dict[str, float]) -> list[tuple[Any, str, float, float, float]]:
    """The six bands of an equaliser: whether it does something, its kind, frequency, quality and gain."""
    return [
        (held["low_cut"] > 10.0, "highpass", held["low_cut"], BUTTERWORTH, 0.0),
        (held["low"], "low shelf", held["low_hz"], BUTTERWORTH, held["low"]),
        (held["low_mid"], "bell", held["low_mid_hz"], held["low_mid_q"], held["low_mid"]),
        (held["high_mid"], "bell", held["high_mid_hz"], held["high_mid_q"], held["high_mid"]),
        (held["high"], "high shelf", held["high_hz"], BUTTERWORTH, held["high"]),
        (held["high_cut"] < 22_000.0, "lowpass", held["high_cut"], BUTTERWORTH, 0.0),
    ]


def _eq(effect: Eq, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    state, out = np.zeros((6, len(block), 2)), np.empty(block.shape)
    idle = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    for piece, held in now.cells(*effect.parameters()):
        sections = [section(*rest, context.rate) if there else idle for there, *rest in eq_bands(held)]
        out[:, piece], state = sosfilt(sections, block[:, piece].astype(np.float64), axis=1, zi=state)
    return out


def _envelope(levels: Floats, attack: Floats | float, release: Floats | float, rate: int) -> Floats:
    """Rows of magnitudes, followed up and down on exponentials of so many milliseconds."""
    ups = np.broadcast_to(np.exp(-1000.0 / (rate * np.asarray(attack))), levels.shape[-1])
    downs = np.broadcast_to(np.exp(-1000.0 / (rate * np.asarray(release))), levels.shape[-1])
    out, level = np.empty(levels.shape), np.zeros(levels.shape[:-1])
    for frame in range(levels.shape[-1]):
        now = levels[..., frame]
        level = now + np.where(now > level, ups[frame], downs[frame]) * (level - now)
        out[..., frame] = level
    return out


def _held(now: BlockContext, frames: int, *knobs: str) -> dict[str, Floats]:
    """Knobs that are held over each cell, frame by frame."""
    rows = {knob: np.empty(frames) for knob in knobs}
    for piece, held in now.cells(*knobs):
        for knob in knobs:
            rows[knob][piece] = held[knob]
    return rows


def _transient(effect: Transient, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    key = np.abs(block.astype(np.float64)).max(axis=0)

    def over(one: tuple[float, float], other: tuple[float, float]) -> Floats:
        first, second = (_envelope(key, *times, context.rate) for times in (one, other))
        return np.clip(20 * np.log10((first + 1e-5) / (second + 1e-5)) / 12, 0, 1)

    hit, ring = over((0.5, 80), (20, 80)), over((0.5, 600), (0.5, 60))
    return np.asarray(block * amplitude(now["attack"] * hit + now["sustain"] * ring))


def _de_esser(effect: DeEsser, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    sound, high = block.astype(np.float64), np.empty(block.shape)
    state = np.zeros((1, len(block), 2))
    for piece, held in now.cells("frequency"):
        sections = [section("highpass", held["frequency"], BUTTERWORTH, 0.0, context.rate)]
        high[:, piece], state = sosfilt(sections, sound[:, piece], axis=1, zi=state)
    hiss, whole = (_envelope(np.abs(each).max(axis=0), 1, 40, context.rate) + 1e-6 for each in (high, sound))
    less = amplitude(-np.clip(20 * np.log10(hiss / whole) - now["threshold"], 0, now["most"]) / 2) - 1
    hz = _held(now, block.shape[1], "frequency")["frequency"] * 0.6
    return _shelved(_shelved(sound, hz, less, context.rate), hz, less, context.rate)


def _shelved(sound: Floats, hz: Floats, less: Floats, rate: int) -> Floats:
    """A high shelf of the first order whose state is that of an integrator, as its cutoff and gain move."""
    g = np.tan(np.pi * np.minimum(hz, 0.49 * rate) / rate)
    out, held = np.empty(sound.shape), np.zeros(len(sound))
    for frame in range(sound.shape[1]):
        low = (held + g[frame] * sound[:, frame]) / (1 + g[frame])
        held = 2 * low - held
        out[:, frame] = sound[:, frame] + less[frame] * (sound[:, frame] - low)
    return out


def _band(sound: Floats, hz: Floats, q: Floats, rate: int) -> Floats:
    """A band-pass whose state is that of two integrators, as its cutoff moves."""
    g, k = np.tan(np.pi * np.minimum(hz, 0.49 * rate) / rate), 1 / q
    a1 = 1 / (1 + g * (g + k))
    out, one, two = np.empty(sound.shape), np.zeros(len(sound)), np.zeros(len(sound))
    for frame in range(sound.shape[1]):
        v1 = a1[frame] * (one + g[frame] * (sound[:, frame] - two))
        v2 = two + g[frame] * v1
        one, two = 2 * v1 - one, 2 * v2 - two
        out[:, frame] = k[frame] * v1
    return out


def _dynamic_eq(effect: DynamicEq, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    held = _held(now, block.shape[1], "cutoff", "q", "ratio", "attack", "release")
    sound, side = block.astype(np.float64), now.side("sidechain")
    band = _band(sound, held["cutoff"], held["q"], context.rate)
    heard = np.abs(band if side is None else side.astype(np.float64)).max(axis=0)
    level = 20 * np.log10(_envelope(heard, held["attack"], held["release"], context.rate) + 1e-6)
    down = np.clip((level - now["threshold"]) * (1 - 1 / held["ratio"]), 0, now["most"])
    return np.asarray(sound + (amplitude(-down) - 1) * band)


def _saturation(effect: Saturation, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    taps = firwin(129, 1 / 4, window=("kaiser", 10.0))
    frames = block.shape[1]
    raised = np.zeros((len(block), 4 * frames))
    raised[:, ::4] = block
    up = fftconvolve(raised, 4 * taps[np.newaxis], axes=1)[:, : 4 * frames]
    held = {knob: np.repeat(row, 4) for knob, row in _held(now, frames, "drive", "bias").items()}
    bent = np.tanh(amplitude(held["drive"]) * up + held["bias"]) - np.tanh(held["bias"])
    down = fftconvolve(bent, taps[np.newaxis], axes=1)[:, : 4 * frames : 4]
    level = lfilter([1, -1], [1, -np.exp(-2 * np.pi * 5 / context.rate)], down, axis=1)
    dry = np.pad(block.astype(np.float64), ((0, 0), (32, 0)))[:, :frames]
    mix, output = np.broadcast_to(now["mix"], frames), np.broadcast_to(amplitude(now["output"]), frames)
    return np.asarray(dry * (1 - mix) + mix * output * level)[:, 32:]


def _vocoder(effect: Vocoder, block: Block, now: BlockContext, context: RenderContext) -> Floats:
    held, side = _held(now, block.shape[1], "attack", "release"), now.side("sidechain")
    sound, count = block.astype(np.float64), int(effect.bands)
    voice = (sound if side is None else side.astype(np.float64)).mean(axis=0)
    step = (effect.high / effect.low) ** (1 / max(1, count - 1))
    k = (step**0.5 - step**-0.5) / 0.8
    rows = []
    for band in range(count):
        g = np.tan(np.pi * min(effect.low * step**band, 0.49 * context.rate) / context.rate)
        whole = 1 + g * k + g * g
        rows.append([g * k / whole, 0, -g * k / whole, 1, 2 * (g * g - 1) / whole, (1 - g * k + g * g) / whole])
    heard = np.abs(np.stack([sosfilt([row, row], voice) for row in rows]))
    levels = _envelope(heard, held["attack"], held["release"], context.rate)
    wet = sum(sosfilt([row, row], sound, axis=1) * level / 0.1 for row, level in zip(rows, levels, strict=True))
    return np.asarray(sound * (1 - now["mix"]) + now["mix"] * wet)


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
    Compressor: _compressor, Gate: _gate, Reverb: _reverb, Ducker: _ducker, Eq: _eq, Echo: _echo, Tremolo: _tremolo, Pan: _pan,
    Width: _width, Convolution: _convolution, Transient: _transient, DeEsser: _de_esser, DynamicEq: _dynamic_eq,
    Vocoder: _vocoder, Saturation: _saturation,
    Gain: lambda effect, block, now, context: block * amplitude(now["gain"]),
    Invert: lambda effect, block, now, context: -block,
}  # fmt: skip
