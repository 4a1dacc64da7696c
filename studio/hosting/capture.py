"""Taking the state of a plugin into a file and a recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

from studio.context import RenderContext
from studio.disk import write_whole
from studio.hosting.catalogue import describe_plugin
from studio.hosting.plugin import Plugin


def save_state(step: Plugin, path: Path, context: RenderContext | None = None) -> Plugin:
    """Write the plugin's state, with its parameters where the step starts, as the preset file of its format.

    Args:
        step: the plugin; its settings may be curves, of which the first value is taken.
        path: the file to write, by habit `.vstpreset` or `.fxp`.
        context: what paths in the step are relative to.

    Returns:
        The step with that file as its preset and without settings, and with the plugin's id, its version and the
        file's hash, so that a render can tell when one of them has changed.

    Raises:
        StudioError: the plugin is missing or fails, or the file cannot be written.
    """
    context = context or RenderContext()
    known = describe_plugin(step.file, step.host)
    content = step.perform(known, context).state()
    write_whole(path, content)
    return step.replace(
        preset=str(path),
        settings={},
        id=known.about.id,
        made_with=known.about.version,
        state_hash=hashlib.sha256(content).hexdigest(),
    )
