"""The faders, mutes, transport and plugins of a running DAW over OSC: one set of movements, one address map a DAW.

Ardour 7: "Using OSC in Ardour" (manual); REAPER: the patterns of its Default.ReaperOSC; Ableton Live: AbletonOSC.
Strips, sends, plugins and parameters count from 1, as on a mixer.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from studio.errors import RecipeError, nearest
from studio.levels import SILENCE_DB
from studio.live.control import message

Message: TypeAlias = tuple[str, tuple[float | int | str, ...]]
"""An address and its values."""


@dataclass(frozen=True)
class RemoteFader:
    """A strip's level, as a factor."""

    strip: int
    factor: float


@dataclass(frozen=True)
class RemotePan:
    """A strip's pan, from −1 left to 1 right."""

    strip: int
    position: float


@dataclass(frozen=True)
class RemoteMute:
    """Whether a strip is silent."""

    strip: int
    on: bool


@dataclass(frozen=True)
class RemoteSend:
    """The level of a strip's send, as a factor."""

    strip: int
    send: int
    factor: float


@dataclass(frozen=True)
class RemoteParameter:
    """A plugin's parameter: in the plugin's own unit, and from 0 to 1 on its way; each DAW takes what it counts in."""

    strip: int
    plugin: int
    parameter: int
    value: float
    position: float


@dataclass(frozen=True)
class RemoteTransport:
    """Play or stop."""

    playing: bool


@dataclass(frozen=True)
class RemoteLocate:
    """Go to a second and a beat of the song; each DAW takes what it counts in."""

    second: float
    beat: float
    rate: int = 48_000


Move: TypeAlias = RemoteFader | RemotePan | RemoteMute | RemoteSend | RemoteParameter | RemoteTransport | RemoteLocate


def _ardour(move: Move) -> Message:
    match move:
        case RemoteFader(strip, factor):
            return "/strip/gain", (strip, _db(factor, -193.0))
        case RemotePan(strip, position):
            # Its OSC counts from the right.
            return "/strip/pan_stereo_position", (strip, (1 - position) / 2)
        case RemoteMute(strip, on):
            return "/strip/mute", (strip, int(on))
        case RemoteSend(strip, send, factor):
            return "/strip/send/gain", (strip, send, _db(factor, -193.0))
        case RemoteParameter(strip, plugin, parameter, value, _):
            return "/strip/plugin/parameter", (strip, plugin, parameter, float(value))
        case RemoteTransport(playing):
            return ("/transport_play" if playing else "/transport_stop"), ()
        case RemoteLocate(second, _, rate):
            return "/locate", (round(second * rate), 0)


def _reaper(move: Move) -> Message:
    match move:
        case RemoteFader(strip, factor):
            return f"/track/{strip}/volume/db", (_db(factor, -150.0),)
        case RemotePan(strip, position):
            return f"/track/{strip}/pan", ((position + 1) / 2,)
        case RemoteMute(strip, on):
            return f"/track/{strip}/mute", (int(on),)
        case RemoteSend(strip, send, factor):
            return f"/track/{strip}/send/{send}/volume/db", (_db(factor, -150.0),)
        case RemoteParameter(strip, plugin, parameter, _, position):
            return f"/track/{strip}/fx/{plugin}/fxparam/{parameter}/value", (float(position),)
        case RemoteTransport(playing):
            return ("/play" if playing else "/stop"), (1,)
        case RemoteLocate(second, _, _):
            return "/time", (float(second),)


def _live(move: Move) -> Message:
    match move:
        case RemoteFader(strip, factor):
            return "/live/track/set/volume", (strip - 1, _live_fader(factor))
        case RemotePan(strip, position):
            return "/live/track/set/panning", (strip - 1, float(position))
        case RemoteMute(strip, on):
            return "/live/track/set/mute", (strip - 1, int(on))
        case RemoteSend(strip, send, factor):
            return "/live/track/set/send", (strip - 1, send - 1, _live_fader(factor))
        case RemoteParameter(strip, plugin, parameter, _, position):
            return "/live/device/set/parameter/value", (strip - 1, plugin - 1, parameter, float(position))
        case RemoteTransport(playing):
            return ("/live/song/start_playing" if playing else "/live/song/stop_playing"), ()
        case RemoteLocate(_, beat, _):
            return "/live/song/set/current_song_time", (float(beat),)


def _db(factor: float, silence: float) -> float:
    return 20 * math.log10(factor) if factor > 10 ** (SILENCE_DB / 20) else silence


def _live_fader(factor: float) -> float:
    """Where Live's fader stands: 0.85 at 0 dB, 40 dB a unit above −18 dB; below that, as near as a straight line comes."""
    db = _db(factor, SILENCE_DB)
    if db >= -18:
        return min(1.0, 0.85 + db / 40)
    return max(0.0, 0.4 * (db - SILENCE_DB) / (-18 - SILENCE_DB))


@dataclass(frozen=True)
class RemoteDialect:
    """A DAW that listens to OSC, and on which port unless told otherwise."""

    name: str
    port: int
    message: Callable[[Move], Message]


DESKS = {
    desk.name: desk
    for desk in (
        RemoteDialect("ardour", 3819, _ardour),
        RemoteDialect("reaper", 8000, _reaper),
        RemoteDialect("live", 11_000, _live),
    )
}


def desk(name: str) -> RemoteDialect:
    """The DAW of a name.

    Raises:
        RecipeError: there is none.
    """
    if name not in DESKS:
        raise RecipeError(f"there is no map for {name!r}.", nearest(name, DESKS))
    return DESKS[name]


class Remote:
    """Moves a DAW on this machine, or on another."""

    def __init__(self, to: RemoteDialect, host: str = "127.0.0.1", port: int | None = None) -> None:
        self._to, self._target = to, (host, port or to.port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def move(self, *moves: Move) -> None:
        """Send movements."""
        for each in moves:
            address, values = self._to.message(each)
            self.say(address, *values)

    def say(self, address: str, *values: float | int | str) -> None:
        """Send any message."""
        self._socket.sendto(message(address, *values), self._target)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
