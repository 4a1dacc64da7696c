"""A DAWproject file as a timeline, tolerant of what real DAWs write; what is not understood is reported as lost."""

from __future__ import annotations

from pathlib import Path

from studio.interchange.accounts import losses_of
from studio.interchange.archive import Archive
from studio.interchange.dawproject.accounts import SILENT
from studio.interchange.dawproject.automation import Automation
from studio.interchange.dawproject.channels import MixerReader, players
from studio.interchange.dawproject.clips import ClipLayout
from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.dawproject.document import ProjectDocument
from studio.interchange.dawproject.lint import lint
from studio.interchange.lines import last_frame
from studio.interchange.media import Media
from studio.interchange.relink import HERE, Relink, Where
from studio.interchange.safe_xml import consume
from studio.interchange.timeline import Timeline
from studio.interchange.xml_accounts import leftovers

_HARMLESS = ("file-missing", "file-external", "destination-forward", "attribute-unknown")
"""Defects that are told of where they matter, or do not."""

_MOST_DEFECTS = 3
"""So many are named; they must not drown what is lost."""


def read_dawproject(path: Path, media: Path, where: Where = HERE) -> Timeline:
    """Read a file, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no DAWproject, or nothing can be made of it.
    """
    with Archive(path) as archive:
        archive.check_room(media)
        document = ProjectDocument(archive)
        clock = DawprojectClock(document)
        found, master = players(document)
        everyone = [*found, *([master] if master is not None else [])]
        automation = Automation(
            document,
            clock,
            {
                element: player.name
                for player in everyone
                if player.channel is not None
                for element in player.channel.iter()
            },
        )
        by_id = {
            player.element.get("id") or repr(player.name): player for player in everyone if player.element is not None
        }
        relink = Relink(path.parent, where)
        layout = ClipLayout(document, clock, Media(media, document.losses), by_id, automation, relink)
        for lanes in document.arrangement.iterfind("Lanes") if document.arrangement is not None else ():
            layout.walk(lanes, lanes.get("timeUnit", "beats"))
        scenes = document.root.find("Scenes")
        if scenes is not None and next(scenes.iter("Clip"), None) is not None:
            document.lose("clips of scenes", "Scenes", "a recipe plays from start to end")
            consume(scenes)
        mixer = MixerReader(document, found, master, automation)
        tracks, buses = mixer.strips()
        last, markers = mixer.master(), clock.markers()
        words = document.words()
        document.losses += losses_of(leftovers(document.root, SILENT))
        _report_defects(document)
        return Timeline(
            title=words.get("Title", ""),
            author=words.get("Artist", ""),
            license=words.get("Copyright", ""),
            comment=words.get("Comment", ""),
            rate=clock.rate,
            frames=last_frame(tracks, clock.tempo, clock.rate),
            tempo=clock.tempo,
            markers=markers,
            tracks=tracks,
            buses=buses,
            master=last,
            losses=tuple(document.losses),
        )


def _report_defects(document: ProjectDocument) -> None:
    """What the linter finds is told, not refused: real DAWs write files that no schema lets through."""
    odd = [defect for defect in lint(document.archive) if defect.code not in _HARMLESS]
    if odd:
        named = "; ".join(f"{defect.where}: {defect.what}" for defect in odd[:_MOST_DEFECTS])
        more = f"; and {len(odd) - _MOST_DEFECTS} more" if len(odd) > _MOST_DEFECTS else ""
        document.lose(
            f"{len(odd)} odd thing{'s' * (len(odd) > 1)} ({named}{more})", "the file", "`studio check` lists them all"
        )


__all__ = ["read_dawproject"]
