"""Tracks and channels of a DAWproject as strips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from studio.interchange.dawproject.automation import Automation
from studio.interchange.dawproject.builtins import builtin_steps
from studio.interchange.dawproject.document import ProjectDocument, number
from studio.interchange.dawproject.lint import LARGEST_STATE
from studio.interchange.dawproject.schema import BUILTINS, PLUGINS
from studio.interchange.lane import Value, product
from studio.interchange.lines import TrackBuilder
from studio.interchange.names import unique
from studio.interchange.safe_xml import consume
from studio.interchange.timeline import MASTER, PALETTE, Device, TimelineSend, TimelineStrip

_FORMATS = {"Vst3Plugin": "vst3", "Vst2Plugin": "vst2", "ClapPlugin": "clap", "AuPlugin": "au"}


@dataclass
class PlayerReader(TrackBuilder):
    """A line with the channel it plays through."""

    colour: str = PALETTE[0]
    element: Element | None = None
    channel: Element | None = None

    def is_(self, *roles: str) -> bool:
        """Whether its channel has one of some roles."""
        return self.channel is not None and self.channel.get("role") in roles


def players(document: ProjectDocument) -> tuple[list[PlayerReader], PlayerReader | None]:
    """All tracks and channels in the order of the document, and the master apart."""
    found: list[PlayerReader] = []
    master: PlayerReader | None = None
    structure = document.root.find("Structure")
    for element in _tracks(structure) if structure is not None else ():
        channel = element if element.tag == "Channel" else element.find("Channel")
        name = element.get("name") or (channel.get("name") if channel is not None else "") or element.tag
        player = PlayerReader(name, colour=_colour(element.get("color"), len(found)), element=element, channel=channel)
        if player.is_("master") and master is None:
            master = player
        else:
            found.append(player)
    return found, master


def _tracks(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag in ("Track", "Channel"):
            yield child
        if child.tag == "Track":
            yield from (inner for inner in _tracks(child) if inner.tag == "Track")


class MixerReader:
    """The strips of a document.

    Args:
        document: as it is read.
        players: all but the master, with what lies on them.
        master: the last of the ways, if there is one.
        automation: what moves.
    """

    def __init__(
        self,
        document: ProjectDocument,
        players: list[PlayerReader],
        master: PlayerReader | None,
        automation: Automation,
    ) -> None:
        self._document, self._players, self._automation = document, players, automation
        self._master = master
        taken = {MASTER}
        self._names = {id(player): unique(player.name, taken, str) for player in players}
        self._ways = {
            player.channel.get("id"): self._names[id(player)] for player in players if player.channel is not None
        }

    def strips(self) -> tuple[tuple[TimelineStrip, ...], tuple[TimelineStrip, ...]]:
        """Tracks and buses; a channel that others go to and that plays too becomes one of each."""
        top = self._master.channel.get("id") if self._master is not None and self._master.channel is not None else None
        fed = {
            way for channel in self._document.root.iter("Channel")
            for way in (channel.get("destination"), *(send.get("destination") for send in channel.iter("Send")))
            if way in self._ways and way != top
        }  # fmt: skip
        tracks: list[TimelineStrip] = []
        buses: list[TimelineStrip] = []
        for player in self._players:
            name = self._names[id(player)]
            feeds = player.channel is not None and player.channel.get("id") in fed
            if feeds or (player.is_("effect", "submix") and player.empty):
                buses.append(self._strip(player, name))
                tracks += player.beside(buses[-1])
            elif player.is_("vca"):
                self._document.lose("VCA fader", name, "a recipe has none")
                if player.channel is not None:
                    consume(player.channel)
            elif player.channel is not None or not player.empty:
                tracks += player.tracks(self._strip(player, name), self._document.losses)
        return tuple(tracks), tuple(buses)

    def master(self) -> TimelineStrip:
        """The last strip."""
        return self._strip(self._master, MASTER) if self._master is not None else TimelineStrip(MASTER)

    def _strip(self, player: PlayerReader, name: str) -> TimelineStrip:
        channel = player.channel
        if channel is None:
            return TimelineStrip(name, player.colour)
        mute = channel.find("Mute")
        muting = self._automation.of(mute) if mute is not None else None
        volume = self._value(channel.find("Volume"), 1.0, "linear", factor)
        if muting is not None:
            volume = product(volume, muting.mapped(lambda value: 1.0 - value))
        return TimelineStrip(
            name,
            player.colour,
            devices=tuple(self._devices(channel, name)),
            volume=volume,
            pan=self._value(channel.find("Pan"), 0.0, "normalized", pan_of),
            sends=tuple(self._sends(channel, name)),
            mute=mute is not None and mute.get("value") == "true",
            solo=channel.get("solo") == "true",
            to=self._way_out(channel, name),
        )

    def _way_out(self, channel: Element, name: str) -> str:
        said = channel.get("destination")
        if said and said not in self._document.ids:
            self._document.lose("its way out", name, f"{said!r} leads nowhere: master instead")
        return self._ways.get(said, MASTER) if name != MASTER else MASTER

    def _sends(self, channel: Element, name: str) -> Iterator[TimelineSend]:
        for send in channel.iterfind("Sends/Send"):
            target = self._ways.get(send.get("destination")) if name != MASTER else None
            enable = send.find("Enable")
            if target is None or target == name:
                self._document.lose("a send", name, f"{send.get('destination')!r} leads to no bus")
                consume(send)
            else:
                level = self._value(send.find("Volume"), 1.0, "linear", factor)
                pan = send.find("Pan")
                if pan is not None and self._value(pan, 0.0, "normalized", pan_of) != 0.0:
                    self._document.lose("the pan of a send", f"{name} → {target}", "a recipe's sends have none")
                off = enable is not None and enable.get("value") == "false"
                yield TimelineSend(target, 0.0 if off else level, send.get("type") == "pre")

    def _value(
        self, parameter: Element | None, default: float, unit: str, law: Callable[[str], Callable[[float], float]]
    ) -> Value:
        """A level or a pan, moving or not, by the law of its unit."""
        value = number(parameter, "value")
        if parameter is None or value is None:
            return default
        change, lane = law(parameter.get("unit", unit)), self._automation.of(parameter)
        return lane.mapped(change) if lane is not None else change(value)

    def _devices(self, channel: Element, name: str) -> Iterator[Device]:
        devices = channel.find("Devices")
        for element in devices if devices is not None else ():
            called = element.get("deviceName") or element.get("name") or element.tag
            if element.tag in BUILTINS:
                yield from self._builtin(element, called, name)
            if element.tag in PLUGINS:
                yield self._plugin(element, called, name)

    def _builtin(self, element: Element, called: str, name: str) -> Iterator[Device]:
        """A device that the format describes itself, by its units."""

        def lose(what: str, why: str) -> None:
            self._document.lose(f"{what} of {called!r}", name, why)

        steps, enabled = builtin_steps(element, lose), element.find("Enabled")
        if steps is None:
            why = "the format does not say what it does, so it is left out"
        else:
            why = "the format says what its knobs are, not how it sounds: the studio's own stands for it"
        self._document.lose(f"device {called!r}", name, why)
        consume(element)
        if steps:
            on = enabled is None or enabled.get("value") != "false"
            yield Device(called, "builtin", element.tag, enabled=on, steps=tuple(steps))

    def _plugin(self, element: Element, called: str, name: str) -> Device:
        enabled = element.find("Enabled")
        parameters: dict[str, float] = {
            found.get("name") or found.get("parameterID") or str(index): value
            for index, found in enumerate(element.iterfind("Parameters/RealParameter"))
            if (value := number(found, "value")) is not None
        }
        return Device(
            called,
            _FORMATS[element.tag],
            element.get("deviceID", ""),
            self._state(element, called, name),
            parameters,
            element.get("deviceRole") == "instrument",
            enabled is None or enabled.get("value") != "false",
            vendor=element.get("deviceVendor", ""),
            motions=tuple(self._automation.motions(element, name)),
        )

    def _state(self, element: Element, called: str, name: str) -> bytes | None:
        state = element.find("State")
        path = state.get("path", "") if state is not None else ""
        if self._document.archive.holds(path):
            return self._document.archive.read(path, LARGEST_STATE)
        if path:
            self._document.lose(f"state of {called!r}", name, f"{path!r} is not in the file")
        return None


def factor(unit: str) -> Callable[[float], float]:
    """From a level in a unit to a factor."""
    if unit == "decibel":
        return lambda value: 0.0 if value <= -90 else 10 ** (value / 20)
    if unit == "percent":
        return lambda value: max(0.0, value / 100)
    return lambda value: max(0.0, value)


def pan_of(unit: str) -> Callable[[float], float]:
    """From a pan in a unit to −1 to 1."""
    if unit == "linear":
        return lambda value: max(-1.0, min(1.0, value))
    if unit == "percent":
        return lambda value: max(-1.0, min(1.0, value / 50 - 1))
    return lambda value: max(-1.0, min(1.0, round(2 * value - 1, 12)))


def _colour(text: str | None, index: int) -> str:
    plain = (text or "").removeprefix("#")
    if len(plain) in (6, 8) and all(mark in "0123456789abcdefABCDEF" for mark in plain):
        return f"#{plain[:6].lower()}"
    return PALETTE[index % len(PALETTE)]
