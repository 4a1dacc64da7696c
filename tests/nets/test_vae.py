"""Bands and the waveform autoencoder on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.audio import Audio
from studio.errors import AudioError, ModelError
from studio.nets.losses import spectral
from studio.nets.material import phrases
from studio.nets.multiband import BandJoin, BandSplit, delay, filters
from studio.nets.streaming import Chain, StreamingModule
from studio.nets.vae import Vae, VaeShape, Waves, train_vae
from tests.listening import null_db, rms_db, sine, white

pytestmark = pytest.mark.usefixtures("processor_time")


@pytest.mark.parametrize("bands", [2, 4, 8, 16, 32])
def test_bands_joined_are_the_sound(bands: int) -> None:
    sound = torch.tensor(white(1.0, channels=1)[None, :, : 44_100 // bands * bands])
    with torch.inference_mode():
        joined, _ = Chain(BandSplit(bands), BandJoin(bands))(sound)
    late = delay(bands)
    error = joined[0, :, late:] - sound[0, :, : sound.shape[2] - late]
    assert rms_db(error.numpy()) - rms_db(sound.numpy()) < -55


def test_a_band_hears_its_own_frequencies_only() -> None:
    cut, _ = filters(16)
    response = np.abs(np.fft.rfft(cut[:, 0].numpy(), 1 << 14))
    edges = np.linspace(0, 1 << 13, 17).astype(int)
    for band in range(16):
        power = np.square(response[band])
        apart = np.concatenate([power[: max(0, edges[band] - 1024)], power[edges[band + 1] + 1024 :]])
        assert 10 * np.log10(apart.max() / power.max()) < -70


def test_streamed_is_as_in_one_go() -> None:
    torch.manual_seed(0)
    model, sound = Vae(VaeShape(width=8)), torch.tensor(white(0.8, channels=1)[None, :, : 512 * 30])
    with torch.inference_mode():
        whole, _ = model(sound)
    for size in (512, 512 * 7):
        stream = StreamingModule(model)
        pieces = [stream.push(sound[:, :, first : first + size]) for first in range(0, sound.shape[2], size)]
        assert null_db(torch.cat(pieces, dim=2).numpy(), whole.numpy()) < -90
    assert float(whole.abs().max()) > 1e-4


def test_it_learns_within_seconds_and_comes_back_from_its_file(tmp_path: Path) -> None:
    sound = phrases(56, 58, 80, 0.4, 22_050)
    made = train_vae(sound, 6.0, {"name": "trumpet"}, shape=VaeShape(rate=22_050, width=12, strides=(4, 2)))
    untrained = Waves(Vae(made.model.shape), made.card).sing(sound)
    apart = [
        float(spectral(*(torch.tensor(each.samples) for each in (out, sound)))) for out in (made.sing(sound), untrained)
    ]
    assert apart[0] < 0.98 * apart[1]
    made.save(tmp_path / "a.vae")
    again = Waves.load(tmp_path / "a.vae")
    out = again.sing(sound)
    assert out.samples.shape == sound.samples.shape and np.array_equal(out.samples, made.sing(sound).samples)
    with pytest.raises(ModelError, match="no voice"):
        from studio.nets.voice import Voice

        Voice.load(tmp_path / "a.vae")


def test_too_little_is_refused() -> None:
    with pytest.raises(AudioError, match="ten seconds"):
        train_vae(Audio(sine(440.0, 1.0), 44_100), 1.0, {})
