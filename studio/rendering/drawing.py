"""What cards show: spectrograms, tables and pictures inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.visible import markup

WIDTH, SPECTRUM = 960, 144
"""Pixels: of a picture, and of the height of a spectrogram with its title."""


def spectra_picture(title: str, sounds: Mapping[str, Block]) -> bytes:
    """A PNG of what sounds look like, one under the other, on one scale."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, 40 + SPECTRUM * len(sounds)), (16, 14, 20))
    ImageDraw.Draw(image).text((12, 10), plain(title), (240, 236, 228))
    draw_spectra(image, 40, sounds)
    return png_of(image)


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for a notebook; nothing when there are no rows."""
    lines = ["".join(f"<td>{markup(cell)}</td>" for cell in row) for row in rows]
    titles = "".join(f"<th>{markup(word)}</th>" for word in head)
    body = "".join(f"<tr>{line}</tr>" for line in ([titles] if head else []) + lines)
    return f"<table>{body}</table>" if lines else ""


def embedded(png: bytes) -> str:
    """A picture inside HTML."""
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def draw_spectra(image: Any, top: int, sounds: Mapping[str, Block]) -> None:
    """Spectrograms above each other as one picture."""
    from PIL import Image, ImageDraw

    for index, (title, sound) in enumerate(sounds.items()):
        here = top + SPECTRUM * index
        shades = np.clip((spectrum(sound) + 96) / 96, 0, 1)[::-1]
        pixels = np.stack([shades**0.7 * 250, shades**1.6 * 200, 40 + shades * (1 - shades) * 300], axis=-1)
        picture = Image.fromarray(pixels.astype(np.uint8)).resize((WIDTH - 24, SPECTRUM - 24))
        image.paste(picture, (12, here + 18))
        ImageDraw.Draw(image).text((12, here + 4), plain(title), (190, 184, 176))


def png_of(image: Any) -> bytes:
    """A picture as the bytes of a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def spectrum(sound: Block) -> NDArray[np.float64]:
    """Levels in dB of a mono mix, from low to high and over time, on a logarithmic axis of 96 rows."""
    size, hop = 2048, 256
    mono = np.pad(sound.mean(axis=0), (0, size))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / (size / 4) ** 2
    bins = np.geomspace(2, size // 2, 96).astype(int)
    return np.asarray(10 * np.log10(power[:, bins].T + 1e-10))


def plain(text: str) -> str:
    """What Pillow's built-in letters can show."""
    return text.encode("latin-1", "replace").decode("latin-1")
