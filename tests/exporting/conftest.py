"""Compiled pieces are shared by all tests of this room, on every worker."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _shared_pieces(compiled_pieces: None) -> None:
    """Each test's own cache has the pieces of all."""
