"""Every effect as a plugin, in every format and host: how deep it nulls against the render, and how long it takes."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import studio
from studio.errors import StudioError
from studio.knobs import Number
from studio.recipe.presets import ChainPreset
from studio.steps import parse_step, registry
from tests.benchmarks.table import Row, seconds, show
from tests.exporting.plugin.random_chains import room

FORMATS = ("vst3", "lv2", "clap")
COLUMNS = (
    ("vst3", "pedalboard"), ("vst3", "dawdreamer"), ("lv2", "lv2apply"), ("lv2", "ardour"), ("clap", "clap_probe"),
)  # fmt: skip
DEMANDING = {"ducker": {"sidechain": "other"}, "convolution": {"file": room()}}
BLOCKS = ("preset", "rack", "layers", "parallel", "multiband")


def preset(name: str) -> ChainPreset:
    """The step alone, its first two live knobs turned by macros over most of their range."""
    knobs = {}
    for knob, kind in registry()[name].parameters().items():
        if isinstance(kind, Number) and kind.live and len(knobs) < 2:
            ends = [kind.at(0.1), kind.at(0.9)]
            knobs[knob] = {"value": 0.5, "drives": {f"{name}.{knob}": ends}}
    return ChainPreset.parse({"title": name, "knobs": knobs, "chain": [parse_step({name: DEMANDING.get(name, {})})]})


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mirepoix-export-"))
    print("\nNull against the render, dB, at worst over all takes, rates and blocks\n")
    print(
        f"| effect | {' | '.join(f'{host} ({form})' for form, host in COLUMNS)} |",
        "| --- |" + " --- |" * len(COLUMNS),
        sep="\n",
    )
    for name in sorted(name for name, step in registry().items() if step.kind == "effect" and name not in BLOCKS):
        found: dict[tuple[str, str], float] = defaultdict(lambda: float("nan"))
        reason = ""
        for form in FORMATS:
            try:
                made = studio.export(preset(name), folder / f"{name}.{form}", allow_mismatch=True)
            except StudioError as error:
                reason = error.cause
                break
            assert made.card is not None and made.card.verdict is not None
            for played in made.card.verdict.played:
                worst = found[form, played.host]
                found[form, played.host] = played.null_db if worst != worst else max(worst, played.null_db)
        cells = [reason] + [""] * (len(COLUMNS) - 1) if reason else [_text(found[column]) for column in COLUMNS]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    _times(folder)


def _text(null_db: float) -> str:
    return "–" if null_db != null_db else "exact" if null_db <= -300 else f"{null_db:.0f}"


def _times(folder: Path) -> None:
    chain = (
        "[highpass, {eq: {high: 3 dB}}, {compressor: {link: false}}, distortion, chorus, phaser, {parallel: {chain: [reverb]}},"
        " ladder, tremolo, {echo: {time: 1/8}}, {width: 1.2}, {gain: -3 dB}]"
    )
    cold = seconds(lambda: studio.export(chain, folder / "Twelve.vst3"))
    warm = seconds(lambda: studio.export(chain, folder / "Twelve.vst3"))
    made = studio.export(chain, folder / "Twelve.vst3")
    assert made.card is not None and made.card.verdict is not None
    size, cpu = made.card.kilobytes, made.card.verdict.cpu
    worst = made.card.verdict.worst_db
    show(
        "Twelve effects with a parallel block as one VST3",
        [
            Row("export, shell not compiled yet or changed", f"{cold:.1f} s", "< 30 s", cold < 30),
            Row("export again", f"{warm:.1f} s", "< 15 s", warm < 15),
            Row("size", f"{size:.0f} kB", "< 500 kB", size < 500),
            Row("worst null in any host", _text(worst), "< -90 dB", worst < -90),
            *(Row(f"CPU: {name}", f"{value:.4g}") for name, value in cpu.items()),
        ],
    )
