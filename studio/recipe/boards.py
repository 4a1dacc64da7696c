"""Boards of pedalboard's as chains of ours, and chains as boards."""

from __future__ import annotations

import hashlib
import re
import runpy
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.context import RenderContext
from studio.curves import moves
from studio.effects.blocks import Layers, Parallel, RackBlock
from studio.effects.delays import Delay
from studio.effects.pedalboard_plugin import PedalboardPlugin, make
from studio.effects.pedalboard_twins import CONVOLUTION_DB, TWINS, values_of
from studio.effects.space import Convolution
from studio.errors import Gather, MissingError, Place, RecipeError, nearest, within
from studio.hosting.catalogue import describe_plugin
from studio.levels import SILENCE_DB, decibels
from studio.macros import settle
from studio.steps import Step, parse_step
from studio.tempo import TempoMap

if TYPE_CHECKING:
    from pedalboard import Plugin
    from pedalboard._pedalboard import Pedalboard

_TURNED = 1e-6
_RESPONSE = "impulse_response_filename"


def is_board(given: object) -> bool:
    """Whether it is a board or a plugin of pedalboard's, asked without importing pedalboard where nobody else did."""
    return any(base.__module__.partition(".")[0].startswith("pedalboard") for base in type(given).__mro__)


def steps_of(board: Plugin, folder: Path | None = None) -> list[Step]:
    """The steps that sound as a board does: chains in chains become one, a `Mix` becomes `layers`.

    Args:
        board: a `Pedalboard`, or one plugin.
        folder: where states of hosted plugins and responses that are only in memory are written. Without it, a hosted
            plugin is known by its parameters alone, and such a response is refused.

    Raises:
        StudioError: what cannot be a step, by its place on the board; all of it at once.
    """
    import pedalboard

    if isinstance(board, pedalboard.Mix):
        chains = [steps_of(plugin, folder) for plugin in board]
        return [parse_step({"layers": {"chains": chains}} if chains else {"gain": {"gain": SILENCE_DB}})]
    if isinstance(board, pedalboard.Chain):
        gather, steps = Gather(), list[Step]()
        for index, plugin in enumerate(board):
            with gather, within(index, type(plugin).__name__):
                steps += steps_of(plugin, folder)
        gather.done()
        return steps
    if isinstance(board, pedalboard.ExternalPlugin):
        return [parse_step({"plugin": _hosted(board, folder)})]
    if type(board).__name__ not in TWINS:
        raise RecipeError(f"a {type(board).__name__} cannot be a step.", "Take it off the board.")
    return [PedalboardPlugin(plugin=type(board).__name__, settings=_values(board, folder)).resolved()]


def _values(plugin: Any, folder: Path | None) -> dict[str, Any]:
    """The attributes of one of pedalboard's own plugins, as plain values."""
    values = {attribute: getattr(plugin, attribute) for attribute in TWINS[type(plugin).__name__].knobs}
    if _RESPONSE in values:
        file = values[_RESPONSE]
        values[_RESPONSE] = _written_response(plugin, folder) if file is None else _seen_from(Path(file), folder)
    return {attribute: getattr(value, "name", value) for attribute, value in values.items()}


def _seen_from(file: Path, folder: Path | None) -> str:
    """The path of a file as it is written in a chain that lies in `folder`."""
    if folder is None:
        return str(file)
    whole = file.resolve()
    return str(whole.relative_to(folder.resolve()) if whole.is_relative_to(folder.resolve()) else whole)


def _written_response(plugin: Any, folder: Path | None) -> str:
    import numpy as np
    import soundfile

    if folder is None:
        raise RecipeError("its impulse response is in memory only.", "Give a folder in which it can be kept as a file.")
    samples = np.atleast_2d(np.asarray(plugin.impulse_response, np.float32))
    path = folder / f"response-{hashlib.sha256(samples.tobytes()).hexdigest()[:12]}.wav"
    soundfile.write(path, samples.T, 44_100, "FLOAT")
    return path.name


def _hosted(plugin: Any, folder: Path | None) -> dict[str, Any]:
    """What `plugin:` says of a hosted one: its state as a file, else those of its parameters that have been turned."""
    words: dict[str, Any] = {"file": plugin.name}
    if folder is not None and hasattr(plugin, "preset_data"):
        state = bytes(plugin.preset_data)
        plain = re.sub(r"[^A-Za-z0-9]+", "-", plugin.name).strip("-")
        path = folder / f"{plain}-{hashlib.sha256(state).hexdigest()[:12]}.vstpreset"
        path.write_bytes(state)
        return words | {"preset": path.name}
    stands = {each.name: each.raw_value for each in plugin.parameters.values()}
    for parameter in describe_plugin(plugin.name).parameters:
        position = stands.get(parameter.title, parameter.default)
        if abs(position - parameter.default) > _TURNED:
            turned = replace(parameter, default=position).knob
            words[parameter.name] = turned.data(turned.default)
    return words


def board_of(steps: Sequence[Step], context: RenderContext) -> Pedalboard:
    """The board that sounds as a chain does, where all of it is pedalboard's.

    Args:
        steps: the chain.
        context: the tempo that note values mean, and the folder that paths are relative to.

    Raises:
        StudioError: steps that pedalboard has not, knobs that it cannot have so, or curves: all of them at once.
    """
    import pedalboard

    board: Pedalboard = pedalboard.Pedalboard(list(_plugins(steps, context)))  # type: ignore[attr-defined]
    return board


def board_of_rack(rack: RackBlock, *, bpm: float = 120.0, folder: Path | str = Path()) -> Pedalboard:
    """The board of a chain with knobs in front of it; see `board_of`."""
    return board_of((rack,), RenderContext(tempo=TempoMap.constant(bpm), folder=Path(folder)))


def _plugins(steps: Sequence[Step], context: RenderContext) -> list[Plugin]:
    gather, plugins = Gather(), list[Any]()
    for index, step in enumerate(steps):
        with gather, within(index, step.label):
            if not step.bypass:
                plugins += _of_step(step, context)
    gather.done()
    return plugins


def _of_step(step: Step, context: RenderContext) -> list[Plugin]:
    """The plugins that are one step."""
    import pedalboard

    if isinstance(step, RackBlock):
        return _plugins(settle(step).chain, context)
    if isinstance(step, Layers):
        return [pedalboard.Mix([pedalboard.Chain(_plugins(chain, context)) for chain in step.chains])]
    if isinstance(step, PedalboardPlugin):
        return [make(step.plugin, step.settings_here(context))]
    gather, knobs = Gather(), dict[str, Any]()
    for name in step.parameters():
        knobs[name] = getattr(step, name)
        with gather, within(name):
            if moves(knobs[name]):
                raise RecipeError("a board has no automation.", "Give it a number.")
    gather.done()
    if isinstance(step, Parallel):
        wet = pedalboard.Chain([*_plugins(step.chain, context), _gain(knobs["mix"])])
        return [pedalboard.Mix([_gain(1 - knobs["mix"]), wet])]
    if isinstance(step, Convolution):
        return _convolved(step, knobs, context)
    if isinstance(step, Delay):
        knobs["time"] = step.seconds_at(context, 0)
    if step.step == "gain" and knobs["gain"] <= SILENCE_DB:
        return [pedalboard.Mix([])]
    theirs = next((name for name, twin in TWINS.items() if twin.step == step.step), None)
    if theirs is None:
        raise RecipeError(f"pedalboard has no {step.step!r}.", "Keep it as a chain of the studio's, or take it out.")
    for knob, value in TWINS[theirs].fixed.items():
        with gather, within(knob):
            if knobs[knob] != value and knob != "makeup":
                mend = f"Write `{knob}: {str(value).lower()}`." if value is not None else "Take it out."
                raise RecipeError(f"pedalboard's {theirs} has none.", mend)
    gather.done()
    makeup = [pedalboard.Gain(knobs["makeup"])] if knobs.get("makeup") else []
    return [make(theirs, values_of(theirs, knobs)), *makeup]


def _convolved(step: Convolution, knobs: dict[str, Any], context: RenderContext) -> list[Plugin]:
    import pedalboard

    path, over = str(context.find(step.file)), knobs["gain"] - CONVOLUTION_DB
    if abs(over) < 1e-6:
        return [pedalboard.Convolution(path, knobs["mix"])]
    wet = pedalboard.Chain([pedalboard.Convolution(path, 1.0), _gain(knobs["mix"] * 10 ** (over / 20))])
    return [pedalboard.Mix([_gain(1 - knobs["mix"]), wet])]


def _gain(factor: float) -> Plugin:
    import pedalboard

    return pedalboard.Gain(decibels(factor)) if factor > 0 else pedalboard.Mix([])


def read_board(script: Path, name: str) -> Plugin:
    """Run a Python script that the user has named, and take the board that it holds under `name`.

    The script runs as an import would run it, not as a program: what stands behind ``if __name__ == "__main__":`` does not.

    Raises:
        StudioError: there is no such file, it fails (with the line), or it holds no board of that name.
    """
    if not script.is_file():
        raise MissingError(
            f"there is no file {str(script)!r}.", "Write the path of a script and the name of its board."
        )
    before = list(sys.path)
    sys.path.insert(0, str(script.parent.resolve()))
    try:
        found = runpy.run_path(str(script), run_name=script.stem)
    except SystemExit:
        raise RecipeError(
            "it ends the program before its board can be read.",
            "Put that behind `if __name__ == ...`.",
            place=Place(str(script)),
        ) from None
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        line = (error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 0) or 0
        raise RecipeError(
            f"the script fails: {type(error).__name__}: {error}.", "Mend it.", place=Place(str(script), line)
        ) from None
    finally:
        sys.path[:] = before
    boards = [
        key
        for key, value in found.items()
        if is_board(value) and not isinstance(value, type) and not key.startswith("_")
    ]
    if name not in boards:
        raise RecipeError(
            f"it holds no board {name!r}.",
            nearest(name, boards) or "Write `board = Pedalboard([...])`.",
            place=Place(str(script)),
        )
    board: Plugin = found[name]
    return board
