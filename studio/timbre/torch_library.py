"""Torch, where it is installed."""

from __future__ import annotations

from functools import cache

from studio.errors import MissingError


@cache
def need_torch() -> None:
    """Find torch and safetensors.

    Raises:
        MissingError: one of them is not installed.
    """
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingError(f"{error.name} is not installed.", 'pip install "mirepoix[neural]".') from None
