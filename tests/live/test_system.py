"""The system's own audio: a device of ALSA's that leads into a JACK server without a sound card."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from studio.levels import decibels
from studio.rendering.render import render
from tests.live.test_jack import MIXER, STUDIO

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
def test_the_song_out_of_the_systems_audio_nulls_against_the_render(server: str, device: str, tmp_path: Path) -> None:
    import jack

    (tmp_path / "song.yaml").write_text(MIXER)
    mix = render(tmp_path / "song.yaml").mix.samples
    ear = jack.Client("ear", no_start_server=True)
    heard: list[np.ndarray] = []
    inports = [ear.inports.register(f"in_{channel}") for channel in (1, 2)]
    ear.set_process_callback(lambda frames: heard.append(np.stack([port.get_array() for port in inports])))
    ear.activate()
    try:
        words = ["live", str(tmp_path / "song.yaml"), "--osc", "0", "--device", device, "--seconds", "4"]
        done = subprocess.run([*STUDIO, *words], capture_output=True, text=True, timeout=60)
    finally:
        ear.deactivate()
        ear.close()
    assert done.returncode == 0, done.stderr
    sound = np.concatenate(heard, axis=1)
    begun, *_, ended = np.flatnonzero(np.max(np.abs(sound), axis=0))
    pieces = [sound[:, start : start + 256] for start in range(begun, ended - 256, 256)]
    # The device has gaps where this machine is busy, and the loop closes now and then.
    assert len(pieces) > 300 and decibels(float(np.quantile([error(piece, mix) for piece in pieces], 0.8))) < -90


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
    done = subprocess.run([*STUDIO, "live", str(tmp_path / "song.yaml")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr == (
        "error: no JACK server runs, and this system has no audio output.\n"
        "  Start JACK, such as jackd -d alsa (or -d dummy for other programs to listen to), or connect a device.\n"
    )


def test_a_device_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path, device: str) -> None:
    (tmp_path / "song.yaml").write_text(MIXER)
    words = ["live", str(tmp_path / "song.yaml"), "--device", "Through Jack"]
    done = subprocess.run([*STUDIO, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "'Through Jack'" in done.stderr and "Through JACK" in done.stderr
    assert "Traceback" not in done.stderr
