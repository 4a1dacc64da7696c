"""Edits of latents: what a hand can do to the few numbers a model sees a sound as.

All take and give ``(latents, frames)``; deviations are counted from the mean of each latent over the sound, in its
standard deviations, so that the same edit means the same for any model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studio.tempo import Floats


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions in which latents vary most (PCA), most first.

    Attributes:
        axes: ``(directions, latents)``, of length one.
        spreads: the standard deviation along each.
        names: what goes up most along each, or `direction N` where nothing is known of the frames.
        correlations: of each with what it is named after, 0 to 1; NaN where that was not kept.
    """

    axes: Floats
    spreads: Floats
    names: tuple[str, ...]
    correlations: tuple[float, ...]

    def data(self) -> list[dict[str, object]]:
        """Plain data, for a card."""
        rows = zip(self.names, self.spreads, self.correlations, self.axes, strict=True)
        return [
            {
                "name": name,
                "spread": round(float(spread), 5),
                "correlation": round(correlation, 3) if np.isfinite(correlation) else None,
                "axis": [round(float(value), 5) for value in axis],
            }
            for name, spread, correlation, axis in rows
        ]

    @classmethod
    def parse(cls, data: list[dict[str, object]]) -> Directions:
        """What `data` gave."""
        axes = np.array([each["axis"] for each in data], dtype=np.float64)
        spreads = np.array([each["spread"] for each in data], dtype=np.float64)
        found = (each.get("correlation") for each in data)
        known = tuple(float("nan") if each is None else float(str(each)) for each in found)
        return cls(axes, spreads, tuple(str(each["name"]) for each in data), known)


def directions(latents: Floats, descriptors: Mapping[str, Floats] | None = None, most: int = 8) -> Directions:
    """The principal directions of latents, each named after the descriptor that goes with it most.

    A direction points to where its descriptor rises. Several may share a descriptor; how far the name holds is said by
    the correlation.

    Args:
        descriptors: such as brightness, one value a frame each.
    """
    centred = latents - latents.mean(axis=1, keepdims=True)
    axes, spreads, _ = np.linalg.svd(centred / np.sqrt(max(latents.shape[1], 1)), full_matrices=False)
    axes, spreads = axes.T[:most], spreads[:most]
    names: list[str] = []
    correlations: list[float] = []
    for index, axis in enumerate(axes):
        along = axis @ centred
        found = {name: _correlation(along, values) for name, values in (descriptors or {}).items()}
        best = max(found, key=lambda name: abs(found[name]), default="")
        names.append(best or f"direction {index + 1}")
        correlations.append(abs(found[best]) if best else float("nan"))
        up = found[best] if best else axis[np.argmax(np.abs(axis))]
        axes[index] = axis * (np.sign(up) or 1.0)
    return Directions(axes, spreads, tuple(names), tuple(correlations))


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else 0.0


def leanings(latents: Floats, descriptors: Mapping[str, Floats]) -> Directions:
    """The direction in which each descriptor goes along with the latents: their covariance with it, of length one."""
    centred = latents - latents.mean(axis=1, keepdims=True)
    axes = []
    for values in descriptors.values():
        axis = centred @ (values - values.mean())
        axes.append(axis / max(float(np.linalg.norm(axis)), 1e-12))
    found = np.array(axes)
    along = found @ centred
    sure = tuple(abs(_correlation(*pair)) for pair in zip(along, descriptors.values(), strict=True))
    return Directions(found, along.std(axis=1), tuple(descriptors), sure)


def moved(latents: Floats, along: Directions, index: int, amount: Floats | float) -> Floats:
    """Moved along a direction by so many standard deviations, one a frame or one for all."""
    far = np.broadcast_to(np.asarray(amount, dtype=np.float64) * along.spreads[index], latents.shape[1:])
    return np.asarray(latents + along.axes[index][:, None] * far)


def scaled(latents: Floats, amount: float) -> Floats:
    """Deviations times `amount`: 0 holds the mean, 1 changes nothing, more exaggerates."""
    mean, _ = _usual(latents)
    return mean + (latents - mean) * amount


def shifted(latents: Floats, amount: float) -> Floats:
    """All up by so many standard deviations."""
    return latents + _usual(latents)[1] * amount


def shuffled(latents: Floats, share: float, seed: int = 0) -> Floats:
    """A share of the latents changes places, deviations only, so each stays around its own mean."""
    random = np.random.default_rng(seed)
    picked = random.permutation(len(latents))[: round(share * len(latents))]
    mean, spread = _usual(latents)
    out = (latents - mean) / spread
    out[picked] = out[np.roll(picked, 1)]
    return mean + out * spread


def echoed(latents: Floats, amount: float, frames: int) -> Floats:
    """Deviations that come again, `frames` later and `amount` as far, each time."""
    mean, _ = _usual(latents)
    out = latents - mean
    for index in range(frames, latents.shape[1]):
        out[:, index] += amount * out[:, index - frames]
    return mean + out


def gated(latents: Floats, threshold: float) -> Floats:
    """Deviations within so many standard deviations are none."""
    mean, spread = _usual(latents)
    away = latents - mean
    return mean + np.where(np.abs(away) < threshold * spread, 0.0, away)


def folded(latents: Floats, limit: float) -> Floats:
    """Deviations beyond so many standard deviations turn back, as often as it takes."""
    mean, spread = _usual(latents)
    width = np.maximum(limit * spread, 1e-12)
    phase = (latents - mean + width) / (4 * width) % 1
    return np.asarray(mean + width * (1 - np.abs(4 * phase - 2)))


def destroyed(latents: Floats, amount: float, seed: int = 0) -> Floats:
    """Destructo: frames stick at random, and deviations go in steps; `amount` from 0 to 1."""
    random = np.random.default_rng(seed)
    frames = latents.shape[1]
    stuck = np.asarray(random.random(frames) < 0.9 * amount)
    stuck[:1] = False
    held = latents[:, np.maximum.accumulate(np.where(stuck, 0, np.arange(frames)))]
    mean, spread = _usual(latents)
    step = np.maximum(2 * amount * spread, 1e-12)
    return mean + np.round((held - mean) / step) * step if amount else latents


def between(latents: Floats, other: Floats, amount: Floats | float) -> Floats:
    """On the way to the latents of another sound, repeated until it is long enough."""
    repeated = other[:, np.arange(latents.shape[1]) % max(other.shape[1], 1)]
    return np.asarray(latents + (repeated - latents) * amount)


@dataclass(frozen=True, eq=False)
class EffectVector:
    """What an effect does to latents on the average.

    Attributes:
        vector: ``(latents,)``, wet minus dry.
        leakage: the share of the power of wet minus dry, frame by frame, that the vector does not account for: 0 when
            the effect is a step in one direction, 1 when it is anything but.
    """

    vector: Floats
    leakage: float


def effect_vector(dry: Floats, wet: Floats) -> EffectVector:
    """The effect vector of the same sound dry and wet, frame by frame at the same time."""
    frames = min(dry.shape[1], wet.shape[1])
    change = wet[:, :frames] - dry[:, :frames]
    vector = change.mean(axis=1)
    power = float(np.square(change).sum(axis=0).mean())
    return EffectVector(vector, 1 - float(np.square(vector).sum()) / power if power > 1e-20 else 0.0)


def _usual(latents: Floats) -> tuple[Floats, Floats]:
    return latents.mean(axis=1, keepdims=True), np.maximum(latents.std(axis=1, keepdims=True), 1e-9)
