"""A map of sounds: near is alike; a click plays one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from studio.audio import Audio, Block, to_channels
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.errors import AudioError
from studio.recipe.presets import presets
from studio.rendering.apply import parse_chain
from studio.rendering.player.modules import script
from studio.steps import Effect
from widgets.player import HERE, STYLE, Playing
from widgets.session import PlaybackSession
from widgets.sounds import Given

MOST = 500
"""Sounds that a map can hold."""

_BANDS = 40


class Map(Playing):
    """Sounds as points on a plane; click one to hear it, or go from one to the next with the arrow keys.

    >>> kicks = Map({path.stem: studio.read_audio(path) for path in Path("kicks").glob("*.wav")})
    >>> kicks.observe(lambda change: print(change["new"]), "chosen")
    >>> Map.of_presets(studio.read_audio("loop.wav"))

    Args:
        sounds: by name; all of one rate.
        at: where each lies, as (x, y); by likeness (principal components of their log-mel spectra) if not given.

    Attributes:
        chosen: the name of the sound that was clicked last.

    Raises:
        AudioError: no sounds, too many, or some without a place.
    """

    _esm = script(HERE / "map.js")
    _css = STYLE

    points: traitlets.List[Any] = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, sounds: Mapping[str, Audio], at: Mapping[str, Sequence[float]] | None = None, *, title: str = ""
    ) -> None:
        if len(sounds) > MOST:
            raise AudioError(f"{len(sounds)} sounds.", f"A map holds {MOST} at most.")
        given = Given(sounds)
        if at is None:
            points = likeness(list(sounds.values()))
        else:
            missing = next((name for name in sounds if name not in at), None)
            if missing is not None:
                raise AudioError(f"{missing!r} has no place on the map.", "Give (x, y) for every sound.")
            points = np.array([[float(number) for number in at[name][:2]] for name in sounds])
            if not np.isfinite(points).all():
                raise AudioError("a place that is NaN or infinite.", "Give finite numbers.")
        low, high = points.min(axis=0), points.max(axis=0)
        unit = (points - low) / np.where(high > low, high - low, 1.0)
        lengths = [audio.frames for audio in sounds.values()]
        super().__init__(rate=given.rate, title=title or "Map")
        self.points = [
            [name, round(float(x), 4), round(float(y), 4), length]
            for name, (x, y), length in zip(sounds, unit, lengths, strict=True)
        ]
        self._session = PlaybackSession(self._tell)
        self._session.play(given, draw=False)

    @classmethod
    def of_presets(cls, audio: Audio, names: Iterable[str] | None = None, *, seconds: float = 4.0) -> Map:
        """The beginning of a sound through chain presets: all there are, or those named."""
        wanted = list(names) if names is not None else [each.name for each in presets() if each.kind == "chain"]
        samples = to_channels(audio.samples, 2)[:, : round(seconds * audio.rate)]
        context = RenderContext(rate=audio.rate)
        sounds = {"dry": Audio(samples, audio.rate)}
        for name in wanted:
            effects = [step for step in parse_chain(name) if isinstance(step, Effect)]
            line, out = EffectChain(effects, context), np.zeros((2, 0), np.float32)
            for block in (samples, *[np.zeros((2, 8192), np.float32)] * 64):
                out = np.concatenate([out, line.push(block)], axis=1)
                if out.shape[1] >= samples.shape[1]:
                    break
            sounds[name] = Audio(out[:, : samples.shape[1]], audio.rate)
        return cls(sounds, title="Presets")

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("kind") == "hello":
            self._session.greet()
        elif content.get("kind") == "want":
            self._session.want(content)


def likeness(sounds: Sequence[Audio]) -> NDArray[np.float64]:
    """Places on a plane, shape (sounds, 2): what is alike lies together.

    Means and deviations over time of 40 log-mel bands, centred, on their first two principal components.
    """
    features = np.stack([_features(to_channels(audio.samples, 1)[0], audio.rate) for audio in sounds])
    centred = features - features.mean(axis=0)
    if len(sounds) < 3:
        return np.stack([np.arange(len(sounds), dtype=np.float64), np.zeros(len(sounds))], axis=1)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    points = left[:, :2] * sizes[:2]
    # Signs of components are arbitrary: the widest point always lies to the right and above.
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    return np.asarray(points * np.where(signs == 0, 1, signs))


def _features(mono: Block, rate: int) -> NDArray[np.float64]:
    from librosa.feature import melspectrogram

    padded = np.pad(mono[: 20 * rate], (0, max(0, 2048 - len(mono))))
    mel = melspectrogram(y=padded, sr=rate, n_fft=2048, hop_length=1024, n_mels=_BANDS, fmin=40.0)
    level = np.maximum(10 * np.log10(mel + 1e-10), -80.0)
    return np.concatenate([level.mean(axis=1), level.std(axis=1)])


__all__ = ["Map", "likeness"]
