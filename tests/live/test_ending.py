"""Playing ends when it is told to, however late the chains are."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.ear import ear
from tests.live.test_jack import STUDIO
from tests.waiting import wait_until

HEAVY = """\
recipe: 1
rate: 48000
tracks:
  hum: {{play: {{noise: {{length: 0.5 s, level: -20 dB}}}}, chain: [{steps}]}}
"""
STEPS = 250
HANGS = 30.0
"""Seconds after which it has not ended; it needs one, and has a busy machine under it."""


@pytest.mark.parametrize("period", [64], indirect=True)
@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (None, 0)])
def test_an_overloaded_song_ends_at_once_and_says_how_it_went(
    server: str, tmp_path: Path, by: signal.Signals | None, code: int
) -> None:
    """So many steps outside the native core take several of the server's periods of 64 frames, on any machine."""
    (tmp_path / "song.yaml").write_text(
        HEAVY.format(steps=", ".join(["pedalboard: {Limiter: {threshold_db: 1}}"] * STEPS))
    )
    words = ["live", tmp_path / "song.yaml", "--osc", "0", *(() if by else ("--seconds", "1"))]
    process = subprocess.Popen([*STUDIO, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and "Playing" in process.stdout.readline()
        if by:
            with ear(1) as heard:
                heard.client.connect("studio:out_1", "ear:in_1")
                wait_until(lambda: any(block.any() for block in heard.blocks), "it plays")
                process.send_signal(by)
        said, _ = process.communicate(timeout=HANGS)
    finally:
        process.kill()
    assert process.returncode == code
    health = re.match(r"(\d+) periods of ([\d.]+) ms, (\d+) too late. Half of them took ([\d.]+) ms", said)
    assert health is not None, said
    periods, period_ms, late, median_ms = (float(each) for each in health.groups())
    assert periods and late and median_ms > period_ms
