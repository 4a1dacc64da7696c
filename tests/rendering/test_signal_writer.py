"""The one writer of signals: whole files, in their places together, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.audio import Audio, Block
from studio.engine.loudness import LoudnessMeter
from studio.rendering.audio_writer import Tags
from studio.rendering.signal_writer import SignalWriter, SignalWriters, blocks_of, write_signal

RATE = 44_100


def noise(frames: int) -> Block:
    return (np.random.default_rng(1).normal(size=(2, frames)) * 0.1).astype(np.float32)


def test_a_signal_is_written_as_it_is_measured_and_cut_or_filled_to_a_length(tmp_path: Path) -> None:
    sound = noise(150_001)
    meter = LoudnessMeter(RATE, 2)
    meter.push(sound[:, :90_000])
    with SignalWriters() as writers:
        short = writers.add(SignalWriter(tmp_path / "short.wav", RATE, 2, bits="32", tags=Tags()))
        short.pour(blocks_of(Audio(sound, RATE)), 90_000)
        cut = short.finish()
        long = writers.add(SignalWriter(tmp_path / "long.wav", RATE, 2, bits="32", sketched=True))
        long.pour(iter([sound[:, :0], sound[:, :7], sound[:, :0], sound[:, 7:]]))
        long.fill(300_000)
        filled = long.finish()
    assert np.array_equal(soundfile.read(cut.path, dtype="float32")[0].T, sound[:, :90_000])
    assert cut.frames == 90_000 and cut.loudness == meter.read() and cut.sketch is None
    back = soundfile.read(filled.path, dtype="float32")[0].T
    assert np.array_equal(back[:, :150_001], sound) and not back[:, 150_001:].any() and back.shape[1] == 300_000
    assert filled.sketch is not None and filled.sketch.frames == 300_000
    assert b"bext" in cut.path.read_bytes() and b"bext" not in filled.path.read_bytes()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_where_one_fails_all_stays_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.wav").write_bytes(b"before")

    def broken() -> Iterator[Block]:
        yield noise(1000)
        raise error

    with pytest.raises(error), SignalWriters() as writers:
        writers.add(SignalWriter(tmp_path / "a.wav", RATE, 2)).pour([noise(1000)])
        writers.add(SignalWriter(tmp_path / "b.wav", RATE, 2)).pour(broken())
    with pytest.raises(error):
        write_signal(SignalWriter(tmp_path / "c.wav", RATE, 2), broken())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.wav", b"before")]
