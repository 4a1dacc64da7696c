"""What is fed piece by piece gives what it gives in one go."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.nets.autoencoder import BINS, Autoencoder, AutoencoderShape
from studio.nets.features import QUIETEST, Features, features, loudness
from studio.nets.film import Film
from studio.nets.live import LiveDecoder, LiveFeatures
from studio.nets.streaming import Chain, Expansion, Recurrent, Residual, Streaming, StreamingConv, StreamingModule
from studio.timbre.voices import VOICES
from tests.listening import null_db
from tests.stretch.battery import RATE, sax_line

LAYERS: dict[str, Callable[[], Streaming]] = {
    "convolution": lambda: StreamingConv(4, 4, 7),
    "dilated": lambda: StreamingConv(4, 4, 3, dilation=9),
    "strided": lambda: StreamingConv(4, 4, 10, stride=4),
    "striding without overlap": lambda: StreamingConv(4, 4, 4, stride=4),
    "grouped": lambda: StreamingConv(4, 4, 5, groups=4),
    "expansion": lambda: Expansion(4, 4, 8, stride=4),
    "wide expansion": lambda: Expansion(4, 4, 23, stride=4),
    "gru": lambda: Recurrent(nn.GRU(4, 4, batch_first=True)),
    "lstm": lambda: Recurrent(nn.LSTM(4, 4, num_layers=2, batch_first=True)),
    "there and back": lambda: Chain(
        StreamingConv(4, 8, 8, stride=4), nn.LeakyReLU(), Residual(Chain(StreamingConv(8, 8, 3, dilation=3), nn.Tanh())),
        Recurrent(nn.GRU(8, 8, batch_first=True)), Expansion(8, 4, 8, stride=4),
    ),
}  # fmt: skip


def cut(frames: int, sizes: list[int]) -> list[slice]:
    edges, index = [0], 0
    while edges[-1] < frames:
        edges.append(min(frames, edges[-1] + sizes[index % len(sizes)]))
        index += 1
    return [slice(*pair) for pair in pairwise(edges)]


@pytest.mark.parametrize("name", LAYERS)
def test_streamed_is_as_in_one_go(name: str) -> None:
    torch.manual_seed(3)
    layer, sound = LAYERS[name](), torch.randn(2, 4, 960)
    with torch.inference_mode():
        whole, _ = layer(sound)
    assert float(whole.abs().max()) > 0.05
    for sizes in ([4], [8, 240, 12], [480], [960]):
        stream = StreamingModule(layer)
        pieces = torch.cat([stream.push(sound[:, :, part]) for part in cut(960, sizes)], dim=2)
        assert null_db(pieces.numpy(), whole.numpy()) < -90, sizes


@pytest.mark.parametrize("name", LAYERS)
def test_no_layer_looks_ahead(name: str) -> None:
    torch.manual_seed(4)
    layer, sound = LAYERS[name](), torch.randn(1, 4, 400)
    other = sound.clone()
    other[:, :, 200:] += 1
    with torch.inference_mode():
        one, two = layer(sound)[0], layer(other)[0]
    same = 200 * one.shape[2] // 400
    assert torch.equal(one[:, :, :same], two[:, :, :same]) and not torch.equal(one, two)


def test_a_piece_that_is_no_whole_number_of_strides_is_refused() -> None:
    with pytest.raises(ValueError, match="stride"):
        StreamingConv(1, 1, 8, stride=4)(torch.zeros(1, 1, 6))
    with pytest.raises(ValueError, match="holes"):
        Expansion(1, 1, 3, stride=4)


def test_film_begins_as_nothing_and_scales() -> None:
    film = Film(3, 5)
    given = torch.randn(2, 5)
    assert torch.allclose(film(given, torch.zeros(2, 3)), given)
    with torch.no_grad():
        film.inner.bias[:5] = 1.0
    assert torch.allclose(film(given, torch.zeros(2, 3)), 2 * given)


def melody(seconds: float = 4.0) -> Audio:
    return Audio(sax_line(seconds), RATE)


def test_live_loudness_is_that_of_the_whole_and_its_pitch_that_of_the_note() -> None:
    sound = melody()
    live = LiveFeatures(RATE)
    whole = live.push(sound.samples[0])
    again, pieces = LiveFeatures(RATE), []
    for part in cut(sound.frames, [64, 1000, 3, 4096]):
        pieces.append(again.push(sound.samples[0, part]))
    for index in (0, 1):
        assert np.abs(np.concatenate([piece[index] for piece in pieces]) - whole[index]).max() < 1e-9
    hz, loud = whole
    begun = int(np.argmax(loud > QUIETEST))
    before = loudness(sound)[: len(loud)]
    assert begun < 5, "silent until it has heard a pitch"
    resting = loud == QUIETEST
    assert np.abs((loud - before)[~resting]).max() < 1e-6
    assert resting[begun:][before[begun:] > before.max() - 30].sum() < 3, "frames until it hears a pitch after a rest"
    given = features(sound, 80.0)
    sung = given.voiced[: len(hz)] & (loud > loud.max() - 30)
    assert (np.abs(1200 * np.log2(hz / given.hz[: len(hz)]))[sung] < 50).mean() > 0.95
    assert live.look / RATE < 0.025


def sung_live(given: Features, sizes: list[int], rate: int | None = None) -> np.ndarray:
    decoder = LiveDecoder(VOICES.load(VOICES.shipped()["oboe"]), rate)
    pieces = [decoder.push(given.hz[part], given.loudness[part]) for part in cut(given.frames, sizes)]
    return np.concatenate(pieces)


def test_a_decoder_live_is_the_decoder_in_one_go() -> None:
    voice, given = VOICES.load(VOICES.shipped()["oboe"]), features(melody())
    whole = voice.sing(given, follow=False).samples[0]
    for sizes in ([1], [1, 7, 40], [400]):
        live = sung_live(given, sizes)
        assert len(live) == len(whole) - 64
        assert null_db(live, whole[: len(live)]) < -90, sizes


def test_a_decoder_live_has_the_same_sound_at_another_rate() -> None:
    given = features(melody(2.0))
    one, other = sung_live(given, [50]), sung_live(given, [50], 96_000)
    powers = [np.abs(np.fft.rfft(each * np.hanning(len(each)), rate)) ** 2 * rate**-2.0 for each, rate in
              ((one[: RATE], RATE), (other[:96_000], 96_000))]  # fmt: skip
    for low, high in ((100, 1000), (1000, 5000), (5000, 15_000)):
        levels = [10 * np.log10(power[low:high].sum()) for power in powers]
        assert abs(levels[0] - levels[1]) < 1.5, (low, levels)
    assert powers[1][24_000:].sum() < 1e-3 * powers[1].sum()


def test_a_loss_goes_through_every_layer() -> None:
    layer = LAYERS["there and back"]()
    made, _ = layer(torch.randn(1, 4, 96))
    made.square().mean().backward()
    gradients: list[Tensor | None] = [weight.grad for weight in layer.parameters()]
    assert all(grad is not None and bool(torch.isfinite(grad).all()) for grad in gradients)


def test_a_spectral_autoencoder_streams() -> None:
    torch.manual_seed(1)
    model, spectra = Autoencoder(AutoencoderShape(width=32, memory=24, instruments=2)), -torch.rand(1, 200, BINS)
    with torch.inference_mode():
        embedding = model.instruments(torch.tensor([1]))
        latents, _ = model.encode(spectra)
        whole, _ = model.decode(latents, embedding)
        states, pieces = [None, None], []
        for part in cut(200, [1, 13, 40]):
            piece, states[0] = model.encode(spectra[:, part], states[0])
            made, states[1] = model.decode(piece, embedding, states[1])
            pieces.append(made)
    assert null_db(torch.cat(pieces, dim=1).numpy(), whole.numpy()) < -90
