"""What a widget plays, rendered in a thread of its own so that the kernel stays free: the newest wish always wins."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studio.audio import Block
from studio.engine import Cache, Engine, Plan, plan
from studio.engine.nodes import Node
from studio.engine.preview import Preview, held_gains
from studio.errors import Interrupted, StudioError
from studio.recipe import Recipe
from studio.rendering.player.page import bytes_of_peaks
from studio.rendering.render import length
from studio.rendering.waveform_summary import WaveformSummarizer
from studio.score import Score
from widgets.sounds import Rendered, Sounds, outline, pcm, peak_step

Tell = Callable[[dict[str, Any], list[bytes]], None]
"""Sends a message, with buffers, to the browser."""

FIRST, LARGEST = 8192, 65_536
"""Frames of the first piece of a preview, and of the largest: what is heard now is sent at once."""

PREVIEW_SECONDS = 4.0
REST_SECONDS = 0.3
"""A hand that rests so long on a knob hears the whole render."""


@dataclass(frozen=True)
class Ear:
    """What the browser plays: the frame it is at, its loop, and when it said so, by its own clock."""

    at: int
    loop: tuple[int, int] | None = None
    asked: float = 0.0

    @classmethod
    def parse(cls, plain: object) -> Ear | None:
        """What a message says of it; nothing when it says nonsense."""
        if not isinstance(plain, Mapping):
            return None
        try:
            loop = plain.get("loop")
            return cls(
                max(0, int(plain["at"])),
                (max(0, int(loop[0])), max(1, int(loop[1]))) if loop else None,
                float(plain.get("asked") or 0.0),
            )
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            return None


@dataclass(frozen=True)
class Wish:
    """A recipe to be heard; with `moving` the hand is still on the knob."""

    number: int
    recipe: Recipe
    ear: Ear | None
    moving: bool
    score: Score | None = None
    since: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Drawing:
    """Sounds whose pictures are wanted."""

    sounds: Sounds


Work = Wish | Recipe | Drawing | list[Mapping[str, Any]]


class PlaybackSession:
    """Renders wishes one after the other and tells the browser of them.

    While a hand moves, only what is heard next is computed, behind the knob; once it rests, the whole song, through
    the cache. A newer wish stops the work on an older one.

    Args:
        tell: sends to the browser, from a thread.
        failed: is told of the error when a wish cannot be rendered, and None when one could.
        finished: is told of everything that was rendered in full.
        stems: whether the stems are wanted besides the mix.
    """

    def __init__(
        self,
        tell: Tell,
        *,
        failed: Callable[[StudioError | None], None] = lambda error: None,
        finished: Callable[[Rendered, Recipe], None] = lambda sounds, recipe: None,
        stems: bool = False,
        cache: Cache | None = None,
    ) -> None:
        self._tell, self._failed, self._finished, self._stems = tell, failed, finished, stems
        self._engine = Engine(cache or Cache())
        self._changed = threading.Condition()
        self._wish: Wish | None = None
        self._wants: list[Mapping[str, Any]] = []
        self._aside: Recipe | None = None
        self._undrawn: Sounds | None = None
        self._number, self._busy, self._running, self._closed = 0, False, False, False
        self._sounds: Sounds | None = None
        self._error: StudioError | None = None
        self._shown = 0
        self._gains: tuple[float, ...] = ()
        self._score: tuple[str | None, Score | None] = (None, None)
        self._pictures: list[tuple[dict[str, Any], list[bytes]]] = []
        self._thread: threading.Thread | None = None

    @property
    def sounds(self) -> Sounds | None:
        """What was rendered last."""
        return self._sounds

    def play(self, sounds: Sounds, *, draw: bool = True) -> None:
        """Sounds that need no rendering; `draw` says whether anybody looks at them."""
        self._number += 1
        self._pictures = []
        self._show(sounds, self._number * 2 + 1)
        if draw:
            with self._changed:
                self._undrawn = sounds
                self._changed.notify_all()
            self._awake()

    def wish(self, recipe: Recipe, ear: Ear | None = None, *, moving: bool = False, score: Score | None = None) -> None:
        """Have a recipe heard, instead of whatever was wished for before; with another score than its own if given."""
        with self._changed:
            self._number += 1
            self._wish = Wish(self._number, recipe, ear, moving, score)
            if self._running:
                self._engine.stop()
            self._changed.notify_all()
        self._awake()

    def also(self, recipe: Recipe) -> None:
        """Have a recipe rendered when there is nothing better to do, and tell `finished`; it is not played."""
        with self._changed:
            self._aside = recipe
            self._changed.notify_all()
        self._awake()

    def want(self, message: Mapping[str, Any]) -> None:
        """The browser asks for a piece."""
        with self._changed:
            self._wants.append(message)
            self._changed.notify_all()
        self._awake()

    def greet(self) -> None:
        """Somebody has opened the page: tell all there is to know."""
        if self._sounds is not None:
            self._announce(self._sounds)
            for content, buffers in self._pictures:
                self._tell(content, buffers)

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until everything wished for is rendered; False if that takes too long, or cannot be done."""
        with self._changed:
            rested = self._changed.wait_for(
                lambda: not (self._wish or self._busy or self._wants or self._undrawn), seconds
            )
            return rested and self._error is None

    def close(self) -> None:
        """Lay down all work."""
        with self._changed:
            self._closed = True
            if self._running:
                self._engine.stop()
            self._changed.notify_all()

    def _awake(self) -> None:
        if self._thread is None:
            # The thread holds no reference that would keep a forgotten widget alive.
            self._thread = threading.Thread(
                target=_work, args=(weakref.ref(self), self._changed), name="widget-sound", daemon=True
            )
            self._thread.start()

    def _next(self) -> Work | None:
        """The newest wish, what the browser asks for, or what can wait; None when there is nothing to do. The condition is held."""
        if self._wish is not None:
            wish, self._wish, self._busy = self._wish, None, True
            return wish
        if self._wants:
            wants, self._wants, self._busy = self._wants, [], True
            return wants
        if self._undrawn is not None:
            drawn, self._undrawn, self._busy = Drawing(self._undrawn), None, True
            return drawn
        if self._aside is not None:
            aside, self._aside, self._busy = self._aside, None, True
            return aside
        return None

    def _do(self, work: Work) -> None:
        try:
            if isinstance(work, Wish):
                self._fulfil(work)
            elif isinstance(work, Drawing):
                self._draw(work.sounds, lambda: self._newer() or bool(self._wants) or self._sounds is not work.sounds)
                with self._changed:
                    if not self._pictures and self._sounds is work.sounds:
                        self._undrawn = work.sounds
            elif isinstance(work, Recipe):
                planned = plan(work)
                self._run([planned.mix, planned.premaster])
                self._finished(Rendered(planned, self._engine, length(planned, self._engine)), work)
            else:
                for want in work:
                    self._serve(want)
        except Interrupted:
            # Stopped for a newer wish; if that came and went in between, this one still stands.
            with self._changed:
                if isinstance(work, Wish) and self._wish is None and self._number == work.number:
                    self._wish = work
        except StudioError as error:
            self._report(error)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _report(self, error: StudioError | None) -> None:
        """The last wish could not be rendered, or could: whoever waits or looks is told."""
        self._error = error
        self._failed(error)

    def _newer(self) -> bool:
        return self._wish is not None or self._closed

    def _fulfil(self, wish: Wish) -> None:
        planned = self._planned(wish)
        if wish.ear is not None:
            for start, block in self._heard(planned, wish.ear):
                self._send_piece(0, wish.number * 2, start, block, wish)
                # The first piece is always sent, or a quick hand would never hear what it does.
                if self._newer():
                    return
        if wish.moving:
            with self._changed:
                if self._changed.wait_for(self._newer, REST_SECONDS):
                    return
        self._tell({"kind": "state", "text": "rendering …", "bad": False}, [])
        sounds = Rendered(planned, self._engine, 0, self._stems)
        self._run([*sounds.nodes.values(), planned.premaster])
        self._engine.release(planned.nodes())
        sounds = Rendered(planned, self._engine, length(planned, self._engine), self._stems)
        self._gains = held_gains(self._engine, planned.mix, wish.ear.at if wish.ear else 0)
        self._report(None)
        self._show(sounds, wish.number * 2 + 1)
        self._finished(sounds, wish.recipe)
        self._draw(sounds, self._newer)

    def _run(self, nodes: list[Node]) -> None:
        with self._changed:
            if self._newer():
                raise Interrupted("something newer is wished for.")
            self._running = True
        try:
            self._engine.run(nodes)
        finally:
            with self._changed:
                self._running = False

    def _planned(self, wish: Wish) -> Plan:
        """The plan; while a hand moves, with the score that was read before."""
        known, score = self._score
        kept = score if wish.moving and known == wish.recipe.score else None
        planned = plan(wish.recipe, wish.score or kept)
        if wish.score is None:
            self._score = (wish.recipe.score, planned.score)
        return planned

    def _heard(self, planned: Plan, ear: Ear) -> Iterator[tuple[int, Block]]:
        """What is heard next, in pieces that grow."""
        at, left, size = ear.at, int(PREVIEW_SECONDS * planned.context.rate), FIRST
        loop = ear.loop if ear.loop and ear.loop[0] <= at < ear.loop[1] else None
        preview = Preview(self._engine, at, self._gains)
        while left > 0:
            most = min(size, loop[1] - at) if loop else size
            yield at, preview.read(planned.mix, at, most)
            at, left, size = at + most, left - most, min(2 * size, LARGEST)
            if loop and at >= loop[1]:
                at = loop[0]
                preview = Preview(self._engine, at, self._gains)

    def _serve(self, want: Mapping[str, Any]) -> None:
        """Send a piece that the browser asked for, if it is of what is shown."""
        sounds = self._sounds
        try:
            track, start, frames = (int(want[word]) for word in ("track", "start", "frames"))
            stale = int(want["version"]) != self._shown
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        if sounds is None or stale or not 0 <= track < len(sounds.names) or not 0 <= start < sounds.frames:
            return
        frames = max(0, min(frames, sounds.frames - start, 8 * sounds.rate))
        self._send_piece(track, self._shown, start, sounds.read(track, start, frames))

    def _send_piece(self, track: int, version: int, start: int, block: Block, wish: Wish | None = None) -> None:
        content = {"kind": "piece", "track": track, "version": version, "start": start, "channels": block.shape[0]}
        if wish is not None and wish.ear is not None:
            content |= {"asked": wish.ear.asked, "took": (time.perf_counter() - wish.since) * 1000}
        self._tell(content, [pcm(block)])

    def _show(self, sounds: Sounds, version: int) -> None:
        self._sounds, self._shown = sounds, version
        self._announce(sounds)

    def _announce(self, sounds: Sounds) -> None:
        song = {"kind": "song", "version": self._shown, "frames": sounds.frames, "tracks": list(sounds.names)}
        self._tell(song, [])

    def _draw(self, sounds: Sounds, newer: Callable[[], bool]) -> None:
        """Send the pictures of all sounds, unless something newer is to be done."""
        pictures = []
        for track in range(len(sounds.names)):
            drawn = _picture(sounds, track, newer)
            if drawn is None:
                return
            pictures.append(drawn)
            self._tell(*drawn)
        self._pictures = pictures


def _work(session: weakref.ref[PlaybackSession], changed: threading.Condition) -> None:
    while True:
        with changed:
            here = session()
            if here is None or here._closed:
                return
            work = here._next()
            if work is None:
                del here
                changed.wait(1.0)
                continue
        here._do(work)
        del here, work


def _picture(sounds: Sounds, track: int, newer: Callable[[], bool]) -> tuple[dict[str, Any], list[bytes]] | None:
    """The outline of a sound; of what is heard, its spectrum and loudness too."""
    step = peak_step(sounds.frames)
    content: dict[str, Any] = {"kind": "picture", "track": track, "step": step}
    sketcher = WaveformSummarizer(sounds.rate, 2) if track == 0 else None
    peaks, size = [], 65_536
    for start in range(0, sounds.frames, size):
        if newer():
            return None
        block = sounds.read(track, start, min(size, sounds.frames - start))
        peaks.append(outline(block, step))
        if sketcher:
            sketcher.push(block if block.shape[0] == 2 else np.repeat(block[:1], 2, axis=0))
    buffers = [bytes_of_peaks(np.concatenate([np.zeros((0, 2), np.float32), *peaks]), whole=track == 0)]
    if sketcher and sounds.frames:
        sketch = sketcher.draw()
        content |= {"loudness": list(sketch.loudness.short_term), "columns": sketch.span}
        buffers.append(sketch.spectrum)
    return content, buffers
