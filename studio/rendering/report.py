"""The report: one HTML page with a picture and a player for every file of a render."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from studio.disk import write_whole
from studio.engine import Plan
from studio.rendering.audio_writer import describe_tempo
from studio.rendering.manifest import Entry, Manifest
from studio.rendering.page import WIDTH, clock, filled, picture, section
from studio.rendering.waveform_summary import WaveformSummary
from studio.visible import markup

REPORT = "report.html"


def write_report(folder: Path, plan: Plan, manifest: Manifest, sketches: Mapping[str, WaveformSummary | None]) -> None:
    """Write `report.html` into the folder of a render.

    Raises:
        OutputError: it cannot be written.
    """
    sections = [_section(entry, sketches[entry.path], plan, manifest) for entry in manifest.entries]
    sources = "".join(
        f"<tr><td>{markup(source.path)}</td><td><code>{source.sha256[:16]}</code></td></tr>"
        for source in manifest.sources
    )
    versions = ", ".join(markup(f"{maker.name} {maker.version}") for maker in manifest.made_by if maker.kind != "step")
    page = filled(
        title=markup(manifest.title or "Untitled"),
        story=markup(plan.recipe.story),
        facts=markup(
            " · ".join(
                part
                for part in (
                    plan.recipe.author,
                    plan.recipe.license,
                    clock(manifest.frames / manifest.rate),
                    describe_tempo(plan.context.tempo),
                    f"{manifest.rate / 1000:g} kHz",
                    f"recipe {manifest.recipe_hash[:12]}",
                )
                if part
            )
        ),
        sections=_remarks(manifest) + "\n".join(sections),
        appendix=f"<details><summary>Recipe</summary><pre tabindex=0>{markup(plan.recipe.dumps(), lines=True)}</pre></details>"
        f"<details><summary>Files it was made of</summary><table>{sources}</table></details><footer>{versions}</footer>",
    )
    write_whole(folder / REPORT, page)


def _remarks(manifest: Manifest) -> str:
    """What must not be overlooked, above everything else."""
    listed = "".join(f"<li>{markup(remark)}</li>" for remark in manifest.remarks)
    return f'<ul class="remarks">{listed}</ul>' if listed else ""


def _section(entry: Entry, sketch: WaveformSummary | None, plan: Plan, manifest: Manifest) -> str:
    seconds = manifest.frames / manifest.rate
    marks = _marks(plan, seconds) if entry.role == "mix" else ""
    shown = picture(sketch, seconds, manifest.rate, marks) if sketch else ""
    numbers = [
        ("loudness", _level(entry.lufs, "LUFS")),
        ("true peak", _level(entry.true_peak_db, "dBTP")),
        ("peak", _level(entry.peak_db, "dBFS")),
    ]
    return section(entry.name, numbers, shown, entry.path, "" if entry.role == "mix" else entry.role)


def _marks(plan: Plan, seconds: float) -> str:
    """The sections of the song, or else the markers of the score, above the mix."""
    score = plan.context.score
    named = [(section.start / plan.context.rate, section.name) for section in plan.sections]
    if not named and score is not None:
        named = [
            (float(plan.context.tempo.second_at(score.beat(mark.tick))), mark.text)
            for mark in score.marks
            if mark.kind in ("marker", "cue")
        ]
    parts, free = [], 0.0
    for second, name in named:
        x = second / seconds * WIDTH
        if free <= x <= WIDTH:
            parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="-4" y2="0"/>')
            parts.append(f'<text x="{x + 2:.1f}" y="-5">{markup(name[:24])}</text>')
            free = x + 8 + 6 * min(24, len(name))
    return "".join(parts)


def _level(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if math.isfinite(value) else "silence"
