"""From a SoundFont to ears that tell its instruments apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.timbre.torch_library import need_torch
from studio.training.diary import Diary, check_place, told

EACH_SECONDS = 100.0
"""Seconds of phrases for each instrument."""


def learn_ears(out: Path, seconds: float, font: str = "gm", seed: int = 0) -> dict[str, Any]:
    """Train ears and write them.

    Raises:
        StudioError: there is no such SoundFont, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    need_torch()
    from studio.audio import Audio
    from studio.nets.ears import train_ears

    check_place(out)
    with told(out.stem, seconds, Diary(None, seconds)) as tell:
        made = train_ears(
            seconds, font=font, each=EACH_SECONDS, seed=seed, tell=lambda course: tell(course, lambda: Audio.silence(1))
        )
    made.save(out)
    return made.card
