"""The frame of every page: its style, its players, and the picture of a sound."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from string import Template
from urllib.parse import quote

from studio.rendering.waveform_summary import COLUMN, HIGHEST_HZ, LOWEST_HZ, WaveformSummary
from studio.visible import markup

WIDTH = 1000
"""The unit of pictures: their time axis is so long."""

_WAVE, _SPECTRUM, _LOUDNESS = 80, 150, 70
_QUIETEST, _LOUDEST = -50.0, 0.0


def filled(title: str, story: str, facts: str, sections: str, appendix: str) -> str:
    """A page; everything given is HTML, so what people wrote must have been escaped."""
    text = (Path(__file__).parent / "page.template.html").read_text(encoding="utf-8")
    script = text.partition("<script>")[2].partition("</script>")[0]
    policy = policy_of(script, "media-src 'self' file:")
    return Template(text).substitute(
        policy=policy, title=title, story=story, facts=facts, sections=sections, appendix=appendix
    )


def policy_of(script: str, *more: str) -> str:
    """The content-security policy of a page: one script runs, nothing is fetched, and nothing is sent.

    Args:
        script: exactly what stands between the tags.
        more: what else the page may load.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = (
        "default-src 'none'", f"script-src 'sha256-{digest}'", "style-src 'unsafe-inline'", "img-src data: blob:", *more,
        "base-uri 'none'", "form-action 'none'",
    )  # fmt: skip
    return "; ".join(parts)


def section(name: str, figures: Iterable[tuple[str, str]], drawing: str, file: str, role: str = "") -> str:
    """One sound on a page: its name, its figures, its picture and a player.

    Args:
        name: what it is called, as people wrote it.
        figures: what was measured, as pairs of a word and a value.
        drawing: what `picture` gives, or nothing.
        file: its path, relative to the page.
        role: what it is to the song; nothing where it goes without saying.
    """
    listed = "".join(f"<dt>{markup(word)}</dt><dd>{markup(value)}</dd>" for word, value in figures)
    small = f" <small>{markup(role)}</small>" if role else ""
    label = markup(f"{name} {role}".strip())
    drawn = (
        f'<div class="picture" role="group" tabindex="0" aria-label="{label}: picture">{drawing}</div>'
        if drawing
        else ""
    )
    return f"""<section>
<h2>{markup(name)}{small}</h2>{f"<dl>{listed}</dl>" if listed else ""}
{drawn}
<audio controls preload="none" aria-label="{label}" src="{quote(file)}"></audio>
</section>"""


def picture(sketch: WaveformSummary, seconds: float, rate: int, marks: str = "") -> str:
    """Waveform, spectrogram and short-term loudness over one time axis, as SVG; `marks` are drawn above."""
    frames = max(1, round(seconds * rate))
    stretch = WIDTH * math.ceil(sketch.frames / COLUMN) * COLUMN / frames
    height = _WAVE + _SPECTRUM + _LOUDNESS
    image = base64.b64encode(sketch.spectrum).decode()
    return f"""<svg viewBox="-66 -18 {WIDTH + 76} {height + 38}" data-seconds="{seconds:.3f}" role="img"
 aria-label="waveform, spectrogram and loudness over time">
<clipPath id="frame"><rect width="{WIDTH}" height="{height}"/></clipPath>
<g clip-path="url(#frame)">
<path class="wave" d="{_wave(sketch, frames)}"/>
<image x="0" y="{_WAVE}" width="{stretch:.2f}" height="{_SPECTRUM}" preserveAspectRatio="none"
 href="data:image/png;base64,{image}"/>
<polyline class="loudness" points="{_loudness(sketch, seconds)}"/></g>
{_axes(seconds, rate)}{marks}
<line class="head" y1="0" y2="{height}" x1="-99" x2="-99"/></svg>"""


def _wave(sketch: WaveformSummary, frames: int) -> str:
    """The outline of so many frames as a closed path, from left to right along the top and back along the bottom."""
    if not sketch.outline:
        return ""
    step, middle = WIDTH * sketch.step / frames, _WAVE / 2
    tops = [f"{index * step:.1f} {middle - high * middle:.1f}" for index, (_, high) in enumerate(sketch.outline)]
    bottoms = [f"{index * step:.1f} {middle - low * middle:.1f}" for index, (low, _) in enumerate(sketch.outline)]
    return "M" + "L".join([*tops, *reversed(bottoms)]) + "Z"


def _loudness(sketch: WaveformSummary, seconds: float) -> str:
    values = sketch.loudness.short_term
    skip = max(1, len(values) // 600)
    points = []
    for index in range(0, len(values), skip):
        # A short-term value stands for the three seconds that end with it.
        x = (index * 0.1 + 3.0) / seconds * WIDTH
        points.append(f"{x:.1f},{_loudness_y(values[index]):.1f}")
    return " ".join(points)


def _loudness_y(lufs: float) -> float:
    height = (min(_LOUDEST, max(_QUIETEST, lufs)) - _QUIETEST) / (_LOUDEST - _QUIETEST)
    return _WAVE + _SPECTRUM + _LOUDNESS * (1 - height)


def _axes(seconds: float, rate: int) -> str:
    height = _WAVE + _SPECTRUM + _LOUDNESS
    parts = [f'<rect class="frame" width="{WIDTH}" height="{height}"/>']
    for rule in (_WAVE, _WAVE + _SPECTRUM):
        parts.append(f'<line class="rule" x2="{WIDTH}" y1="{rule}" y2="{rule}"/>')
    step = next(step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 1e9) if seconds / step <= 12)
    for index in range(1, int(seconds / step) + 1):
        x: float = index * step / seconds * WIDTH
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{height}" y2="{height + 4}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height + 15}" text-anchor="middle">{clock(index * step)}</text>')
    top = min(HIGHEST_HZ, rate / 2)
    for hertz, label in ((100, "100 Hz"), (1_000, "1 kHz"), (10_000, "10 kHz")):
        if hertz < top:
            y = _WAVE + _SPECTRUM * (1 - math.log(hertz / LOWEST_HZ) / math.log(top / LOWEST_HZ))
            parts.append(f'<text x="-5" y="{y + 3:.1f}" text-anchor="end">{label}</text>')
    for lufs in (-14, -36):
        y = _loudness_y(lufs)
        parts.append(f'<line class="tick" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-5" y="{y + 3:.1f}" text-anchor="end">{lufs} LUFS</text>')
    return "".join(parts)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
