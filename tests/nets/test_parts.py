"""The parts of neural steps: features, synthesisers, losses, training, and files that cannot run anything."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.audio import Audio
from studio.errors import AudioError, ModelError
from studio.nets.checkpoint import Checkpoint
from studio.nets.decoder import DecoderShape, decoder
from studio.nets.ears import InstrumentClassifier
from studio.nets.features import Features, features, filled, loudness
from studio.nets.losses import esr, spectral
from studio.nets.material import Phrases, guided, material, phrases, recordings
from studio.nets.model_file import write_model
from studio.nets.synthesis import filtered_noise, harmonics, phases
from studio.nets.training import TrainingProgress, train
from studio.nets.voice import FORMAT, Voice, followed
from studio.nets.voice_training import strengths, train_voice
from tests.listening import null_db, sine, white
from tests.stretch.battery import vowel

pytestmark = pytest.mark.usefixtures("processor_time")

RATE = 44_100
CARD = {
    "kind": "voice", "version": 1, "loudness_mean": -40.0, "loudness_spread": 9.0, "lowest_octave": -1.0,
    "highest_octave": 2.0,
}  # fmt: skip


@pytest.mark.parametrize(("hz", "weight"), [(1000.0, 0.0), (100.0, -19.1), (4000.0, 1.0), (10_000.0, -2.5)])
def test_loudness_has_the_weights_of_the_standard(hz: float, weight: float) -> None:
    found = loudness(Audio(sine(hz, 1.0, level=1.0), RATE))[30:70]
    assert found.mean() == pytest.approx(-3.01 + weight, abs=0.2)


def test_features_come_a_hundred_times_a_second_and_fill_the_gaps() -> None:
    found = features(Audio(np.concatenate([vowel(1.0), np.zeros((1, RATE), np.float32), vowel(1.0)], axis=1), RATE))
    assert found.frames == 301 and np.isfinite(found.hz).all()
    assert not found.voiced[110:190].any() and found.voiced[10:90].all()
    assert filled(np.array([np.nan, 100.0, np.nan, 400.0])).tolist() == pytest.approx([100, 100, 200, 400])


def test_a_harmonic_is_a_sine_of_its_strength_for_an_hour() -> None:
    turns, end = phases(torch.full((1, 101), 440.0), 441, RATE)
    strong = torch.zeros(1, 101, 3)
    strong[..., 1] = 0.5
    made = harmonics(turns, strong)[0].numpy()
    assert null_db(made, 0.5 * np.sin(2 * np.pi * 880 * np.arange(1, RATE + 1) / RATE)) < -110
    late, _ = phases(torch.full((1, 101), 440.0), 441, RATE, end)
    apart = (turns - late + 0.5) % 1 - 0.5
    assert float(apart.abs().max()) < 1e-6, "440 turns later it is the same"


def test_noise_is_filtered_by_its_bands() -> None:
    noise = torch.rand(1, 44_100, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert null_db(filtered_noise(noise, torch.ones(1, 100, 65), 441).numpy(), noise.numpy()) < -110
    low = torch.zeros(1, 100, 65)
    low[..., :9] = 1
    power = np.abs(np.fft.rfft(filtered_noise(noise, low, 441)[0].numpy())) ** 2
    assert 10 * np.log10(power[8000:].sum() / power[:2000].sum()) < -30


def test_losses_know_the_same_from_the_other() -> None:
    one, other = (torch.tensor(white(1.0, channels=1, seed=seed)) for seed in (1, 2))
    assert float(spectral(one, one)) == 0 and float(spectral(one, other)) > float(spectral(one, one * 1.1)) > 0.01
    assert float(esr(one, one * 0.9)) == pytest.approx(1 / 81, rel=1e-3) and float(esr(one, one)) == 0


def test_strengths_are_read_from_the_sound() -> None:
    frames = np.arange(2 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 300 * number * frames) / number for number in range(1, 6))
    found = strengths(material([Audio((0.2 * np.tile(tone, 6))[None].astype(np.float32), RATE)]), 6)[500]
    assert found[:5].numpy() == pytest.approx([0.2 / number for number in range(1, 6)], rel=0.2)
    assert found[5] < 0.01


def test_half_precision_is_used_when_asked_for_and_never_unasked_on_a_processor() -> None:
    def learned(mixed: bool | None) -> tuple[torch.nn.Sequential, set[torch.dtype]]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 64))
        seen: set[torch.dtype] = set()
        turns = torch.arange(2_048) / 2_048

        def loss(step: int) -> torch.Tensor:
            made = model(torch.ones(1, 1))
            seen.add(made.dtype)
            tones = torch.sin(2 * torch.pi * turns * torch.arange(1, 65)[:, None])
            return spectral(made.float() @ tones, 0.1 * tones[4:5], (256,))

        train(model, loss, lambda: float(loss(0).detach()), 1e-9, rate=1e-2, mixed=mixed)
        return model, seen

    plain, unasked = learned(False), learned(None)
    assert unasked[1] == {torch.float32}
    assert all(torch.equal(*pair) for pair in zip(plain[0].parameters(), unasked[0].parameters(), strict=True))
    model, seen = learned(True)
    assert torch.bfloat16 in seen and all(weight.dtype == torch.float32 for weight in model.parameters())


def test_a_training_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    def fresh() -> torch.nn.Linear:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return torch.nn.Linear(1, 1)

    def run(model: torch.nn.Linear, stop: bool, seconds: float = 1.0) -> TrainingProgress:
        def loss(step: int) -> torch.Tensor:
            given = torch.tensor(np.random.default_rng(step).normal(size=(16, 1)), dtype=torch.float32)
            return (model(given) - 3 * given - 1).square().mean()

        def tell(progress: TrainingProgress) -> None:
            if stop and progress.steps > 50:
                raise KeyboardInterrupt

        judge = lambda: float(loss(10_000).detach())  # noqa: E731
        kept = Checkpoint(tmp_path / "half.checkpoint")
        return train(model, loss, judge, seconds, rate=0.05, checkpoint=kept, tell=tell, every=0.02)

    model = fresh()
    with pytest.raises(KeyboardInterrupt):
        run(model, True)
    again = fresh()
    course = run(again, False)
    assert course.steps > 100 and course.losses[0][0] < 0.5 and course.best < 1e-3
    assert float(again.weight.detach()) == pytest.approx(3, abs=0.05)
    done = fresh()
    assert run(done, False).steps == course.steps and torch.equal(done.weight, again.weight), (
        "what is done is left as it is"
    )
    longer = run(fresh(), False, 1.5)
    assert longer.steps > course.steps and longer.losses[: len(course.losses)] == course.losses


def test_a_model_comes_back_with_its_card(tmp_path: Path) -> None:
    weights = decoder(DecoderShape(), 3).state_dict()
    write_model(tmp_path / "a.voice", weights, CARD | {"name": "é", "shape": DecoderShape().data()})
    read, card = FORMAT.read(tmp_path / "a.voice")
    assert card["name"] == "é" and all(torch.equal(read[name], weights[name]) for name in weights)
    with pytest.raises(ModelError, match="no ears: its card says 'voice'"):
        InstrumentClassifier.load(tmp_path / "a.voice")


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


def test_no_file_runs_code_or_passes_for_what_it_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pickle.voice").write_bytes(pickle.dumps(Bomb()))
    torch.save({"x": torch.zeros(3)}, tmp_path / "torch.voice")
    (tmp_path / "text.voice").write_text("hello, I am a voice")
    (tmp_path / "empty.voice").write_bytes(b"")
    small = DecoderShape(8000, 80, 2, 2, 2)
    weights = decoder(small, 0).state_dict()
    card = CARD | {"name": "whole", "shape": small.data()}
    write_model(tmp_path / "whole.voice", weights, card)
    whole = bytearray((tmp_path / "whole.voice").read_bytes())
    (tmp_path / "short.voice").write_bytes(whole[:-40])
    whole[-5] ^= 0xFF
    (tmp_path / "bent.voice").write_bytes(whole)
    write_model(tmp_path / "nan.voice", weights | {"noise.bias": torch.full((2,), float("nan"))}, card)
    write_model(tmp_path / "fewer.voice", {name: weights[name] for name in list(weights)[1:]}, card)
    for name, words in (
        ("pickle", "pickle"), ("torch", "pickle"), ("text", "no model"), ("empty", "no model"), ("short", "no model"),
        ("bent", "not those"), ("nan", "none"), ("gone", "cannot be read|no model"), ("fewer", "do not fit"),
    ):  # fmt: skip
        with pytest.raises(ModelError, match=words):
            Voice.load(tmp_path / f"{name}.voice")
    assert not (tmp_path / "exploded").exists()


def test_what_cannot_be_learned_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no audio files"):
        recordings(tmp_path, RATE)
    with pytest.raises(AudioError, match="ten seconds"):
        material([Audio(vowel(2.0), RATE)])
    with pytest.raises(AudioError, match="one pitch"):
        material([Audio(white(12.0, channels=1), RATE)])


def test_a_voice_learns_within_seconds_and_streams_as_it_sings() -> None:
    sound = material([phrases(56, 58, 80, 0.5, 22_050)])
    voice = train_voice({"trumpet": sound}, 8.0, {"name": "trumpet"})
    untrained = decoder(voice.model.shape, 0)
    _, held = sound.split()
    from studio.nets.voice_training import judged

    assert judged(voice, held) < 0.75 * judged(Voice(untrained, voice.card), held)
    pitch, loud = held.pitch[None, :300], voice.scaled(held.loudness)[None, :300]
    with torch.inference_mode():
        whole, _, _ = voice.model.controls(pitch, loud)
        state, pieces = None, []
        for first in range(0, 300, 7):
            piece, _, state = voice.model.controls(pitch[:, first : first + 7], loud[:, first : first + 7], state=state)
            pieces.append(piece)
    assert null_db(torch.cat(pieces, dim=1).numpy(), whole.numpy()) < -90


def test_phrases_cover_their_range_and_know_their_pitch() -> None:
    given = Phrases(40, 55, 96, 0.5, RATE, 3, "fluid")
    pitches = [note.pitch for note in given.score().notes]
    assert min(pitches) < 62 and max(pitches) > 89 and given.score() == given.score()
    found = given.features(given.sound())
    for note in given.score().notes[:20]:
        part = found.hz[round(note.start / 9.6) + 2 : round(note.end / 9.6) - 2]
        assert np.abs(1200 * np.log2(part / (440 * 2 ** ((note.pitch - 69) / 12)))).max() <= 100


def test_notes_near_the_top_of_a_range_are_not_taken_for_their_octave_below() -> None:
    given = Phrases(40, 88, 96, 0.3, RATE, 3, "fluid")
    sound = given.sound()
    known, heard = given.features(sound), features(sound)
    sung = known.loudness > known.loudness.max() - 40
    assert (np.abs(1200 * np.log2(heard.hz / known.hz))[sung] < 50).mean() > 0.8


def test_a_tracker_that_is_an_octave_off_is_put_right() -> None:
    hz = np.array([220.0, 440.0, 110.0, 300.0])
    found = guided(Features(hz, np.full(4, -20.0), np.ones(4, bool)), np.full(4, 221.0))
    assert found.hz.tolist() == [220.0, 220.0, 220.0, 221.0]


def test_a_voice_follows_the_loudness_it_is_given() -> None:
    sound = phrases(56, 58, 80, 0.1, RATE)
    given = features(sound)
    lower = Audio(sound.samples * np.float32(10 ** (-0.8 / 20)), RATE)
    off = np.abs(loudness(followed(lower, given)) - given.loudness)
    assert np.median(off[given.loudness > -50]) < 0.05
