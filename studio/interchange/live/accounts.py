"""What of a set of Live is not read, by what people call it: a set holds thousands of settings that are never touched."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from studio.interchange.numbers import at
from studio.interchange.safe_xml import quiet
from studio.interchange.timeline import Loss


def lost(live: Element) -> Iterator[Loss]:
    """Automation, clips of the session view, fades, grooves and the like, where a set has them."""
    for track in [*live.iterfind("Tracks/*"), *live.iterfind("MasterTrack"), *live.iterfind("MainTrack")]:
        name = at(track, "Name/EffectiveName") or track.tag
        moving = [
            envelope
            for envelope in track.iterfind("AutomationEnvelopes/Envelopes/AutomationEnvelope")
            if sum(1 for _ in envelope.iterfind("Automation/Events/*")) > 1
        ]
        if moving:
            yield Loss(
                f"automation ({len(moving)} lanes)", name, "the studio reads faders of a Live set where they stand"
            )
        slots = sum(1 for each in track.iter("ClipSlot") for _ in each.iterfind("ClipSlot/Value/*"))
        if slots:
            yield Loss(f"clips of the session view ({slots})", name, "a recipe plays the arrangement")
        for clip in (each for each in track.iter() if each.tag in ("MidiClip", "AudioClip")):
            yield from _of_clip(clip, at(clip, "Name") or name)
    scenes = [scene for scene in live.iterfind("Scenes/*") if at(scene, "Name")]
    yield Loss(
        "what else Live keeps",
        "the set",
        "tempo, locators, tracks, clips, notes, faders, sends and names are read, no more",
    )
    if scenes:
        yield Loss(f"scenes ({len(scenes)})", "the set", "a recipe plays the arrangement")


def _of_clip(clip: Element, where: str) -> Iterator[Loss]:
    if at(clip, "Fade", "false") == "true" and any(
        quiet(each, "Value") not in ("0", None) for each in clip.iterfind("Fades/*") if each.tag.endswith("Length")
    ):
        yield Loss("the fades", where, "a Live set's are not read yet")
    if at(clip, "GrooveSettings/GrooveId", "-1") != "-1":
        yield Loss("the groove", where, "the notes are where they are written")
    envelopes = sum(1 for _ in clip.iterfind("Envelopes/Envelopes/ClipEnvelope"))
    if envelopes:
        yield Loss(f"envelopes ({envelopes})", where, "a recipe's clips have none of Live's")
