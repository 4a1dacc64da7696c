"""A training told: what it will take before it starts, how it goes, and a page to see and hear at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.audio import Audio
from studio.disk import part_of, write_whole, writing
from studio.errors import Interrupted, OutputError, Place
from studio.rendering.page import clock, filled, picture, section
from studio.rendering.transfers import write_sound
from studio.visible import markup, visible

if TYPE_CHECKING:
    from studio.nets.training import TrainingProgress

PAGE = "training.html"

SHARES = (0.1, 0.4, 1.0)
"""How far the training has come when a preview is made."""

Preview = Callable[[], Audio]


@dataclass(frozen=True)
class Estimate:
    """What a training will take, found by trying one step.

    Attributes:
        step_seconds: of one step on this machine, as busy as it is now.
        steps: that fit into the time.
        kilobytes: of the file.
    """

    seconds: float
    step_seconds: float
    kilobytes: float

    @property
    def steps(self) -> int:
        """How many steps fit into the time."""
        return int(self.seconds / self.step_seconds)

    def __str__(self) -> str:
        done = time.strftime("%H:%M", time.localtime(time.time() + self.seconds * 1.1))
        return (
            f"{clock(self.seconds)} minutes of training, about {self.steps} steps of {self.step_seconds:.2f} s, done at"
            f" about {done}; the file will have {self.kilobytes:.0f} kB."
        )


def estimated(seconds: float, numbers: int, bytes_each: int, step: Callable[[], object]) -> Estimate:
    """Try a step, twice, since the first one also sets things up."""
    taken = 0.0
    for _ in range(2):
        began = time.perf_counter()
        step()
        taken = time.perf_counter() - began
    return Estimate(seconds, max(taken, 1e-4), numbers * bytes_each / 1000)


class TrainingLog:
    """Losses and previews of a training, and the page they end on.

    Args:
        folder: for the page and its sounds; None makes none.
    """

    def __init__(self, folder: Path | None, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._losses: list[tuple[float, float]] = []
        self._sections: list[str] = []
        self._made = 0

    def note(self, progress: TrainingProgress, preview: Preview | None) -> None:
        """Keep where a training stands; write a preview when one is due."""
        if preview is None:
            return
        self._losses = list(progress.losses)
        share = min(1.0, progress.total / self._seconds)
        due = sum(share >= each for each in SHARES)
        if self._folder is not None and due > self._made:
            self._made = due
            self.sound(f"after {clock(progress.total)}", preview(), ("loss", f"{progress.losses[-1][1]:.3f}"))

    def sound(self, name: str, audio: Audio, figure: tuple[str, str] | None = None) -> None:
        """Put a sound on the page."""
        if self._folder is None:
            return
        file = f"{name.replace(' ', '-').replace(':', '.')}.wav"
        sketch = write_sound(audio, self._folder / file)
        self._sections.append(
            section(name, [figure] if figure else [], picture(sketch, audio.seconds, audio.rate), file)
        )

    def finish(self, title: str, card: Mapping[str, Any]) -> Path | None:
        """Write the page; gives its path."""
        if self._folder is None:
            return None
        rows = "".join(
            f"<tr><td>{markup(name)}</td><td>{markup(_short(value))}</td></tr>" for name, value in card.items()
        )
        page = filled(
            title=markup(title),
            story="What it has learned: sound that it never heard, made from its description, and as it really is.",
            facts=f"{clock(card.get('trained_seconds', 0))} of training · {card.get('steps', 0)} steps",
            sections="\n".join([_curve(self._losses), *self._sections]),
            appendix=f"<details open><summary>Card</summary><table>{rows}</table></details>",
        )
        write_whole(self._folder / PAGE, page)
        return self._folder / PAGE


@contextmanager
def told(title: str, seconds: float, kept: TrainingLog) -> Iterator[Callable[[TrainingProgress, Preview | None], None]]:
    """A bar that moves while a training runs, and its log kept; Ctrl-C becomes `Interrupted`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    try:
        with Progress(*columns) as bar:
            task = bar.add_task(visible(title), total=seconds, loss="")

            def tell(progress: TrainingProgress, preview: Preview | None) -> None:
                bar.update(task, completed=progress.total, loss=f"loss {progress.losses[-1][1]:.3f}")
                kept.note(progress, preview)

            yield tell
    except KeyboardInterrupt:
        raise Interrupted("the training was stopped.", "The same command goes on where it was.") from None


def check_ending(out: Path, ending: str) -> None:
    """Find out whether a file is called as its kind is.

    Raises:
        OutputError: it is not.
    """
    if out.suffix != ending:
        raise OutputError(
            f"{out.name!r} does not end in {ending}.", f"Call it {out.stem}{ending}.", place=Place(str(out))
        )


def check_writable(out: Path) -> None:
    """Find out now, not after minutes of work, whether the file can be written.

    Raises:
        OutputError: it cannot.
    """
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = part_of(out)
        probe.touch()
        probe.unlink()


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _curve(losses: list[tuple[float, float]]) -> str:
    """The loss on held-out sound over the time, as SVG."""
    if len(losses) < 2:
        return ""
    width, height = 600, 120
    latest, values = losses[-1][0], [loss for _, loss in losses]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    points = " ".join(f"{at / latest * width:.1f},{(1 - (loss - low) / span) * height:.1f}" for at, loss in losses)
    return f"""<section><h2>loss on held-out sound</h2>
<div class="picture" role="group" tabindex="0" aria-label="loss over time">
<svg viewBox="-50 -10 {width + 60} {height + 30}" role="img" aria-label="loss over time">
<rect class="frame" width="{width}" height="{height}"/><polyline class="loudness" points="{points}"/>
<text x="-5" y="8" text-anchor="end">{high:.3f}</text><text x="-5" y="{height}" text-anchor="end">{low:.3f}</text>
<text x="{width}" y="{height + 15}" text-anchor="end">{clock(latest)}</text></svg></div></section>"""
