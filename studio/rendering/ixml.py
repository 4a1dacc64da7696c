"""The iXML chunk of a Broadcast Wave file, from which Pro Tools, Nuendo and REAPER take the names of tracks.

After the iXML specification 3.01 (ixml.info). It has no place for a tempo of its own, so that stands in the words for
people; loop players find it in the acid chunk.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from studio.rendering.xml_text import clean

_VERSION = "3.01"
_SIDES = (("L", "LEFT"), ("R", "RIGHT"))


def ixml(project: str, track: str, words: str, *, rate: int, bits: int, channels: int) -> bytes:
    """The chunk's content.

    Args:
        project: the song's title; its scene is the track and its take the first, since equal renders are equal.
        track: what is heard.
        words: about it, for people.
        rate: in Hz.
        bits: a sample, 32 of them as float.
        channels: how many; two are called left and right.
    """
    root = Element("BWFXML")
    for tag, text in (
        ("IXML_VERSION", _VERSION),
        ("PROJECT", project),
        ("SCENE", track),
        ("TAKE", "1"),
        ("NOTE", words),
    ):
        SubElement(root, tag).text = clean(text)
    speed = SubElement(root, "SPEED")
    for tag, number in (
        ("FILE_SAMPLE_RATE", rate),
        ("AUDIO_BIT_DEPTH", bits),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", 0),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", 0),
        ("TIMESTAMP_SAMPLE_RATE", rate),
    ):
        SubElement(speed, tag).text = str(number)
    tracks = SubElement(root, "TRACK_LIST")
    SubElement(tracks, "TRACK_COUNT").text = str(channels)
    for channel in range(channels):
        side, function = _SIDES[channel] if channels == 2 else (str(channel + 1), "")
        entry = SubElement(tracks, "TRACK")
        for tag in ("CHANNEL_INDEX", "INTERLEAVE_INDEX"):
            SubElement(entry, tag).text = str(channel + 1)
        SubElement(entry, "NAME").text = clean(track if channels == 1 else f"{track} {side}")
        if function:
            SubElement(entry, "FUNCTION").text = function
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))
