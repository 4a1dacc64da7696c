"""Voices that know several instruments, that start from another, and that learn a room apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.errors import KnobError, ModelError
from studio.nets.decoder import EMBEDDING, DecoderShape, decoder, echoed
from studio.nets.features import Features
from studio.nets.losses import esr
from studio.nets.material import material, phrases
from studio.nets.voice import Voice
from studio.nets.voice_training import judged, train_voice
from tests.listening import null_db
from tests.once import once_a_run

pytestmark = pytest.mark.usefixtures("processor_time")

RATE = 22_050


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    """A flute and a trumpet, learned for some seconds."""

    def learned(folder: Path) -> Path:
        sounds = {
            "flute": material([phrases(73, 60, 80, 0.5, RATE)]),
            "trumpet": material([phrases(56, 58, 80, 0.5, RATE)]),
        }
        train_voice(sounds, 12.0, {"name": "pair"}).save(folder / "pair.voice")
        return folder / "pair.voice"

    return Voice.load(once_a_run(tmp_path_factory, "pair", learned))


def test_each_instrument_has_its_own_embedding_and_the_rest_is_shared(pair: Voice) -> None:
    assert pair.instruments == ("flute", "trumpet") and pair.model.colours.weight.shape == (2, EMBEDDING)
    for program, name, other in ((73, "flute", "trumpet"), (56, "trumpet", "flute")):
        held = material([phrases(program, 60, 80, 0.2, RATE, 7)])
        ours, theirs = pair.of(name), pair.of(other)
        swapped = Voice(pair.model, ours.card, theirs.instrument)
        assert judged(ours, held) < judged(swapped, held)


def test_between_two_embeddings_lie_instruments_between_them(pair: Voice) -> None:
    flute, trumpet = pair.of("flute"), pair.of("trumpet")
    given = Features(np.full(100, 440.0), np.full(100, flute.card["loudness_mean"]), np.ones(100, bool))
    ends = [flute.sing(given, follow=False, embedding=flute.embedding(trumpet, share)) for share in (0.0, 0.5, 1.0)]
    apart = [null_db(each.samples, ends[0].samples) for each in ends[1:]]
    assert apart[0] < apart[1]
    ramp = flute.sing(given, follow=False, embedding=flute.embedding(trumpet, np.linspace(0, 1, 100)))
    assert null_db(ramp.samples[:, :2000], ends[0].samples[:, :2000]) < null_db(
        ramp.samples[:, -2000:], ends[0].samples[:, -2000:]
    )


def test_a_file_keeps_all_of_them_and_names_what_it_does_not_know(pair: Voice, tmp_path: Path) -> None:
    pair.save(tmp_path / "pair.voice")
    again = Voice.load(tmp_path / "pair.voice")
    given = Features(np.full(50, 440.0), np.full(50, -20.0), np.ones(50, bool))
    one, other = (each.of("trumpet").sing(given).samples for each in (pair, again))
    assert np.array_equal(one, other)
    with pytest.raises(KnobError, match="trompet"):
        again.of("trompet")
    with pytest.raises(KnobError, match="several instruments"):
        again.of("")
    again.card["instruments"].pop("flute")
    again.save(tmp_path / "short.voice")
    with pytest.raises(ModelError, match="instruments"):
        Voice.load(tmp_path / "short.voice")


def test_a_voice_that_starts_from_another_begins_ahead(pair: Voice) -> None:
    oboe = material([phrases(68, 60, 80, 0.5, RATE)])
    held = material([phrases(68, 60, 80, 0.2, RATE, 7)])
    # No time at all is given, so that what is heard is the start.
    ahead, afresh = (train_voice({"oboe": oboe}, 0.0, {"name": "oboe"}, start=start) for start in (pair, None))
    assert ahead.instruments == ("oboe",) and ahead.model.shape.instruments == 1
    assert judged(ahead, held) < 0.8 * judged(afresh, held)


def test_a_room_is_learned_from_what_follows_a_sound() -> None:
    random = torch.Generator().manual_seed(3)
    wanted = torch.randn(2000, generator=random) * torch.exp(-torch.linspace(0, 6, 2000)) * 0.02
    model = decoder(DecoderShape(RATE, 220, room=2000), 0)
    optimiser = torch.optim.Adam([model.echoes], 0.05)
    for _ in range(300):
        dry = torch.randn(4, 8000, generator=random) * 0.1
        loss = esr(echoed(dry, model.room()), echoed(dry, wanted))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(esr(model.room().detach(), wanted)) < 0.02


def test_a_voice_sings_with_its_room_or_without() -> None:
    shape = DecoderShape(RATE, 220, room=4000)
    card = {"name": "hall", "loudness_mean": -20.0, "loudness_spread": 6.0, "lowest_octave": 0.0, "highest_octave": 2.0}
    voice = Voice(decoder(shape, 1), card)
    with torch.no_grad():
        voice.model.echoes.copy_(torch.randn(4000, generator=torch.Generator().manual_seed(2)))
    hz, loud = np.full(101, 440.0), np.full(101, -20.0)
    given = Features(hz, loud, np.ones(101, bool))
    wet = voice.sing(given, follow=False)
    with torch.inference_mode():
        pitch = torch.log2(torch.tensor(hz, dtype=torch.float32) / 220)[None]
        white = torch.rand(1, 22_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
        whole = voice.model(pitch, voice.scaled(torch.tensor(loud, dtype=torch.float32))[None], white)
    assert null_db(wet.samples, whole.numpy()) < -90, "sung in pieces, echoed as a whole"
    dry = voice.sing(given, follow=False, room=0.0)
    half = voice.sing(given, follow=False, room=0.5)
    assert null_db(half.samples, (wet.samples + dry.samples) / 2) < -90
    tail = voice.in_room(dry.samples)
    assert tail.shape[1] == dry.samples.shape[1] + 4000
