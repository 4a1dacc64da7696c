"""Chains of plugins in a REAPER project, each with what moves in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from studio.interchange.reaper.accounts import consume
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.text import Chunk, RppLine, number
from studio.interchange.reaper.vst import kept, read_vst
from studio.interchange.timeline import Device, Loss, Motion

_PLUGINS, _OWN = ("VST", "AU", "CLAP", "LV2"), ("JS", "DX", "VIDEO_EFFECT", "CONTAINER")


def devices(chunk: Chunk, tag: str, envelopes: Envelopes, losses: list[Loss], where: str) -> Iterator[Device]:
    """The plugins of the chains in a chunk; what moves in one stands behind it."""
    on = bool(chunk.number("FX", 0, 1.0))
    for chain in chunk.chunks(tag):
        enabled = True
        waiting: Device | None = None
        for each in chain.inside:
            if isinstance(each, RppLine):
                if each.tag == "BYPASS":
                    each.seen = True
                    enabled = on and not each.number(0) and not each.number(1)
                elif each.tag == "WET" and waiting is not None:
                    each.seen = True
                    waiting = replace(waiting, mix=max(0.0, min(1.0, each.number(0, 1.0))))
            elif each.tag == "PARMENV" and waiting is not None:
                each.seen = True
                waiting = _moved(waiting, each, envelopes, losses, where)
            elif each.tag in (*_PLUGINS, *_OWN):
                if waiting is not None:
                    yield waiting
                waiting = _device(each, enabled, losses, where)
        if waiting is not None:
            yield waiting


def _device(chunk: Chunk, enabled: bool, losses: list[Loss], where: str) -> Device | None:
    if chunk.tag in _PLUGINS:
        device = read_vst(chunk, enabled)
        consume(chunk)
        return device
    consume(chunk)
    what = chunk.head.text(0, chunk.tag)
    if chunk.tag == "JS":
        return Device(what, "js", what, enabled=enabled, kept=kept(chunk))
    why = "a recipe has no place for it" if chunk.tag == "CONTAINER" else "it is REAPER's own"
    losses.append(Loss(f"effect {what!r}", where, why))
    return None


def _moved(device: Device, envelope: Chunk, envelopes: Envelopes, losses: list[Loss], where: str) -> Device:
    """The device with one more parameter that moves, called ``place:number`` and by name."""
    words = envelope.head.all()
    called = words[0].partition(":")[2] if words else ""
    name = words[4].partition(" / ")[0] if len(words) > 4 else f"parameter {called}"
    if not envelope.number("ACT", 0, 1):
        consume(envelope)
        losses.append(Loss(f"automation of {name!r} of {device.name!r}", where, "it is switched off"))
        return device
    lane = envelopes.lane(envelope, f"{where}: {device.name}")
    low, high = (number(words[index]) if len(words) > index else usual for index, usual in ((1, 0.0), (2, 1.0)))
    if lane is None or high <= low:
        losses.append(Loss(f"automation of {name!r} of {device.name!r}", where, "it has no points or no range"))
        return device
    moved = lane.mapped(lambda value: (value - low) / (high - low))
    motion = Motion(int(called) if called.isdecimal() else None, name, moved)
    return replace(device, motions=(*device.motions, motion))
