"""Training by the clock: so many minutes, to be interrupted and gone on with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from studio.errors import ModelError
from studio.nets.checkpoint import Checkpoint

KEEP_SECONDS = 15.0
"""What a kill costs at most, in seconds of training."""


@dataclass
class TrainingProgress:
    """How far a training has come.

    Attributes:
        seconds: spent in steps of this phase so far, over all interruptions.
        steps: taken in it.
        skipped: those of them that changed nothing, since their gradient was not finite.
        losses: ``(seconds, loss)`` of held-out material.
        best: the least of them.
        before: seconds of the phases before this one.
    """

    seconds: float = 0.0
    steps: int = 0
    skipped: int = 0
    losses: list[tuple[float, float]] = field(default_factory=list)
    best: float = math.inf
    before: float = 0.0

    @property
    def total(self) -> float:
        """Seconds of training, all phases together."""
        return self.before + self.seconds

    def card(self) -> dict[str, Any]:
        """What a model's card says of its training."""
        losses = [[round(at, 1), round(value, 4)] for at, value in self.losses]
        return {
            "trained_seconds": round(self.total, 1),
            "steps": self.steps,
            "skipped": self.skipped,
            "losses": losses,
        }


def best_device() -> torch.device:
    """Where training is fastest: on a GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def finished(device: torch.device) -> None:
    """Wait until a device has done what it was told, so that a clock says how long that took."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def mixed_precision(device: torch.device, mixed: bool | None = None) -> torch.autocast:
    """Losses in bfloat16 where that does no harm: None means on a GPU only, where it is faster."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" if mixed is None else mixed)


def train(
    model: nn.Module,
    loss: Callable[[int], Tensor],
    judge: Callable[[], float],
    seconds: float,
    *,
    rate: float = 2e-3,
    checkpoint: Checkpoint | None = None,
    phase: str = "training",
    before: float = 0.0,
    tell: Callable[[TrainingProgress], None] = lambda progress: None,
    every: float = 15.0,
    mixed: bool | None = None,
) -> TrainingProgress:
    """Train for so many seconds of work, and leave the model as it was at its best on held-out material.

    Adam, its rate falling like a cosine over the time (not the steps), gradients clipped. What has been trained for less
    goes on at the rate that a training of this length has at that moment; what has been trained for as long is left as it is.

    Args:
        loss: the loss of step number `n`, drawn by that number, so that what is gone on with draws what comes next.
        judge: the loss on held-out material.
        checkpoint: written at every judgement and every `KEEP_SECONDS`; where it holds this phase, training goes on from it.
        phase: its name in the checkpoint.
        before: seconds of training in earlier phases.
        tell: is told after every judgement.
        every: seconds from judgement to judgement.
        mixed: compute the loss in bfloat16 where that does no harm, with weights and judgements in single precision;
            None does so on a GPU only, since it makes small networks on a processor slower.

    Raises:
        ModelError: no judgement was finite.
    """
    half = mixed_precision(next(model.parameters()).device, mixed)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    progress, best = TrainingProgress(before=before), _copy(model)
    if checkpoint is not None and (state := checkpoint.state(phase, model)) is not None:
        progress = TrainingProgress(**state["progress"])
        optimiser.load_state_dict(state["optimiser"])
        model.load_state_dict(state["best"])
        best = _copy(model)
        model.load_state_dict(state["model"])
    judged = kept = progress.seconds
    while progress.seconds < seconds:
        began = time.perf_counter()
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress.seconds / seconds)))
        with half:
            value = loss(progress.steps)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        if bool(torch.isfinite(norm)):
            optimiser.step()
        else:
            progress.skipped += 1
        progress.steps += 1
        progress.seconds += time.perf_counter() - began
        due = progress.seconds - judged >= every or progress.seconds >= seconds
        if due:
            judged = progress.seconds
            found = judge()
            progress.losses.append((progress.seconds, found))
            if found < progress.best:
                progress.best, best = found, _copy(model)
        if checkpoint is not None and (due or progress.seconds - kept >= KEEP_SECONDS):
            kept = progress.seconds
            state = {
                "progress": vars(progress),
                "model": model.state_dict(),
                "best": best,
                "optimiser": optimiser.state_dict(),
            }
            checkpoint.keep(phase, state, progress.total)
        if due:
            tell(progress)
    if not progress.losses:
        # Earlier phases have taken all the time: what they made is judged.
        progress.best = judge()
        progress.losses.append((progress.seconds, progress.best))
    if not math.isfinite(progress.best):
        if checkpoint is not None:
            checkpoint.set_aside("it never gave a finite loss")
        raise ModelError(
            f"the training never gave a finite loss; {progress.skipped} of {progress.steps} steps changed nothing.",
            "Look for samples in the recordings that are no numbers or very loud, or give another seed.",
        )
    model.load_state_dict(best)
    return progress


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
