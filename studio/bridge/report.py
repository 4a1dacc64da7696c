"""The report: one HTML page with a picture and a player for every file of a render."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from studio.bridge.audio_writer import describe_tempo
from studio.bridge.manifest import Entry, Manifest
from studio.bridge.sketch import COLUMN, HIGHEST_HZ, LOWEST_HZ, Sketch
from studio.disk import write_whole
from studio.engine import Plan

REPORT = "report.html"
_WIDTH = 1000
_WAVE, _SPECTRUM, _LOUDNESS = 80, 150, 70
_QUIETEST, _LOUDEST = -50.0, 0.0


def write_report(folder: Path, plan: Plan, manifest: Manifest, sketches: Mapping[str, Sketch | None]) -> None:
    """Write `report.html` into the folder of a render.

    Raises:
        OutputError: it cannot be written.
    """
    sections = [_section(entry, sketches[entry.path], plan, manifest) for entry in manifest.entries]
    sources = "".join(
        f"<tr><td>{escape(path)}</td><td><code>{digest[:16]}</code></td></tr>"
        for path, digest in manifest.sources.items()
    )
    versions = ", ".join(f"{escape(name)} {escape(number)}" for name, number in manifest.versions.items())
    page = Template((Path(__file__).parent / "report.template.html").read_text(encoding="utf-8")).substitute(
        title=escape(manifest.title or "Untitled"),
        story=escape(plan.recipe.story),
        facts=escape(
            " · ".join(
                part
                for part in (
                    plan.recipe.author,
                    plan.recipe.license,
                    _clock(manifest.frames / manifest.rate),
                    describe_tempo(plan.stage.tempo),
                    f"{manifest.rate / 1000:g} kHz",
                    f"recipe {manifest.recipe_hash[:12]}",
                )
                if part
            )
        ),
        sections="\n".join(sections),
        sources=sources,
        versions=versions,
        recipe=escape(plan.recipe.dumps()),
    )
    write_whole(folder / REPORT, page)


def _section(entry: Entry, sketch: Sketch | None, plan: Plan, manifest: Manifest) -> str:
    seconds = manifest.frames / manifest.rate
    picture = _picture(sketch, plan, entry.role == "mix", seconds, manifest.rate) if sketch else ""
    numbers = [
        ("loudness", _level(entry.lufs, "LUFS")),
        ("true peak", _level(entry.true_peak_db, "dBTP")),
        ("peak", _level(entry.peak_db, "dBFS")),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in numbers)
    role = "" if entry.role == "mix" else f"<small>{entry.role}</small>"
    return f"""<section class="{entry.role}">
<h2>{escape(entry.name)} {role}</h2><dl>{listed}</dl>
{picture}
<audio controls preload="none" src="{quote(entry.path)}"></audio>
</section>"""


def _picture(sketch: Sketch, plan: Plan, marked: bool, seconds: float, rate: int) -> str:
    """Waveform, spectrogram and short-term loudness over one time axis."""
    frames = max(1, round(seconds * rate))
    columns = math.ceil(sketch.frames / COLUMN) * COLUMN
    stretch = _WIDTH * columns / frames
    height = _WAVE + _SPECTRUM + _LOUDNESS
    image = base64.b64encode(sketch.spectrum).decode()
    marks = _marks(plan, seconds) if marked else ""
    return f"""<svg viewBox="-44 -16 {_WIDTH + 52} {height + 36}" data-seconds="{seconds:.3f}" role="img"
 aria-label="waveform, spectrogram and loudness over time">
<clipPath id="frame"><rect width="{_WIDTH}" height="{height}"/></clipPath>
<g clip-path="url(#frame)">
<path class="wave" d="{_wave(sketch, stretch)}"/>
<image x="0" y="{_WAVE}" width="{stretch:.2f}" height="{_SPECTRUM}" preserveAspectRatio="none"
 href="data:image/png;base64,{image}"/>
<polyline class="loudness" points="{_loudness(sketch, seconds)}"/></g>
{_axes(seconds, rate)}{marks}
<line class="head" y1="0" y2="{height}" x1="-99" x2="-99"/></svg>"""


def _wave(sketch: Sketch, stretch: float) -> str:
    """The outline as a closed path, from left to right along the top and back along the bottom."""
    if not sketch.outline:
        return ""
    step, middle = stretch / len(sketch.outline), _WAVE / 2
    tops = [f"{index * step:.1f} {middle - high * middle:.1f}" for index, (_, high) in enumerate(sketch.outline)]
    bottoms = [f"{index * step:.1f} {middle - low * middle:.1f}" for index, (low, _) in enumerate(sketch.outline)]
    return "M" + "L".join([*tops, *reversed(bottoms)]) + "Z"


def _loudness(sketch: Sketch, seconds: float) -> str:
    values = sketch.loudness.short_term
    skip = max(1, len(values) // 600)
    points = []
    for index in range(0, len(values), skip):
        # A short-term value stands for the three seconds that end with it.
        x = (index * 0.1 + 3.0) / seconds * _WIDTH
        points.append(f"{x:.1f},{_loudness_y(values[index]):.1f}")
    return " ".join(points)


def _loudness_y(lufs: float) -> float:
    place = (min(_LOUDEST, max(_QUIETEST, lufs)) - _QUIETEST) / (_LOUDEST - _QUIETEST)
    return _WAVE + _SPECTRUM + _LOUDNESS * (1 - place)


def _axes(seconds: float, rate: int) -> str:
    height = _WAVE + _SPECTRUM + _LOUDNESS
    parts = [f'<rect class="frame" width="{_WIDTH}" height="{height}"/>']
    for rule in (_WAVE, _WAVE + _SPECTRUM):
        parts.append(f'<line class="rule" x2="{_WIDTH}" y1="{rule}" y2="{rule}"/>')
    step = next(step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 1e9) if seconds / step <= 12)
    for index in range(1, int(seconds / step) + 1):
        x: float = index * step / seconds * _WIDTH
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{height}" y2="{height + 4}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height + 15}" text-anchor="middle">{_clock(index * step)}</text>')
    top = min(HIGHEST_HZ, rate / 2)
    for hertz, label in ((100, "100 Hz"), (1_000, "1 kHz"), (10_000, "10 kHz")):
        if hertz < top:
            y = _WAVE + _SPECTRUM * (1 - math.log(hertz / LOWEST_HZ) / math.log(top / LOWEST_HZ))
            parts.append(f'<text x="-5" y="{y + 3:.1f}" text-anchor="end">{label}</text>')
    for lufs in (-14, -36):
        y = _loudness_y(lufs)
        parts.append(f'<line class="tick" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-5" y="{y + 3:.1f}" text-anchor="end">{lufs} LUFS</text>')
    return "".join(parts)


def _marks(plan: Plan, seconds: float) -> str:
    """The markers of the score, above the mix."""
    score = plan.score
    if score is None:
        return ""
    parts, free = [], 0.0
    for mark in score.marks:
        if mark.kind not in ("marker", "cue"):
            continue
        x = float(plan.stage.tempo.second_at(score.beat(mark.tick))) / seconds * _WIDTH
        if free <= x <= _WIDTH:
            parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="-4" y2="0"/>')
            parts.append(f'<text x="{x + 2:.1f}" y="-5">{escape(mark.text[:24])}</text>')
            free = x + 8 + 6 * min(24, len(mark.text))
    return "".join(parts)


def _level(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if math.isfinite(value) else "silence"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
