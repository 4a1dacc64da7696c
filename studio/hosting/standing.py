"""Where a state puts the parameters of a plugin."""

from __future__ import annotations

import base64

from studio.hosting.description import Description
from studio.hosting.workers import LOADING, Worker


def standing(known: Description, state: bytes) -> dict[str, float]:
    """The positions from 0 to 1 of a plugin's parameters, by their names in recipes, once it has taken a state.

    Raises:
        PluginError: it refuses the state, crashes or hangs.
    """
    worker = Worker(known.path, known.host, known.inner)
    try:
        answer = worker.ask({"do": "standing", "preset": base64.b64encode(state).decode()}, LOADING)
    finally:
        worker.close()
    named = {each.index: each.name for each in known.parameters}
    return {named[int(index)]: float(at) for index, at in answer["positions"].items() if int(index) in named}
