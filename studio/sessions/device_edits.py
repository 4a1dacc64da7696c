"""Plugins of a strip that were turned, bypassed or automated in a session, as changes of the steps that they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from studio.errors import MissingError
from studio.hosting.catalogue import describe_plugin
from studio.hosting.contract import PluginError
from studio.hosting.description import Description
from studio.hosting.plugin import Plugin
from studio.hosting.standing import standing
from studio.interchange.lane import Lane
from studio.interchange.motions import curves
from studio.interchange.points import points
from studio.interchange.timeline import Device, Loss
from studio.steps import Step

_NEAR = 1e-4
"""How far a position may lie beside another and be the same."""

_MARKS = 512


def device_edits(
    chain: Sequence[Step], was: Sequence[Device], now: Sequence[Device], seconds: float, where: str, losses: list[Loss]
) -> Iterator[tuple[int, str, Any]]:
    """What of a chain's steps the session changed: (place in the chain, knob, value as a recipe says it).

    Args:
        chain: of the strip in the recipe.
        was: the plugins at the end of it that stayed live, as they were written.
        now: as they are.
        seconds: how long the song is.
        where: the strip.
        losses: hears of what cannot come home.
    """
    if [device.id for device in was] != [device.id for device in now]:
        losses.append(
            Loss(
                f"plugins that were added, moved or taken out ({', '.join(each.name for each in now) or 'none is left'})",
                where,
                "the recipe's chain stays as it is; change it there",
            )
        )
        return
    kept = [place for place, step in enumerate(chain) if not step.bypass or isinstance(step, Plugin)]
    places = kept[len(kept) - len(was) :]
    for place, before, after in zip(places, was, now, strict=True):
        step = chain[place]
        if before.enabled != after.enabled:
            yield place, "bypass", not after.enabled
        if not isinstance(step, Plugin) or (before.state == after.state and before.motions == after.motions):
            continue
        try:
            known = describe_plugin(step.file, step.host)
            moved = dict(_lanes(known, before, after, seconds, where, losses))
            turned = dict(_turned(known, before, after)) if before.state != after.state else {}
        except (PluginError, MissingError) as error:
            losses.append(Loss(f"the knobs of {after.name!r}", where, error.cause.rstrip(".")))
            continue
        moving = {motion.name for motion in after.motions}
        for name, value in {**turned, **moved}.items():
            if name in moved or known.named[name].title not in moving:
                yield place, name, value


def _turned(known: Description, before: Device, after: Device) -> Iterator[tuple[str, Any]]:
    """The parameters that stand elsewhere now."""
    if before.state is None or after.state is None:
        raise PluginError("what the session holds of it cannot be read.")
    then, stands = standing(known, before.state), standing(known, after.state)
    for name, position in stands.items():
        if abs(position - then.get(name, position)) > _NEAR:
            yield name, known.named[name].said(position)


def _lanes(
    known: Description, before: Device, after: Device, seconds: float, where: str, losses: list[Loss]
) -> Iterator[tuple[str, Any]]:
    """The parameters that move otherwise now."""

    def told(what: str, why: str) -> None:
        losses.append(Loss(f"automation of {what!r} of {after.name!r}", where, why))

    then, lanes = curves(before, known, lambda what, why: None), curves(after, known, told)
    times = np.linspace(0.0, seconds, _MARKS)
    for name, lane in lanes.items():
        span = max(known.named[name].values) - min(known.named[name].values)
        if name not in then or float(np.max(np.abs(lane.at(times) - then[name].at(times)))) > _NEAR * 10 * span:
            yield name, points(lane)
    for name in then.keys() - lanes.keys():
        # A parameter that does not move any more stands where its first point put it, or where the state does.
        stands = standing(known, after.state).get(name) if after.state is not None else None
        yield name, known.named[name].said(stands) if stands is not None else _first(then[name])


def _first(lane: Lane) -> float:
    return float(lane.values[0])
