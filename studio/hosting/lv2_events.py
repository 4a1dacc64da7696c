"""Events for LV2 plugins: notes and the position of the song as atoms, and as what came before atoms."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

from studio.hosting import lv2_abi as abi
from studio.hosting.contract import Transport
from studio.hosting.lv2_features import ROOM, Lv2Features


def sequence(features: Lv2Features, events: Sequence[tuple[int, bytes]], song: Transport | None) -> Any:
    """A buffer with messages of MIDI at their frames, behind the position of the song."""
    body = _event(0, *_position(features, song)) if song else b""
    midi = features.number(abi.MIDI)
    body += b"".join(_event(frame, midi, message) for frame, message in events)
    whole = struct.pack("=IIII", 8 + len(body), features.number(f"{abi.ATOM}Sequence"), 0, 0) + body
    return ctypes.create_string_buffer(whole, max(ROOM, len(whole)))


def room_for_events(features: Lv2Features) -> Any:
    """An empty buffer that a plugin may fill."""
    head = struct.pack("=II", ROOM - 8, features.number(f"{abi.ATOM}Chunk"))
    return ctypes.create_string_buffer(head, ROOM)


def old_events(features: Lv2Features, events: Sequence[tuple[int, bytes]]) -> Any:
    """The same messages as plugins from before atoms take them; also the buffer that they fill."""
    midi = features.number(abi.MIDI)
    body = b"".join(
        struct.pack("=IIHH", frame, 0, midi, len(message)) + message + b"\0" * (-(12 + len(message)) % 8)
        for frame, message in events
    )
    data = ctypes.create_string_buffer(body, max(ROOM, len(body)))
    buffer = abi.OldEvents(ctypes.addressof(data), ctypes.sizeof(abi.OldEvents), 0, len(events), len(data), len(body))
    buffer.held = data
    return buffer


def _event(frame: int, kind: int, body: bytes) -> bytes:
    return struct.pack("=qII", frame, len(body), kind) + body + b"\0" * (-len(body) % 8)


def _position(features: Lv2Features, song: Transport) -> tuple[int, bytes]:
    beats = song.denominator / 4
    bar = song.numerator / beats
    said: list[tuple[str, str, bytes]] = [
        ("frame", "Long", struct.pack("=q", song.frame)),
        ("speed", "Float", struct.pack("=f", 1.0)),
        ("bar", "Long", struct.pack("=q", round(song.bar_start / bar))),
        ("barBeat", "Float", struct.pack("=f", (song.quarters - song.bar_start) * beats)),
        ("beat", "Double", struct.pack("=d", song.quarters * beats)),
        ("beatUnit", "Int", struct.pack("=i", song.denominator)),
        ("beatsPerBar", "Float", struct.pack("=f", song.numerator)),
        ("beatsPerMinute", "Float", struct.pack("=f", song.tempo_bpm)),
        # Most read floats alone, and take what comes first; whoever reads on has them exactly.
        ("barBeat", "Double", struct.pack("=d", (song.quarters - song.bar_start) * beats)),
        ("beatsPerMinute", "Double", struct.pack("=d", song.tempo_bpm)),
    ]
    body = struct.pack("=II", 0, features.number(f"{abi.TIME}Position"))
    for key, kind, value in said:
        body += struct.pack("=IIII", features.number(abi.TIME + key), 0, len(value), features.number(abi.ATOM + kind))
        body += value + b"\0" * (-len(value) % 8)
    return features.number(f"{abi.ATOM}Object"), body
