"""Models that others exported as TorchScript, here exported by the tests themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import ModelError, RecipeError
from studio.steps import Transform, parse_step
from studio.timbre import scripted
from studio.timbre.scripted import Method, load_scripted
from studio.trust import revoke_trust, trust_model
from tests.listening import null_db, rms_db, sine, white

RATE = 44_100

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Codec(nn.Module):
    """A codec of the public contract: sixteen frames of sound are a frame of sixteen latents; it may remember."""

    def __init__(self, rate: int = RATE, late: bool = False, ratio: int = 16) -> None:
        super().__init__()
        self.ratio, self.late = ratio, late
        self.register_buffer("encode_params", torch.tensor([1, 1, ratio, ratio]))
        self.register_buffer("decode_params", torch.tensor([ratio, ratio, 1, 1]))
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("sampling_rate", torch.tensor(rate))
        self.register_buffer("kept", torch.zeros(1, 1, ratio))

    @torch.jit.export
    def encode(self, sound: Tensor) -> Tensor:
        return sound.reshape(sound.shape[0], -1, self.ratio).transpose(1, 2)

    @torch.jit.export
    def decode(self, latents: Tensor) -> Tensor:
        made = latents.transpose(1, 2).reshape(latents.shape[0], 1, -1)
        if self.late:
            whole = torch.cat([self.kept, made], dim=2)
            self.kept = whole[:, :, whole.shape[2] - self.ratio :]
            return whole[:, :, : made.shape[2]]
        return made

    def forward(self, sound: Tensor) -> Tensor:
        return self.decode(self.encode(sound))


class Broken(Codec):
    def forward(self, sound: Tensor) -> Tensor:
        return sound[:, :, :-1]


class Failing(Codec):
    def forward(self, sound: Tensor) -> Tensor:
        return sound + torch.zeros(3, 3, 3)


class Nothing(Codec):
    def forward(self, sound: Tensor) -> Tensor:
        return sound / 0.0


def saved(path: Path, model: nn.Module) -> Path:
    torch.jit.script(model.eval()).save(str(path))
    trust_model(path)
    return path


def through(name: str, sound: Audio, folder: Path, **knobs: object) -> Audio:
    step = parse_step({"torchscript": {"model": name, **knobs}})
    assert isinstance(step, Transform)
    return step.apply(sound, RenderContext(sound.rate, sound.channels, folder=folder))


def test_a_file_is_read_by_its_contract_and_sound_goes_through(tmp_path: Path) -> None:
    model = load_scripted(saved(tmp_path / "codec.ts", Codec()))
    assert model.methods["encode"] == Method(1, 1, 16, 16) and model.latents == 16 and model.rate == RATE
    for channels, frames in ((1, 16_000), (2, 10_007)):
        sound = Audio(white(1.0, channels=channels)[:, :frames], RATE)
        assert null_db(through("codec.ts", sound, tmp_path).samples, sound.samples) < -120
    half = through("codec.ts", sound, tmp_path, mix=0.5)
    assert null_db(half.samples, sound.samples) < -120


@pytest.mark.parametrize("piece", [0, 1, 100])
def test_streamed_is_as_in_one_go_and_every_channel_begins_anew(tmp_path: Path, piece: int) -> None:
    saved(tmp_path / "late.ts", Codec(late=True))
    sound = Audio(white(0.5), RATE)
    out = through("late.ts", sound, tmp_path, piece=piece).samples
    assert null_db(out[:, 16:], sound.samples[:, :-16]) < -120 and not out[:, :16].any()


def test_a_model_of_another_rate_is_fed_at_its_own(tmp_path: Path) -> None:
    saved(tmp_path / "slow.ts", Codec(rate=22_050))
    sound = Audio(sine(440.0, 1.0), RATE)
    out = through("slow.ts", sound, tmp_path)
    assert out.rate == RATE and out.samples.shape == sound.samples.shape
    assert null_db(out.samples[:, 2000:-2000], sound.samples[:, 2000:-2000]) < -60


def test_without_forward_it_is_encoded_and_decoded(tmp_path: Path) -> None:
    model = Codec()
    del model.forward_params
    saved(tmp_path / "two.ts", model)
    sound = Audio(white(0.2), RATE)
    assert null_db(through("two.ts", sound, tmp_path).samples, sound.samples) < -120


def test_latents_of_such_a_model_can_be_edited(tmp_path: Path) -> None:
    saved(tmp_path / "codec.ts", Codec())
    sound = Audio(white(0.5), RATE)
    step = parse_step({"latent": {"model": "codec.ts", "scale": 0.5}})
    assert isinstance(step, Transform)
    out = step.apply(sound, RenderContext(RATE, folder=tmp_path))
    assert rms_db(out.samples) - rms_db(sound.samples) == pytest.approx(-6.02, abs=0.1)


def test_nothing_is_opened_that_the_user_does_not_trust(tmp_path: Path) -> None:
    path = saved(tmp_path / "codec.ts", Codec())
    sound, context = Audio(white(0.1), RATE), RenderContext(RATE, folder=tmp_path)
    revoke_trust(str(path))
    for words in ({"torchscript": {"model": "codec.ts"}}, {"latent": {"model": "codec.ts"}}):
        step = parse_step(words)
        assert isinstance(step, Transform)
        with pytest.raises(ModelError, match=f"studio trust {path}"):
            step.apply(sound, context)
        with pytest.raises(ModelError, match="may run"):
            list(step.assets(context))


@pytest.mark.parametrize("step", ["torchscript", "latent"])
@pytest.mark.parametrize("claim", [True, False])
def test_a_document_that_claims_trust_is_told_whose_business_that_is(step: str, claim: bool) -> None:
    with pytest.raises(RecipeError, match=r"(?s)trusted.*only you can.*studio trust codec\.ts"):
        parse_step({step: {"model": "codec.ts", "trusted": claim}})


class Burglar(Codec):
    """Writes a file when a sound goes through, and reads one."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, sound: Tensor) -> Tensor:
        return sound + 0 * torch.from_file(self.path, True, 16).fill_(1).sum()


def test_a_model_that_writes_files_is_stopped_but_in_its_scratch(tmp_path: Path) -> None:
    there = tmp_path / "there.txt"
    there.write_text("x" * 64)
    for name, path in (("new", tmp_path / "new.txt"), ("there", there)):
        saved(tmp_path / f"{name}.ts", Burglar(str(path)))
        with pytest.raises(ModelError, match="Permission denied"):
            through(f"{name}.ts", Audio(white(0.1), RATE), tmp_path)
    assert not (tmp_path / "new.txt").exists() and there.read_text() == "x" * 64
    saved(tmp_path / "scratch.ts", Burglar("notes"))
    sound = Audio(white(0.1), RATE)
    assert null_db(through("scratch.ts", sound, tmp_path).samples, sound.samples) < -120


def test_a_model_that_is_exchanged_while_it_is_opened_is_not_run(tmp_path: Path) -> None:
    path = saved(tmp_path / "codec.ts", Codec())
    model = load_scripted(path)
    saved(path, Codec(ratio=32))
    scripted._MODELS.close()
    with pytest.raises(ModelError, match="changed while"):
        model.sound(Audio(white(0.1), RATE))


def test_a_model_that_breaks_its_word_is_named(tmp_path: Path) -> None:
    saved(tmp_path / "broken.ts", Broken())
    saved(tmp_path / "failing.ts", Failing())
    saved(tmp_path / "nothing.ts", Nothing())
    nameless = nn.Identity()
    saved(tmp_path / "nameless.ts", nameless)
    greedy = Codec()
    greedy.forward_params = torch.tensor([1, 1, 1, 2**30])
    saved(tmp_path / "greedy.ts", greedy)
    mad = Codec()
    mad.sampling_rate = torch.tensor(3)
    saved(tmp_path / "mad.ts", mad)
    (tmp_path / "text.ts").write_text("no model")
    (tmp_path / "cut.ts").write_bytes((tmp_path / "broken.ts").read_bytes()[:2000])
    trust_model(tmp_path / "text.ts")
    trust_model(tmp_path / "cut.ts")
    sound = Audio(white(0.1), RATE)
    for name, words in (
        ("broken", "promises"), ("failing", "failed"), ("nothing", "none"), ("nameless", "no methods"),
        ("greedy", "no method"), ("mad", "3 Hz"), ("text", "no TorchScript"), ("cut", "no TorchScript"),
    ):  # fmt: skip
        with pytest.raises(ModelError, match=words):
            through(f"{name}.ts", sound, tmp_path)


def test_a_tenth_of_a_second_and_silence_come_through(tmp_path: Path) -> None:
    saved(tmp_path / "codec.ts", Codec(ratio=2048))
    for samples in (white(0.01), np.zeros((2, 500), np.float32), np.ones((1, 1), np.float32)):
        assert through("codec.ts", Audio(samples, RATE), tmp_path).samples.shape == samples.shape
