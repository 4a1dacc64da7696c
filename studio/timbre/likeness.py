"""How like two sets of sounds are to ears that tell instruments apart: Fréchet, inception-type, Jensen–Shannon and bins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.folders import shipped_presets
from studio.tempo import Floats
from studio.timbre.torch_library import need_torch

if TYPE_CHECKING:
    from studio.nets.ears import InstrumentClassifier

BINS = 12
_DIFFERENT = 1.96
"""Standard errors by which two shares differ significantly, at 5 %."""


@dataclass(frozen=True)
class Likeness:
    """How like made sounds are to wanted ones.

    Attributes:
        frechet: the Fréchet distance of Gaussians fitted to embeddings (Kilgour et al. 2019); 0 is the same.
        inception: exp of the mean divergence of what is heard in a window from what is heard on the average (Salimans
            et al. 2016): 1 when all windows sound alike or like nothing, more when each is clearly one of many.
        divergence: Jensen–Shannon, in bits, of how both are spread over `BINS` bins of what is wanted; 0 is the same.
        different_bins: the share of bins whose share differs significantly (NDB, Richardson & Weiss 2018).
        heard_as: the instrument that the made sounds are heard as.
    """

    frechet: float
    inception: float
    divergence: float
    different_bins: float
    heard_as: str

    def data(self) -> dict[str, float | str]:
        """Plain data."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def likeness(made: Audio, wanted: Audio) -> Likeness | None:
    """How like a sound is to another, or None when one of them is silence.

    Raises:
        MissingError: torch is not installed.
    """
    ears = shipped_ears()
    (one, chances), (other, _) = ears.listen(made), ears.listen(wanted)
    if not len(one) or not len(other):
        return None
    shares = _shares(one, other)
    return Likeness(
        frechet(one, other),
        inception(chances),
        divergence(*shares),
        _different(shares[0], len(one), shares[1], len(other)),
        str(ears.card["classes"][int(chances.mean(axis=0).argmax())]),
    )


def shipped_ears() -> InstrumentClassifier:
    """The network that came with the studio.

    Raises:
        MissingError: torch is not installed.
    """
    return _ears(shipped_presets() / "models" / "instruments.ears")


@lru_cache(maxsize=1)
def _ears(path: Path) -> InstrumentClassifier:
    need_torch()
    from studio.nets.ears import InstrumentClassifier

    return InstrumentClassifier.load(path)


def frechet(one: Floats, other: Floats) -> float:
    """The Fréchet distance of two Gaussians fitted to rows of features (Heusel et al. 2017)."""
    from scipy.linalg import sqrtm

    means = one.mean(axis=0), other.mean(axis=0)
    spreads = [_spread(each) + 1e-6 * np.eye(each.shape[1]) for each in (one, other)]
    cross = np.real(sqrtm(spreads[0] @ spreads[1]))
    total = np.square(means[0] - means[1]).sum() + np.trace(spreads[0] + spreads[1] - 2 * cross)
    return float(max(total, 0.0))


def _spread(rows: Floats) -> Floats:
    if len(rows) < 2:
        return np.zeros((rows.shape[1], rows.shape[1]))
    return np.atleast_2d(np.cov(rows, rowvar=False))


def inception(chances: Floats) -> float:
    """Of chances ``(windows, classes)``."""
    mean = chances.mean(axis=0)
    each = (chances * (np.log(chances + 1e-12) - np.log(mean + 1e-12))).sum(axis=1)
    return float(np.exp(each.mean()))


def divergence(one: Floats, other: Floats) -> float:
    """Jensen–Shannon, in bits, of two rows of shares."""
    middle = (one + other) / 2

    def against(shares: Floats) -> float:
        there = shares > 0
        return float((shares[there] * np.log2(shares[there] / middle[there])).sum())

    return (against(one) + against(other)) / 2


def _shares(made: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """How both are spread over bins found by k-means in what is wanted."""
    from scipy.cluster.vq import kmeans2

    spread = wanted.std(axis=0) + 1e-9
    scaled = wanted / spread
    count = min(max(2, min(BINS, len(wanted) // 4)), len(np.unique(scaled.round(6), axis=0)))
    centres, _ = kmeans2(scaled, count, seed=0, minit="++", missing="warn")
    found: list[Floats] = []
    for rows in (made, wanted):
        near: NDArray[np.int64] = np.linalg.norm((rows / spread)[:, None] - centres[None], axis=2).argmin(axis=1)
        found.append(np.bincount(near, minlength=count) / len(rows))
    return found[0], found[1]


def _different(one: Floats, count: int, other: Floats, others: int) -> float:
    """The share of bins that differ by a test of two proportions."""
    pooled = (one * count + other * others) / (count + others)
    error = np.sqrt(pooled * (1 - pooled) * (1 / count + 1 / others))
    return float((np.abs(one - other) > _DIFFERENT * np.maximum(error, 1e-12)).mean())
