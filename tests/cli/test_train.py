"""`studio train`: what it says before, what it leaves behind, and what a stop costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from studio.audio import Audio
from studio.cli import main
from studio.context import RenderContext
from studio.nets.material import phrases
from studio.nets.vae import Waves
from studio.nets.voice import Voice
from studio.steps import Transform, parse_step
from studio.timbre.spectral import SPECTRALS
from tests.listening import null_db, sine, white
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("processor_time")

RATE = 22_050


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with recordings of a flute, and a cache of its own."""
    (tmp_path / "flute").mkdir()
    soundfile.write(tmp_path / "flute" / "a.wav", phrases(73, 62, 80, 0.25, RATE, 1, "fluid").samples.T, RATE)
    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["train", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_what_it_will_take_and_ends_with_a_page(desk: Path) -> None:
    said = ran("voice", "flute", "--minutes", "0.05", "--rate", str(RATE), "--report", "report", "-o", "mine.voice")
    assert "minutes of sound" in said and "steps of" in said and "done at" in said
    voice = Voice.load(desk / "mine.voice")
    assert voice.card["name"] == "mine" and voice.card["source"] == "flute" and voice.card["losses"]
    page = (desk / "report" / "training.html").read_text()
    assert "loss over time" in page and "spectral_loss" in page and page.count("<audio") >= 3
    sounds = sorted((desk / "report").glob("*.wav"))
    assert len(sounds) >= 3 and all(soundfile.info(path).frames > RATE for path in sounds)
    previews = [soundfile.read(path)[0] for path in sounds if path.name.startswith("after")]
    assert all(np.isfinite(each).all() and np.abs(each).max() > 0.001 for each in previews)
    assert ["library", "torch"] in [each[:2] for each in voice.card["made_by"]]


def test_what_was_killed_goes_on(desk: Path) -> None:
    command = [sys.executable, "-c", "from studio.cli import main; main()", "train", "voice", "flute", "--minutes", "0.1",
               "--rate", str(RATE), "-o", "mine.voice"]  # fmt: skip
    begun = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
    wait_until(lambda: list((desk / "cache").rglob("*.checkpoint")), "something is kept")
    begun.send_signal(signal.SIGKILL)
    begun.wait(PATIENCE)
    assert list((desk / "cache").rglob("*.checkpoint")) and not (desk / "mine.voice").exists()
    said = ran(*command[4:])
    assert "goes on" in said
    card = Voice.load(desk / "mine.voice").card
    times = [at for at, _ in card["losses"]]
    # Both runs together took the time that was given, less the last check; what a busy machine adds is no mistake.
    assert times == sorted(times) and times[-1] >= 0.1 * 60 * 0.79


def test_a_spectral_autoencoder_of_a_folder_and_a_soundfont(desk: Path) -> None:
    said = ran(
        "spectral", "mine=flute", "choir=fluid:52:60:72", "--minutes", "0.05", "--report", "page", "-o", "two.spectral"
    )
    assert "2 instruments" in said
    model = SPECTRALS.load(desk / "two.spectral")
    assert model.card["instruments"] == ["mine", "choir"] and len(model.card["directions"]) == 8
    page = (desk / "page" / "training.html").read_text()
    assert all(f"direction {number}" in page for number in range(1, 9)) and page.count("correlation") >= 8
    assert len(list((desk / "page").glob("*.wav"))) >= 4


def test_a_waveform_autoencoder_of_a_folder_that_latent_plays(desk: Path) -> None:
    said = ran("vae", "flute", "--minutes", "0.05", "--rate", "22050", "--report", "page", "-o", "mine.vae")
    assert "minutes of training" in said
    model = Waves.load(desk / "mine.vae")
    assert model.rate == 22_050 and model.card["steps"] > 0 and model.card["losses"]
    assert (desk / "page" / "training.html").is_file() and len(list((desk / "page").glob("*.wav"))) >= 2
    mono = Audio(white(1.0, channels=1, rate=22_050), 22_050)
    stereo = Audio(white(1.0), 44_100)

    def through(sound: Audio, **knobs: object) -> Audio:
        step = parse_step({"latent": {"model": "mine.vae", **knobs}})
        assert isinstance(step, Transform)
        return step.apply(sound, RenderContext(sound.rate, sound.channels, folder=desk))

    assert null_db(through(mono).samples, model.sing(mono).samples) < -90
    assert through(stereo).samples.shape == stereo.samples.shape and through(stereo).rate == 44_100
    moved, still = through(mono, first=6).samples, through(mono)
    assert null_db(moved, still.samples) - still.peak_db > -40, "a hand is heard, even after six seconds"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["voice", "empty", "-o", "a.voice"], "no audio files"),
        (["voice", "gone", "-o", "a.voice"], "no folder"),
        (["voice", "short", "-o", "a.voice"], "ten seconds"),
        (["voice", "noise", "-o", "a.voice"], "one pitch"),
        (["voice", "silence", "-o", "a.voice"], "silent"),
        (["voice", "text", "-o", "a.voice"], "not an audio file"),
        (["voice", "flute", "-o", "a.wav"], "a.voice"),
        (["voice", "flute", "-o", "/dev/null/a.voice"], "cannot be written"),
        (["voice", "-o", "a.voice"], "--soundfont"),
        (["voice", "--soundfont", "gm:200", "-o", "a.voice"], "gm:40"),
        (["voice", "--soundfont", "gm:40", "--low", "60", "--high", "62", "-o", "a.voice"], "half an octave"),
        (["vae", "short", "-o", "a.vae"], "ten seconds"),
        (["vae", "flute", "-o", "a.voice"], "a.vae"),
        (["vae", "-o", "a.vae"], "--soundfont"),
        (["spectral", "violin", "-o", "a.spectral"], "name=folder"),
        (["spectral", "a=fluid:40:60:80", "a=flute", "-o", "a.spectral"], "different names"),
        (["spectral", "a=fluid:40", "-o", "a.spectral"], "lowest to highest"),
        (["spectral", "a=fluid:40:80:60", "-o", "a.spectral"], "half an octave"),
        (["spectral", "a=flute", "-o", "a.voice"], "a.spectral"),
        (["spectral", "a=flute", "b=silence", "-o", "a.spectral"], "no silence"),
        (["spectral", "a=short", "-o", "a.spectral"], "no silence"),
        (["spectral", "a=empty", "-o", "a.spectral"], "no audio files"),
    ],
)
def test_what_cannot_be_learned_is_refused_at_once(desk: Path, arguments: list[str], words: str) -> None:
    for name, samples in (("short", sine(440.0, 2.0)), ("noise", white(12.0)), ("silence", np.zeros((2, 600_000)))):
        (desk / name).mkdir()
        soundfile.write(desk / name / "a.wav", samples.T, 44_100)
    (desk / "empty").mkdir()
    (desk / "text").mkdir()
    (desk / "text" / "a.wav").write_text("hello")
    result = CliRunner().invoke(main, ["train", *arguments])
    assert result.exit_code == 1 and words in result.output and "Traceback" not in result.output
    assert not (desk / "a.voice").exists() and not (desk / "a.spectral").exists()


def test_a_full_disk_is_named_and_leaves_what_was_there(desk: Path) -> None:
    """`/dev/full` is a disk without room."""
    from studio.errors import OutputError

    voice = Voice.load(Path(__file__).parents[2] / "presets" / "voices" / "oboe.voice")
    (desk / "old.voice").write_bytes(b"old")
    real = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        with Path("/dev/full").open("wb", buffering=0) as disk:
            disk.write(content)
        return real(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="the disk is full"):
            voice.save(desk / "old.voice")
    assert (desk / "old.voice").read_bytes() == b"old" and len(list(desk.iterdir())) == 2
