"""A sketch of a sound: its levels, its outline, its spectrum over time, gathered while it passes by."""

from __future__ import annotations

import base64
import contextlib
import io
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.engine.loudness import Loudness, LoudnessMeter
from studio.errors import OutputError, StudioError
from studio.notes import MOST_BYTES, read_note, write_note
from studio.rendering.outline import MOST_COLUMNS, Outliner
from studio.stored import Members, Real, Several, Whole, Words

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COLUMN = 4096
"""Frames behind one column of the spectrum."""

ROWS = 96
LOWEST_HZ, HIGHEST_HZ = 40.0, 18_000.0
FLOOR_DB = -96.0
_FFT = 4096
_MOST_COLUMNS = 1200


@dataclass(frozen=True)
class WaveformSummary:
    """What the report draws.

    Attributes:
        outline: the lowest and highest sample of every `step` frames.
        spectrum: a PNG, low below, loud bright.
    """

    frames: int
    loudness: Loudness
    outline: tuple[tuple[float, float], ...]
    step: int
    spectrum: bytes

    @property
    def span(self) -> int:
        """The frames that the spectrum stands for; a whole number of columns, so more than there are, or fewer."""
        columns = math.ceil(self.frames / COLUMN)
        pool = max(1, math.ceil(columns / _MOST_COLUMNS))
        return columns // pool * pool * COLUMN

    def save(self, path: Path) -> None:
        """Keep it for the next report; not being able to costs time only."""
        loud = self.loudness
        levels = [loud.integrated, loud.peak_db, loud.true_peak_db, *loud.short_term]
        note = {
            "frames": self.frames,
            "levels": [_LEVEL.data(level) for level in levels],
            "outline": [[float(low), float(high)] for low, high in self.outline],
            "step": self.step,
            "spectrum": base64.b64encode(self.spectrum).decode(),
        }
        with contextlib.suppress(OutputError):
            write_note(path, note)

    @classmethod
    def load(cls, path: Path) -> WaveformSummary | None:
        """The sketch kept at `path`, if there is a sound one."""
        note = read_note(path)
        try:
            kept = _KEPT.parse(note)
            (integrated, peak, true_peak, *short_term) = kept["levels"]
            return cls(
                kept["frames"],
                Loudness(integrated, peak, true_peak, tuple(short_term)),
                tuple((low, high) for low, high in kept["outline"]),
                kept["step"],
                base64.b64decode(kept["spectrum"], validate=True),
            )
        except (StudioError, ValueError):
            return None


_LEVEL = Real()
_KEPT = Members(
    of={
        "frames": Whole(),
        "levels": Several(each=_LEVEL, fewest=3, most=10_000_000),
        "outline": Several(each=Several(each=Real(low=-1e6, high=1e6), fewest=2, most=2), most=MOST_COLUMNS + 1),
        "step": Whole(),
        "spectrum": Words(longest=MOST_BYTES),
    }
)


class WaveformSummarizer:
    """Feed it a sound block by block, then `draw` it."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._meter = LoudnessMeter(rate, channels)
        self._rest = np.zeros((channels, 0), np.float32)
        self._outline = Outliner()
        self._spectrum: list[NDArray[np.float32]] = []
        self._frames = 0

    def push(self, block: Block) -> None:
        """Take the next block of shape (channels, frames)."""
        self._frames += block.shape[1]
        self._meter.push(block)
        self._outline.push(block)
        joined = np.concatenate([self._rest, block], axis=1) if self._rest.shape[1] else block
        columns = joined.shape[1] // COLUMN
        self._columns(joined[:, : columns * COLUMN])
        self._rest = joined[:, columns * COLUMN :]

    def draw(self) -> WaveformSummary:
        """The summary of all that was pushed."""
        if self._rest.shape[1]:
            self._columns(np.pad(self._rest, ((0, 0), (0, COLUMN - self._rest.shape[1]))))
        outline, step = self._outline.read()
        spectrum = np.concatenate([np.zeros((0, ROWS), np.float32), *self._spectrum])
        pool = max(1, math.ceil(len(spectrum) / _MOST_COLUMNS))
        return WaveformSummary(
            self._frames,
            self._meter.read(),
            tuple((round(float(low), 4), round(float(high), 4)) for low, high in outline),
            step,
            _png(_pooled(spectrum, pool)),
        )

    def _columns(self, samples: Block) -> None:
        if not samples.shape[1]:
            return
        # Channel by channel: blocks are interleaved in memory, and numpy's own mean goes through them pair by pair.
        mono = np.ascontiguousarray(samples[0])
        for channel in samples[1:]:
            mono = mono + channel
        windowed = (mono / np.float32(len(samples))).reshape(-1, COLUMN) * _window()
        power = np.abs(np.fft.rfft(windowed, _FFT, axis=1)) ** 2
        bands = (_bands(self._rate) @ power.T).T
        self._spectrum.append((10 * np.log10(bands + 1e-12)).astype(np.float32))


@cache
def _window() -> NDArray[np.float32]:
    window = np.hanning(COLUMN + 1)[:-1]
    return np.asarray(window / window.sum() * 2, dtype=np.float32)


@cache
def _bands(rate: int) -> csr_array:
    """Triangles, equally wide on a logarithmic axis, that gather bins into rows from low to high.

    Sparse, because a bin reaches two rows at most, and because a dense product would call up the threads of
    the linear algebra library, which then fight the engine's for the cores.
    """
    from scipy.sparse import csr_array

    centres = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate / 2), ROWS)
    step = np.log(centres[1] / centres[0])
    bins = np.fft.rfftfreq(_FFT, 1 / rate)
    distance = np.abs(np.log(np.maximum(bins, 1e-3))[:, None] - np.log(centres)[None, :]) / step
    weights = np.maximum(0.0, 1.0 - distance)
    for row in np.flatnonzero(weights.sum(axis=0) < 1.0):
        # Low rows are narrower than a bin: they take what lies between their two neighbours.
        bin_position = np.interp(centres[row], bins, np.arange(len(bins)))
        below, share = int(bin_position), bin_position - int(bin_position)
        weights[:, row] = 0.0
        weights[below, row], weights[min(below + 1, len(bins) - 1), row] = 1 - share, share
    return csr_array(weights.T.astype(np.float32))


def _pooled(values: NDArray[np.float32], pool: int) -> NDArray[np.float32]:
    whole = len(values) // pool * pool
    return values[:whole].reshape(-1, pool, values.shape[1]).max(axis=1) if pool > 1 else values


_MAP = np.array(
    [[0, 0, 4], [28, 12, 70], [96, 20, 110], [165, 40, 95], [222, 75, 60], [248, 140, 30], [250, 205, 70], [252, 255, 200]],
    dtype=np.float64,
)  # fmt: skip
"""Black over violet and orange to pale yellow, in equal steps of brightness."""

_SHADES = 97
"""One for each decibel."""


def _png(spectrum: NDArray[np.float32]) -> bytes:
    from PIL import Image

    level = np.clip((spectrum - FLOOR_DB) / -FLOOR_DB, 0, 1).T[::-1] if len(spectrum) else np.zeros((ROWS, 1))
    positions = np.linspace(0, len(_MAP) - 1, _SHADES)
    palette = np.stack([np.interp(positions, np.arange(len(_MAP)), channel) for channel in _MAP.T], axis=-1)
    image = Image.fromarray(np.rint(level * (_SHADES - 1)).astype(np.uint8))
    image.putpalette(palette.astype(np.uint8).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    return out.getvalue()
