"""A rack for whatever is given: a recipe, or a chain with a sound to hear it on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.audio import Audio
from studio.disk import write_whole
from studio.engine import Cache
from studio.errors import RecipeError, shown
from studio.folders import cache_folder
from studio.recipe import Recipe
from studio.recipe.presets import ChainPreset
from studio.rendering.apply import parse_chain
from studio.steps import Step
from widgets.rack import SOUND, Rack


def rack(what: object, audio: Audio | Path | str | None = None, *, cache: Cache | None = None) -> Rack:
    """A rack for a recipe, or for a chain with a sound to hear it on.

    >>> rack(studio.load("song.yaml"))
    >>> rack("tape", "loop.wav")
    >>> rack(["chorus", {"reverb": {"wet": 0.3}}], studio.Audio(samples, 44_100))

    Args:
        what: a recipe; or a chain: the name of a preset, a `ChainPreset`, steps, or text as on the command line.
        audio: what a chain is heard on: a file or a sound; pink noise if not given.
        cache: where finished work is kept; the user's if not given.

    Raises:
        StudioError: it is neither, or the sound cannot be read.
    """
    if isinstance(what, Recipe):
        return Rack(what, cache=cache)
    knobs: Mapping[str, Any] = {}
    title = what if isinstance(what, str) else ""
    if isinstance(what, str):
        steps: Sequence[object] = parse_chain(what)
    elif isinstance(what, ChainPreset):
        steps, title = what.chain, what.title
        knobs = {
            name: macro.replace(drives={f"{SOUND}.{address}": drive for address, drive in macro.drives.items()})
            for name, macro in what.knobs.items()
        }
    elif isinstance(what, (list, tuple)):
        steps = what
    elif isinstance(what, Step):
        steps = [what]
    else:
        raise RecipeError(f"{shown(what)} is neither a recipe nor a chain.", "Give studio.load(…), a preset or steps.")
    rate, play = _played(audio)
    recipe = Recipe.parse(
        {"title": title[:80], "rate": rate, "knobs": knobs, "tracks": {SOUND: {"play": play, "chain": list(steps)}}}
    )
    return Rack(recipe, single=True, cache=cache)


def _played(audio: Audio | Path | str | None) -> tuple[int, dict[str, Any]]:
    """The rate of a sound, and the source that plays it."""
    from studio.audiofile import probe

    if audio is None:
        return 44_100, {"noise": {"length": "8 s", "level": "-24 dB"}}
    path = _kept(audio) if isinstance(audio, Audio) else Path(audio).expanduser().absolute()
    rate, _, _ = probe(path)
    return rate, {"audio": str(path)}


def _kept(audio: Audio) -> Path:
    """A file that holds a sound, so that a recipe can name it."""
    import io

    import soundfile

    digest = hashlib.sha256(audio.samples.tobytes() + str(audio.rate).encode()).hexdigest()[:32]
    path = cache_folder() / "sounds" / f"{digest}.wav"
    if not path.is_file():
        out = io.BytesIO()
        soundfile.write(out, audio.samples.T, audio.rate, format="WAV", subtype="FLOAT")
        write_whole(path, out.getvalue())
    return path
