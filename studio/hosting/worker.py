"""The process a plugin lives in: `main`, with the arguments HANDLE MEMORY FILE HOST [INNER].

It takes requests as JSON through a connection it inherits, and answers there; what the plugin prints goes to the
process's own output. Sound goes through a file that both sides have mapped into memory.
"""

from __future__ import annotations

import base64
import json
import mmap
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.errors import StudioError
from studio.foreign import connect
from studio.hosting.contract import Host, Transport
from studio.hosting.host import load
from studio.hosting.parameters import describe
from studio.hosting.song_position import later
from studio.hosting.vst3 import ask_controls

SLOTS, CHANNELS, FRAMES = 2, 18, 16_384
"""What the shared memory holds for the sound that goes in, and again for the sound that comes out: while a block is
worked on in one slot, the next is put into the other."""

BYTES = 2 * SLOTS * CHANNELS * FRAMES * 4

Plain = dict[str, Any]


def main() -> None:
    """Answer until nobody asks."""
    line = connect()
    memory, path, host, *inner = sys.argv[2:]
    with Path(memory).open("r+b") as file:
        shared = mmap.mmap(file.fileno(), BYTES)
    desk = _Desk(Path(path), host, inner[0] if inner else "", shared)
    while True:
        try:
            request = json.loads(line.recv_bytes())
        except EOFError:
            # A plugin that cannot be put away properly would only hold up the end.
            os._exit(0)
        try:
            answer = desk.does[request.pop("do")](**request)
        except StudioError as error:
            answer = {"error": error.cause, "mend": error.mend}
        except Exception as error:
            answer = {"error": f"the plugin refused: {error}", "mend": ""}
        line.send_bytes(json.dumps(answer).encode())


class _Desk:
    """What can be asked of the plugin."""

    def __init__(self, path: Path, host: str, inner: str, shared: mmap.mmap) -> None:
        self._path, self._host, self._inner = path, host, inner
        self._taken, self._given = np.frombuffer(shared, np.float32).reshape(2, SLOTS, CHANNELS, FRAMES)
        self._voices: list[Host] = []
        self._first: list[Host] = []
        self._turned: set[int] = set()
        self._dressed: object = None
        self._channels = 2
        self.does: dict[str, Callable[..., Plain]] = {
            "describe": self.describe, "wander": self.wander, "open": self.open, "process": self.process, "play": self.play, "state": self.state,
            "controls": self.controls, "contents": self.contents, "standing": self.standing,
        }  # fmt: skip

    def _load(self) -> Host:
        return load(self._path, self._host, self._inner)

    def describe(self, taken: list[str]) -> Plain:
        """All that is to be known of the plugin without hearing it."""
        began = time.perf_counter()
        host = self._load()
        seconds = time.perf_counter() - began
        parameters = describe(host.parameters(), taken)
        # Many know how late they are only once they are told the rate.
        host.prepare(44_100)
        return {
            "about": vars(host.about),
            "latency": host.latency,
            "programs": list(host.programs()),
            "parameters": [parameter.data() for parameter in parameters],
            "seconds": seconds,
        }

    def controls(self, identity: str) -> Plain:
        """The parameters as the format numbers them; the plugin is opened for this beside its host."""
        return {"controls": ask_controls(self._path, identity)}

    def standing(self, preset: str) -> Plain:
        """Where the parameters stand once the plugin has taken a state."""
        host = self._load()
        host.load_state(base64.b64decode(preset))
        return {"positions": {str(raw.index): raw.default for raw in host.parameters()}}

    def contents(self, bundles: list[str]) -> Plain:
        """What LV2 bundles hold, by their paths: (URI, name) of each plugin."""
        from studio.hosting.lv2_host import contents

        found: dict[str, list[tuple[str, str]]] = {}
        for bundle, uri, name in contents([Path(bundle) for bundle in bundles]):
            found.setdefault(str(bundle), []).append((uri, name))
        return {"contents": found}

    def wander(self, seconds: float) -> Plain:
        """The parameters that move the latency, as far as can be found out in some seconds."""
        host, end = self._load(), time.monotonic() + seconds
        frames = np.zeros((max(1, host.about.inputs), 256), np.float32)
        movers = []
        for raw in host.parameters():
            late = set()
            for position in (0.0, 1.0, raw.default):
                host.turn(raw.index, position)
                host.prepare(44_100)
                host.turn(raw.index, position)
                _ = host.play((), 256, None) if host.about.instrument else host.process(frames, None)
                late.add(host.latency)
            if len(late) > 1:
                movers.append(raw.index)
            if time.monotonic() > end:
                break
        return {"movers": movers}

    def open(
        self,
        rate: int,
        channels: int,
        positions: dict[str, float],
        program: int | None = None,
        preset: str | None = None,
        fresh: bool = False,
    ) -> Plain:
        """Begin anew: at rest, with a preset, and some parameters turned."""
        turned = {int(index) for index in positions}
        dressed = (program, preset)
        if (
            fresh
            or not self._voices
            or dressed != self._dressed
            or not self._turned <= turned
            or channels != self._channels
        ):
            self._dress(channels, program, preset)
        self._turned, self._dressed, self._channels = turned, dressed, channels
        for voice in self._voices:
            # Before, so that it begins at rest where the parameters are; and after, since some begin at their defaults.
            self._set_positions(voice, positions)
            voice.prepare(rate)
            self._set_positions(voice, positions)
        return {"latency": self._voices[0].latency}

    def _dress(self, channels: int, program: int | None, preset: str | None) -> None:
        """New instances: one, or one a channel when the plugin is mono and the sound is not."""
        for voice in self._voices:
            voice.close()
        first = self._load()
        alone = first.about.instrument or first.about.inputs != 1
        self._voices = [first, *(self._load() for _ in range(0 if alone else channels - 1))]
        content = None if preset is None else base64.b64decode(preset)
        for voice in self._voices:
            if content is not None:
                voice.load_state(content)
            if program is not None:
                voice.choose(program)

    def process(self, slot: int, frames: int, sides: int, turns: list[Any], song: list[Any]) -> Plain:
        """The next frames, cut where parameters turn."""
        channels = self._channels
        pieces = []
        for start, stop, positions, transport in _cut(frames, turns, song):
            self._turn(positions)
            block = np.ascontiguousarray(self._taken[slot, : channels + sides, start:stop])
            pieces.append(self._through(block, channels, transport))
        return self._give(slot, pieces)

    def _through(self, block: Block, channels: int, transport: Transport | None) -> Block:
        about = self._voices[0].about
        main, sides = block[:channels], block[channels : channels + about.sides]
        if len(self._voices) > 1:
            given = [
                voice.process(np.concatenate([main[index : index + 1], sides]), transport)[:1]
                for index, voice in enumerate(self._voices)
            ]
            return np.concatenate([one[:, : min(one.shape[1] for one in given)] for one in given])
        if about.inputs == 2 and channels == 1:
            main = np.repeat(main, 2, axis=0)
        wide = np.concatenate([main[: about.inputs], sides]) if len(sides) else main[: about.inputs]
        return _fit(self._voices[0].process(wide, transport), channels)

    def play(self, slot: int, frames: int, turns: list[Any], events: list[Any], song: list[Any]) -> Plain:
        """The next frames of an instrument."""
        messages = [(int(frame), bytes.fromhex(data)) for frame, data in events]
        pieces = []
        for start, stop, positions, transport in _cut(frames, turns, song):
            self._turn(positions)
            due = [(frame - start, data) for frame, data in messages if start <= frame < stop]
            given = self._voices[0].play(due, stop - start, transport)
            pieces.append(_fit(given, self._channels))
        return self._give(slot, pieces)

    def state(self) -> Plain:
        """Everything the plugin would save in a session."""
        return {"state": base64.b64encode(self._voices[0].state()).decode()}

    def _turn(self, positions: dict[str, float]) -> None:
        for voice in self._voices:
            self._set_positions(voice, positions)

    def _set_positions(self, voice: Host, positions: dict[str, float]) -> None:
        for index, position in positions.items():
            voice.turn(int(index), position)

    def _give(self, slot: int, pieces: list[Block]) -> Plain:
        at = 0
        for piece in pieces:
            self._given[slot, : self._channels, at : at + piece.shape[1]] = piece
            at += piece.shape[1]
        return {"frames": at, "latency": self._voices[0].latency}


def _cut(
    frames: int, turns: list[Any], song: list[Any]
) -> Iterator[tuple[int, int, dict[str, float], Transport | None]]:
    """The block in pieces, each with what is turned at its start, and where the song is there."""
    turned, told = dict(turns), dict(song)
    now: tuple[int, Plain] | None = None
    for start, stop in pairwise(sorted({0, frames, *turned, *told})):
        if start in told:
            now = start, told[start]
        yield start, stop, turned.get(start, {}), None if now is None else _transport(later(now[1], start - now[0]))


def _transport(plain: Plain) -> Transport:
    return Transport(**{key: value for key, value in plain.items() if key != "quarters_per_frame"})


def _fit(block: Block, channels: int) -> Block:
    """Its outputs as the channels of the sound: one is copied to all, two to one are averaged."""
    if block.shape[0] == 1:
        return np.repeat(block, channels, axis=0)
    if channels == 1:
        return np.asarray(block[:2].mean(axis=0, keepdims=True), np.float32)
    return block[:channels]
