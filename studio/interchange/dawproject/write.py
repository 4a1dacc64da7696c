"""A timeline as a DAWproject file.

The shape is the one that every reader tried takes: audio clips inside a clip, notes not; master and buses before the
tracks that go to them; two warp points a file; the tempo in the transport and as automation.
"""

from __future__ import annotations

import zipfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from studio.errors import OutputError
from studio.interchange.archive import Archive
from studio.interchange.dawproject.arrangement import arrangement
from studio.interchange.dawproject.lint import METADATA, PROJECT, lint
from studio.interchange.dawproject.schema import VERSION
from studio.interchange.dawproject.sheet import DawprojectSheet, parameter
from studio.interchange.dawproject.structure import structure
from studio.interchange.timeline import Loss, Timeline
from studio.rendering.xml_text import clean

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of everything in the zip file, so that equal songs give equal files."""


def write_timeline(timeline: Timeline, path: Path) -> tuple[Loss, ...]:
    """Write a timeline whose audio files are there as a DAWproject file, and return what the format cannot carry.

    Raises:
        OutputError: what was written does not pass the linter.
    """
    sheet = DawprojectSheet(timeline)
    root = _project(sheet)
    ElementTree.indent(root)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, METADATA, _bytes(_metadata(timeline)))
        _add(archive, PROJECT, _bytes(root))
        for inside, content in sheet.states.items():
            _add(archive, inside, content)
        for file, inside in sheet.files.items():
            info = zipfile.ZipInfo(inside, _EPOCH)
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w", force_zip64=info.file_size > 2**31) as member:
                while piece := source.read(1024 * 1024):
                    member.write(piece)
    with Archive(path) as written:
        defects = lint(written)
    if defects:
        path.unlink()
        raise OutputError(
            f"the session does not pass its own linter: {defects[0]}.", "Please report it, with the song."
        )
    return tuple(sheet.losses)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def _bytes(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _metadata(timeline: Timeline) -> Element:
    root = Element("MetaData")
    for tag, text in (
        ("Title", timeline.title),
        ("Artist", timeline.author),
        ("Copyright", timeline.license),
        ("Comment", timeline.comment),
    ):
        SubElement(root, tag).text = clean(text)
    return root


def _project(sheet: DawprojectSheet) -> Element:
    root = Element("Project", version=VERSION)
    SubElement(root, "Application", name="mirepoix", version=version("mirepoix"))
    transport = SubElement(root, "Transport")
    opening, meter = sheet.tempo.tempos[0], sheet.tempo.meters[0]
    tempo = parameter(sheet, transport, "Tempo", float(opening.bpm), "bpm", 1, 2000)
    signature = sheet.id()
    SubElement(transport, "TimeSignature", id=signature, numerator=str(meter.count), denominator=str(meter.unit))
    root.append(structure(sheet))
    root.append(arrangement(sheet, tempo, signature))
    SubElement(root, "Scenes")
    return root
