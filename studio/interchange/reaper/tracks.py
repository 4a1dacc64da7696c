"""Tracks of a REAPER project as strips: folders and sends make buses of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from studio.interchange.lines import Line
from studio.interchange.names import unique
from studio.interchange.reaper.chains import devices
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.text import Chunk, number
from studio.interchange.timeline import MASTER, PALETTE, Loss, TimelineSend, TimelineStrip


@dataclass
class ReaperTrack(Line):
    """A line with what the project says of it: its sends, where it goes, and whether others go to it."""

    chunk: Chunk = field(default_factory=lambda: Chunk("TRACK"))
    sends: list[TimelineSend] = field(default_factory=list)
    parent: str = MASTER
    fed: bool = False


def tracks(root: Chunk) -> list[ReaperTrack]:
    """The tracks in order; those in a folder go to it."""
    found: list[ReaperTrack] = []
    taken = {MASTER}
    folders: list[ReaperTrack] = []
    for index, chunk in enumerate(root.chunks("TRACK")):
        name = unique(" ".join(chunk.line("NAME")) or f"Track {index + 1}", taken, str)
        track = ReaperTrack(name, chunk=chunk)
        if folders:
            track.parent = folders[-1].name
            folders[-1].fed = True
        found.append(track)
        kind, change = chunk.number("ISBUS", 0), round(chunk.number("ISBUS", 1))
        if kind == 1:
            folders.append(track)
        elif kind == 2:
            del folders[max(0, len(folders) + min(0, change)) :]
    return found


def route(found: list[ReaperTrack], envelopes: Envelopes, losses: list[Loss]) -> None:
    """Sends are written where they arrive; one at 0 dB of a track without another way out is its way out."""
    for track in found:
        _receive(track, found, envelopes, losses)
    for track in found:
        if track.chunk.number("MAINSEND", 0, 1):
            continue
        out = next((s for s in reversed(track.sends) if not s.pre and s.level == 1.0), None)
        if out is not None:
            track.sends.remove(out)
            track.parent = out.target
        else:
            losses.append(Loss("no way out", track.name, "a recipe's tracks have one: the master"))
            track.parent = MASTER


def _receive(track: ReaperTrack, found: list[ReaperTrack], envelopes: Envelopes, losses: list[Loss]) -> None:
    """Hand the sends that arrive at a track to those they come from; behind one may stand how it moves."""
    waiting: tuple[ReaperTrack, TimelineSend] | None = None
    for each in track.chunk.inside:
        if isinstance(each, Chunk) and each.tag == "AUXVOLENV" and waiting is not None:
            source, send = waiting
            if (lane := envelopes.lane(each, source.name)) is not None:
                source.sends[source.sends.index(send)] = replace(send, level=lane)
            continue
        if not isinstance(each, list) or each[:1] != ["AUXRECV"]:
            continue
        index, mode, level = round(number(each, 1, -1)), round(number(each, 2)), number(each, 3, 1.0)
        if not 0 <= index < len(found) or found[index] is track:
            losses.append(Loss("a send", track.name, "it comes from a track that is not there"))
            continue
        if number(each, 5):
            continue
        if number(each, 4):
            losses.append(Loss("the pan of a send", found[index].name, "a recipe's sends have none"))
        send = TimelineSend(track.name, max(0.0, level), mode in (1, 3))
        found[index].sends.append(send)
        track.fed = True
        waiting = (found[index], send)


def strips(
    found: list[ReaperTrack], envelopes: Envelopes, losses: list[Loss]
) -> tuple[tuple[TimelineStrip, ...], tuple[TimelineStrip, ...]]:
    """Tracks and buses; one that others go to and that plays too becomes one of each."""
    played: list[TimelineStrip] = []
    buses: list[TimelineStrip] = []
    for track in found:
        strip = _strip(track, len(played) + len(buses), envelopes, losses)
        if track.fed or (track.empty and not strip.devices):
            buses.append(strip)
            played += track.beside(strip)
        else:
            played += track.tracks(strip, losses)
    return tuple(played), tuple(buses)


def _strip(track: ReaperTrack, index: int, envelopes: Envelopes, losses: list[Loss]) -> TimelineStrip:
    chunk, name = track.chunk, track.name
    volume, pan = max(0.0, chunk.number("VOLPAN", 0, 1.0)), max(-1.0, min(1.0, chunk.number("VOLPAN", 1)))
    return TimelineStrip(
        name,
        _colour(chunk.number("PEAKCOL"), index),
        devices=tuple(devices(chunk, "FXCHAIN", envelopes, losses)),
        volume=envelopes.fader(chunk, "VOLENV2", volume, name),
        pan=envelopes.pan(chunk, "PANENV2", pan, name),
        sends=tuple(track.sends),
        mute=bool(chunk.number("MUTESOLO", 0)),
        solo=bool(chunk.number("MUTESOLO", 1)),
        to=track.parent,
    )


def _colour(said: float, index: int) -> str:
    value = int(said)
    if not value & 0x1000000:
        return PALETTE[index % len(PALETTE)]
    return f"#{value & 255:02x}{value >> 8 & 255:02x}{value >> 16 & 255:02x}"
