"""Comparing sounds: one at a time at one loudness, blind, and what is left when one is taken from the other."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from studio.audio import Audio, Block, to_channels
from studio.engine.loudness import measure
from studio.errors import AudioError
from studio.levels import amplitude, decibels
from studio.rendering.player.modules import script
from studio.rendering.render import Result
from widgets.player import HERE, STYLE, Playing
from widgets.session import PlaybackSession
from widgets.sounds import Given, sounds_of

X, DIFFERENCE = "X", "difference"
BANDS = 48


@dataclass(frozen=True)
class Trial:
    """One question of a blind test: which of the pair X was, and what was answered."""

    was: str
    answer: str

    @property
    def right(self) -> bool:
        """Whether the answer was right."""
        return self.was == self.answer


def chance(right: int, trials: int) -> float:
    """The probability of so many right answers or more by tossing a coin."""
    return float(sum(math.comb(trials, count) for count in range(right, trials + 1)) / 2**trials)


class Compare(Playing):
    """Two or more sounds behind one play button, with a blind ABX test of the first two, and their difference.

    >>> versus = Compare(before="loop.wav", after=result.mix)
    >>> versus.null_db, versus.trials

    Args:
        sounds: audio, results or files by name; those of another rate are refused.
        match: play all of them at the loudness (BS.1770) of the quietest.

    Attributes:
        trials: the answers of the blind test so far.
        null_db: the peak of the difference of the first two as they are, in dBFS.
        spectrum_db: (Hz, dB) by how much the second is louder than the first, in bands of a third of an octave or less.

    Raises:
        StudioError: fewer than two sounds, or some that cannot be compared.
    """

    _esm = script(HERE / "compare.js")
    _css = STYLE

    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    score = traitlets.Dict().tag(sync=True)

    def __init__(self, *, match: bool = True, **sounds: object) -> None:
        if len(sounds) < 2:
            raise AudioError("there is nothing to compare.", "Give two sounds by name: Compare(dry=…, wet=…).")
        given = Given({name: _audio(sound) for name, sound in sounds.items()})
        frames, rate = given.frames, given.rate
        self._sounds = {
            name: np.pad(to_channels(audio.samples, 2), ((0, 0), (0, frames - audio.frames)))
            for name, audio in given.sounds.items()
        }
        loudness = {name: measure(Audio(samples, rate)).integrated for name, samples in self._sounds.items()}
        heard = [level for level in loudness.values() if math.isfinite(level)]
        self._gains = {
            name: min(heard) - level if match and math.isfinite(level) else 0.0 for name, level in loudness.items()
        }
        one, other = list(self._sounds.values())[:2]
        self.null_db = decibels(float(np.abs(one - other).max(initial=0.0)))
        self.spectrum_db = _tilt(one, other, rate)
        self.trials: list[Trial] = []
        self._x = secrets.choice((0, 1))
        super().__init__(rate=rate, title="Compare", names=list(sounds))
        self.facts = {
            "null": self.null_db if math.isfinite(self.null_db) else None,
            "gains": [round(gain, 1) for gain in self._gains.values()],
            "spectrum": [list(point) for point in self.spectrum_db],
        }
        self._session = PlaybackSession(self._tell)
        self._ask()

    def answer(self, name: str) -> None:
        """Say which of the first two X is; the next X is drawn."""
        pair = self.names[:2]
        if name not in pair:
            raise AudioError(f"X is one of {' and '.join(pair)}, not {name!r}.")
        self.trials.append(Trial(pair[self._x], name))
        self._x = secrets.choice((0, 1))
        self._ask()

    def reveal(self) -> dict[str, Any]:
        """The result: how many were right of how many, and how likely that is by chance."""
        right = sum(trial.right for trial in self.trials)
        self.score = {
            "trials": len(self.trials),
            "right": right,
            "chance": chance(right, len(self.trials)),
            "table": [[trial.was, trial.answer] for trial in self.trials],
        }
        return dict(self.score)

    def _ask(self) -> None:
        """Lay out the sounds, X among them under that name only."""
        gains = {name: float(amplitude(gain)) for name, gain in self._gains.items()}
        played = {name: Audio(samples * gains[name], self.rate) for name, samples in self._sounds.items()}
        one, other = list(self._sounds.values())[:2]
        hidden = played[self.names[self._x]]
        self._session.play(Given({**played, X: hidden, DIFFERENCE: Audio(one - other, self.rate)}))
        self.score = {"trials": len(self.trials)}

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        kind = content.get("kind")
        if kind == "hello":
            self._session.greet()
        elif kind == "want":
            self._session.want(content)
        elif kind == "answer" and content.get("is") in self.names[:2]:
            self.answer(str(content["is"]))
        elif kind == "reveal":
            self.reveal()


def compare(sounds: Mapping[str, object] | None = None, *, match: bool = True, **named: object) -> Compare:
    """Compare sounds by name; see `Compare`."""
    return Compare(match=match, **{str(name): sound for name, sound in {**(sounds or {}), **named}.items()})


def _audio(sound: object) -> Audio:
    if isinstance(sound, Audio):
        return sound
    if isinstance(sound, Result):
        return sound.mix
    if isinstance(sound, (str, Path)):
        given = sounds_of(sound)
        return Audio(given.read(0, 0, given.frames), given.rate)
    raise AudioError(f"a {type(sound).__name__} cannot be compared.", "Give studio.Audio, a Result or a file.")


def _tilt(one: Block, other: Block, rate: int) -> list[tuple[float, float]]:
    """The long-term spectrum of the second against the first, in bands equally wide in octaves."""
    from scipy.signal import welch

    edges = np.geomspace(30.0, min(18_000.0, rate / 2), BANDS + 1)
    levels = []
    for samples in (one, other):
        hertz, power = welch(samples.mean(axis=0), rate, nperseg=min(16_384, max(256, samples.shape[1])))
        bands = [power[(hertz >= low) & (hertz < high)] for low, high in pairwise(edges)]
        levels.append([float(band.mean()) if len(band) else math.nan for band in bands])
    points = []
    for (low, high), before, after in zip(pairwise(edges), *levels, strict=True):
        if before > 1e-14 and after > 1e-14:
            points.append((round(float(np.sqrt(low * high)), 1), round(10 * math.log10(after / before), 2)))
    return points
