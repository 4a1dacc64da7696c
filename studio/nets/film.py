"""FiLM: features scaled and shifted by a condition (Perez et al., AAAI 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Film(nn.Module):
    """Each feature times a gain plus an offset that follow from a condition; at first it changes nothing.

    Args:
        conditions: the size of the condition.
        features: how many there are.
    """

    def __init__(self, conditions: int, features: int) -> None:
        super().__init__()
        self.inner = nn.Linear(conditions, 2 * features)
        with torch.no_grad():
            self.inner.weight.mul_(0.1)
            self.inner.bias.zero_()

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Features ``(…, features)`` under a condition ``(…, conditions)``."""
        gain, offset = self.inner(condition).chunk(2, dim=-1)
        made: Tensor = features * (1 + gain) + offset
        return made
