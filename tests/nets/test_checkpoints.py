"""What was learned is gone on with by what it was learned from, and a damaged state costs a remark and a new beginning."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from studio.errors import Interrupted, OutputError
from studio.nets import training as nets_training
from studio.nets.checkpoint import Checkpoint
from studio.nets.ears import InstrumentClassifier, Net
from studio.nets.material import phrases
from studio.nets.training import TrainingProgress, train
from studio.nets.voice import Voice
from studio.provenance import Asset, Component
from studio.training.checkpoints import checkpoint_path, sound_hash
from studio.training.ears import EarsTraining
from studio.training.instruments import TrainingSource
from studio.training.protocol import learn
from studio.training.voices import VoiceTraining

RATE = 16_000


@pytest.fixture(scope="module")
def flute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "flute"
    folder.mkdir()
    soundfile.write(folder / "a.wav", phrases(73, 62, 80, 0.2, RATE, 1).samples.T, RATE)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "training"


def trained(
    folder: Path, seconds: float = 1.0, seed: int = 0, out: str = "mine.voice"
) -> tuple[dict[str, object], str]:
    said: list[str] = []
    source = TrainingSource(Path(out).stem, str(folder))
    learn(VoiceTraining((source,), seconds, RATE, seed=seed), Path(out), say=said.append)
    return Voice.load(Path(out)).card, "\n".join(said)


def test_a_finished_training_is_not_done_again_and_goes_on_with_more_time(flute: Path, cache: Path) -> None:
    first, said = trained(flute)
    assert "steps of" in said and first["trained_seconds"] == pytest.approx(1.0, abs=1.0)
    again, said = trained(flute)
    assert "done already" in said and again["steps"] == first["steps"] and again["sha256"] == first["sha256"]
    longer, said = trained(flute, 2.0)
    assert "goes on" in said and longer["steps"] > first["steps"]  # type: ignore[operator]
    assert longer["losses"][: len(first["losses"])] == first["losses"]  # type: ignore[index, arg-type]
    assert len(list(cache.glob("*.checkpoint"))) == 1


def test_the_sound_decides_and_not_what_its_folder_is_called(
    flute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folders of one relative name went on with each other's training."""
    first, _ = trained(flute)
    moved = tmp_path / "elsewhere" / "flute"
    moved.mkdir(parents=True)
    (moved / "renamed.wav").write_bytes((flute / "a.wav").read_bytes())
    monkeypatch.chdir(moved.parent)
    same, said = trained(Path("flute"), out="other.voice")
    assert "done already" in said and same["sha256"] == first["sha256"]
    other = np.roll(soundfile.read(moved / "renamed.wav")[0], 1000) * 0.9
    soundfile.write(moved / "renamed.wav", other, RATE)
    changed, said = trained(Path("flute"), out="other.voice")
    assert "The sounds are others than when other.voice was trained last: it begins anew." in said
    assert "goes on" not in said and changed["sha256"] != first["sha256"]
    _, said = trained(Path("flute"), seed=1, out="other.voice")
    assert "The settings are others than when other.voice was trained last" in said


@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "text", "head", "later", "shape", "nan", "open"])
def test_a_state_that_cannot_be_used_is_set_aside_with_a_remark(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "half.checkpoint"
    model = Net(3)
    kept = Checkpoint(path)
    progress = nets_training.train(model, _loss(model), lambda: 1.0, 1e-9, checkpoint=kept)
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[-200] ^= 1
    elif damage == "cut":
        content = content[:-100]
    elif damage == "empty":
        content = bytearray()
    elif damage == "text":
        content = bytearray(b"hello")
    elif damage in ("head", "later"):
        head, _, rest = bytes(content).partition(b"\n")
        change = {"checkpoint": 4, "studio": "9.9"} if damage == "later" else {"seconds": "many"}
        content = bytearray(json.dumps(json.loads(head) | change).encode() + b"\n" + rest)
    elif damage == "nan":
        weights = model.state_dict() | {"classes.bias": torch.full((3,), float("nan"))}
        state = {"model": weights, "best": weights, "progress": vars(progress), "optimiser": {}}
        kept.keep("training", state, 1.0)
        content = bytearray(path.read_bytes())
    path.write_bytes(content)
    if damage == "open":
        path.chmod(0o666)
    said: list[str] = []
    again = Checkpoint(path, say=said.append)
    fitting = Net(4) if damage == "shape" else Net(3)
    assert again.state("training", fitting) is None and again.seconds == 0
    assert len(said) == 1 and "set aside" in said[0] and "begins anew" in said[0]
    assert damage != "later" or "Mirepoix 9.9, which wrote it, reads it" in said[0]
    assert not path.exists() and path.with_suffix(".set-aside").exists()
    assert train(fitting, _loss(fitting), lambda: 1.0, 1e-9, checkpoint=again).steps == 1


def _loss(model: Net):  # type: ignore[no-untyped-def]
    return lambda step: model(torch.rand(1, 64, 44, generator=torch.Generator().manual_seed(step))).square().mean()


def test_a_stop_in_the_first_phase_finds_a_state(flute: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training began with a fifth of its time in which nothing was kept."""
    monkeypatch.setattr(nets_training, "KEEP_SECONDS", 0.0)
    keep = Checkpoint.keep
    phases: list[str] = []

    def stopping(self: Checkpoint, phase: str, state: dict[str, object], seconds: float) -> None:
        keep(self, phase, state, seconds)  # type: ignore[arg-type]
        phases.append(phase)
        if len(phases) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "keep", stopping)
    with pytest.raises(Interrupted, match="stopped"):
        trained(flute, 2.0)
    assert phases == ["harmonics"] and len(list(cache.glob("*.checkpoint"))) == 1
    _, said = trained(flute, 2.0)
    assert "goes on" in said and "sound" in phases


def test_a_cache_that_cannot_be_written_costs_a_remark_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    said: list[str] = []
    model = Net(3)
    kept = Checkpoint(tmp_path / "file" / "half.checkpoint", say=said.append)
    train(model, _loss(model), lambda: 1.0, 0.05, checkpoint=kept, every=0.001)
    assert len(said) == 1 and "cannot be kept" in said[0]


def test_another_library_is_remarked_and_the_work_is_kept(tmp_path: Path) -> None:
    path, said = tmp_path / "half.checkpoint", list[str]()
    Checkpoint(path, [Component("library", "torch", "1.0")]).keep("training", {}, 7.0)
    again = Checkpoint(path, [Component("library", "torch", "2.0")], said.append)
    assert again.seconds == 7.0 and said == ["What is gone on with was learned with torch 1.0."]


def test_places_go_by_content_and_old_ones_are_forgotten(tmp_path: Path, cache: Path) -> None:
    said: list[str] = []
    sounds = [sound_hash(np.full((1, 9), level, np.float32).data) for level in (0.1, 0.2)]
    assert len(set(sounds)) == 2

    def place(*hashes: str, **settings: object) -> Path:
        return checkpoint_path(
            tmp_path / "a.voice", ".voice", [Asset("x", each) for each in hashes], settings, said.append
        )

    assert place(sounds[0]) == place(sounds[0]) != place(sounds[1])
    assert place(*sounds) != place(*reversed(sounds)) != place(*sounds, seed=1)
    assert not said, "nothing was learned yet that could not be gone on with"
    old = cache / "old.checkpoint"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    place(sounds[0])
    assert not old.exists()


def test_progress_says_all_seconds() -> None:
    assert TrainingProgress(seconds=3.0, before=1.0).card()["trained_seconds"] == 4.0


def test_ears_go_on_too(cache: Path, tmp_path: Path) -> None:
    """They had no checkpoint, no estimate and any ending."""
    said: list[str] = []
    training = EarsTraining(0.3, "gm", each=3.0, programs=("flute", "harpsichord", "choir"))
    first = learn(training, Path("mine.ears"), say=said.append)
    again = learn(training, Path("mine.ears"), say=said.append)
    assert "steps of" in said[0] and "done already" in said[1] and first["right"] == again["right"]
    assert InstrumentClassifier.load(tmp_path / "mine.ears").card["steps"] == first["steps"]
    with pytest.raises(OutputError, match=r"mine\.ears"):
        learn(training, Path("mine.model"))
