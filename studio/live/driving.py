"""What a recipe says to a running DAW in which a session of it is open: where all that can be turned stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from studio.curves import moves
from studio.hosting.catalogue import describe_plugin
from studio.hosting.controls import controls, named_controls
from studio.hosting.plugin import Plugin
from studio.interchange.ardour.plugins import listed
from studio.interchange.lane import first
from studio.interchange.timeline import Device, Timeline, TimelineStrip
from studio.live.remotes import Move, RemoteFader, RemoteMute, RemotePan, RemoteParameter, RemoteSend
from studio.recipe import Recipe


def moves_of(recipe: Recipe, timeline: Timeline) -> list[Move]:
    """Faders, pans, mutes, sends and plugins, strips in the order in which sessions are written.

    Raises:
        PluginError: a plugin does not say how it counts its parameters.
    """
    chains = {name: strip.chain for _, name, strip in recipe.strips()}
    moves: list[Move] = []
    for number, strip in enumerate([*timeline.tracks, *timeline.buses], 1):
        moves += [
            RemoteFader(number, first(strip.volume)),
            RemotePan(number, first(strip.pan)),
            RemoteMute(number, strip.mute),
        ]
        moves += [RemoteSend(number, index, first(send.level)) for index, send in enumerate(strip.sends, 1)]
        moves += _plugin_moves(number, strip, chains.get(strip.name, ()))
    return moves


def _plugin_moves(number: int, strip: TimelineStrip, chain: tuple[object, ...]) -> Iterator[RemoteParameter]:
    """The parameters that the recipe sets of the plugins at the end of a chain, which are those of the session."""
    live = chain[len(chain) - len(strip.devices) :]
    for index, (step, device) in enumerate(zip(live, strip.devices, strict=False), 1):
        if isinstance(step, Plugin):
            yield from _parameters(number, index, step, device)


def _parameters(number: int, index: int, step: Plugin, device: Device) -> Iterator[RemoteParameter]:
    known = describe_plugin(step.file, step.host)
    # Those that move stand in the session as lanes.
    still = {name: value for name, value in step.settings.items() if not moves(value)}
    if not still:
        return
    named = named_controls(known, device.id)
    counted = [control.id for control in controls(known.path, device.id) if listed(control)]
    for name, value in still.items():
        if name in named and named[name].id in counted:
            position = known.named[name].position(value)
            [plain] = named[name].to_plain(np.array([position])).tolist()
            yield RemoteParameter(number, index, counted.index(named[name].id) + 1, plain, position)
