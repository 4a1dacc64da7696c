"""The system's own audio: a device of ALSA's that leads into a JACK server without a sound card."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.levels import decibels
from studio.rendering.render import render
from tests.live.ear import ear
from tests.live.test_jack import MIXER, STUDIO
from tests.waiting import PATIENCE, wait_until

WHOLE = 0.8
"""The rest is where the loop closes, with what rings on from there."""

BARE = """
import sys, numpy, pedalboard.io
pedalboard.io.AudioStream(None, sys.argv[2], sample_rate=48_000, buffer_size=256).write(numpy.load(sys.argv[1]), 48_000)
"""
"""Plays a sound, and nothing else."""

CONFIGURATION = """\
pcm_type.jack {{ lib "{library}" }}
pcm.into_jack {{ type jack playback_ports {{ 0 ear:in_1 1 ear:in_2 }} capture_ports {{ 0 ear:out_1 1 ear:out_2 }} }}
pcm.jack {{ type plug slave {{ pcm "into_jack" }} hint {{ show on description "Through JACK" }} }}
"""


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The only device that processes started from here find."""
    [library] = Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_jack.so")
    (tmp_path / "asound.conf").write_text(CONFIGURATION.format(library=library))
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    return "Through JACK"


@pytest.mark.parametrize("period", [256], indirect=True)
def test_the_song_out_of_the_systems_audio_nulls_against_the_render(
    server: str, device: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """As far as the device has no gaps, which it has where this machine is busy: hardly more of them than a bare player."""
    (tmp_path / "song.yaml").write_text(MIXER)
    mix = render(tmp_path / "song.yaml").mix.samples
    whole = intact([*STUDIO, "live", tmp_path / "song.yaml", "--osc", "0", "--device", device], mix)
    if whole < WHOLE:
        np.save(tmp_path / "mix.npy", np.tile(mix, (1, 60)))
        bare = intact([sys.executable, "-c", BARE, tmp_path / "mix.npy", device], mix)
        record_property("busy", f"of the song {whole:.0%} came out whole, and {bare:.0%} of what a bare player played")
        assert whole > 0.2 and whole > bare - 0.3


def intact(command: list[str | Path], mix: np.ndarray) -> float:
    """How much of what a program plays is the mix, once it is at it; every sixth piece is looked at."""
    with ear() as heard, subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: any(block.any() for block in heard.blocks[-200:]), "something is heard")
            begun = len(heard.blocks)
            wait_until(lambda: len(heard.blocks) > begun + 600, "600 periods have passed")
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        finally:
            process.kill()
    pieces = [block for block in heard.blocks[begun : begun + 600] if block.any()]
    assert len(pieces) > 100
    return float(np.mean([decibels(error(piece, mix)) < -90 for piece in pieces[::6]]))


def error(piece: np.ndarray, loop: np.ndarray) -> float:
    """How far a piece is from that place of a loop which is most like it."""
    frames, size = piece.shape[1], loop.shape[1]
    round_and_round = np.concatenate([loop, loop[:, :frames]], axis=1)
    energy = np.concatenate([[0.0], np.cumsum(np.sum(round_and_round.astype(np.float64) ** 2, axis=0))])
    likeness = np.fft.irfft(np.sum(np.fft.rfft(loop, size) * np.conj(np.fft.rfft(piece, size)), axis=0), size)
    place = int(np.argmin(energy[frames : frames + size] - energy[:size] - 2 * likeness))
    return float(np.max(np.abs(piece - round_and_round[:, place : place + frames])))


def test_it_says_that_nothing_is_there_to_play_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "song.yaml").write_text(MIXER)
    (tmp_path / "asound.conf").write_text("# no device\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    done = subprocess.run(
        [*STUDIO, "live", str(tmp_path / "song.yaml")], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1 and done.stderr == (
        "error: no JACK server runs, and this system has no audio output.\n"
        "  Start JACK, such as jackd -d alsa (or -d dummy for other programs to listen to), or connect a device.\n"
    )


def test_a_device_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path, device: str) -> None:
    (tmp_path / "song.yaml").write_text(MIXER)
    words = ["live", str(tmp_path / "song.yaml"), "--device", "Through Jack"]
    done = subprocess.run([*STUDIO, *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "'Through Jack'" in done.stderr and "Through JACK" in done.stderr
    assert "Traceback" not in done.stderr
