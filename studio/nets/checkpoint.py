"""Checkpoints: what a training has learned so far, on disk, so that it goes on after a stop.

A file begins with a line of JSON that says its format, the version that wrote it, what made it and the hash of the rest. A
damaged one is set aside with a remark, and the training begins anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.disk import write_whole
from studio.errors import OutputError, StudioError
from studio.notes import is_ours
from studio.provenance import STUDIO, Component, installed
from studio.records import Kind
from studio.stored import SHA256, Members, Real, Several, Whole, Words, check_format, parse_json

log = logging.getLogger(__name__)

FORMAT = 1
ENDING = ".checkpoint"
MOST_BYTES = 4 * 1024**3

_HEAD = Members(
    of={
        "sha256": SHA256,
        "seconds": Real(low=0, high=1e9),
        "made_by": Several(each=Several(each=Words(), fewest=4, most=4), most=100),
    },
    more=True,
)

_PROGRESS = Members(
    of={
        "seconds": Real(low=0, high=1e9),
        "before": Real(low=0, high=1e9),
        "steps": Whole(),
        "skipped": Whole(),
        "best": Real(),
        "losses": Several(each=Kind(), most=10_000_000),
    }
)


class Checkpoint:
    """The half-learned state of one training, by the name of the phase it is in; written whole or not at all.

    Args:
        path: of the file.
        made_by: the libraries at work now.
        say: is told when a state is set aside, cannot be kept, or was learned with other libraries.

    Attributes:
        seconds: of training behind it, over all phases and interruptions.
    """

    def __init__(
        self, path: Path, made_by: Iterable[Component] = (), say: Callable[[str], object] = log.warning
    ) -> None:
        self._path, self._say = path, say
        self._made_by = [each.data() for each in made_by]
        self._states: dict[str, Any] = {}
        self._told = False
        self.seconds = 0.0
        if path.exists():
            self._load()

    def state(self, phase: str, model: nn.Module) -> dict[str, Any] | None:
        """What a phase had learned, if it had begun and no later one has; what does not fit the model is set aside."""
        found = self._states.get(phase)
        if found is None:
            return None
        wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
        try:
            for part in (found["model"], found["best"]):
                if {name: tensor.shape for name, tensor in part.items()} != wanted:
                    raise ValueError("its weights are of another shape")
                if not all(bool(tensor.isfinite().all()) for tensor in part.values()):
                    raise ValueError("it holds numbers that are none")
            _PROGRESS.parse(found["progress"])
            torch.optim.Adam(model.parameters()).load_state_dict(found["optimiser"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            self.set_aside(str(error).splitlines()[0])
            return None
        return dict(found)

    def keep(self, phase: str, state: dict[str, Any], seconds: float) -> None:
        """Write what a phase has learned by now; earlier phases are behind it. Not being able to costs the state only."""
        self._states, self.seconds = {phase: state}, seconds
        buffer = io.BytesIO()
        torch.save(self._states, buffer)
        content = buffer.getvalue()
        head = {
            "checkpoint": FORMAT,
            "studio": installed(STUDIO),
            "sha256": hashlib.sha256(content).hexdigest(),
            "seconds": seconds,
            "made_by": self._made_by,
        }
        try:
            write_whole(self._path, json.dumps(head).encode() + b"\n" + content, private=True)
        except OutputError as error:
            if not self._told:
                self._say(f"What is learned cannot be kept ({error.cause}): a stop would lose it.")
            self._told = True

    def set_aside(self, cause: str) -> None:
        """Put a state that cannot be used out of the way; the training begins anew."""
        aside = self._path.with_suffix(".set-aside")
        try:
            self._path.replace(aside)
            where = f"It is set aside as {aside}"
        except OSError:
            where = "It is left where it is"
        self._states, self.seconds = {}, 0.0
        self._say(
            f"What was learned before cannot be gone on with: {cause.rstrip('.')}. {where}; the training begins anew."
        )

    def _load(self) -> None:
        try:
            status = self._path.stat()
            if not is_ours(status):
                raise ValueError("it is somebody else's, or can be written by others")
            if status.st_size > MOST_BYTES:
                raise ValueError("it is too large")
            first, _, content = self._path.read_bytes().partition(b"\n")
            plain = parse_json(first[: 1 << 20])
            check_format(plain, "checkpoint", FORMAT, "a checkpoint")
            head = _HEAD.parse(plain)
            if hashlib.sha256(content).hexdigest() != head["sha256"]:
                raise ValueError("it is damaged")
            states = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            if not isinstance(states, dict) or not all(isinstance(each, dict) for each in states.values()):
                raise ValueError("it is damaged")
        except StudioError as error:
            self.set_aside(f"{error.cause} {error.mend}" if "format" in error.cause else "it is damaged")
            return
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            self.set_aside(str(error).splitlines()[0] if isinstance(error, ValueError) else "it is damaged")
            return
        self._states, self.seconds = states, head["seconds"]
        if self._made_by and head["made_by"] != self._made_by:
            now = {f"{name} {version}" for _, name, version, _ in self._made_by}
            then = sorted(
                f"{name} {version}" for _, name, version, _ in head["made_by"] if f"{name} {version}" not in now
            )
            if then:
                self._say(f"What is gone on with was learned with {', '.join(then)}.")
