"""A timeline as a session of Ardour 7.

The session format is Ardour's own and not published as a standard; what is written here is what Ardour 7.3 writes and
reads itself, without what it fills in by default.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from studio.disk import write_whole
from studio.interchange.ardour.playlists import Playlists
from studio.interchange.ardour.routes import VERSION, add_route
from studio.interchange.ardour.sheet import ArdourSheet
from studio.interchange.ardour.tempo import tempo_map
from studio.interchange.timeline import Loss, Timeline
from studio.rendering.xml_text import clean


def write_timeline(timeline: Timeline, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write ``name.ardour`` into a folder whose audio lies in ``interchange/name/audiofiles``; what is lost is returned."""
    sheet = ArdourSheet(timeline)
    root = _built(sheet, folder, name)
    ElementTree.indent(root)
    for needed in ("analysis", "dead", "export", "externals", "peaks", "plugins"):
        (folder / needed).mkdir(exist_ok=True)
    text = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    write_whole(folder / f"{name}.ardour", text)
    return tuple(sheet.losses)


def _built(sheet: ArdourSheet, folder: Path, name: str) -> Element:
    timeline = sheet.timeline
    root = Element(
        "Session",
        {
            "version": VERSION,
            "name": clean(name),
            "sample-rate": str(sheet.rate),
            "session-range-is-free": "0",
            "id-counter": "0",
            "name-counter": "1",
            "event-counter": "0",
            "vca-counter": "1",
        },
    )
    SubElement(root, "ProgramVersion", {"created-with": "mirepoix", "modified-with": "Ardour 7.3"})
    config = SubElement(root, "Config")
    for option, value in (
        ("native-file-data-format", "FormatFloat"),
        ("native-file-header-format", "WAVE"),
        ("use-region-fades", "1"),
        ("use-transport-fades", "0"),
        ("auto-input", "1"),
    ):
        SubElement(config, "Option", name=option, value=value)
    _metadata(sheet, root)
    playlists = Playlists(sheet, folder / "interchange" / name / "midifiles")
    root.append(playlists.sources)
    SubElement(root, "Regions")
    _locations(sheet, root)
    SubElement(root, "Bundles")
    routes = Element("Routes")
    for order, strip in enumerate([timeline.master, *timeline.tracks, *timeline.buses]):
        add_route(sheet, routes, playlists, strip, order)
    root.append(routes)
    root.append(playlists.playlists)
    SubElement(root, "UnusedPlaylists")
    SubElement(root, "RouteGroups")
    root.append(tempo_map(sheet))
    protocols = SubElement(root, "ControlProtocols")
    SubElement(protocols, "Protocol", name="Open Sound Control (OSC)", active="0")
    root.set("id-counter", sheet.id())
    return root


def _metadata(sheet: ArdourSheet, root: Element) -> None:
    metadata = SubElement(root, "Metadata")
    timeline = sheet.timeline
    for tag, text in (
        ("title", timeline.title), ("artist", timeline.author), ("copyright", timeline.license),
        ("comment", timeline.comment),
    ):  # fmt: skip
        if text:
            SubElement(metadata, tag).text = clean(text)


def _locations(sheet: ArdourSheet, root: Element) -> None:
    locations = SubElement(root, "Locations")
    end = sheet.audio(sheet.timeline.frames)
    _location(sheet, locations, "session", "a0", end, "IsSessionRange")
    for marker in sheet.timeline.markers:
        at = sheet.beat(marker.beat)
        _location(sheet, locations, clean(marker.name), at, at, "IsMark")


def _location(sheet: ArdourSheet, locations: Element, name: str, start: str, end: str, flags: str) -> None:
    SubElement(locations, "Location", id=sheet.id(), name=name, start=start, end=end, flags=flags, locked="0", cue="0")
