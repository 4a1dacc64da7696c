"""The card that is kept beside a plugin: what it is, what hosts heard, and a picture of both."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.bridge.plugin.bundle import CARD, PICTURE
from studio.bridge.plugin.verify import GATE_DB, Verdict
from studio.disk import write_whole

_WIDTH, _ROW = 960, 18


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
        spectra = [(title, spectrum(sound)) for title, sound in self.verdict.sounds.items()] if self.verdict else []
        tall = 120
        image = Image.new("RGB", (_WIDTH, 40 + _ROW * len(rows) + (tall + 24) * len(spectra)), (16, 14, 20))
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
        for index, (title, levels) in enumerate(spectra):
            top = 40 + _ROW * len(rows) + (tall + 24) * index
            shades = np.clip((levels + 96) / 96, 0, 1)[::-1]
            pixels = np.stack([shades**0.7 * 250, shades**1.6 * 200, 40 + shades * (1 - shades) * 300], axis=-1)
            picture = Image.fromarray(pixels.astype(np.uint8)).resize((_WIDTH - 24, tall))
            image.paste(picture, (12, top + 18))
            draw.text((12, top + 4), _plain(title), (190, 184, 176))
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    def _repr_html_(self) -> str:
        """As a notebook shows it: the picture and the table."""
        import base64

        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows()
        )
        head = "".join(f"<th>{word}</th>" for word in ("take", "host", "rate", "block", "null"))
        knobs = "".join(
            f"<tr><td>{html.escape(each['name'])}</td><td>{each['low']:g} to {each['high']:g}"
            f" {html.escape(each['unit'])}</td><td>{html.escape(each['help'])}</td></tr>"
            for each in (self.verdict.parameters if self.verdict else ())
        )
        picture = base64.b64encode(self.picture()).decode() if self.verdict else ""
        shown = f'<img alt="" src="data:image/png;base64,{picture}">' if picture else ""
        return (
            f"<h4>{html.escape(self.name)}</h4><p>{html.escape(self.state)}</p><table>{knobs}</table>{shown}"
            f"<details><table><tr>{head}</tr>{cells}</table></details>"
        )


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
