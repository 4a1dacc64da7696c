"""A REAPER project as a timeline; what is not understood is reported as lost."""

from __future__ import annotations

from pathlib import Path

from studio.interchange.accounts import losses_of
from studio.interchange.archive import bytes_of
from studio.interchange.lines import last_frame
from studio.interchange.media import Media
from studio.interchange.reaper.accounts import leftovers
from studio.interchange.reaper.chains import devices
from studio.interchange.reaper.clock import ReaperClock
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.items import Items
from studio.interchange.reaper.text import LARGEST_BYTES, Chunk, parse
from studio.interchange.reaper.tracks import route, strips, tracks
from studio.interchange.relink import HERE, Relink, Where
from studio.interchange.speed import at_speed
from studio.interchange.timeline import MASTER, Loss, Timeline, TimelineStrip

_LONGEST_WORDS = 400
_SLOWEST, _FASTEST = 1 / 16, 16.0


def read_reaper(path: Path, media: Path, where: Where = HERE) -> Timeline:
    """Read a project, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no project, or nothing can be made of it.
    """
    root = parse(bytes_of(path, LARGEST_BYTES, "a project").decode("utf-8", "replace"), str(path))
    losses: list[Loss] = []
    clock, envelopes = ReaperClock(root), Envelopes(losses)
    items = Items(Relink(path.parent, where), Media(media, losses), clock, envelopes, losses)
    found = tracks(root)
    for track in found:
        for item in track.chunk.chunks("ITEM"):
            items.add(track, item, track.plays(item))
    route(found, envelopes, losses)
    played, buses = strips(found, envelopes, losses)
    timeline = Timeline(
        title=root.text("TITLE")[:_LONGEST_WORDS],
        author=root.text("AUTHOR")[:_LONGEST_WORDS],
        rate=clock.rate,
        frames=last_frame(played, clock.tempo, clock.rate),
        tempo=clock.tempo,
        markers=tuple(clock.markers(losses)),
        tracks=played,
        buses=buses,
        master=_master(root, envelopes, losses),
    )
    timeline = _paced(root, timeline, losses)
    return timeline.with_losses((*losses, *losses_of(leftovers(root))))


def _master(root: Chunk, envelopes: Envelopes, losses: list[Loss]) -> TimelineStrip:
    level = root.line("MASTER_VOLUME")
    volume, pan = max(0.0, level.number(0, 1.0)), max(-1.0, min(1.0, level.number(1)))
    return TimelineStrip(
        MASTER,
        volume=envelopes.fader(root, ("MASTERVOLENV2",), volume, MASTER),
        pan=envelopes.pan(root, "MASTERPANENV2", pan, MASTER),
        trim=envelopes.fader(root, ("MASTERVOLENV",), 1.0, MASTER),
        trim_pan=envelopes.pan(root, "MASTERPANENV", 0.0, MASTER),
        devices=tuple(devices(root, "MASTERFXLIST", envelopes, losses, MASTER)),
    )


def _paced(root: Chunk, timeline: Timeline, losses: list[Loss]) -> Timeline:
    """The timeline at the play rate of the whole project."""
    line = root.line("PLAYRATE")
    speed, kept = line.number(0, 1.0), line.number(1, 1.0)
    if speed == 1.0:
        return timeline
    if not _SLOWEST <= speed <= _FASTEST:
        losses.append(Loss(f"the play rate {speed:g}", "project", "from 1/16 to 16 can be played: it is 1"))
        return timeline
    return at_speed(timeline, speed, tape=not kept)
