"""What a knob sounds like before the render: as the render, but for what rang from further back."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from studio.engine import Cache, Engine, plan
from studio.engine.preview import Preview, held_gains
from studio.errors import Interrupted, StudioError
from studio.recipe import Recipe
from tests.listening import null_db, rms_db

RATE = 44_100
SONG = """
length: 6 s
tracks:
  wind: {play: {noise: {length: 6 s, level: -20 dB}}, chain: [{lowpass: 4 kHz}, {compressor: {threshold: -30 dB}}], send: {room: -6 dB}}
  hiss: {play: {noise: {length: 6 s, level: -30 dB, seed: 3}}, chain: [{highpass: 2 kHz}]}
buses: {room: {chain: [{reverb: {wet: 1, dry: 0}}]}}
master: {chain: [{lowpass: 16 kHz}], loudness: -16 LUFS}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(Cache(tmp_path / "cache"))


def test_a_turned_knob_is_heard_as_it_will_be_rendered(engine: Engine, tmp_path: Path) -> None:
    song = Recipe.loads(SONG, tmp_path)
    before = plan(song)
    engine.run([before.mix, before.premaster])
    gains = held_gains(engine, before.mix, 0)
    turned = plan(song.set("wind.lowpass.cutoff", "3 kHz"))
    start, frames = 3 * RATE + 17, RATE
    heard = Preview(engine, start, gains)
    pieces = [heard.read(turned.mix, start + at, 7_350) for at in range(0, frames, 7_350)]
    got = np.concatenate(pieces, axis=1)
    engine.run([turned.mix, turned.premaster])
    rendered = engine.read(turned.mix, start, frames)
    assert rms_db(got - rendered) - rms_db(rendered) < -20
    louder = plan(song.set("hiss.volume", "6 dB"))
    got = Preview(engine, start).read(louder.premaster, start, frames)
    engine.run([louder.mix, louder.premaster])
    assert null_db(got, Preview(engine, start).read(louder.premaster, start, frames)) < -100


def test_what_has_been_rendered_is_read_to_the_bit_and_ends_in_silence(engine: Engine, tmp_path: Path) -> None:
    planned = plan(Recipe.loads(SONG, tmp_path))
    engine.run([planned.mix, planned.premaster])
    got = Preview(engine, 5 * RATE).read(planned.mix, 5 * RATE, 20 * RATE)
    assert np.array_equal(got[:, :RATE], engine.read(planned.mix, 5 * RATE, RATE))
    assert not got[:, -RATE:].any()


def test_a_failing_step_is_named(engine: Engine, tmp_path: Path) -> None:
    song = Recipe.loads("tracks: {wind: {play: {noise: {length: 2 s}}, chain: [mp3]}}", tmp_path)
    planned = plan(song)
    [node] = [node for node in planned.nodes() if "mp3" in node.name]
    broken = RuntimeError("out of order")

    def run(*words: object) -> None:
        raise broken

    object.__setattr__(node.effects[0], "open", lambda context: run)  # type: ignore[attr-defined]
    with pytest.raises(StudioError, match="out of order") as caught:
        Preview(engine, 0).read(planned.mix, 0, 4096)
    assert caught.value.path[:4] == ("tracks", "wind", "chain", "mp3")


def test_a_render_is_stopped_from_another_thread_and_can_be_done_again(engine: Engine, tmp_path: Path) -> None:
    song = Recipe.loads("tracks: {wind: {play: {noise: {length: 600 s}}, chain: [{reverb: {wet: 0.5}}]}}", tmp_path)
    planned = plan(song)
    stopper = threading.Timer(0.3, engine.stop)
    stopper.start()
    with pytest.raises(Interrupted):
        engine.run([planned.mix])
    short = plan(Recipe.loads(SONG, tmp_path))
    engine.run([short.mix, short.premaster])
    engine.release([])
    assert engine.served(short.mix)
