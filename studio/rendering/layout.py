"""How many channels a file has on its way through a chain, and behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.address import steps_in
from studio.audio import to_channels
from studio.errors import RenderError
from studio.steps import Step

KEEP, MONO, STEREO = "keep", "mono", "stereo"
LAYOUTS = (KEEP, MONO, STEREO)
_NAMES = {1: "mono", 2: "stereo"}


@dataclass(frozen=True)
class Layout:
    """What becomes of the channels of a file.

    Attributes:
        inside: how many go through the chain.
        out: how many are written.
        remarks: what whoever hears it should know of that.
    """

    inside: int
    out: int
    remarks: tuple[str, ...] = ()


def layout_of(chain: Sequence[Step], channels: int, wanted: str = KEEP) -> Layout:
    """Channels for a chain: those of the file where all its steps take so many, else what they do take.

    Args:
        chain: the steps that the sound goes through.
        channels: how many the file has.
        wanted: `keep`, or `mono` or `stereo` for the result.

    Raises:
        RenderError: no number of channels suits all steps.
        AudioError: so many cannot be mixed down.
    """
    steps = [step for _, step in steps_in(tuple(chain), bypassed=False)]
    out = {MONO: 1, STEREO: 2}.get(wanted, channels)
    tried = dict.fromkeys([out, channels, 2, 1])
    inside = next((count for count in tried if all(step.takes(count) for step in steps)), None)
    if inside is None:
        picky = [step.label for step in steps if not all(step.takes(count) for count in (1, 2))]
        raise RenderError(
            f"no number of channels suits all steps: {' and '.join(picky)} take different ones.",
            "Take one of them out.",
        )
    if wanted == KEEP:
        out = inside
    to_channels(to_channels(np.zeros((channels, 1), np.float32), inside), out)
    return Layout(inside, out, tuple(_remarks(steps, channels, inside, out, wanted)))


def _remarks(steps: Sequence[Step], channels: int, inside: int, out: int, wanted: str) -> list[str]:
    said = []
    if (inside != channels and inside != out) or (wanted == KEEP and inside != channels):
        why = next(step.label for step in steps if not step.takes(channels if wanted == KEEP else out))
        how = "is widened to" if inside > channels else "is mixed down to"
        said.append(f"the file has {_counted(channels)}; it {how} {_named(inside)}, which `{why}` needs.")
    elif channels > 2 and out == channels:
        said.append(f"the file has {channels} channels: each goes through the chain, and the result has {channels}.")
    if channels > 2 and out != channels and not said:
        said.append(f"the {channels} channels of the file are mixed down to {_named(out)}.")
    return said


def _counted(channels: int) -> str:
    return "one channel" if channels == 1 else f"{channels} channels"


def _named(channels: int) -> str:
    return _NAMES.get(channels, f"{channels} channels")
