"""What a value shows where no kernel is at work: one piece of HTML with a picture and a small player.

Saved notebooks, GitHub, nbviewer, nbconvert and JupyterLite show it as it is. It has no script and no style sheet, since
those are taken out of notebooks that nobody trusts yet.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np

from studio.audio import Audio, Block, to_channels
from studio.visible import markup

RATE = 48_000
"""Opus knows this rate."""

LONGEST_SECONDS = 600.0
"""Of a longer sound only the beginning is kept in the notebook."""

_LEVEL = 0.97
"""libsndfile's compression level: as text, stereo takes less than 300 kB a minute."""

_COLUMNS, _HEIGHT = 800, 80


def still(sounds: Mapping[str, Audio], title: str = "") -> str:
    """Sounds as HTML that needs nothing else.

    Args:
        sounds: each by its name, of any rate; more than two channels are mixed to two.
        title: what stands above them, as people wrote it.
    """
    parts = [f"<p><strong>{markup(title)}</strong></p>"] if title else []
    for name, audio in sounds.items():
        label = markup(name or title or "sound")
        facts = f"{audio.seconds:.1f} s, {audio.channels} channels, {audio.rate} Hz, peak {audio.peak_db:.1f} dBFS"
        cut = f"; the first {LONGEST_SECONDS / 60:.0f} minutes" if audio.seconds > LONGEST_SECONDS else ""
        said = f"{label}: {facts}{cut}" if name else f"{facts}{cut}"
        source = base64.b64encode(encoded(audio)).decode()
        parts.append(
            f"<div><div><small>{said}</small></div>{_waveform(audio.samples, label)}"
            f'<audio controls preload="none" aria-label="{label}" style="width: 100%; max-width: {_COLUMNS}px"'
            f' src="data:audio/ogg;base64,{source}"></audio></div>'
        )
    return "\n".join(parts)


def written(title: str, text: str) -> str:
    """A document, such as a recipe, as HTML that needs nothing else."""
    return f"<details open><summary>{markup(title)}</summary><pre>{markup(text, lines=True)}</pre></details>"


def encoded(audio: Audio) -> bytes:
    """A sound as an Ogg Opus file, small rather than exact."""
    import soundfile
    import soxr

    kept = audio.samples[:, : round(LONGEST_SECONDS * audio.rate)]
    samples = to_channels(kept, min(2, audio.channels)).T
    if audio.rate != RATE and samples.size:
        samples = soxr.resample(samples, audio.rate, RATE)
    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1), RATE, format="OGG", subtype="OPUS", compression_level=_LEVEL)
    return out.getvalue()


def _waveform(samples: Block, label: str) -> str:
    """The outline of a sound as SVG: the lowest and highest sample of each column."""
    frames = samples.shape[1]
    if not frames:
        return ""
    edges = np.unique(np.linspace(0, frames, min(_COLUMNS, frames) + 1).astype(np.int64))[:-1]
    high = np.maximum.reduceat(samples.max(axis=0), edges)
    low = np.minimum.reduceat(samples.min(axis=0), edges)
    middle, step = _HEIGHT / 2, _COLUMNS / len(edges)
    top = [f"{index * step:.0f} {middle - min(1.0, value) * middle:.1f}" for index, value in enumerate(high)]
    bottom = [f"{index * step:.0f} {middle - max(-1.0, value) * middle + 0.5:.1f}" for index, value in enumerate(low)]
    outline = "M" + "L".join([*top, *reversed(bottom)]) + "Z"
    return (
        f'<svg viewBox="0 0 {_COLUMNS} {_HEIGHT}" width="{_COLUMNS}" height="{_HEIGHT}" style="max-width: 100%" role="img"'
        f' aria-label="{label}: waveform"><path fill="#7a55b8" d="{outline}"/></svg>'
    )
