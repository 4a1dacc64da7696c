"""From recordings or a SoundFont to a voice file."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.disk import part_of
from studio.errors import Interrupted, KnobError, MissingError, OutputError, Place
from studio.folders import cache_folder
from studio.timbre.voices import ENDING

DATA_MINUTES = 4.0
"""Minutes a SoundFont plays for a voice."""


@dataclass(frozen=True)
class Plan:
    """What a voice is learned from, and for how long."""

    folder: Path | None
    soundfont: str | None
    low: int
    high: int
    seconds: float
    rate: int
    license: str = ""
    seed: int = 0

    @property
    def key(self) -> str:
        """A name for its half-learned state: the same for the same plan."""
        facts = sorted((name, str(value)) for name, value in asdict(self).items())
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:40]


def learn(plan: Plan, out: Path) -> dict[str, Any]:
    """Train a voice and write it; what is interrupted goes on when the same plan is given again.

    Returns:
        The card of the voice.

    Raises:
        StudioError: there is nothing to learn from, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    if out.suffix != ENDING:
        raise OutputError(
            f"{out.name!r} does not end in {ENDING}.", f"Call it {out.stem}{ENDING}.", place=Place(str(out))
        )
    try:
        import torch
    except ImportError:
        raise MissingError("torch is not installed.", 'pip install "mirepoix[neural]".') from None
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from studio.nets.material import material, phrases, recordings
    from studio.nets.training import Course
    from studio.nets.voice import train_voice

    _check_place(out)
    torch.set_num_threads(1)
    if plan.folder is not None:
        sound = material(recordings(plan.folder, plan.rate))
        source = plan.folder.name
    else:
        font, program = _program(str(plan.soundfont))
        sound = material([phrases(program, plan.low, plan.high, DATA_MINUTES, plan.rate, plan.seed, font)])
        source = f"{font}:{program}"
    checkpoint = cache_folder() / "training" / f"{plan.key}.pt"
    about = {"name": out.stem, "source": source, "license": plan.license, "seed": plan.seed}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[loss]}"))
    try:
        with Progress(*columns) as progress:
            task = progress.add_task(f"{out.stem}: {sound.seconds / 60:.1f} min of sound", total=plan.seconds, loss="")

            def tell(course: Course) -> None:
                progress.update(task, completed=course.seconds, loss=f"loss {course.losses[-1][1]:.3f}")

            voice = train_voice(sound, plan.seconds, about, seed=plan.seed, checkpoint=checkpoint, tell=tell)
    except KeyboardInterrupt:
        raise Interrupted("the training was stopped.", "The same command goes on where it was.") from None
    voice.save(out)
    checkpoint.unlink(missing_ok=True)
    return voice.card


def _program(text: str) -> tuple[str, int]:
    font, colon, number = text.rpartition(":")
    if not colon or not number.isdecimal() or int(number) > 127:
        raise KnobError(f"{text!r} is no program of a SoundFont.", "Write gm:40, or file.sf2:0.")
    return font, int(number)


def _check_place(out: Path) -> None:
    """Find out now, not after minutes of work, whether the file can be written."""
    from studio.disk import writing

    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = part_of(out)
        probe.touch()
        probe.unlink()
