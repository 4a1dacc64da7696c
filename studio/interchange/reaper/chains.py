"""Chains of plugins in a REAPER project, each with what moves in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.text import Chunk, number
from studio.interchange.reaper.vst import read_vst
from studio.interchange.timeline import Device, Loss, Motion

_PLUGINS, _OWN = ("VST", "AU", "CLAP", "LV2"), ("JS", "DX", "VIDEO_EFFECT")


def devices(chunk: Chunk, tag: str, envelopes: Envelopes, losses: list[Loss]) -> Iterator[Device]:
    """The plugins of the chains of a track; what moves in one stands behind it."""
    for chain in chunk.chunks(tag):
        enabled = True
        waiting: Device | None = None
        for each in chain.inside:
            if isinstance(each, list):
                enabled = not number(each, 1) if each[:1] == ["BYPASS"] else enabled
            elif each.tag == "PARMENV" and waiting is not None:
                waiting = _moved(waiting, each, envelopes)
            elif each.tag in (*_PLUGINS, *_OWN):
                if waiting is not None:
                    yield waiting
                waiting = read_vst(each, enabled) if each.tag in _PLUGINS else None
                if each.tag in _OWN:
                    what, where = each.words[0] if each.words else each.tag, " ".join(chunk.line("NAME"))
                    losses.append(Loss(f"effect {what!r}", where, "it is REAPER's own"))
        if waiting is not None:
            yield waiting


def _moved(device: Device, envelope: Chunk, envelopes: Envelopes) -> Device:
    """The device with one more parameter that moves, called ``place:number`` and by name."""
    lane = envelopes.lane(envelope, device.name) if envelope.number("ACT", 0, 1) else None
    low, high = number(envelope.words, 1), number(envelope.words, 2, 1.0)
    if lane is None or high <= low:
        return device
    called = envelope.words[0].partition(":")[2] if envelope.words else ""
    name = envelope.words[4].partition(" / ")[0] if len(envelope.words) > 4 else f"parameter {called}"
    moved = lane.mapped(lambda value: (value - low) / (high - low))
    motion = Motion(int(called) if called.isdecimal() else None, name, moved)
    return replace(device, motions=(*device.motions, motion))
