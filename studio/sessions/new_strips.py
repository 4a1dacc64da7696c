"""Tracks and buses that were made in a session, as those of a recipe."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.interchange.timeline import MASTER, AudioClip, Loss, Timeline, TimelineStrip
from studio.rendering.manifest import slug
from studio.sessions.recipes import recipe_of


@dataclass(frozen=True)
class NewStrips:
    """What is to be added to a recipe, by kind and name, and what of it a recipe cannot say."""

    buses: Mapping[str, Any]
    tracks: Mapping[str, Any]
    losses: tuple[Loss, ...]


def new_strips(after: Timeline, names: Sequence[str], called: Mapping[str, str], media: Path) -> NewStrips:
    """The strips of some names in a session, as a recipe says them; their audio and states are laid into `media`.

    Args:
        after: the session.
        names: the strips that are new in it.
        called: what the recipe calls the others.
        media: a folder, which will stand beside the recipe.
    """
    tracks = [_brought(strip, media) for strip in after.tracks if strip.name in names]
    sound = [strip for strip in tracks if strip.clips or strip.devices]
    losses = [Loss("the track", strip.name, "it is empty") for strip in tracks if strip not in sound]
    buses = [bus for bus in after.buses if bus.name in names]
    # A recipe of the new strips alone, in which those that they go to stand too.
    passing = [strip for strip in after.buses if strip.name not in names]
    fed = [*sound, *(_silent(bus, media) for bus in [*buses, *passing])]
    alone = replace(
        after, tracks=tuple(fed), buses=tuple(after.buses), master=TimelineStrip(MASTER), markers=(), losses=()
    )
    made = recipe_of(alone, media.parent, media) if fed else None
    plain = made.recipe.data() if made is not None else {}
    kinds = {
        kind: {
            strip.name: _named(plain[kind][strip.name], called) for strip in strips if strip.name in plain.get(kind, {})
        }
        for kind, strips in (("tracks", sound), ("buses", buses))
    }
    told = {strip.name for strip in sound}
    losses += [loss for loss in (made.losses if made is not None else ()) if loss.where in told]
    return NewStrips(kinds["buses"], kinds["tracks"], tuple(losses))


def _silent(bus: TimelineStrip, media: Path) -> TimelineStrip:
    """A track that feeds a bus, so that a recipe has it; it is not taken over."""
    return TimelineStrip(f"{bus.name} fed", clips=(AudioClip(media / "nothing.wav", 0, 1),), to=bus.name)


def _brought(strip: TimelineStrip, media: Path) -> TimelineStrip:
    """The strip with its audio copied into a folder, each file once."""
    taken = {path.name.casefold() for path in media.iterdir()} if media.is_dir() else set()
    copies: dict[Path, Path] = {}
    for clip in strip.audio:
        if clip.file not in copies:
            media.mkdir(parents=True, exist_ok=True)
            target = media / f"{slug(clip.file.stem, taken)}{clip.file.suffix}"
            shutil.copyfile(clip.file, target)
            copies[clip.file] = target
    clips = tuple(
        replace(clip, file=copies[clip.file]) if isinstance(clip, AudioClip) else clip for clip in strip.clips
    )
    return replace(strip, clips=clips)


def _named(plain: dict[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """A strip whose ways go by the names of the recipe."""
    changed = dict(plain)
    if "to" in changed:
        changed["to"] = called.get(changed["to"], changed["to"])
    if "send" in changed:
        changed["send"] = {called.get(bus, bus): send for bus, send in changed["send"].items()}
    return changed
