"""Views: what shows a value to somebody, found by name, so that nothing here needs to know of notebooks.

A package registers its views in the entry point group ``studio.views``; the studio's own are in `widgets`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from studio.errors import MissingError


def view(name: str) -> Callable[..., Any]:
    """What makes the view called `name`.

    Raises:
        MissingError: there is none, or the packages it needs are not installed.
    """
    for entry in entry_points(group="studio.views", name=name):
        try:
            made: Callable[..., Any] = entry.load()
        except ImportError as error:
            raise MissingError(f"the {name} needs {error.name}.", 'Run pip install "mirepoix[notebook]".') from None
        return made
    raise MissingError(f"there is no view {name!r}.", "Install the studio anew: pip install --upgrade mirepoix.")
