"""Model files of strangers: checked in full before anything of their size is made, with the file and the field named."""

from __future__ import annotations

import copy
import json
import random
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from studio.context import RenderContext
from studio.errors import ModelError, Problems, StudioError
from studio.nets.autoencoder import Autoencoder, AutoencoderShape, Spectral
from studio.nets.decoder import DecoderShape, decoder
from studio.nets.ears import PROGRAMS, InstrumentClassifier, Net
from studio.nets.model_file import weights_hash, write_model
from studio.nets.vae import Vae, VaeShape, Waves
from studio.nets.voice import Voice
from studio.timbre.voices import VOICES, range_of

RANGE = {"loudness_mean": -40.0, "loudness_spread": 9.0, "lowest_octave": -1.0, "highest_octave": 2.0}
VOICE = DecoderShape(8000, 80, width=4, harmonics=3, bands=4)
SPECTRAL = AutoencoderShape(latents=2, width=4, memory=4, instruments=2, embedding=2)
VAE = VaeShape(rate=8000, bands=2, width=2, latents=2, strides=(2,))
KINDS: dict[str, tuple[Any, torch.nn.Module, dict[str, Any]]] = {
    "voice": (Voice.load, decoder(VOICE, 0), {"name": "small", "shape": VOICE.data(), **RANGE}),
    "spectral": (Spectral.load, Autoencoder(SPECTRAL), {"shape": SPECTRAL.data(), "instruments": ["a", "b"],
                 "directions": [{"name": "pitch", "spread": 1.0, "axis": [0.5, 0.5], "correlation": None}]}),
    "vae": (Waves.load, Vae(VAE), {"shape": VAE.data()}),
    "ears": (InstrumentClassifier.load, Net(3), {"classes": list(PROGRAMS)[:3], "rate": 22_050, "window": 1.0}),
}  # fmt: skip


def card_of(kind: str) -> dict[str, Any]:
    weights = KINDS[kind][1].state_dict()
    return {"kind": kind, "version": 1, **copy.deepcopy(KINDS[kind][2]), "sha256": weights_hash(weights)}


def written(path: Path, kind: str, card: Any, weights: dict[str, torch.Tensor] | None = None) -> Path:
    """A file with any card."""
    text = card if isinstance(card, str) else json.dumps(card)
    save_file(weights or dict(KINDS[kind][1].state_dict()), path, {"card": text})
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_model_of_each_kind_comes_back(kind: str, tmp_path: Path) -> None:
    load, model, card = KINDS[kind]
    write_model(tmp_path / "a.model", model.state_dict(), {"kind": kind, "version": 1, **card})
    made = load(tmp_path / "a.model")
    assert made.card["studio"] and made.card["kind"] == kind


@pytest.mark.parametrize("name", ["violin", "orchestra"])
def test_what_ships_is_still_read_and_its_range_without_torch(name: str) -> None:
    assert VOICES.load(VOICES.find(name, RenderContext())).card["version"] == 1
    lowest, highest = range_of(name, RenderContext())
    assert 20 < lowest < 60 < highest < 110


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("voice", {"shape": VOICE.data() | {"width": 40_000}}, r"shape › width\n  40000 is out of range"),
        ("voice", {"shape": VOICE.data() | {"room": 10**12}}, r"shape › room\n  1000000000000 is out of range"),
        ("voice", {"shape": VOICE.data() | {"rate": True}}, r"shape › rate\n  True is not a whole number"),
        ("voice", {"shape": {"rate": 8000}}, r"shape › hop\n  it is missing"),
        ("voice", {"shape": VOICE.data() | {"depth": 3}}, r"shape › depth\n  nothing of this name belongs here"),
        ("voice", {"shape": VOICE.data() | {"width": 5}}, r"weights › .*\n  its card and its weights do not fit: \["),
        ("voice", {"loudness_spread": 0.0}, r"loudness_spread\n  0.0 is out of range"),
        ("voice", {"lowest_octave": "low"}, r"lowest_octave\n  'low' is not a number"),
        ("voice", {"instruments": {"a": RANGE, "b": RANGE, "c": RANGE}}, r"instruments\n  3 named, and a shape for 0"),
        ("voice", {"version": 7}, r"version\n  it is a voice of format 7; Mirepoix [0-9.]+ reads format 1"),
        ("voice", {"version": 7, "studio": "3.1.0"}, r"Mirepoix 3.1.0, which wrote it, reads it"),
        ("voice", {"version": "one"}, r"version\n  it does not say which format"),
        ("voice", {"sha256": "00" * 32}, r"the weights are not those the card was written for"),
        ("spectral", {"instruments": ["a"]}, r"instruments\n  1 named, and a shape for 2"),
        ("spectral", {"shape": SPECTRAL.data() | {"memory": 9_000}}, r"shape › memory\n  9000 is out of range"),
        ("spectral", {"directions": [{"name": "x", "spread": 1.0, "axis": [1.0]}]}, r"directions › \[1\] › axis\n  1 named"),
        ("vae", {"shape": VAE.data() | {"strides": [16] * 7}}, r"shape › strides\n  it has 7 values"),
        ("vae", {"shape": VAE.data() | {"strides": 2}}, r"shape › strides\n  2 is not a list"),
        ("vae", {"shape": VAE.data() | {"bands": 100_000}}, r"shape › bands\n  100000 is out of range"),
        ("ears", {"classes": "violin"}, r"classes\n  'violin' is not a list"),
        ("ears", {"classes": ["a", "b"]}, r"weights › classes.bias\n  its card and its weights do not fit: \[3\]"),
        ("ears", {"kind": "voice"}, r"this is no ears: its card says 'voice'"),
    ],
)  # fmt: skip
def test_a_card_out_of_range_is_refused_by_file_and_field(
    kind: str, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "crafted.model", kind, card_of(kind) | change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StudioError, match=message) as caught:
        KINDS[kind][0](path)
    for single in caught.value.errors if isinstance(caught.value, Problems) else (caught.value,):
        assert isinstance(single, ModelError) and single.place is not None and single.place.file == str(path)
    # A width of 40,000 would be 19 GB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 50_000, "nested too deeply"),
        ('{"kind": "voice", "version": NaN}', "NaN is no number"),
        ('{"kind": ["voice"]}', "its card says"),
        ("5", "its card says 'nothing'"),
        ('{"kind": "voice"', "not JSON"),
        ('{"kind": "voice", "version": 1, "x": ' + "9" * 5_000 + "}", "not JSON"),
    ],
)
def test_hostile_json_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        Voice.load(written(tmp_path / "a.voice", "voice", text))


def test_weights_that_are_none_are_named(tmp_path: Path) -> None:
    weights = dict(KINDS["voice"][1].state_dict())
    for value in (float("nan"), float("inf")):
        bent = weights | {"noise.bias": torch.full((4,), value)}
        path = written(tmp_path / "nan.voice", "voice", card_of("voice") | {"sha256": weights_hash(bent)}, bent)
        with pytest.raises(
            ModelError, match=r"nan.voice  weights › noise.bias\n  the weights hold numbers that are none"
        ):
            Voice.load(path)
    whole = weights | {"noise.bias": torch.ones(4, dtype=torch.int32)}
    path = written(tmp_path / "int.voice", "voice", card_of("voice") | {"sha256": weights_hash(whole)}, whole)
    with pytest.raises(ModelError, match=r"weights › noise.bias"):
        Voice.load(path)
    more = weights | {"more": torch.ones(4)}
    path = written(tmp_path / "more.voice", "voice", card_of("voice") | {"sha256": weights_hash(more)}, more)
    with pytest.raises(ModelError, match=r"weights › more\n .*does not belong there"):
        Voice.load(path)


WILD = (None, True, -1, 0, 1, 3, 2**40, 10**30, 1e308, -1e-300, 0.5, "", "violin", "\0", [], [1], {}, {"a": 1}, [[[]]])


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_cards_are_refused_or_make_a_model(kind: str, tmp_path: Path) -> None:
    chance = random.Random(kind)
    weights = dict(KINDS[kind][1].state_dict())
    refused = 0
    for _ in range(150):
        card = card_of(kind)
        for _ in range(chance.randint(1, 3)):
            holder: Any = card
            key = chance.choice(list(holder))
            while isinstance(holder[key], (dict, list)) and holder[key] and chance.random() < 0.7:
                holder = holder[key]
                key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            if chance.random() < 0.2:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(chance.choice(WILD))
        try:
            KINDS[kind][0](written(tmp_path / "wild.model", kind, card, weights))
        except StudioError:
            refused += 1
    assert refused > 75
