"""Tracks of a REAPER project as strips: folders and sends make buses of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from studio.interchange.lane import product
from studio.interchange.lines import TrackBuilder
from studio.interchange.names import unique
from studio.interchange.reaper.chains import devices
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.text import Chunk, RppLine
from studio.interchange.timeline import MASTER, PALETTE, Device, Loss, TimelineSend, TimelineStrip

_FIXED_LANES = 2


@dataclass
class ReaperTrack(TrackBuilder):
    """A line with what the project says of it: its sends, where it goes, whether others go to it, and what they go to
    its side inputs with."""

    chunk: Chunk = field(default_factory=lambda: Chunk("TRACK"))
    sends: list[TimelineSend] = field(default_factory=list)
    sides: list[tuple[str, float]] = field(default_factory=list)
    parent: str = MASTER
    fed: bool = False

    def plays(self, item: Chunk) -> bool:
        """Whether the lane plays that an item lies on, where the track has lanes."""
        if self.chunk.number("FREEMODE") != _FIXED_LANES or not self.chunk.line("LANESOLO").words:
            return True
        top, height = item.number("YPOS", 0), item.number("YPOS", 1, 1.0)
        lane = round(top / height) if height > 0 else 0
        return bool(round(self.chunk.number("LANESOLO")) >> min(lane, 63) & 1)


def tracks(root: Chunk) -> list[ReaperTrack]:
    """The tracks in order; those in a folder go to it."""
    found: list[ReaperTrack] = []
    taken = {MASTER}
    folders: list[ReaperTrack] = []
    for index, chunk in enumerate(root.chunks("TRACK")):
        name = unique(chunk.text("NAME") or f"Track {index + 1}", taken, str)
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
        if isinstance(each, Chunk):
            if each.tag in ("AUXVOLENV", "AUXMUTEENV") and waiting is not None:
                each.seen = True
                waiting = _moving(each, waiting, envelopes)
            continue
        if each.tag == "AUXRECV":
            each.seen = True
            waiting = _send(each, track, found, losses)


def _moving(
    envelope: Chunk, waiting: tuple[ReaperTrack, TimelineSend], envelopes: Envelopes
) -> tuple[ReaperTrack, TimelineSend]:
    """The send with an envelope of it."""
    source, send = waiting
    holder = Chunk("TRACK")
    holder.inside = [envelope]
    level = envelopes.fader(holder, (envelope.tag,), 1.0, source.name)
    moved = replace(send, level=product(send.level if envelope.tag == "AUXMUTEENV" else 1.0, level))
    if level == 1.0:
        moved = send
    source.sends[source.sends.index(send)] = moved
    return source, moved


def _send(
    line: RppLine, track: ReaperTrack, found: list[ReaperTrack], losses: list[Loss]
) -> tuple[ReaperTrack, TimelineSend] | None:
    """One that arrives at a track, and the track it comes from; None where it is no send of a recipe."""
    index, mode, level = round(line.number(0, -1)), round(line.number(1)), line.number(2, 1.0)
    pan, muted, mono, turned = line.number(3), line.number(4), line.number(5), line.number(6)
    out, arrives = round(line.number(7)), round(line.number(8))
    if not 0 <= index < len(found) or found[index] is track:
        losses.append(Loss("a send", track.name, "it comes from a track that is not there"))
        return None
    source = found[index]
    where = f"{source.name} → {track.name}"
    if out < 0:
        losses.append(Loss("a send of notes", where, "a recipe's parts go to their own instruments only"))
        return None
    if arrives & 1023 >= 2:
        track.sides.append((source.name, 0.0 if muted else max(0.0, level)))
        return None
    if out & 1023 >= 2:
        losses.append(Loss("a send of further channels", where, "a recipe's tracks are stereo"))
        return None
    for said, what in (
        (pan, "the pan of a send"),
        (mono, "a send in mono"),
        (turned, "a send with its polarity turned"),
    ):
        if said:
            losses.append(Loss(what, where, "a recipe's sends have none"))
    send = TimelineSend(track.name, 0.0 if muted else max(0.0, level), mode in (1, 3))
    source.sends.append(send)
    track.fed = True
    return source, send


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
    chain = tuple(devices(chunk, "FXCHAIN", envelopes, losses, name))
    return TimelineStrip(
        name,
        _colour(chunk.number("PEAKCOL"), index),
        devices=_listening(track, chain, losses),
        trim=envelopes.fader(chunk, ("VOLENV",), 1.0, name),
        trim_pan=envelopes.pan(chunk, "PANENV", 0.0, name),
        invert=bool(chunk.number("IPHASE")),
        volume=envelopes.fader(chunk, ("VOLENV2", "MUTEENV"), volume, name),
        pan=envelopes.pan(chunk, "PANENV2", pan, name),
        sends=tuple(track.sends),
        mute=bool(chunk.number("MUTESOLO", 0)),
        solo=bool(chunk.number("MUTESOLO", 1)),
        to=track.parent,
    )


def _listening(track: ReaperTrack, chain: tuple[Device, ...], losses: list[Loss]) -> tuple[Device, ...]:
    """The plugins, with what comes to their side inputs; what no plugin hears is told."""
    for source, level in track.sides:
        where = f"{source} → {track.name}"
        hearing = next((device for device in chain if device.sided and device.side is None), None)
        if hearing is None:
            losses.append(Loss("a side-chain", where, "no plugin on it hears channels 3 and 4"))
            continue
        if level != 1.0:
            losses.append(Loss(f"the level of a side-chain ({level:g})", where, "a recipe's has none: it is 0 dB"))
        chain = tuple(replace(device, side=source) if device is hearing else device for device in chain)
    return chain


def _colour(said: float, index: int) -> str:
    value = int(said)
    if not value & 0x1000000:
        return PALETTE[index % len(PALETTE)]
    return f"#{value & 255:02x}{value >> 8 & 255:02x}{value >> 16 & 255:02x}"
