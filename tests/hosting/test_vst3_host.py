"""VST3 plugins of others in the host of our own: in time, and with their side inputs."""

from __future__ import annotations

import numpy as np
import pytest

from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.hosting.plugin import Plugin
from studio.tempo import TempoMap

RATE = 48_000


@pytest.mark.parametrize("bpm", [60, 90, 174])
def test_a_delay_follows_the_tempo(bpm: int) -> None:
    step = Plugin.parse(
        {"file": "ZamDelay.vst3", "host": "vst3", "sync_bpm": True, "divisor": 2, "dry_wet": 1, "feedback": 0}
    )
    line = EffectChain((step,), RenderContext(RATE, 2, TempoMap.constant(bpm)))
    sound = np.zeros((2, 3 * RATE), np.float32)
    sound[:, 4800] = 0.5
    out = line.push(sound)
    echo = int(np.argmax(np.abs(out[0]))) - 4800
    twin = EffectChain(
        (Plugin.parse({"file": "ZamDelay-vst.so", "sync_bpm": 1, "divisor": 2, "dry_wet": 1, "feedback": 0}),),
        RenderContext(RATE, 2, TempoMap.constant(bpm)),
    ).push(sound)
    assert abs(echo - (int(np.argmax(np.abs(twin[0]))) - 4800)) <= 1
    assert abs(echo - 2 * RATE * 60 / bpm) <= 4
