"""What widgets look like where no kernel is at work: pictures as SVG, for notebooks that were saved."""

from __future__ import annotations

import math
from collections.abc import Sequence

from studio.visible import markup

_SWEEP = math.radians(270)
_WIDTH, _ROW = 800, 5
_INK, _WAVE, _LINE = "#777", "#7a55b8", "#ccc"


def dial_picture(label: str, place: float, said: str) -> str:
    """A knob: its name, its hand at a `place` from 0 to 1, and what it says."""

    def end(at: float) -> str:
        angle = (at - 0.5) * _SWEEP
        return f"{40 + 25 * math.sin(angle):.1f} {45 - 25 * math.cos(angle):.1f}"

    def arc(at: float, colour: str) -> str:
        large = int(at * _SWEEP > math.pi)
        return f'<path fill="none" stroke="{colour}" stroke-width="4" d="M{end(0)}A25 25 0 {large} 1 {end(at)}"/>'

    name, value = markup(label), markup(said)
    return (
        f'<svg width="80" height="90" viewBox="0 0 80 90" role="img" aria-label="{name}: {value}">'
        f"{arc(1, _LINE)}{arc(min(1.0, max(0.0, place)), _WAVE)}"
        f'<g fill="{_INK}" font-size="11" font-family="sans-serif" text-anchor="middle">'
        f'<text x="40" y="12">{name}</text><text x="40" y="86">{value}</text></g></svg>'
    )


def roll_picture(label: str, notes: Sequence[Sequence[float]]) -> str:
    """Notes as [start in beats, length in beats, pitch, velocity], time to the right and pitch upwards."""
    if not notes:
        return ""
    low, high = min(note[2] for note in notes), max(note[2] for note in notes)
    unit = _WIDTH / max(1.0, *(note[0] + note[1] for note in notes))
    height = (high - low + 3) * _ROW
    drawn = "".join(
        f'<rect x="{start * unit:.1f}" y="{(high - pitch + 1) * _ROW:g}" width="{max(1.0, beats * unit - 0.5):.1f}"'
        f' height="{_ROW - 1}" opacity="{0.35 + 0.65 * velocity / 127:.2f}"/>'
        for start, beats, pitch, velocity in notes
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}" style="max-width: 100%" role="img"'
        f' aria-label="{markup(label)}"><g fill="{_WAVE}">{drawn}</g></svg>'
    )
