"""A REAPER project as a timeline; what is not understood is reported as lost."""

from __future__ import annotations

from pathlib import Path

from studio.interchange.archive import bytes_of
from studio.interchange.lines import last_frame
from studio.interchange.media import Media
from studio.interchange.reaper.chains import devices
from studio.interchange.reaper.clock import ReaperClock
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.items import Items
from studio.interchange.reaper.text import LARGEST_BYTES, parse
from studio.interchange.reaper.tracks import route, strips, tracks
from studio.interchange.timeline import MASTER, Loss, Timeline, TimelineStrip

_LONGEST_WORDS = 400


def read_reaper(path: Path, media: Path) -> Timeline:
    """Read a project, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no project, or nothing can be made of it.
    """
    root = parse(bytes_of(path, LARGEST_BYTES, "a project").decode("utf-8", "replace"), str(path))
    losses: list[Loss] = []
    clock, envelopes = ReaperClock(root), Envelopes(losses)
    items = Items(path.parent.resolve(), Media(media, losses), clock, losses)
    found = tracks(root)
    for track in found:
        for item in track.chunk.chunks("ITEM"):
            items.add(track, item)
    route(found, envelopes, losses)
    played, buses = strips(found, envelopes, losses)
    volume = max(0.0, root.number("MASTER_VOLUME", 0, 1.0))
    return Timeline(
        title=" ".join(root.line("TITLE"))[:_LONGEST_WORDS],
        author=" ".join(root.line("AUTHOR"))[:_LONGEST_WORDS],
        rate=clock.rate,
        frames=last_frame(played, clock.tempo, clock.rate),
        tempo=clock.tempo,
        markers=tuple(clock.markers(losses)),
        tracks=played,
        buses=buses,
        master=TimelineStrip(
            MASTER,
            volume=envelopes.fader(root, "MASTERVOLENV2", volume, MASTER),
            devices=tuple(devices(root, "MASTERFXLIST", envelopes, losses)),
        ),
        losses=tuple(losses),
    )
