"""Mirepoix: a scripting studio. A recipe in, everything out.

>>> import studio
>>> song = studio.load("song.yaml").set("keys.chorus.depth", 0.5)
>>> result = studio.render(song, "out")
>>> result.mix
Audio(2 channels, 93.412 s, 44100 Hz, peak -1.0 dBFS)

Names are imported when they are first used, so `import studio` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.audio import Audio
    from studio.audiofile import read_audio
    from studio.engine import Cache, Engine
    from studio.engine.plan import plan
    from studio.errors import StudioError
    from studio.exporting.export import export
    from studio.knobs import Live, knob
    from studio.midi import read_midi, write_midi
    from studio.recipe import Bus, Master, Output, Pick, Recipe, Send, Track
    from studio.rendering.apply import apply_file, parse_chain
    from studio.rendering.render import Result, render
    from studio.rendering.verify import verify
    from studio.score import Note, Score
    from studio.steps import Effect, Instrument, ScoreStep, Source, Step, Transform

_ROOMS = {
    "studio.audio": ("Audio",),
    "studio.audiofile": ("read_audio",),
    "studio.rendering.apply": ("apply_file", "parse_chain"),
    "studio.exporting.export": ("export",),
    "studio.rendering.render": ("Result", "render"),
    "studio.rendering.verify": ("verify",),
    "studio.engine": ("Cache", "Engine"),
    "studio.engine.plan": ("plan",),
    "studio.errors": ("StudioError",),
    "studio.knobs": ("Live", "knob"),
    "studio.midi": ("read_midi", "write_midi"),
    "studio.recipe": ("Bus", "Master", "Output", "Pick", "Recipe", "Send", "Track"),
    "studio.score": ("Note", "Score"),
    "studio.steps": ("Effect", "Instrument", "ScoreStep", "Source", "Step", "Transform"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Audio", "Bus", "Cache", "Effect", "Engine", "Instrument", "Live", "Master", "Note", "Output", "Pick",
    "Recipe", "Result", "Score", "ScoreStep", "Send", "Source", "Step", "StudioError", "Track", "Transform",
    "apply_file", "export", "knob", "load", "parse_chain", "plan", "read_audio", "read_midi", "render", "verify", "write_midi",
]  # fmt: skip


def load(path: Any) -> Recipe:
    """Read a recipe from a file; `Recipe.load` under its short name."""
    from studio.recipe import Recipe

    return Recipe.load(path)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'studio' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
