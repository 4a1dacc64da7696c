"""Torch, where it is installed: one thread, since many on a shared machine make small networks ten times slower."""

from __future__ import annotations

from functools import cache

from studio.errors import MissingError


@cache
def need_torch() -> None:
    """Find torch and safetensors, and let torch work on one thread; parallel work is done by steps side by side.

    Raises:
        MissingError: one of them is not installed.
    """
    try:
        import safetensors  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingError(f"{error.name} is not installed.", 'pip install "mirepoix[neural]".') from None
    torch.set_num_threads(1)
