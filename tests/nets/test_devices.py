"""What a GPU needs of networks, as far as a machine without one can tell; `python -m tests.gpu` measures on one.

Tensors on torch's `meta` device have no numbers, but refuse to meet those of another device, as a GPU's do.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.errors import AudioError, ModelError
from studio.nets import mel, voice_training
from studio.nets.autoencoder import Autoencoder, AutoencoderShape, distance, learnable, scaled
from studio.nets.decoder import DecoderShape, decoder
from studio.nets.ears import Net
from studio.nets.losses import spectral
from studio.nets.material import Material, material
from studio.nets.multiband import BandJoin, BandSplit, delay
from studio.nets.streaming import Chain, Recurrent
from studio.nets.synthesis import _at_once, _rows
from studio.nets.training import train
from studio.nets.vae import Vae, VaeShape, apart, train_vae
from studio.nets.voice import Voice
from studio.training.instruments import TrainingSource
from studio.training.protocol import learn
from studio.training.waves import WaveformTraining
from tests import gpu
from tests.listening import rms_db, white
from tests.stretch.battery import RATE, sax_line

META = torch.device("meta")


def test_nothing_lies_on_the_processor_beside_weights_that_do_not() -> None:
    shape = DecoderShape(rate=22_050, hop=220, width=16, instruments=2, room=500)
    model = decoder(shape, 0).to(META)
    pitch, white_noise = torch.zeros(2, 11, device=META), torch.zeros(2, 2200, device=META)
    spectral(model(pitch, pitch, white_noise, model.colours.weight[:, None]), white_noise).backward()
    known = {"loudness_mean": -30.0, "loudness_spread": 8.0, "lowest_octave": 0.0, "highest_octave": 1.0}
    voice = Voice(model, {**known, "name": "a"}, instrument=0)
    embedding = voice.embedding(Voice(model, known, instrument=1), np.linspace(0, 1, 5))
    made = voice.controls(np.full(5, 220.0), np.full(5, -20.0), embedding)
    assert all(each.device == META for each in made)
    vae, wanted = Vae(VaeShape(width=8)).to(META), torch.zeros(1, 512 * 8, device=META)
    apart(vae, vae(wanted[:, None])[0], wanted).backward()
    spectra = torch.zeros(2, 9, 513, device=META)
    distance(
        Autoencoder(AutoencoderShape()).to(META)(spectra, torch.zeros(2, dtype=torch.long, device=META))[0], spectra
    )
    Net(3).to(META)(torch.zeros(2, 64, 44, device=META))


def test_in_mixed_precision_memory_bands_and_sound_stay_single() -> None:
    torch.manual_seed(0)
    layer, given = Recurrent(nn.GRU(8, 8, batch_first=True)), torch.randn(2, 8, 50)
    sound = torch.tensor(white(0.5, channels=1)[None, :, : 16 * 1300])
    with torch.inference_mode():
        exact, _ = layer(given)
        with torch.autocast("cpu", torch.bfloat16):
            mixed, _ = layer(given.bfloat16())
            joined, _ = Chain(BandSplit(16), BandJoin(16))(sound)
            made, _ = Vae(VaeShape(width=8))(sound[:, :, : 512 * 30])
    assert mixed.dtype == torch.float32 and rms_db((mixed - exact).numpy()) < rms_db(exact.numpy()) - 40
    late = delay(16)
    error = joined[0, :, late:] - sound[0, :, : sound.shape[2] - late]
    assert rms_db(error.numpy()) - rms_db(sound.numpy()) < -55
    assert made.dtype == torch.float32


def test_the_sum_of_harmonics_is_the_same_in_one_go() -> None:
    torch.manual_seed(1)
    turns, strong = torch.rand(3, 12, 441), torch.rand(3, 13, 100)
    strong[1, :, 40:] = 0
    multiples = 2 * np.pi * turns.double().numpy()[:, :, None] * np.arange(1, 101)[:, None]
    exact = np.stack([strong[:, :-1], strong[:, 1:]], axis=2) @ np.sin(multiples)
    for made, least in ((_at_once(turns, strong), -85), (_rows(turns, strong), -60)):
        assert rms_db(made.numpy() - exact) - rms_db(exact) < least


def test_a_filter_made_while_nothing_learns_serves_what_learns() -> None:
    mel.mel_filters.cache_clear()
    sound = torch.randn(1, 4096)
    with torch.inference_mode():
        mel.log_mel(sound, 22_050)
    given = sound.clone().requires_grad_()
    mel.log_mel(given, 22_050).mean().backward()
    assert given.grad is not None and bool(torch.isfinite(given.grad).all())


def test_steps_without_a_finite_gradient_are_counted_and_none_else_is_refused() -> None:
    model = nn.Linear(1, 1)

    def loss(step: int) -> Tensor:
        value: Tensor = model(torch.ones(1)).square().sum()
        return value * (math.nan if step % 2 else 1.0)

    course = train(model, loss, lambda: float(loss(0).detach()), 0.05)
    assert abs(course.skipped - course.steps / 2) <= 1 and course.card()["skipped"] == course.skipped > 0
    with pytest.raises(ModelError, match="never gave a finite loss"):
        train(model, lambda step: loss(1), lambda: math.nan, 0.02)


def test_strengths_are_read_in_pieces_as_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    sound: Material = material([Audio(sax_line(12.0), RATE)])
    monkeypatch.setattr(voice_training, "PIECE", 10**6)
    whole = voice_training.strengths(sound, 40)
    for piece in (7, 500):
        monkeypatch.setattr(voice_training, "PIECE", piece)
        assert torch.allclose(voice_training.strengths(sound, 40), whole, atol=1e-6)
    assert whole.shape == (sound.frames + 1, 40) and float(whole.max()) > 0.01


def test_spectra_are_kept_in_half_precision_and_without_silence() -> None:
    line = sax_line(3.0)
    sound = Audio(np.concatenate([line, np.zeros((1, 10 * RATE), np.float32)], axis=1), RATE)
    found = learnable(sound)
    assert found.dtype == torch.float16 and len(found) < 3.2 * 44_100 / 512
    assert torch.equal(found[:20], scaled(torch.ones(20, 513))[0].half()) is False


def test_silence_is_not_learned_and_is_named(tmp_path: Path) -> None:
    import soundfile

    silent, ends = np.zeros((1, 12 * RATE), np.float32), white(12.0, channels=1)
    ends[:, 10 * RATE :] = 0
    for samples, words in ((silent, "the sound is silent"), (ends, "held out")):
        with pytest.raises(AudioError, match=words):
            train_vae(Audio(samples, RATE), 1.0, {})
    (tmp_path / "mine").mkdir()
    soundfile.write(tmp_path / "mine" / "a.wav", silent[0], RATE)
    training = WaveformTraining(TrainingSource("nothing", str(tmp_path / "mine")), 1.0)
    with pytest.raises(AudioError, match="nothing"):
        learn(training, tmp_path / "out.vae")
    assert not (tmp_path / "out.vae").exists()


def test_the_script_for_gpus_runs_dry(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--device", "cpu", "--quick"]) == 0
    said = capsys.readouterr().out
    for word in ("voice", "live", "spectral", "vae", "ears", "steps", "× real time", "-60 dB"):
        assert word in said
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert gpu.main([]) == 0 and "no GPU here" in capsys.readouterr().out


def test_a_voice_sings_the_same_wherever_its_weights_lie() -> None:
    nulls = gpu.compared(torch.device("cpu"), quick=True)
    assert set(nulls) >= {"voice", "orchestra", "live", "spectral", "vae", "ears"}
    assert all(value < gpu.SAME_DB for value in nulls.values())
