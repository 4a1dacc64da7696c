"""From recordings or a SoundFont to a voice file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.audio import Audio
from studio.bridge.diary import Diary, check_place, estimated, told
from studio.errors import KnobError, OutputError, Place
from studio.folders import cache_folder
from studio.timbre.torch_library import need_torch
from studio.timbre.voices import ENDING

log = logging.getLogger(__name__)

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


def learn(plan: Plan, out: Path, report: Path | None = None, say: Callable[[str], None] = log.info) -> dict[str, Any]:
    """Train a voice and write it; what is interrupted goes on when the same plan is given again.

    Args:
        report: a folder for a page with losses and previews.
        say: is told before the training what it will take.

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
    need_torch()
    from studio.nets.decoder import Shape, decoder, parameters
    from studio.nets.material import Phrases, material, recordings
    from studio.nets.voice import train_voice, try_step

    check_place(out)
    if plan.folder is not None:
        sound = material(recordings(plan.folder, plan.rate))
        source = plan.folder.name
    else:
        font, program = program_of(str(plan.soundfont))
        given = Phrases(program, plan.low, plan.high, DATA_MINUTES, plan.rate, plan.seed, font)
        played = given.sound()
        sound = material([played], [given.features(played)])
        source = f"{font}:{program}"
    size = parameters(decoder(Shape(rate=sound.rate, hop=sound.hop), 0))
    checkpoint = cache_folder() / "training" / f"{plan.key}.pt"
    say(f"{sound.seconds / 60:.1f} minutes of sound, {sound.voiced:.0%} of it with a pitch. "
        f"{estimated(plan.seconds, size, 4, lambda: try_step(sound))}")  # fmt: skip
    if checkpoint.exists():
        say("A training of this kind was stopped before: it goes on.")
    about = {"name": out.stem, "source": source, "license": plan.license, "seed": plan.seed}
    diary = Diary(report, plan.seconds * 0.8)
    _, held = sound.split()
    diary.sound("as it is", Audio(held.sound[None, : 10 * sound.rate].numpy(), sound.rate), "held out")
    with told(out.stem, plan.seconds * 0.8, diary) as tell:
        voice = train_voice(sound, plan.seconds, about, seed=plan.seed, checkpoint=checkpoint, tell=tell)
    voice.save(out)
    checkpoint.unlink(missing_ok=True)
    diary.finish(f"{out.stem}: a voice", voice.card)
    return voice.card


def program_of(text: str) -> tuple[str, int]:
    """The SoundFont and the program of ``gm:40``.

    Raises:
        KnobError: it says neither.
    """
    font, colon, number = text.rpartition(":")
    if not colon or not number.isdecimal() or int(number) > 127:
        raise KnobError(f"{text!r} is no program of a SoundFont.", "Write gm:40, or file.sf2:0.")
    return font, int(number)
