"""One file in the timbre of another: by one method, or by all of them on a page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from studio.audio import Audio
from studio.audiofile import read_audio
from studio.context import RenderContext
from studio.disk import write_whole
from studio.engine import Listener, ProgressEvent
from studio.engine.progress import silent
from studio.errors import KnobError, OutputError, nearest
from studio.rendering.audio_writer import FORMATS, Tags
from studio.rendering.page import clock, filled, picture, section
from studio.rendering.signal_writer import SignalWriter, blocks_of, write_signal
from studio.rendering.waveform_summary import WaveformSummary
from studio.timbre import METHODS, Figures, compare, transfer
from studio.timbre.transferring import MODELS, by_model
from studio.typed import present
from studio.visible import markup

PAGE = "compare.html"

log = logging.getLogger(__name__)


def transfer_file(
    source: Path,
    target: Path,
    out: Path,
    method: str = "envelope",
    amount: float = 1.0,
    bits: str = "24",
    model: str = "",
) -> Figures:
    """Write the source in the timbre of the target, and give its figures.

    Args:
        model: for the methods `sing` and `spectral`, the voice or instrument that stands for the target.

    Raises:
        StudioError: a file cannot be read or written, or the sounds do not allow it.
    """
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise OutputError(f"{out.name!r} has no ending that says its format.", nearest(ending, FORMATS))
    sound, other = _read(source, target)
    made = _made(sound, other, method, amount, model)
    write_sound(made, out, ending, bits)
    return compare(made, sound, other)


def compare_methods(
    source: Path,
    target: Path,
    folder: Path,
    methods: Sequence[str] = tuple(METHODS),
    amount: float = 1.0,
    listener: Listener = silent,
    model: str = "",
) -> dict[str, Figures]:
    """Write both sounds and the source by every method into a folder, with a page to hear and see them side by side.

    Args:
        model: a voice or instrument that stands for the target; with it `sing` and `spectral` are on the page too.

    Raises:
        StudioError: a file cannot be read or written, or the sounds do not allow it.
    """
    sound, other = _read(source, target)
    sections = [_section("source", sound, folder, None), _section("target", other, folder, None)]
    methods = (*methods, *(MODELS if model else ()))
    found: dict[str, Figures] = {}
    listener(ProgressEvent("planned", f"{len(methods)} methods"))
    for method in methods:
        listener(ProgressEvent("started", method))
        made = _made(sound, other, method, amount, model)
        found[method] = compare(made, sound, other)
        sections.append(_section(method, made, folder, found[method]))
        listener(ProgressEvent("finished", method, sound.seconds))
    page = filled(
        title=f"{markup(source.name)} → {markup(target.name)}",
        story="The source in the timbre of the target, by every method.",
        facts=f"{clock(sound.seconds)} · {sound.rate / 1000:g} kHz · amount {amount:g}",
        sections="\n".join(sections),
        appendix=_table(found),
    )
    write_whole(folder / PAGE, page)
    return found


HEADS = {
    "octaves": "octaves up",
    "pitch_cents": "pitch off, cents",
    "pitch_kept": "pitch kept",
    "onsets_kept": "hits kept",
    "loudness_db": "loudness off, dB",
    "log_mel_source": "log-mel to source, dB",
    "log_mel_target": "to target",
    "frechet_source": "Fréchet to source",
    "frechet_target": "to target",
    "ears_source": "by ears to source",
    "ears_target": "to target",
    "ears_bins": "bins off, bits",
}
"""What figures are called in tables."""


def shown(figures: Figures) -> list[str]:
    """The figures as text, in the order of `HEADS`."""
    plain = figures.data()
    texts = []
    for name in HEADS:
        value = plain[name]
        texts.append(
            "–"
            if value is None
            else f"{value:.0%}"
            if name.endswith("_kept")
            else f"{value:g}"
            if name == "octaves"
            else f"{value:.1f}"
        )
    return texts


def _made(sound: Audio, other: Audio, method: str, amount: float, model: str) -> Audio:
    if method not in MODELS:
        return transfer(sound, other, method, amount)
    if not model:
        raise KnobError(f"{method!r} needs a trained model.", "Add --model trumpet, or another voice or instrument.")
    return by_model(sound, model, method, amount, RenderContext(sound.rate, sound.channels, folder=Path.cwd()))


def _read(source: Path, target: Path) -> tuple[Audio, Audio]:
    sound = read_audio(source)
    return sound, read_audio(target, sound.rate)


def write_sound(audio: Audio, path: Path, ending: str = "wav", bits: str = "24") -> WaveformSummary:
    """Write a sound whole or not at all, and give its picture."""
    tags = Tags(title=path.stem)
    writer = SignalWriter(path, audio.rate, audio.channels, ending, bits, tags, sketched=True)
    return present(write_signal(writer, blocks_of(audio)).sketch)


def _section(name: str, audio: Audio, folder: Path, figures: Figures | None) -> str:
    sketch = write_sound(audio, folder / f"{name}.wav")
    pairs = zip(HEADS.values(), shown(figures), strict=True) if figures is not None else ()
    return section(name, pairs, picture(sketch, audio.seconds, audio.rate), f"{name}.wav")


def _table(found: dict[str, Figures]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("method", *HEADS.values()))
    rows = "".join(
        f"<tr><td>{method}</td>{''.join(f'<td>{text}</td>' for text in shown(figures))}</tr>"
        for method, figures in found.items()
    )
    table = f"<table><tr>{heads}</tr>{rows}</table>"
    scrolled = f'<div class="table" tabindex="0" role="group" aria-label="figures">{table}</div>'
    return f"<details open><summary>Figures</summary>{scrolled}</details>"
