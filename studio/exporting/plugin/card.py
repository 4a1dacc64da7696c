"""The card that is kept beside a plugin: what it is, what hosts heard, and a picture of both."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.disk import write_whole
from studio.exporting.build_card import BuildCard
from studio.exporting.plugin.bundle import card_files
from studio.exporting.plugin.signals import GATE_DB
from studio.exporting.plugin.verify import Verdict
from studio.rendering.drawing import SPECTRUM, WIDTH, draw_spectra, embedded, plain, png_of, table_html
from studio.visible import markup

_ROW = 18


@dataclass(frozen=True, kw_only=True)
class Card(BuildCard):
    """All there is to know about one exported plugin; without a `verdict` it was not loaded here."""

    verdict: Verdict | None = None
    knobs: tuple[dict[str, Any], ...] = ()

    @property
    def state(self) -> str:
        """In a phrase, how far it can be trusted."""
        if self.verdict is None:
            return "cross-built, not loaded here"
        if self.verdict.failures:
            return f"differs from the render: {self.verdict.failures[0]}"
        if not self.verdict.played:
            return f"could not be asked: {'; '.join(self.verdict.skipped)}"
        return f"verified in {' and '.join(self.verdict.hosts)}: {self.verdict.worst_db:.1f} dB at worst"

    def data(self) -> dict[str, Any]:
        """Plain data, as it is written to disk."""
        plain = asdict(self)
        if self.verdict:
            del plain["verdict"]["sounds"]
        return {
            **plain,
            "state": self.state,
            "word": self.verdict.word if self.verdict else "could not be asked",
            "gate_db": GATE_DB,
        }

    def save(self, plugin: Path) -> tuple[Path, Path | None]:
        """Write it, and its picture if it has one, beside the plugin."""
        card, picture = card_files(plugin)
        if self.verdict is None:
            picture.unlink(missing_ok=True)
        else:
            write_whole(picture, self.picture())
        write_whole(card, json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n")
        return card, picture if self.verdict else None

    def rows(self) -> list[tuple[str, ...]]:
        """What was played: signal, host, rate, block, null."""
        played = self.verdict.played if self.verdict else ()
        return [
            (each.signal, each.host, f"{each.rate / 1000:g} kHz", str(each.block), _level(each.null_db))
            for each in played
        ]

    def picture(self) -> bytes:
        """A PNG: the null of every signal as a bar, under it what the plugin and the recipe sound like."""
        from PIL import Image, ImageDraw

        rows = self.rows()
        sounds = self.verdict.sounds if self.verdict else {}
        image = Image.new("RGB", (WIDTH, 40 + _ROW * len(rows) + SPECTRUM * len(sounds)), (16, 14, 20))
        draw = ImageDraw.Draw(image)
        draw.text((12, 10), plain(f"{self.name}   {self.format}   {self.state}"), (240, 236, 228))
        for index, (row, each) in enumerate(zip(rows, self.verdict.played if self.verdict else (), strict=True)):
            top = 36 + index * _ROW
            length = min(max(-each.null_db, 0.0), 200.0) / 200.0 * (WIDTH - 480)
            draw.rectangle(
                (380, top + 3, 380 + length, top + _ROW - 4), (90, 170, 130) if each.passed else (210, 70, 60)
            )
            draw.text((12, top + 2), plain(f"{row[1]:12s} {row[0]}"[:56]), (190, 184, 176))
            draw.text((390 + length, top + 2), row[4], (240, 236, 228))
        gate = 380 + -GATE_DB / 200.0 * (WIDTH - 480)
        draw.line((gate, 34, gate, 36 + len(rows) * _ROW), (222, 150, 60))
        draw_spectra(image, 40 + _ROW * len(rows), sounds)
        return png_of(image)

    def _repr_html_(self) -> str:
        """As a notebook shows it: the knobs, the picture with its spectrograms, and every signal to be unfolded."""
        knobs = [
            (each["name"], f"{each['low']:g} to {each['high']:g} {each['unit']}", f"{each['default']:g}", each["help"])
            for each in self.knobs
        ]
        signals = table_html(("signal", "host", "rate", "block", "null"), self.rows())
        return (
            f"<h4>{markup(self.name)}</h4><p>{markup(self.state)}</p>"
            f"{table_html(('knob', 'range', 'stands at', ''), knobs)}{embedded(self.picture()) if self.verdict else ''}"
            f"<details><summary>{len(self.rows())} signals</summary>{signals}</details>"
        )


def _level(null_db: float) -> str:
    return "exact" if null_db <= -399 else f"{null_db:.1f} dB"
