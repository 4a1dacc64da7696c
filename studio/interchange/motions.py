"""Parameters of plugins that move: curves of a recipe as lanes of a session, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from studio.context import GRID, RenderContext
from studio.curves import Curve
from studio.hosting.controls import Control, named_controls
from studio.hosting.description import Description
from studio.hosting.parameters import Parameter
from studio.interchange.lane import TOLERANCE, Lane, drawn
from studio.interchange.timeline import Device, Motion
from studio.knobs import Number
from studio.tempo import Floats

_BENDS = 32
"""Into how many pieces a straight line from one end of a parameter to the other is cut where its law is bent."""


def motions(
    curves: Mapping[str, Curve], known: Description, named: Mapping[str, Control], context: RenderContext, frames: int
) -> tuple[Motion, ...]:
    """The parameters of a plugin that move, as lanes of positions.

    Args:
        curves: by the names of parameters, in their units.
        known: the plugin.
        named: what its format knows of each parameter, by name.
        context: rate and tempo of the song.
        frames: how long the song is.
    """
    return tuple(
        Motion(named[name].id, named[name].title, _positions(known.named[name], curve, context, frames))
        for name, curve in curves.items()
    )


def _positions(parameter: Parameter, curve: Curve, context: RenderContext, frames: int) -> Lane:
    return _drawn(
        lambda seconds: parameter.positions_of(curve.values(seconds, context.tempo)), frames, context.rate, 1.0
    )


def _drawn(curve: Callable[[Floats], Floats], frames: int, rate: int, span: float) -> Lane:
    """A curve as a lane, with its points where the engine looks: a plugin is turned to the middle of each cell."""
    lane = drawn(curve, frames, rate, TOLERANCE * span, after=GRID // 2)
    return lane if isinstance(lane, Lane) else Lane((0.0,), (lane,))


def curves(device: Device, known: Description, told: Callable[[str, str], object]) -> dict[str, Lane]:
    """The lanes of a device's parameters in the units of recipes, by their names there.

    Args:
        device: as a session holds it.
        known: the plugin on this machine.
        told: hears of each parameter whose movement is lost, and why.
    """
    found: dict[str, Lane] = {}
    if not device.motions:
        return found
    named = named_controls(known, device.id)
    for motion in device.motions:
        name = next((name for name, control in named.items() if _means(motion, control)), None)
        if name is None:
            told(motion.name, "the plugin on this machine has no such parameter")
        elif not (isinstance(knob := known.named[name].knob, Number) and knob.live):
            told(motion.name, "in a recipe it stands still while a song plays")
        else:
            found[name] = _values(known.named[name], positions(motion, named[name]))
    return found


def numbered(device: Device, told: Callable[[str, str], object]) -> Iterator[tuple[Motion, Control]]:
    """The motions of a device beside what its format knows of each parameter.

    Args:
        device: as a timeline holds it.
        told: hears of each parameter that cannot be told apart from others, and why.
    """
    known = {control.id: control for control in device.controls}
    for motion in device.motions:
        if motion.id in known:
            yield motion, known[motion.id]
        else:
            told(motion.name, "which of the plugin's parameters that is is not known here")


def _means(motion: Motion, control: Control) -> bool:
    return motion.id == control.id if motion.id is not None else motion.name == control.title


def positions(motion: Motion, control: Control) -> Lane:
    """The lane of a motion from 0 to 1."""
    if not motion.plain:
        return motion.lane.mapped(lambda position: min(1.0, max(0.0, position)))
    return motion.lane.mapped(lambda value: float(control.to_positions(np.array(value))))


def plain(motion: Motion, control: Control, frames: int, rate: int) -> Lane:
    """The lane of a motion in the plugin's own range, for those who draw straight lines there."""
    lane, span = positions(motion, control), abs(control.plain[-1] - control.plain[0])
    if len(control.plain) == 2:
        return lane.mapped(lambda position: float(control.to_plain(np.array(position))))
    return _drawn(lambda seconds: control.to_plain(lane.at(seconds)), frames, rate, max(1e-9, span))


def _values(parameter: Parameter, lane: Lane) -> Lane:
    """Positions as numbers in the parameter's unit: where its law is bent, a straight line gets more points."""
    bent = parameter.log or len(parameter.positions) > 2
    straight = lane.straight()
    times, positions = [straight.seconds[0]], [straight.values[0]]
    for second, position in zip(straight.seconds[1:], straight.values[1:], strict=True):
        pieces = max(1, math.ceil(abs(position - positions[-1]) * _BENDS)) if bent and second > times[-1] else 1
        start, low = times[-1], positions[-1]
        times += [start + (second - start) * (index + 1) / pieces for index in range(pieces)]
        positions += [low + (position - low) * (index + 1) / pieces for index in range(pieces)]
    least, most = min(parameter.values), max(parameter.values)
    values = (min(most, max(least, parameter.value(position))) for position in positions)
    return replace(straight, seconds=tuple(times), values=tuple(values), held=())
