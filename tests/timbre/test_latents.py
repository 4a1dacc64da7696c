"""Spectral autoencoders and what hands can do to latents."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import AudioError, KnobError, MissingError, ModelError
from studio.nets.autoencoder import RATE, AutoencoderShape, Spectral, distance, learnable, train_spectral
from studio.nets.material import phrases
from studio.steps import Transform, parse_step
from studio.timbre import compare
from studio.timbre import latents as hands
from studio.timbre.likeness import likeness
from studio.timbre.spectral import SPECTRALS, Seen
from tests.listening import null_db, sine, white

pytestmark = pytest.mark.usefixtures("processor_time")

RANDOM = np.random.default_rng(0)


@cache
def flute(seconds: float = 6.0) -> Audio:
    sound = phrases(73, 62, 82, 0.25, RATE, 31, "fluid")
    return Audio(sound.samples[:, : round(seconds * RATE)], RATE)


def orchestra() -> Spectral:
    return SPECTRALS.load(SPECTRALS.shipped()["orchestra"])


def through(knobs: object, sound: Audio, folder: Path | None = None, step: str = "latent") -> Audio:
    made = parse_step({step: knobs})
    assert isinstance(made, Transform)
    return made.apply(sound, RenderContext(sound.rate, sound.channels, folder=folder or Path()))


def test_the_shipped_model_is_small_and_better_than_pca() -> None:
    path, model = SPECTRALS.shipped()["orchestra"], orchestra()
    assert path.stat().st_size < 2_000_000 and model.card["license"] == "MIT" and model.model.shape.latents == 16
    given = learnable(flute()).float()
    made = model.model(
        given[None], model.instrument("flute").new_tensor([model.card["instruments"].index("flute")]).long()
    )
    own = float(distance(made[0][0], given).mean().detach())
    centred = (given - given.mean(dim=0)).numpy()
    axes = np.linalg.svd(centred, full_matrices=False)[2][:4]
    four = centred - centred @ axes.T @ axes
    assert own < 5.5 and own < np.sqrt(np.square(four * 40).mean(axis=1)).mean(), "PCA here even saw the sound"
    assert model.card["log_spectral_distance"] < 4.8


def test_a_flute_as_a_trumpet_keeps_its_melody_and_loudness_and_is_nearer_to_the_trumpet() -> None:
    trumpet = phrases(56, 60, 80, 0.4, RATE, 7, "fluid")
    out = through({"target": "trumpet", "method": "spectral"}, flute(), step="transfer")
    before, after = compare(flute(), flute(), trumpet), compare(out, flute(), trumpet)
    assert out.samples.shape == flute().samples.shape
    assert after.pitch_kept > 0.92 and after.loudness_db < 1.5
    assert after.log_mel_target < 0.8 * before.log_mel_target and after.ears_target < 0.8 * before.ears_target
    assert (
        null_db(
            through({"target": "trumpet", "method": "spectral", "amount": 0}, flute(), step="transfer").samples,
            flute().samples,
        )
        < -120
    )


def test_a_voice_is_a_target_of_transfer_too() -> None:
    sung = through({"target": "oboe", "method": "sing"}, flute(2.0), step="transfer")
    assert np.array_equal(sung.samples, through("oboe", flute(2.0), step="sing").samples)


def test_no_edit_gives_the_sound_back_nearly_and_other_rates_and_stereo_pass() -> None:
    out = through({"instrument": "flute"}, flute())
    figures = compare(out, flute(), flute())
    assert figures.pitch_kept > 0.93 and figures.log_mel_target < 1.5
    assert Seen(flute(), orchestra()).nearest() == "flute"
    stereo = Audio(np.concatenate([flute(1.0).samples, 0.25 * flute(1.0).samples]), 48_000)
    wide = through({"instrument": "flute"}, stereo)
    assert wide.samples.shape == stereo.samples.shape and wide.rate == 48_000
    left, right = np.sqrt(np.square(wide.samples).mean(axis=1))
    assert 20 * np.log10(left / right) == pytest.approx(12.04, abs=0.3), "the image stays"


@pytest.mark.parametrize(
    "edit",
    [{"first": 3}, {"scale": 2}, {"shift": 2}, {"shuffle": 1}, {"gate": 1.5}, {"fold": 0.5}, {"echo": 0.8},
     {"destructo": 0.7}, {"first": [["0 s", -3], ["3 s", 3]]}, {"brightness": [["0 s", -3], ["3 s", 3]]}],
)  # fmt: skip
def test_every_edit_is_heard_and_keeps_length_and_loudness(edit: dict[str, object]) -> None:
    plain, out = through({"instrument": "flute"}, flute(2.0)), through({"instrument": "flute", **edit}, flute(2.0))
    assert out.samples.shape == plain.samples.shape and np.isfinite(out.samples).all()
    assert compare(out, plain, plain).log_mel_target > 0.3
    assert np.array_equal(out.samples, through({"instrument": "flute", **edit}, flute(2.0)).samples)


def test_operators_do_what_they_say() -> None:
    given = RANDOM.standard_normal((4, 200)) * np.array([[1.0], [2.0], [3.0], [4.0]]) + 5
    mean, spread = given.mean(axis=1, keepdims=True), given.std(axis=1, keepdims=True)
    assert np.allclose(hands.scaled(given, 0), np.broadcast_to(mean, given.shape)) and np.allclose(
        hands.scaled(given, 1), given
    )
    assert np.allclose(hands.shifted(given, 2) - given, 2 * spread)
    assert np.allclose(hands.folded(given, 10), given)
    assert np.abs((hands.folded(given, 0.5) - mean) / spread).max() <= 0.5 + 1e-9
    still = hands.gated(given, 1.0)
    assert np.allclose(
        still[np.abs(given - mean) < spread], np.broadcast_to(mean, given.shape)[np.abs(given - mean) < spread]
    )
    click = np.zeros((1, 10))
    click[0, 1] = 1
    assert np.allclose((hands.echoed(click, 0.5, 3) - hands.echoed(click, 0, 3))[0, [4, 7]], [0.45, 0.225], atol=0.07)
    mixed = hands.shuffled(given, 1.0, 3)
    assert np.allclose(mixed.mean(axis=1), given.mean(axis=1)) and not np.allclose(mixed, given)
    assert np.array_equal(hands.shuffled(given, 0.0), hands.shuffled(given, 0.0)) and np.allclose(
        hands.shuffled(given, 0.0), given
    )
    assert np.array_equal(hands.destroyed(given, 0.0), given)
    assert len(np.unique(hands.destroyed(given, 0.9)[0])) < 10
    assert np.allclose(hands.between(given, given[:, :50] * 0, 1.0), 0)


def test_directions_are_found_and_named() -> None:
    bright, noise = RANDOM.standard_normal(500), RANDOM.standard_normal((3, 500))
    axis = np.array([0.6, 0.0, -0.8])
    given = axis[:, None] * bright * 3 + noise * 0.2
    found = hands.directions(given, {"brightness": bright, "nothing": RANDOM.standard_normal(500)})
    assert found.names[0] == "brightness" and found.correlations[0] > 0.95
    assert set(found.names) <= {"brightness", "nothing"} and max(found.correlations[1:]) < 0.3
    assert hands.directions(given).names == ("direction 1", "direction 2", "direction 3")
    again = hands.Directions.parse(found.data())
    assert again.names == found.names and np.allclose(again.correlations, found.correlations, atol=1e-3)
    assert np.allclose(found.axes[0], axis, atol=0.05) and found.spreads[0] == pytest.approx(3, rel=0.1)
    moved = hands.moved(given, found, 0, 1.0) - given
    assert np.allclose(moved[:, 0], axis * 3, atol=0.35)
    assert np.allclose(hands.Directions.parse(found.data()).axes, found.axes, atol=1e-4)
    names = [each["name"] for each in orchestra().card["directions"]]
    assert names[0] == "pitch", "which is what differs most from window to window"


@pytest.mark.parametrize("name", ["brightness", "pitch"])
def test_a_leaning_does_what_its_name_says(name: str) -> None:
    up, down = (through({"instrument": "flute", name: amount}, flute(2.0)) for amount in (2, -2))
    one, other = (float(np.median(Seen(each, orchestra()).descriptors()[name])) for each in (up, down))
    assert one > other + 0.1


def test_an_effect_vector_and_its_leakage() -> None:
    dry = RANDOM.standard_normal((4, 300))
    step = hands.effect_vector(dry, dry + np.array([[1.0], [0.0], [0.0], [2.0]]))
    assert np.allclose(step.vector, [1, 0, 0, 2]) and step.leakage == pytest.approx(0, abs=1e-9)
    other = hands.effect_vector(dry, dry + RANDOM.standard_normal((4, 300)))
    assert other.leakage > 0.95 and hands.effect_vector(dry, dry).leakage == 0


def test_an_effect_learned_from_one_sound_is_heard_on_another(tmp_path: Path) -> None:
    oboe = phrases(68, 60, 80, 0.1, RATE, 5, "fluid")
    dull = parse_step({"lowpass": "1 kHz"})
    from tests.listening import through as played

    wet = played(dull, oboe.samples, RenderContext(RATE, 1))  # type: ignore[arg-type]
    soundfile.write(tmp_path / "dry.wav", oboe.samples.T, RATE, "FLOAT")
    soundfile.write(tmp_path / "wet.wav", wet.T, RATE, "FLOAT")
    plain = through({"instrument": "flute"}, flute(2.0))
    out = through({"instrument": "flute", "dry": "dry.wav", "wet": "wet.wav"}, flute(2.0), tmp_path)
    one, other = (float(np.median(Seen(each, orchestra()).descriptors()["brightness"])) for each in (out, plain))
    assert one < other
    half = through({"instrument": "flute", "toward": "dry.wav", "blend": 0.5}, flute(2.0), tmp_path)
    assert compare(half, plain, plain).log_mel_target > 0.3


def test_bad_input_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    for knobs, error, words in (
        ({"model": "orchestre"}, MissingError, "orchestra"),
        ({"instrument": "flut"}, KnobError, "flute"),
        ({"instrument": "flute", "toward": "silent.wav"}, AudioError, "silent"),
        ({"instrument": "flute", "dry": "silent.wav"}, KnobError, "both"),
        ({"model": "gone.spectral"}, MissingError, "gone"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            through(knobs, flute(1.0), tmp_path)
    (tmp_path / "bad.spectral").write_bytes((SPECTRALS.shipped()["orchestra"]).read_bytes()[:-7])
    with pytest.raises(ModelError):
        through({"model": "bad.spectral"}, flute(1.0), tmp_path)
    for samples in (np.zeros((1, RATE), np.float32), white(0.5), sine(440.0, 0.1), np.ones((1, 1), np.float32)):
        out = through({"scale": 1.5}, Audio(samples, RATE))
        assert out.samples.shape == samples.shape and np.isfinite(out.samples).all()


def test_a_model_of_ones_own_learns_and_comes_back(tmp_path: Path) -> None:
    learned = {name: phrases(program, 60, 72, 0.2, RATE, 1, "fluid") for name, program in (("oboe", 68), ("choir", 52))}
    held = {name: Audio(sound.samples[:, : 2 * RATE], RATE) for name, sound in learned.items()}
    model = train_spectral(
        learned, held, 5.0, {"license": ""}, shape=AutoencoderShape(width=64, memory=48, instruments=2)
    )
    assert model.card["losses"][-1][1] < model.card["losses"][0][1]
    model.save(tmp_path / "two.spectral")
    again = Spectral.load(tmp_path / "two.spectral")
    assert again.card["instruments"] == ["oboe", "choir"]
    out = through({"model": "two.spectral", "instrument": "choir"}, held["oboe"], tmp_path)
    assert likeness(out, held["oboe"]) is not None
