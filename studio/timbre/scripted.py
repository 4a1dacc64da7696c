"""Models that others exported as TorchScript: RAVE and nn~ files, by their public contract.

Such a file has methods, each with a buffer ``<method>_params`` of four numbers: channels in, frames of sound for each
frame in, channels out, frames of sound for each frame out. `encode` goes from sound to latents, `decode` back, `forward`
from sound to sound. What can be set on it are attributes (see there). TorchScript is a program: a file is only opened when the user trusts its content (`studio.trust`), and runs in a
process of its own, in a sandbox where the system has one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Audio, Block
from studio.errors import ModelError, Place
from studio.foreign import ForeignProcess
from studio.remarks import remark
from studio.sandbox import protection
from studio.tempo import Floats
from studio.timbre.attributes import Attribute, Value, checked
from studio.timbre.torch_library import need_torch
from studio.trust import require_trust

ENDING = ".ts"

MOST_CHANNELS, MOST_RATIO = 4096, 1 << 16

_PATIENCE, _SLOWEST = 120.0, 100.0
"""Seconds that a model is given to load or to begin, and for a second of sound."""


@dataclass(frozen=True)
class Method:
    """What a method takes and gives: channels, and how many frames of sound one frame stands for."""

    channels_in: int
    ratio_in: int
    channels_out: int
    ratio_out: int


@dataclass(frozen=True, eq=False)
class Scripted:
    """A model somebody exported; `rate` is 0 where it does not say.

    Attributes:
        attributes: what can be set on it.
        settings: what is.
    """

    path: Path
    sha256: str
    methods: dict[str, Method]
    rate: int
    attributes: dict[str, Attribute] = field(default_factory=dict)
    settings: dict[str, list[Value]] = field(default_factory=dict)

    def with_attributes(self, given: Mapping[str, Any]) -> Scripted:
        """The same with attributes set, at every run.

        Raises:
            KnobError: it has no such attribute, or does not take the value.
        """
        return replace(self, settings=checked(self.attributes, given))

    @property
    def unit(self) -> int:
        """Frames of sound that pieces are a multiple of: `forward` tells no ratio, but has those of its halves inside."""
        return int(
            np.lcm.reduce([ratio for each in self.methods.values() for ratio in (each.ratio_in, each.ratio_out)])
        )

    @property
    def latents(self) -> int:
        """How many numbers `encode` gives for a frame."""
        return self.methods["encode"].channels_out

    def sound(self, audio: Audio, piece: float = 0.0, name: str = "forward") -> Audio:
        """A sound through a method, channel by channel where it takes one; as long as the sound.

        Raises:
            ModelError: it has no such method, or one that does not go from sound to sound.
        """
        method = self.sounding(name)
        samples = resampled(audio, self.rate)
        made = np.concatenate([self._run(name, part, piece) for part in _fitted(samples, method.channels_in)])
        return Audio(back(made, self.rate or audio.rate, audio), audio.rate)

    def encode(self, audio: Audio, piece: float = 0.0) -> list[Floats]:
        """The latents of each channel, ``(latents, frames)``."""
        method = self._method("encode")
        return [
            self._run("encode", part, piece).astype(np.float64)
            for part in _fitted(resampled(audio, self.rate), method.channels_in)
        ]

    def decode(self, latents: list[Floats], like: Audio, piece: float = 0.0) -> Audio:
        """The sound of latents, of the rate, channels and length of another."""
        self._method("decode")
        made = np.concatenate([self._run("decode", part, piece) for part in latents])
        return Audio(back(made, self.rate or like.rate, like), like.rate)

    def sounding(self, name: str) -> Method:
        """A method that goes from sound to sound.

        Raises:
            ModelError: it has no such method, or one that gives no sound.
        """
        method = self._method(name)
        if method.ratio_in != method.ratio_out:
            raise ModelError(
                f"its {name!r} goes from a number for {method.ratio_in} frames of sound to one for {method.ratio_out}.",
                "Give a method from sound to sound.", place=Place(str(self.path)),
            )  # fmt: skip
        return method

    def _method(self, name: str) -> Method:
        if name not in self.methods:
            listed = ", ".join(self.methods) or "none"
            raise ModelError(f"the model has no method {name!r}.", f"It has: {listed}.", place=Place(str(self.path)))
        return self.methods[name]

    def _run(self, name: str, given: Block | Floats, piece: float) -> Block:
        """One signal ``(channels, frames)`` through a method of a model at rest, in pieces of some seconds or whole."""
        method = self.methods[name]
        unit = self.unit // method.ratio_in
        frames = given.shape[1]
        padded = np.pad(given, ((0, 0), (0, -frames % unit))).astype(np.float32)
        step = (
            max(unit, round(piece * (self.rate or 44_100) / method.ratio_in) // unit * unit)
            if piece
            else padded.shape[1]
        )
        request = {
            "do": "run", "method": name, "channels": len(padded), "step": step, "gives": method.channels_out,
            "ratio_in": method.ratio_in, "ratio_out": method.ratio_out, "attributes": self.settings,
        }  # fmt: skip
        whole = padded.shape[1] * method.ratio_in // method.ratio_out
        seconds = _PATIENCE + _SLOWEST * padded.shape[1] * method.ratio_in / (self.rate or 44_100)
        with _MODELS.lent(self.path, self.sha256) as model:
            _, made = model.ask(request, padded, seconds, method.channels_out * whole)
        made = made.reshape(-1, whole) if whole else made.reshape(method.channels_out, 0)
        if len(made) != method.channels_out or not np.isfinite(made).all():
            raise ModelError(f"its {name!r} gave numbers that are none.", place=Place(str(self.path)))
        return made[:, : -(-frames * method.ratio_in // method.ratio_out)]


def load_scripted(path: Path) -> Scripted:
    """Look at a model that somebody exported, in a process of its own.

    Raises:
        ModelError: the user has not said that it may run (`studio trust`), or it is no such model.
        MissingError: torch is not installed.
    """
    digest = require_trust(path)
    if find_spec("torch") is None:
        need_torch()
    with _MODELS.lent(path, digest) as model:
        said, _ = model.ask({"do": "look"}, np.zeros(0, np.float32), _PATIENCE, 0)
    methods = {}
    try:
        for name, numbers in said["methods"].items():
            methods[str(name)] = _method(name, [int(number) for number in numbers])
        attributes = {
            str(name): Attribute(tuple(int(kind) for kind in types)) for name, types in said["attributes"].items()
        }
        rate = int(said["rate"])
    except ModelError as error:
        error.place = Place(str(path))
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError("the model says nothing sensible of itself.", place=Place(str(path))) from None
    if not methods:
        raise ModelError(
            "the model names no methods.", "Give one exported for nn~, with `encode_params` or `forward_params`.",
            place=Place(str(path)),
        )  # fmt: skip
    if rate and not 1_000 <= rate <= 768_000:
        raise ModelError(f"its rate is {rate} Hz.", place=Place(str(path)))
    return Scripted(path, digest, methods, rate, attributes)


def _method(name: str, numbers: list[int]) -> Method:
    if len(numbers) != 4 or min(numbers) < 1 or max(numbers[::2]) > MOST_CHANNELS or max(numbers[1::2]) > MOST_RATIO:
        raise ModelError(f"{name + '_params'!r} says {numbers}, which is no method.")
    return Method(*numbers)


class _Model:
    """A process with one model in it; one asks at a time."""

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256, self.broken = path, sha256, False
        if not protection():
            remark(f"{path.name} is a program and runs with all your rights: this system has no sandbox for it.")
        program = "from studio.nets.torchscript_worker import main; main()"
        self._process = ForeignProcess(program, str(path.absolute()), sha256)

    def ask(self, request: dict[str, Any], given: Block, seconds: float, most: int) -> tuple[dict[str, Any], Block]:
        """What the model answers, and the numbers that come with it.

        Args:
            seconds: it is given.
            most: numbers it may give.

        Raises:
            ModelError: it crashed, hung, or failed.
        """
        line = self._process.line
        place = Place(str(self.path))
        try:
            # A process that is gone is told of when its answer is missed.
            with contextlib.suppress(OSError):
                line.send_bytes(json.dumps(request).encode())
                line.send_bytes(np.ascontiguousarray(given, np.float32).tobytes())
            if not line.poll(seconds):
                self.close()
                raise ModelError(f"the model did not answer within {seconds:.0f} s and was stopped.", place=place)
            answer = json.loads(line.recv_bytes(1 << 20))
            if "error" in answer:
                line.recv_bytes(4)
                raise ModelError(str(answer["error"])[:600], place=place)
            return answer, np.frombuffer(line.recv_bytes(4 * most + 4), np.float32)
        except (EOFError, OSError):
            how, words = self._process.how_it_ended(), " ".join(self._process.words()[-400:].split())
            self.close()
            said = f" Its last words: {words!r}." if words else ""
            raise ModelError(f"the model crashed ({how}).{said}", place=place) from None
        except ModelError:
            raise
        except (ValueError, TypeError, RecursionError):
            self.close()
            raise ModelError("the model gave an answer that is none.", place=place) from None
        except BaseException:
            # Interrupted in the middle: the answer would be taken for that of the next question.
            self.close()
            raise

    def close(self) -> None:
        """End the process."""
        self.broken = True
        self._process.close()


class _Models:
    """Processes with models in them, which stay warm; the one idle for longest goes first."""

    def __init__(self, idle: int = 2) -> None:
        self._most, self._idle = idle, list[_Model]()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lent(self, path: Path, sha256: str) -> Iterator[_Model]:
        """One with the model, for a while."""
        with self._lock:
            warm = next((model for model in reversed(self._idle) if model.sha256 == sha256), None)
            if warm is not None:
                self._idle.remove(warm)
        model = warm or _Model(path, sha256)
        model.path = path
        try:
            yield model
        finally:
            if not model.broken:
                with self._lock:
                    self._idle.append(model)
                    surplus = self._idle[: -self._most]
                    del self._idle[: len(surplus)]
                for old in surplus:
                    old.close()

    def close(self) -> None:
        """End all that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for model in idle:
            model.close()


_MODELS = _Models()
atexit.register(_MODELS.close)


def resampled(audio: Audio, rate: int) -> Block:
    """All channels at a rate; 0 is any."""
    if rate in (0, audio.rate):
        return audio.samples
    import soxr

    return np.asarray(soxr.resample(audio.samples.T, audio.rate, rate).T, np.float32)


def back(made: Block, rate: int, like: Audio) -> Block:
    """At the rate, of the channels and as long as another sound."""
    sound = resampled(Audio(np.asarray(made, np.float32), rate), like.rate)
    if len(sound) != like.channels:
        sound = np.repeat(sound.mean(axis=0, keepdims=True), like.channels, axis=0)
    sound = sound[:, : like.frames]
    return np.pad(sound, ((0, 0), (0, like.frames - sound.shape[1])))


def _fitted(samples: Block, channels: int) -> list[Block]:
    """The signals that a model of so many channels is given: each channel alone, or all of them."""
    if channels == 1:
        return [channel[None] for channel in samples]
    if channels == len(samples):
        return [samples]
    return [np.repeat(samples.mean(axis=0, keepdims=True), channels, axis=0)]
