"""Attributes of nn~ models, registered as the exporter of nn~ does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError, ModelError
from studio.steps import Transform, parse_step
from studio.timbre.scripted import load_scripted
from studio.trust import trust_model
from tests.listening import null_db, white

RATE = 44_100
KINDS = {bool: 0, int: 1, float: 2, str: 3}

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Driven(nn.Module):
    """A distortion with attributes of every type: a drive, four factors, a mode, a switch, and a pair of two types."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("turned_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("rms_params", torch.tensor([1, 1, 1, 1024]))
        self.drive, self.factors = (1.0,), (1.0, 0.0, 0.0, 0.0)
        self.mode, self.invert, self.crush = ("gain",), (False,), (1, 1.0)
        for name in ("drive", "factors", "mode", "invert", "crush"):
            kinds = [KINDS[type(value)] for value in getattr(self, name)]
            self.register_buffer(f"{name}_params", torch.tensor(kinds, dtype=torch.float32))

    def forward(self, sound: Tensor) -> Tensor:
        made = torch.zeros_like(sound)
        for power, factor in enumerate(self.factors):
            made = made + factor * sound.pow(power + 1)
        made = made * self.drive[0] * self.crush[0] * self.crush[1]
        if self.mode[0] == "tanh":
            made = torch.tanh(made)
        return -made if self.invert[0] else made

    @torch.jit.export
    def turned(self, sound: Tensor) -> Tensor:
        return -sound

    @torch.jit.export
    def rms(self, sound: Tensor) -> Tensor:
        return sound[:, :, ::1024]

    @torch.jit.export
    def get_drive(self) -> float:
        return self.drive[0]

    @torch.jit.export
    def set_drive(self, value: float) -> int:
        if value < 0:
            return -1
        self.drive = (value,)
        return 0

    @torch.jit.export
    def set_factors(self, one: float, two: float, three: float, four: float) -> int:
        self.factors = (one, two, three, four)
        return 0

    @torch.jit.export
    def set_mode(self, value: str) -> int:
        self.mode = (value,)
        return 0

    @torch.jit.export
    def set_invert(self, value: bool) -> int:
        self.invert = (value,)
        return 0

    @torch.jit.export
    def set_crush(self, order: int, amount: float) -> int:
        self.crush = (order, amount)
        return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("models")
    torch.jit.script(Driven().eval()).save(str(found / "driven.ts"))
    return found


SOUND = white(0.1)


def through(folder: Path, **knobs: object) -> np.ndarray:
    trust_model(folder / "driven.ts")
    step = parse_step({"torchscript": {"model": "driven.ts", **knobs}})
    assert isinstance(step, Transform)
    step.ready(RenderContext(RATE, folder=folder))
    return step.apply(Audio(SOUND, RATE), RenderContext(RATE, folder=folder)).samples


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, SOUND),
        ({"drive": 0.5}, 0.5 * SOUND),
        ({"drive": 2}, 2 * SOUND),
        ({"factors": [0, 1, 0, 0]}, SOUND**2),
        ({"mode": "tanh", "drive": 3.0}, np.tanh(3 * SOUND)),
        ({"invert": True}, -SOUND),
        ({"crush": [3, 0.5]}, 1.5 * SOUND),
    ],
    ids=str,
)
def test_attributes_are_set_by_name(folder: Path, given: dict[str, object], wanted: np.ndarray) -> None:
    assert null_db(through(folder, attributes=given), wanted) < -110
    assert null_db(through(folder), SOUND) < -110, "the next sound meets a model at rest"


def test_methods_and_attributes_are_told_apart(folder: Path) -> None:
    trust_model(folder / "driven.ts")
    model = load_scripted(folder / "driven.ts")
    assert set(model.methods) == {"forward", "turned", "rms"}
    assert model.attributes["factors"].types == (2, 2, 2, 2) and model.attributes["crush"].types == (1, 2)
    assert null_db(through(folder, method="turned"), -SOUND) < -110
    with pytest.raises(ModelError, match="from sound to sound"):
        through(folder, method="rms")
    with pytest.raises(ModelError, match="no method 'inverted'"):
        through(folder, method="inverted")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"drvie": 1.0}, "drive"),
        ({"drive": "loud"}, "not a number"),
        ({"drive": [1.0, 2.0]}, "Give 1: a number"),
        ({"factors": [1.0, 0.0]}, "Give 4"),
        ({"crush": [1.5, 1.0]}, "not a whole number"),
        ({"invert": 1}, "not a switch"),
        ({"mode": True}, "not text"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_before_it_runs(folder: Path, given: dict[str, object], words: str) -> None:
    with pytest.raises(KnobError, match=words) as caught:
        through(folder, attributes=given)
    assert "attributes" in str(caught.value) or "attributes" in str(caught.value.place)


def test_what_the_model_itself_does_not_take_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match="attribute 'drive' does not take -1"):
        through(folder, attributes={"drive": -1.0})


def test_attributes_come_back_from_a_document_and_only_nn_models_have_them(folder: Path) -> None:
    step = parse_step({"torchscript": {"model": "driven.ts", "attributes": {"crush": [2, 0.5], "mode": "tanh"}}})
    assert parse_step(step.data()) == step
    latent = parse_step({"latent": {"attributes": {"drive": 1.0}}})
    assert isinstance(latent, Transform)
    with pytest.raises(KnobError, match="only nn~ models"):
        latent.ready(RenderContext(RATE, folder=folder))
