"""Pieces of audio files on the timeline, as a DAW arranges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from studio.audio import Audio, Block
from studio.audiofile import read_audio, stream_audio
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.errors import Gather, RecipeError, RenderError, StudioError, within
from studio.knobs import choice, file, knob, span, switch
from studio.levels import SILENCE_DB, amplitude
from studio.records import ListOf, Nested, Parsed, Record, field
from studio.steps import Effect, Source, Step, StepCalled, StepKind, Transform
from studio.tempo import Floats, Time
from studio.typed import expect
from studio.units import DB

_BLOCK = 65_536

FADES: dict[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "fast": lambda x: 1 - (1 - x) ** 2,
    "slow": lambda x: x**2,
    "faster": lambda x: 1 - (1 - x) ** 4,
    "slower": lambda x: x**4,
    "smooth": lambda x: x * x * (3 - 2 * x),
    "smoother": lambda x: x**3 * (x * (6 * x - 15) + 10),
}
"""How far a fade has risen, from 0 to 1, at a share of its length."""


class PlacedClip(Record):
    """A piece of an audio file: `at` says where in the song it begins, `offset` where in the file.

    The file from `offset` on is warped or fitted to the tempo, and pitched; to loop it and to turn it round it is first brought to
    `length`. Then it goes through the clip's own `chain`, what comes out is cut to `length`, and gain and fades come last. Times
    and bars in `warp`, `fit` and `chain` count from the beginning of the clip.
    """

    file: str = file(help="an audio file")
    at: Time = span("0 s", help="where in the song it begins", position=True)
    offset: Time = span("0 s", help="where in the file it begins")
    length: Time | None = span(None, help="how long it plays; to the end of the file if not given")
    gain: float = knob(0.0, SILENCE_DB, 36.0, DB, help="how much louder", live=False)
    fade_in: Time = span("0 s", help="how long it comes up")
    fade_out: Time = span("0 s", help="how long it goes down")
    fade_in_shape: str = choice("linear", *FADES, help="how the level rises")
    fade_out_shape: str = choice("linear", *FADES, help="the same for how it falls, read backwards")
    warp: Parsed[Step | None] = field(
        StepCalled(step="warp", help="its moments on bars of the clip: [[0 s, 0 bars], [2.1 s, 1 bar]]")
    )
    fit: Parsed[Step | None] = field(StepCalled(step="fit", help="so many bars of it, whatever its own tempo: 2"))
    pitch: Parsed[Step | None] = field(StepCalled(step="pitch", help="how much higher: 3 st"))
    reverse: bool = switch(False, help="play it backwards")
    loop: bool = switch(False, help="play it again and again until its length is over")
    mute: bool = switch(False, help="leave it out")
    chain: tuple[Step, ...] = field(
        ListOf(each=StepKind(kinds=("effect", "transform")), help="what this piece alone goes through")
    )

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article."""
        return "a clip"

    def __post_init__(self) -> None:
        super().__post_init__()
        with within("offset"):
            if self.offset.musical:
                raise RecipeError(f"an offset of {self.offset}.", "A file is measured in seconds.")
        if self.loop and self.length is None:
            with within("loop"):
                raise RecipeError("a clip that loops without end.", "Write its `length`.")
        if self.warp is not None and self.fit is not None:
            with within("fit"):
                raise RecipeError("a clip that is warped and fitted.", "Keep one of them.")
        for index, step in enumerate(self.chain):
            for inner in (step, *step.inner()):
                for port, _ in inner.ports():
                    with within("chain", index, inner.label, port):
                        raise RecipeError(
                            "a single clip hears no other track.", "Put the step into the chain of the track."
                        )

    @property
    def shaping(self) -> tuple[tuple[str, Step], ...]:
        """The steps in front of its chain, each with the field that it stands in."""
        named = (("warp", self.warp), ("fit", self.fit), ("pitch", self.pitch))
        return tuple((name, step) for name, step in named if step is not None)

    @property
    def plain(self) -> bool:
        """Whether it is a piece of its file as it is, but for level and fades."""
        return not (self.chain or self.shaping or self.reverse or self.loop)


class Clips(Source):
    """Play pieces of audio files at their places in the song; where they overlap, they add up.

    Files are resampled to the song's rate and fitted to its channels.
    """

    clips: tuple[PlacedClip, ...] = field(ListOf(each=Nested(of=PlacedClip), help="the pieces"))

    version = 2
    libraries = ("soundfile", "soxr")

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        gather, found = Gather(), dict[str, Path]()
        for index, clip in enumerate(self.clips):
            if clip.file not in found:
                with gather, within("clips", index, "file"):
                    found[clip.file] = context.find(clip.file)
        gather.done()
        yield from found.values()

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        gather, sound = Gather(), set[str]()
        for index, clip in enumerate(self.clips):
            if clip.file not in sound:
                with gather, within("clips", index, "file"):
                    next(stream_audio(context.find(clip.file)))
                    sound.add(clip.file)
        gather.done()

    def inner(self) -> Iterator[Step]:
        """The steps it holds, depth first."""
        for clip in self.clips:
            for step in (*(step for _, step in clip.shaping), *clip.chain):
                yield step
                yield from step.inner()

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        times = (time for clip in self.clips for time in (clip.at, clip.length, clip.fade_in, clip.fade_out) if time)
        return any(time.musical for time in times) or super().follows_tempo()

    def read(self, context: RenderContext) -> Iterator[Block]:
        """The sound in blocks of shape (channels, frames) of any length."""
        waiting = sorted(
            (
                (context.tempo.frame_of(clip.at, context.rate), index, clip)
                for index, clip in enumerate(self.clips)
                if not clip.mute
            ),
            key=lambda piece: piece[0],
        )
        sounding: list[tuple[int, Block]] = []
        position = 0
        while waiting or sounding:
            while waiting and waiting[0][0] < position + _BLOCK:
                start, index, clip = waiting.pop(0)
                with within("clips", index):
                    sounding.append((start, _sound(clip, context)))
            block = np.zeros((context.channels, _BLOCK), np.float32)
            last = 0
            for start, samples in sounding:
                begin, end = max(start, position), min(start + samples.shape[1], position + _BLOCK)
                if end > begin:
                    block[:, begin - position : end - position] += samples[:, begin - start : end - start]
                    last = max(last, end - position)
            position += _BLOCK
            sounding = [(start, samples) for start, samples in sounding if start + samples.shape[1] > position]
            yield block if waiting or sounding else block[:, :last]


def _sound(clip: PlacedClip, context: RenderContext) -> Block:
    """The samples of one clip, cut, faded and at its level."""
    whole = read_audio(context.find(clip.file), context.rate, context.channels).samples
    first = context.tempo.frame_of(clip.offset, context.rate)
    beat = context.tempo.beat_of(clip.at)

    def frames(time: Time) -> int:
        return int(context.tempo.length_of(time, beat) * context.rate + 0.5)

    origin = context.find(clip.file) if first == 0 else None
    own = replace(context, song_frame=int, origin=origin, tempo=context.tempo.behind(beat))
    piece = whole[:, first:]
    for name, step in clip.shaping:
        with within(name):
            piece, own = _through(step, piece, own), replace(own, origin=None)
    if clip.length is not None and (clip.loop or clip.reverse):
        length, own = frames(clip.length), replace(own, origin=None)
        if clip.loop and piece.shape[1]:
            piece = np.tile(piece, -(-length // piece.shape[1]))
        piece = piece[:, :length]
    if clip.reverse:
        piece = piece[:, ::-1]
    for index, step in enumerate(clip.chain):
        with within("chain", index, step.label):
            piece, own = _through(step, piece, own), replace(own, origin=None)
    if clip.length is not None:
        piece = piece[:, : frames(clip.length)]
    gains = np.full(piece.shape[1], amplitude(clip.gain))
    fade_in, fade_out = (min(piece.shape[1], frames(fade)) for fade in (clip.fade_in, clip.fade_out))
    if fade_in:
        gains[:fade_in] *= FADES[clip.fade_in_shape](np.arange(fade_in) / fade_in)
    if fade_out:
        gains[-fade_out:] *= FADES[clip.fade_out_shape](np.arange(fade_out, 0, -1) / fade_out)
    return np.asarray(piece * gains, dtype=np.float32)


def _through(step: Step, piece: Block, context: RenderContext) -> Block:
    """A sound through a step whose time begins with it; effects keep its length."""
    if step.bypass or not piece.shape[1]:
        return piece
    if isinstance(step, Effect):
        return _processed(step, piece, context)
    try:
        return expect(Transform, step).apply(Audio(piece, context.rate), context).samples
    except StudioError:
        raise
    except Exception as error:
        raise RenderError(f"the step failed: {error}", "Change its knobs, or bypass it.") from error


def _processed(effect: Effect, piece: Block, context: RenderContext) -> Block:
    """An effect on a sound, its latency made up for."""
    line, frames = EffectChain([effect], context), piece.shape[1]
    done, given = [], 0
    for start in range(0, frames, _BLOCK):
        done.append(line.push(piece[:, start : start + _BLOCK]))
        given += done[-1].shape[1]
    while given < frames:
        done.append(line.push(np.zeros((context.channels, _BLOCK), np.float32)))
        given += done[-1].shape[1]
    return np.concatenate(done, axis=1)[:, :frames]


__all__ = ["Clips", "PlacedClip"]
