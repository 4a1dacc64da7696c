"""The card that is kept beside a plugin: what it is, what hosts heard, and a picture of both."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.bridge.plugin.bundle import CARD, PICTURE
from studio.bridge.plugin.verify import GATE_DB, Verdict
from studio.disk import write_whole

_WIDTH, _ROW, _SPECTRUM = 960, 18, 144


@dataclass(frozen=True)
class Card:
    """All there is to know about one exported plugin; without a `verdict` it was not loaded here."""

    name: str
    vendor: str
    format: str
    id: str
    recipe: str
    version: str
    target: str
    compiler: str
    kilobytes: float
    seconds: Mapping[str, float]
    baked: tuple[str, ...] = ()
    verdict: Verdict | None = None

    @property
    def state(self) -> str:
        """In a phrase, how far it can be trusted."""
        if self.verdict is None:
            return "cross-built, not loaded here"
        if self.verdict.failures:
            return f"differs from the render: {self.verdict.failures[0]}"
        return f"verified in {' and '.join(self.verdict.hosts)}: {self.verdict.worst_db:.1f} dB at worst"

    def data(self) -> dict[str, Any]:
        """Plain data, as it is written to disk."""
        plain = asdict(self)
        if self.verdict:
            del plain["verdict"]["sounds"]
        return {**plain, "state": self.state, "gate_db": GATE_DB}

    def save(self, plugin: Path) -> tuple[Path, Path | None]:
        """Write it, and its picture if it has one, beside the plugin."""
        card, picture = (plugin.with_name(plugin.name + ending) for ending in (CARD, PICTURE))
        if self.verdict is None:
            picture.unlink(missing_ok=True)
        else:
            write_whole(picture, self.picture())
        write_whole(card, json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n")
        return card, picture if self.verdict else None

    def rows(self) -> list[tuple[str, ...]]:
        """What was played: take, host, rate, block, null."""
        played = self.verdict.played if self.verdict else ()
        return [
            (each.take, each.host, f"{each.rate / 1000:g} kHz", str(each.block), _level(each.null_db))
            for each in played
        ]

    def picture(self) -> bytes:
        """A PNG: the null of every take as a bar, under it what the plugin and the recipe sound like."""
        from PIL import Image, ImageDraw

        rows = self.rows()
        sounds = self.verdict.sounds if self.verdict else {}
        image = Image.new("RGB", (_WIDTH, 40 + _ROW * len(rows) + _SPECTRUM * len(sounds)), (16, 14, 20))
        draw = ImageDraw.Draw(image)
        draw.text((12, 10), _plain(f"{self.name}   {self.format}   {self.state}"), (240, 236, 228))
        for index, (row, each) in enumerate(zip(rows, self.verdict.played if self.verdict else (), strict=True)):
            top = 36 + index * _ROW
            length = min(max(-each.null_db, 0.0), 200.0) / 200.0 * (_WIDTH - 480)
            draw.rectangle(
                (380, top + 3, 380 + length, top + _ROW - 4), (90, 170, 130) if each.passed else (210, 70, 60)
            )
            draw.text((12, top + 2), _plain(f"{row[1]:12s} {row[0]}"[:56]), (190, 184, 176))
            draw.text((390 + length, top + 2), row[4], (240, 236, 228))
        gate = 380 + -GATE_DB / 200.0 * (_WIDTH - 480)
        draw.line((gate, 34, gate, 36 + len(rows) * _ROW), (222, 150, 60))
        _draw_spectra(image, 40 + _ROW * len(rows), sounds)
        return _png(image)

    def _repr_html_(self) -> str:
        """As a notebook shows it: the knobs, the picture with its spectrograms, and every take to be unfolded."""
        knobs = [
            (each["name"], f"{each['low']:g} to {each['high']:g} {each['unit']}", f"{each['default']:g}", each["help"])
            for each in (self.verdict.parameters if self.verdict else ())
        ]
        takes = table_html(("take", "host", "rate", "block", "null"), self.rows())
        return (
            f"<h4>{html.escape(self.name)}</h4><p>{html.escape(self.state)}</p>"
            f"{table_html(('knob', 'range', 'stands at', ''), knobs)}{embedded(self.picture()) if self.verdict else ''}"
            f"<details><summary>{len(self.rows())} takes</summary>{takes}</details>"
        )


def spectra_picture(title: str, sounds: Mapping[str, Block]) -> bytes:
    """A PNG of what sounds look like, one under the other, on one scale."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (_WIDTH, 40 + _SPECTRUM * len(sounds)), (16, 14, 20))
    ImageDraw.Draw(image).text((12, 10), _plain(title), (240, 236, 228))
    _draw_spectra(image, 40, sounds)
    return _png(image)


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for a notebook; nothing when there are no rows."""
    lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    titles = "".join(f"<th>{html.escape(word)}</th>" for word in head)
    body = "".join(f"<tr>{line}</tr>" for line in ([titles] if head else []) + lines)
    return f"<table>{body}</table>" if lines else ""


def embedded(png: bytes) -> str:
    """A picture inside HTML."""
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _draw_spectra(image: Any, top: int, sounds: Mapping[str, Block]) -> None:
    from PIL import Image, ImageDraw

    for index, (title, sound) in enumerate(sounds.items()):
        here = top + _SPECTRUM * index
        shades = np.clip((spectrum(sound) + 96) / 96, 0, 1)[::-1]
        pixels = np.stack([shades**0.7 * 250, shades**1.6 * 200, 40 + shades * (1 - shades) * 300], axis=-1)
        picture = Image.fromarray(pixels.astype(np.uint8)).resize((_WIDTH - 24, _SPECTRUM - 24))
        image.paste(picture, (12, here + 18))
        ImageDraw.Draw(image).text((12, here + 4), _plain(title), (190, 184, 176))


def _png(image: Any) -> bytes:
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


def _level(null_db: float) -> str:
    return "exact" if null_db <= -399 else f"{null_db:.1f} dB"


def _plain(text: str) -> str:
    """What Pillow's built-in letters can show."""
    return text.encode("latin-1", "replace").decode("latin-1")
