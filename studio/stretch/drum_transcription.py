"""Drums as notes: hits that sound alike are one drum."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.errors import AudioError
from studio.score import DRUM_CHANNEL, Note, Score
from studio.stretch.onsets import find_hits
from studio.tempo import Floats, TempoMap

_RESOLUTION = 960
_LOOK = 0.06
"""Seconds of each hit that tell which drum it is."""

_EDGES_HZ = (30, 60, 90, 130, 200, 300, 450, 700, 1000, 1500, 2200, 3300, 5000, 7500, 11_000, 16_000)
_ALIKE_DB = 5.0
"""How far apart two hits of one drum may be, in the mean over bands."""

_MOST = 12
_LOUDEST = 112

KICKS, SNARES, CLOSED, OPEN, TOMS, OTHERS = (
    (36, 35),
    (38, 40, 39, 37),
    (42, 44),
    (46, 49, 51),
    (45, 48, 41, 50),
    (54, 56, 76, 75),
)
"""General MIDI's keys for what sounds like it, the first cluster first."""


@dataclass(frozen=True)
class DrumHit:
    """A hit: its second, its key in General MIDI, its velocity, and the cluster of hits like it, from 0 by size."""

    start: float
    key: int
    velocity: int
    cluster: int


def transcribe_drums(audio: Audio) -> tuple[DrumHit, ...]:
    """Hear drums as notes: every hit, by clusters of hits that sound alike.

    A cluster is named by its spectrum: what is low is a kick, what is high a hat, short or open; what is broad a snare.
    Two drums struck at once are one hit, of the cluster of such hits.

    Raises:
        AudioError: there are no hits.
    """
    hits = find_hits(audio.samples, audio.rate)
    if not len(hits):
        raise AudioError("no hits are heard.", "This is for drums and percussion.")
    bands, lengths = _looks(audio, hits)
    clusters = _clusters(bands - bands.max(axis=1, keepdims=True))
    loud = 10 * np.log10(np.sum(10 ** (bands / 10), axis=1))
    keys = _names(bands, lengths, clusters)
    velocities = np.clip(np.round(_LOUDEST * 10 ** ((loud - loud.max()) / 40)), 1, 127).astype(int)
    return tuple(
        DrumHit(float(hit / audio.rate), keys[cluster], velocity, cluster)
        for hit, cluster, velocity in zip(hits.tolist(), clusters.tolist(), velocities.tolist(), strict=True)
    )


def drum_score(hits: tuple[DrumHit, ...], tempo: TempoMap, name: str = "drums") -> Score:
    """The hits as a part on channel 10, each a sixteenth long or until the next of its key."""
    notes = []
    for hit in hits:
        tick = round(float(tempo.beat_at(Fraction(hit.start))) * _RESOLUTION)
        notes.append(Note(tick, tick + _RESOLUTION // 4, hit.key, hit.velocity, DRUM_CHANNEL))
    ends: dict[int, int] = {}
    for index in range(len(notes) - 1, -1, -1):
        note = notes[index]
        notes[index] = note._replace(end=max(note.start + 1, min(note.end, ends.get(note.pitch, note.end))))
        ends[note.pitch] = note.start
    return Score((), _RESOLUTION, tempo, (name,)).with_notes(notes)


def _looks(audio: Audio, hits: Floats) -> tuple[Floats, Floats]:
    """The level of each hit in bands, in dB, and the seconds until it has lost 15 dB or the next one comes."""
    mono = audio.samples.mean(axis=0, dtype=np.float64)
    size = round(_LOOK * audio.rate)
    padded = np.pad(mono, (0, 2 * size))
    edges = np.searchsorted(np.fft.rfftfreq(size, 1 / audio.rate), _EDGES_HZ)
    edges = np.maximum.accumulate(np.maximum(edges, np.arange(1, len(edges) + 1)))
    edges = np.minimum(edges, size // 2)
    window = np.hanning(2 * size)[size:]
    bands, lengths = [], []
    following = np.append(hits[1:], len(mono))
    step = max(1, round(0.005 * audio.rate))
    for first, end in zip(hits.astype(int).tolist(), following.astype(int).tolist(), strict=True):
        power = np.abs(np.fft.rfft(padded[first : first + size] * window)) ** 2
        bands.append(
            [10 * np.log10(power[low : max(high, low + 1)].sum() + 1e-9) for low, high in pairwise(edges.tolist())]
        )
        piece = np.square(padded[first : max(end, first + step)])
        levels = np.array([piece[at : at + step].mean() for at in range(0, len(piece), step)])
        below = np.flatnonzero(levels[levels.argmax() :] < levels.max() * 10**-1.5)
        lengths.append((int(below[0]) if len(below) else len(levels)) * step / audio.rate)
    return np.array(bands), np.array(lengths)


def _clusters(shapes: Floats) -> NDArray[np.intp]:
    """The cluster of each hit, the largest 0: complete linkage, cut at `_ALIKE_DB`, and at `_MOST` clusters at least."""
    if len(shapes) == 1:
        return np.zeros(1, np.intp)
    from scipy.cluster.hierarchy import fcluster, linkage

    shapes = np.maximum(shapes, -50.0)
    tree = linkage(shapes, "average", "cityblock")
    found = fcluster(tree, _ALIKE_DB * shapes.shape[1], "distance")
    if found.max() > _MOST:
        found = fcluster(tree, _MOST, "maxclust")
    sizes = np.bincount(found)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    return np.asarray(place[found])


def _names(bands: Floats, lengths: Floats, clusters: NDArray[np.intp]) -> dict[int, int]:
    """A key of General MIDI for each cluster."""
    taken: set[int] = set()
    keys: dict[int, int] = {}
    kinds: tuple[int, ...]
    centres = np.sqrt(np.array(_EDGES_HZ[:-1]) * np.array(_EDGES_HZ[1:], np.float64))
    for cluster in range(int(clusters.max()) + 1):
        own = clusters == cluster
        power = 10 ** (np.median(bands[own], axis=0) / 10)
        power /= power.sum()
        low, high = power[centres < 150].sum(), power[centres > 4500].sum()
        broad = float(np.exp(-(power * np.log(power + 1e-12)).sum()))
        if low > 0.6:
            kinds = KICKS
        elif high > 0.5:
            kinds = OPEN if float(np.median(lengths[own])) > 0.12 else CLOSED
        elif broad > 3.5 or power[centres > 1500].sum() > 0.15:
            kinds = SNARES
        else:
            kinds = TOMS
        keys[cluster] = next((key for key in (*kinds, *OTHERS, *TOMS) if key not in taken), kinds[0])
        taken.add(keys[cluster])
    return keys
