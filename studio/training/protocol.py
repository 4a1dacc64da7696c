"""One way for every training: what it will take, the work itself, what it had learned before, and a page at the end."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from studio.audio import Audio
from studio.errors import KnobError
from studio.provenance import Asset, Provenance, libraries
from studio.rendering.page import clock
from studio.timbre.torch_library import need_torch
from studio.training.checkpoints import checkpoint_path
from studio.training.log import TrainingLog, check_ending, check_writable, estimated, told

if TYPE_CHECKING:
    from studio.nets.checkpoint import Checkpoint
    from studio.nets.training import TrainingProgress
    from studio.training.instruments import TrainingSource

log = logging.getLogger(__name__)

Preview = Callable[[], Audio]
Tell = Callable[["TrainingProgress", Preview | None], None]
"""Is told how far a training has come, with what gives a sound as the model makes it now, where there is one."""


class Trained(Protocol):
    """A model with its card, which can be written."""

    @property
    def card(self) -> dict[str, Any]:
        """What is known of it."""

    def save(self, path: Path) -> None:
        """Write it."""


Made = TypeVar("Made", bound=Trained)


@dataclass(frozen=True, eq=False)
class Prepared(Generic[Made]):
    """A training whose sounds have been read.

    Attributes:
        facts: a sentence on what it learns from.
        parameters: numbers that are learned.
        bytes_each: of such a number in the file.
        try_step: does what one step does, on a model that is thrown away.
        sounds: what it learns from, by the hash of its samples.
        settings: all else that decides what is learned, but not for how long.
        held: a sound that is never learned from, by the names it has on the page.
        train: the work itself, from a checkpoint on.
        shown: sounds for the page that the finished model makes, by name.
        rows: more lines for the table of its page.
    """

    facts: str
    parameters: int
    bytes_each: int
    try_step: Callable[[], object]
    sounds: Sequence[Asset]
    settings: Mapping[str, object]
    train: Callable[[Checkpoint, Tell], Made]
    held: Mapping[str, Audio]
    shown: Callable[[Made], Iterable[tuple[str, Audio]]] = lambda made: ()
    rows: Callable[[Made], Mapping[str, str]] = lambda made: {}


class Training(ABC, Generic[Made]):
    """What is learned, from what, and for how long.

    Attributes:
        noun: what the model is called, with its article.
        ending: of its file.
        version: raised whenever the same sounds are learned otherwise, so that nothing of the old kind is gone on with.
        libraries: the distributions, besides numpy, torch and safetensors, that what is learned depends on.
        seconds: how long it learns.
    """

    noun: ClassVar[str]
    ending: ClassVar[str]
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()
    seconds: float

    @abstractmethod
    def prepare(self, name: str) -> Prepared[Made]:
        """Read the sounds, for a model of this name.

        Raises:
            StudioError: there is nothing to learn from.
        """


def learn(
    training: Training[Any], out: Path, report: Path | None = None, say: Callable[[str], object] = log.info
) -> dict[str, Any]:
    """Train a model and write it.

    What is interrupted goes on when the same is asked for again, whatever its files are called by then, and so does what was
    finished and is given more time; other sounds or settings begin anew, with a remark.

    Args:
        out: the file to write.
        report: a folder for a page with losses and previews.
        say: is told before the training what it will take, and every remark.

    Returns:
        The card of the model.

    Raises:
        StudioError: there is nothing to learn from, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    check_ending(out, training.ending)
    need_torch()
    from studio.nets.checkpoint import Checkpoint

    check_writable(out)
    prepared = training.prepare(out.stem)
    made_by = Provenance.of(libraries("numpy", "safetensors", "torch", *training.libraries), prepared.sounds)
    settings = {"version": training.version, **prepared.settings}
    checkpoint = Checkpoint(
        checkpoint_path(out, training.ending, prepared.sounds, settings, say), made_by.components, say
    )
    done = checkpoint.seconds
    if done < training.seconds:
        step = estimated(training.seconds - done, prepared.parameters, prepared.bytes_each, prepared.try_step)
        say(f"{prepared.facts} {step}")
        if done:
            say(f"{clock(done)} minutes of this training are done already: it goes on.")
    else:
        say(
            f"{prepared.facts} This training is done already, for {clock(done)} minutes: its model is written as it is. "
            "Give it more minutes to go on, or another seed to begin anew."
        )
    kept = TrainingLog(report, training.seconds)
    for title, sound in prepared.held.items():
        kept.sound(title, sound, ("sound", "held out"))
    with told(out.stem, training.seconds, kept) as tell:
        model = prepared.train(checkpoint, tell)
    model.card["made_by"] = [each.data() for each in made_by.components]
    model.save(out)
    for title, sound in prepared.shown(model):
        kept.sound(title, sound)
    kept.finish(f"{out.stem}: {training.noun}", {**model.card, **prepared.rows(model)})
    return dict(model.card)


def check_names(instruments: Sequence[TrainingSource]) -> None:
    """Find out whether instruments can be told apart.

    Raises:
        KnobError: there is none, or two have one name.
    """
    names = [each.name for each in instruments]
    if not names or len(set(names)) < len(names):
        raise KnobError("the instruments need different names, and one at least.", "Write violin=gm:40:55:96 …")


def sources_of(instruments: Sequence[TrainingSource]) -> Iterator[str]:
    """How a card names where several instruments come from."""
    for each in instruments:
        yield f"{each.name}={each.source}"
