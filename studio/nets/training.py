"""Training by the clock: so many minutes, to be interrupted and gone on with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.disk import part_of
from studio.errors import ModelError


@dataclass
class Course:
    """How far a training has come.

    Attributes:
        seconds: spent in steps so far, over all interruptions.
        steps: taken.
        skipped: those of them that changed nothing, since their gradient was not finite.
        losses: ``(seconds, loss)`` of held-out material.
        best: the least of them.
    """

    seconds: float = 0.0
    steps: int = 0
    skipped: int = 0
    losses: list[tuple[float, float]] = field(default_factory=list)
    best: float = math.inf

    def card(self) -> dict[str, Any]:
        """What a model's card says of its training."""
        losses = [[round(at, 1), round(value, 4)] for at, value in self.losses]
        return {
            "trained_seconds": round(self.seconds, 1),
            "steps": self.steps,
            "skipped": self.skipped,
            "losses": losses,
        }


def best_place() -> torch.device:
    """Where training is fastest: on a GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def finished(place: torch.device) -> None:
    """Wait until a device has done what it was told, so that a clock says how long that took."""
    if place.type == "cuda":
        torch.cuda.synchronize(place)
    elif place.type == "mps":
        torch.mps.synchronize()


def mixed_precision(place: torch.device, mixed: bool | None = None) -> torch.autocast:
    """Losses in bfloat16 where that does no harm: None means on a GPU only, where it is faster."""
    return torch.autocast(place.type, torch.bfloat16, enabled=place.type == "cuda" if mixed is None else mixed)


def train(
    model: nn.Module,
    loss: Callable[[int], Tensor],
    judge: Callable[[], float],
    seconds: float,
    *,
    rate: float = 2e-3,
    checkpoint: Path | None = None,
    tell: Callable[[Course], None] = lambda course: None,
    every: float = 15.0,
    mixed: bool | None = None,
) -> Course:
    """Train for so many seconds of work, and leave the model as it was at its best on held-out material.

    Adam, its rate falling like a cosine over the time (not the steps), gradients clipped.

    Args:
        loss: the loss of step number `n`, drawn by that number, so that what is gone on with draws what comes next.
        judge: the loss on held-out material.
        checkpoint: written at every judgement; where it exists, training goes on from it.
        tell: is told after every judgement.
        every: seconds from judgement to judgement.
        mixed: compute the loss in bfloat16 where that does no harm, with weights and judgements in single precision;
            None does so on a GPU only, since it makes small networks on a processor slower.

    Raises:
        ModelError: no judgement was finite.
    """
    half = mixed_precision(next(model.parameters()).device, mixed)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    course, best = Course(), _copy(model)
    if checkpoint is not None and checkpoint.exists():
        course, best = _resume(checkpoint, model, optimiser)
    judged = course.seconds
    while course.seconds < seconds:
        began = time.perf_counter()
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * course.seconds / seconds)))
        with half:
            value = loss(course.steps)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        if bool(torch.isfinite(norm)):
            optimiser.step()
        else:
            course.skipped += 1
        course.steps += 1
        course.seconds += time.perf_counter() - began
        if course.seconds - judged >= every or course.seconds >= seconds:
            judged = course.seconds
            found = judge()
            course.losses.append((course.seconds, found))
            if found < course.best:
                course.best, best = found, _copy(model)
            if checkpoint is not None:
                _keep(checkpoint, course, model, best, optimiser)
            tell(course)
    if course.losses and not math.isfinite(course.best):
        raise ModelError(
            f"the training never gave a finite loss; {course.skipped} of {course.steps} steps changed nothing.",
            "Look for samples in the recordings that are no numbers or very loud, or give another seed.",
        )
    model.load_state_dict(best)
    return course


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _keep(
    path: Path, course: Course, model: nn.Module, best: dict[str, Tensor], optimiser: torch.optim.Optimizer
) -> None:
    part = part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "course": vars(course),
        "model": model.state_dict(),
        "best": best,
        "optimiser": optimiser.state_dict(),
    }
    torch.save(state, part)
    part.replace(path)


def _resume(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[Course, dict[str, Tensor]]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return Course(**state["course"]), state["best"]
