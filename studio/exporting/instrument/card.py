"""The card that is kept beside an exported instrument: what it is, how far it is from its recipe, and a picture of both."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.disk import write_whole
from studio.exporting.build_card import BuildCard
from studio.exporting.instrument.distance import Distance
from studio.exporting.instrument.verify import GATES, Heard
from studio.rendering.drawing import embedded, spectra_picture, table_html
from studio.visible import markup


@dataclass(frozen=True, kw_only=True)
class InstrumentCard(BuildCard):
    """All there is to know about one exported instrument; without hosts in `heard` it was not loaded here."""

    keys: tuple[int, ...]
    velocities: tuple[int, ...]
    zones: int
    looped: int
    sample_seconds: float
    heard: Heard | None = None

    @property
    def state(self) -> str:
        """In a phrase, how far it can be trusted."""
        if self.heard is None:
            return "cross-built, not loaded here"
        if self.heard.failures:
            return f"differs from the recipe: {self.heard.failures[0]}"
        if not self.heard.distances:
            return f"not loaded: {'; '.join(self.heard.skipped)}"
        worst = max(found.mel_db for found in self.heard.distances.values())
        return f"verified in {' and '.join(self.heard.distances)}: mel bands {worst:.1f} dB from the recipe"

    def data(self) -> dict[str, Any]:
        """Plain data, as it is written to disk."""
        plain = asdict(self)
        if self.heard:
            del plain["heard"]["sounds"]
        return {**plain, "state": self.state, "gates": asdict(GATES)}

    def save(self, card: Path, picture: Path) -> tuple[Path, ...]:
        """Write it, and its picture if it was heard."""
        sounds = self.heard.sounds if self.heard else {}
        if sounds:
            write_whole(picture, spectra_picture(f"{self.name}   {self.format}   {self.state}", sounds))
        else:
            picture.unlink(missing_ok=True)
        write_whole(card, json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n")
        return (card, picture) if sounds else (card,)

    def rows(self) -> list[tuple[str, ...]]:
        """What each host made of it: host, level, mel bands, onsets, pitch."""
        found: dict[str, Distance] = dict(self.heard.distances) if self.heard else {}
        if self.heard and self.heard.own:
            found["the recipe against itself"] = self.heard.own
        return [
            (
                host,
                f"{each.level_db:+.1f} dB",
                f"{each.mel_db:.1f} dB",
                f"{each.onset_ms:.1f} ms",
                f"{each.pitch_cents:.1f} cents",
            )
            for host, each in found.items()
        ]

    def _repr_html_(self) -> str:
        """As a notebook shows it: what it is, how far it is from the recipe, and what both sound like."""
        about = [
            ("samples", f"{self.zones}, {self.sample_seconds:.0f} s, {self.looped} looped"),
            ("keys", ", ".join(map(str, self.keys))),
            ("velocities", ", ".join(map(str, self.velocities))),
            ("size", f"{self.kilobytes / 1000:.1f} MB"),
        ]
        heads = ("host", "level", "mel bands", "onset", "pitch")
        sounds = self.heard.sounds if self.heard else {}
        picture = embedded(spectra_picture(f"{self.name}   {self.format}", sounds)) if sounds else ""
        return (
            f"<h4>{markup(self.name)}</h4><p>{markup(self.state)}</p>"
            f"{table_html((), about)}{table_html(heads, self.rows())}{picture}"
        )
