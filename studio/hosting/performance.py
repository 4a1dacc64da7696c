"""A plugin at work on a signal or a score: a warm process, fed block by block."""

from __future__ import annotations

import base64
import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import finalize

import numpy as np

from studio.audio import Block
from studio.hosting.contract import PluginError
from studio.hosting.description import Description
from studio.hosting.pool import POOL, Pool
from studio.hosting.song_position import SongPositions, positions_within
from studio.hosting.worker import CHANNELS, FRAMES, SLOTS
from studio.hosting.workers import LOADING, PATIENCE, Worker

LOUDEST = 1000.0
"""+60 dBFS: more is no sound but a plugin that has run away."""

Turns = Sequence[tuple[int, Mapping[int, float]]]
"""Parameters to turn, by index, at frames of a block; in order."""

_BURST = 4096


class Performance:
    """A plugin taken from the pool and begun anew; it goes back when this is gone.

    Args:
        description: the plugin.
        rate: in Hz.
        channels: of the sound it is to give.
        positions: where its parameters stand at the start, by index.
        program: which of its own programs it plays, or None.
        preset: the content of a preset file, or None.
        patience: seconds it is given for a block, besides ten times the block's length.

    Raises:
        PluginError: it cannot be loaded, or refuses the preset.
    """

    def __init__(
        self,
        description: Description,
        rate: int,
        channels: int,
        positions: Mapping[int, float],
        *,
        program: int | None = None,
        preset: bytes | None = None,
        patience: float = PATIENCE,
        pool: Pool = POOL,
    ) -> None:
        self._description, self._rate, self._channels = description, rate, channels
        self._patience = patience
        self._slot, self._pending = 0, deque[tuple[int, int]]()
        if description.measured.begins == "never":
            # What one instance did is heard in the next: only a process of its own makes two renders the same.
            self._worker = Worker(description.path, description.host, description.inner)
        else:
            self._worker = pool.take(description.path, description.host, description.inner)
        self._back = finalize(self, pool.give if description.measured.begins != "never" else Worker.close, self._worker)
        self._opening: dict[str, Any] = {
            "do": "open",
            "rate": rate,
            "channels": channels,
            "positions": {str(index): position for index, position in positions.items()},
            "program": program,
            "preset": None if preset is None else base64.b64encode(preset).decode(),
        }
        self._open(fresh=description.measured.begins != "clean")
        if description.measured.ready_seconds:
            self._await_sound()

    def _open(self, fresh: bool) -> None:
        answer = self._ask(self._opening | {"fresh": fresh}, LOADING)
        error = self._description.latency_error
        self.latency = max(0, int(answer["latency"]) + error)
        # What comes is cut by the latency the plugin tells: the rest of the truth is cut or filled up here.
        self._late, self._early = max(0, error), max(0, -error)

    def _await_sound(self) -> None:
        """Some plugins load on in the background and give silence meanwhile: wait until they do not."""
        end = time.monotonic() + 2 * self._description.measured.ready_seconds + 2
        while time.monotonic() < end:
            if np.max(np.abs(self.burst()), initial=0.0) > 1e-6:
                break
            time.sleep(0.02)
        self._open(fresh=False)

    def burst(self) -> Block:
        """A short test of whether it sounds at all; it leaves the plugin in the middle of something."""
        if self._description.about.instrument:
            return np.concatenate(list(self.play([(0, b"\x90\x3c\x64")], _BURST, ())), axis=1)
        noise = np.random.default_rng(1).uniform(-0.25, 0.25, (self._channels, _BURST)).astype(np.float32)
        return self.process(noise, None, (), ())

    def process(self, block: Block, sides: Block | None, turns: Turns, song: SongPositions) -> Block:
        """The next frames through an effect; while latency fills fewer come out.

        Raises:
            PluginError: it crashed, hung, or gave what is no sound.
        """
        before = self.hand_over(block, sides, turns, song)
        return np.concatenate([before, self.catch_up()], axis=1)

    def hand_over(self, block: Block, sides: Block | None, turns: Turns, song: SongPositions) -> Block:
        """Give it the next frames and, while it works on them, take what it made of those before.

        Raises:
            PluginError: as `process`, of what came before.
        """
        given = [np.zeros((self._channels, 0), np.float32)]
        for start in range(0, block.shape[1], FRAMES):
            stop = min(start + FRAMES, block.shape[1])
            side = None if sides is None else sides[: CHANNELS - self._channels, start:stop]
            self._worker.send(self._slot, block[:, start:stop], side)
            request = {
                "do": "process",
                "sides": 0 if side is None else side.shape[0],
                "turns": _within(turns, start, stop),
                "song": positions_within(song, start, stop),
            }
            self._post(request, stop - start)
            if len(self._pending) > 1:
                given.append(self._take())
        return given[-1] if len(given) <= 2 else np.concatenate(given, axis=1)

    def catch_up(self) -> Block:
        """What it makes of all it was given.

        Raises:
            PluginError: as `process`.
        """
        given = [np.zeros((self._channels, 0), np.float32)]
        while self._pending:
            given.append(self._take())
        return np.concatenate(given, axis=1)

    def play(
        self,
        events: Sequence[tuple[int, bytes]],
        frames: int,
        song: SongPositions,
        turns: Turns = (),
    ) -> Iterator[Block]:
        """The next frames of an instrument, in blocks, with messages at frames of the whole.

        Raises:
            PluginError: as `process`.
        """
        for start in range(0, frames, FRAMES):
            stop = min(start + FRAMES, frames)
            request = {
                "do": "play",
                "turns": _within(turns, start, stop),
                "events": [[frame - start, data.hex()] for frame, data in events if start <= frame < stop],
                "song": positions_within(song, start, stop),
            }
            self._post(request, stop - start)
            yield self._take()

    def leave(self) -> None:
        """Give the plugin back now."""
        self._back()

    def state(self) -> bytes:
        """Everything the plugin would save, in its format's preset file."""
        return base64.b64decode(self._ask({"do": "state"}, LOADING)["state"])

    def _post(self, request: Mapping[str, Any], frames: int) -> None:
        self._worker.post({**request, "slot": self._slot, "frames": frames})
        self._pending.append((self._slot, frames))
        self._slot = (self._slot + 1) % SLOTS

    def _take(self) -> Block:
        slot, asked = self._pending.popleft()
        answer = self._worker.answer(self._patience + 10 * asked / self._rate)
        name, frames = self._description.about.name, int(answer["frames"])
        if frames > asked:
            raise PluginError(f"{name} gave {frames} frames where {asked} were asked for.")
        block = self._worker.receive(slot, self._channels, frames)
        peak = max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
        if not math.isfinite(peak):
            raise self._spoilt(f"{name} gave NaN or infinity.")
        if peak > LOUDEST:
            raise self._spoilt(f"{name} has run away: its output is above +60 dBFS.")
        return self._true(block)

    def _spoilt(self, cause: str) -> PluginError:
        """An instance that has gone bad is not used again."""
        self._worker.close()
        return PluginError(cause, "Turn its parameters down, bypass it, or write `on_error: bypass`.")

    def _true(self, block: Block) -> Block:
        if self._early:
            # It said it was later than it is, and lost its beginning to that.
            block = np.concatenate([np.zeros((block.shape[0], self._early), np.float32), block], axis=1)
            self._early = 0
        cut = min(self._late, block.shape[1])
        self._late -= cut
        return block[:, cut:]

    def _ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        return self._worker.ask(request, seconds)


def _within(turns: Turns, start: int, stop: int) -> list[tuple[int, dict[str, float]]]:
    return [
        (frame - start, {str(index): position for index, position in positions.items()})
        for frame, positions in turns
        if start <= frame < stop
    ]
