"""Measuring plugins: whether they sound, repeat themselves, reset cleanly, and how late they really are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from studio.audio import Block
from studio.hosting.contract import PluginError
from studio.hosting.description import Description, Measured
from studio.hosting.performance import Performance
from studio.hosting.pool import Pool
from studio.hosting.workers import LOADING
from studio.levels import decibels

RATE = 44_100

LONGEST_SILENCE = 6.0
"""Seconds after which a plugin that gives silence is taken to be one that does."""

_WANDERING = 3.0
"""Seconds spent on finding the parameters that move the latency."""

_FRESH = 3
"""Processes that a plugin's sound is compared with: those that read what they never wrote may agree by chance."""

_NO_DIFFERENCE = -400.0
_SILENT = 1e-6
_FRAMES, _BLOCK = 24_576, 4096


def measure(description: Description) -> Measured:
    """How a plugin behaves in processes of its own; it may do there what it likes."""
    plain = replace(description, measured=Measured())
    pool = Pool(idle=1)
    try:
        first = _sound(plain, pool)
        ready = 0.0
        if np.max(np.abs(first), initial=0.0) < _SILENT:
            ready, first = _wait(plain, pool, time.perf_counter())
        began = time.perf_counter()
        again = _sound(plain, pool)
        seconds = time.perf_counter() - began
        known = replace(plain, measured=Measured(ready_seconds=ready))
        begins = "clean"
        if not _same(first, again):
            reloaded = _sound(replace(known, measured=replace(known.measured, begins="fresh")), pool)
            begins = "fresh" if _same(first, reloaded) else "never"
        others = [first]
        for _ in range(_FRESH):
            with _apart() as other:
                others.append(_sound(known, other))
        return Measured(
            repeats=all(_same(first, fresh) for fresh in others),
            differs_db=max(_apart_db(first, fresh) for fresh in others),
            begins=begins,
            ready_seconds=ready,
            speed=first.shape[1] / RATE / max(1e-6, seconds),
        )
    except PluginError as error:
        return Measured(reason=error.cause)
    finally:
        pool.close()


@contextmanager
def _apart() -> Iterator[Pool]:
    pool = Pool(idle=1)
    try:
        yield pool
    finally:
        pool.close()


def latency_movers(description: Description) -> frozenset[int]:
    """The indices of the parameters that move the latency: they must stay where they are while a song plays."""
    pool = Pool(idle=0)
    try:
        with pool.lent(description.path, description.host, description.inner) as worker:
            return frozenset(worker.ask({"do": "wander", "seconds": _WANDERING}, LOADING)["movers"])
    except PluginError:
        # One that fails at the ends of a parameter may still do well between them.
        return frozenset()


def _wait(description: Description, pool: Pool, began: float) -> tuple[float, Block]:
    """How long until it sounds, and how it does; 0 when it never does."""
    while (waited := time.perf_counter() - began) < LONGEST_SILENCE:
        time.sleep(0.2)
        sound = _sound(description, pool)
        if np.max(np.abs(sound), initial=0.0) >= _SILENT:
            return waited + 0.2, sound
    return 0.0, sound


def _sound(description: Description, pool: Pool) -> Block:
    """About half a second of noise through an effect, or of a note from an instrument."""
    performance = Performance(description, RATE, 2, {}, pool=pool)
    try:
        if description.about.instrument:
            events = [(0, b"\x90\x3c\x64"), (RATE // 4, b"\x80\x3c\x40")]
            return np.concatenate(list(performance.play(events, _FRAMES, ())), axis=1)
        noise = np.random.default_rng(7).uniform(-0.25, 0.25, (2, _FRAMES)).astype(np.float32)
        return np.concatenate(list(_streamed(performance, noise)), axis=1)
    finally:
        # At once, not when it is collected: the next one is to meet the same process.
        performance.leave()


def _streamed(performance: Performance, sound: Block) -> Iterator[Block]:
    for start in range(0, sound.shape[1], _BLOCK):
        yield performance.process(sound[:, start : start + _BLOCK], None, (), ())


def _apart_db(one: Block, other: Block) -> float:
    """The peak of the difference of two sounds, in dB; far below everything when there is none."""
    if one.shape != other.shape:
        return 0.0
    return max(_NO_DIFFERENCE, decibels(float(np.abs(one.astype(np.float64) - other).max(initial=0.0))))


def _same(one: Block, other: Block) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def true_latency(description: Description) -> int | None:
    """The latency in frames that an impulse tells, or None when the plugin gives no clear echo of it.

    The response to an impulse is clear when half of its energy is in one frame; a reverb's or a filter's is not,
    and there the plugin's own word is as good as any.

    Raises:
        PluginError: it crashed, hung, or gave what is no sound.
    """
    if description.about.instrument:
        return None
    plain = replace(description, measured=replace(description.measured, latency=None))
    pool = Pool(idle=1)
    try:
        performance = Performance(plain, RATE, 2, {}, pool=pool)
        sound = np.zeros((2, RATE), np.float32)
        sound[:, RATE // 4] = 0.5
        given = np.concatenate(list(_streamed(performance, sound)), axis=1)
        performance.leave()
    finally:
        pool.close()
    energy = np.sum(given.astype(np.float64) ** 2, axis=0)
    if energy.sum() == 0 or energy.max() < 0.5 * energy.sum():
        return None
    return int(np.argmax(energy)) - RATE // 4 + description.reported_latency
