"""Takes of audio as clips: loops unrolled, speeds, stretch markers, pitch, envelopes and fades followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from studio.audiofile import probe
from studio.interchange.lane import Lane, Value, product
from studio.interchange.lines import Tally, frame
from studio.interchange.reaper.chains import devices
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.takes import Fade, Take
from studio.interchange.reaper.text import Chunk
from studio.interchange.timeline import AudioClip, Loss, Treatment
from studio.sources.clips import FADES
from studio.tempo import Floats

_NEAR = 1e-9
_REVERSED = 2
_STEEPEST = 16.0
"""Speeds beyond this, or below one over it, no stretcher of the studio knows."""

_FADES = ("linear", "fast", "slow", "faster", "slower", "smooth", "smoother")
"""What a recipe calls the shapes of fades, by their numbers, by our reading."""

_FADE_POINTS = 33


@dataclass(frozen=True)
class _Piece:
    """A stretch of a source between two moments of an item, both in seconds: `at` and on it is heard from `offset` on."""

    at: float
    lasts: float
    offset: float
    spans: float


@dataclass(frozen=True)
class _Section:
    """What of a file a source plays: from a second on, for so long, backwards or not."""

    start: float
    lasts: float
    reverse: bool


def audio_clips(
    take: Take, path: Path, rate: int, envelopes: Envelopes, tally: Tally, losses: list[Loss]
) -> Iterator[AudioClip]:
    """The clips of a take whose file lies at `path`, at the rate of the song."""
    section = _section(take, path)
    moving = _Moving(take, envelopes, losses)
    markers = _markers(take, losses)
    at_rate = partial(frame, rate=rate)
    pieces = list(_pieces(take, section, markers))
    for index, piece in enumerate(pieces):
        tally.one()
        first, last = at_rate(take.start + piece.at), at_rate(take.start + piece.at + piece.lasts)
        fade_in = take.fade_in if index == 0 else None
        fade_out = take.fade_out if index == len(pieces) - 1 else None
        fades, envelope = moving.level(piece, fade_in, fade_out)
        if section.reverse:
            begin = section.start + section.lasts - piece.offset - piece.spans
        else:
            begin = section.start + piece.offset
        warps = _warps(take, piece, markers, losses)
        treatment = Treatment(
            piece.spans,
            section.reverse,
            warps,
            take.tape and bool(warps),
            moving.semitones(piece),
            take.invert,
            moving.devices,
            moving.pan(piece),
            envelope,
        )
        yield AudioClip(
            path,
            first,
            max(1, last - first),
            at_rate(begin),
            take.gain,
            at_rate(fades[0]),
            at_rate(fades[1]),
            take.name,
            take.muted,
            None if treatment.plain else treatment,
            _shape(take.fade_in) if fades[0] else "linear",
            _shape(take.fade_out) if fades[1] else "linear",
        )


def _shape(fade: Fade) -> str:
    return _FADES[fade.shape] if 0 <= fade.shape < len(_FADES) else "linear"


def _section(take: Take, path: Path) -> _Section:
    rate, _, frames = probe(path)
    whole, source = frames / rate, take.source
    if source.head.text(0) != "SECTION":
        return _Section(0.0, whole, False)
    start = min(max(0.0, source.number("STARTPOS")), whole)
    lasts = source.number("LENGTH", 0, whole)
    reverse = bool(round(source.number("MODE")) & _REVERSED)
    return _Section(start, min(lasts if lasts > 0 else whole, whole - start), reverse)


def _markers(take: Take, losses: list[Loss]) -> list[tuple[float, float]]:
    """Stretch markers: moments of the item, and of the source which is heard there, both rising."""
    found: list[tuple[float, float]] = []
    bent = False
    for line in take.chunk.lines("SM"):
        for marker in " ".join(line.all()).split("+"):
            numbers = [float(word) for word in marker.split() if _is_number(word)]
            if len(numbers) < 2:
                continue
            bent = bent or any(numbers[2:])
            found.append((numbers[0] / take.rate, numbers[1]))
    if bent:
        losses.append(Loss("slopes of stretch markers", take.name, "the speed between two markers is even here"))
    found.sort()
    rising: list[tuple[float, float]] = []
    for at, offset in found:
        if rising and (at <= rising[-1][0] + _NEAR or offset <= rising[-1][1] + _NEAR):
            losses.append(Loss("a stretch marker", take.name, "time would stand still or run backwards there"))
        else:
            rising.append((at, offset))
    return rising


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _pieces(take: Take, section: _Section, markers: list[tuple[float, float]]) -> Iterator[_Piece]:
    """What is heard of a source, in the order of time."""
    if section.lasts <= 0:
        return
    if markers:
        yield from _marked(take, section, markers)
        return
    at, offset = 0.0, take.offset
    if take.looped:
        offset %= section.lasts
    elif offset < 0:
        at, offset = -offset / take.rate, 0.0
    while at < take.length - _NEAR and offset < section.lasts - _NEAR:
        spans = min((take.length - at) * take.rate, section.lasts - offset)
        yield _Piece(at, spans / take.rate, offset, spans)
        if not take.looped:
            return
        at, offset = at + spans / take.rate, 0.0


def _marked(take: Take, section: _Section, markers: list[tuple[float, float]]) -> Iterator[_Piece]:
    """The one piece between stretch markers, as far as there is sound."""
    ats, offsets = (np.array(column) for column in zip(*markers, strict=True))
    begin, end = _along(0.0, ats, offsets, take.rate), _along(take.length, ats, offsets, take.rate)
    start, stop = max(0.0, begin), min(section.lasts, end)
    if stop > start:
        first, last = _back(start, ats, offsets, take.rate), _back(stop, ats, offsets, take.rate)
        yield _Piece(first, last - first, start, stop - start)


def _along(at: float, ats: Floats, offsets: Floats, rate: float) -> float:
    """Where in the source an instant of the item is; outside the markers at the take's own speed."""
    if at <= ats[0]:
        return float(offsets[0] - (ats[0] - at) * rate)
    if at >= ats[-1]:
        return float(offsets[-1] + (at - ats[-1]) * rate)
    return float(np.interp(at, ats, offsets))


def _back(offset: float, ats: Floats, offsets: Floats, rate: float) -> float:
    """When in the item a moment of the source is heard."""
    if offset <= offsets[0]:
        return float(ats[0] - (offsets[0] - offset) / rate)
    if offset >= offsets[-1]:
        return float(ats[-1] + (offset - offsets[-1]) / rate)
    return float(np.interp(offset, offsets, ats))


def _warps(
    take: Take, piece: _Piece, markers: list[tuple[float, float]], losses: list[Loss]
) -> tuple[tuple[float, float], ...]:
    """Moments of the piece and of the clip, if its speed is not its own."""
    inner = [
        (offset - piece.offset, at - piece.at)
        for at, offset in markers
        if _NEAR < offset - piece.offset < piece.spans - _NEAR and _NEAR < at - piece.at < piece.lasts - _NEAR
    ]
    warps = [(0.0, 0.0), *inner, (piece.spans, piece.lasts)]
    speeds = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(warps)]
    if all(abs(speed - 1) < 1e-6 for speed in speeds):
        return ()
    beyond = next((speed for speed in speeds if not 1 / _STEEPEST <= speed <= _STEEPEST), None)
    if beyond is not None:
        why = f"it is {beyond:.4g}; from 1/16 to 16 can be played: it keeps its own speed"
        losses.append(Loss("a speed", take.name, why))
        return ()
    return tuple(warps)


class _Moving:
    """What moves with a take, cut to its pieces."""

    def __init__(self, take: Take, envelopes: Envelopes, losses: list[Loss]) -> None:
        self._take, self._losses = take, losses
        chunk = take.chunk
        self._volume = self._lane(envelopes, chunk, "VOLENV")
        self._mute = self._lane(envelopes, chunk, "MUTEENV")
        self._pitch = self._lane(envelopes, chunk, "PITCHENV")
        self._pan = self._lane(envelopes, chunk, "PANENV")
        self.devices = tuple(devices(chunk, "TAKEFX", envelopes, losses, take.name))

    def _lane(self, envelopes: Envelopes, chunk: Chunk, tag: str) -> Lane | None:
        """An envelope over the seconds of the item, which it counts at the speed of the take."""
        lane = envelopes.active(chunk, tag, self._take.name)
        return lane.at_speed(self._take.rate) if lane is not None else None

    def level(
        self, piece: _Piece, fade_in: Fade | None, fade_out: Fade | None
    ) -> tuple[tuple[float, float], Lane | None]:
        """Fades that fit, in seconds, and all else that makes the piece louder or softer."""
        end = piece.at + piece.lasts
        value: Value = 1.0
        fitting = [0.0, 0.0]
        for index, fade in enumerate((fade_in, fade_out)):
            if fade is None or not fade.seconds:
                continue
            if fade.seconds <= piece.lasts + _NEAR:
                fitting[index] = fade.seconds
            else:
                value = product(value, self._bent(fade, piece, bool(index)))
        for lane in (self._volume, self._mute):
            if lane is not None:
                value = product(value, lane.mapped(lambda point: max(0.0, point)).between(piece.at, end))
        return (fitting[0], fitting[1]), value if isinstance(value, Lane) else None

    def _bent(self, fade: Fade, piece: _Piece, out: bool) -> Lane:
        """A fade over a piece, as a lane."""
        at = np.linspace(0.0, 1.0, _FADE_POINTS)
        levels = FADES[_shape(fade)](at)
        seconds = at * fade.seconds
        if out:
            return Lane(tuple((piece.lasts - fade.seconds + seconds).tolist()), tuple(levels[::-1].tolist())).between(
                0.0, piece.lasts
            )
        return Lane(tuple(seconds.tolist()), tuple(levels.tolist())).between(0.0, piece.lasts)

    def pan(self, piece: _Piece) -> Value:
        """The pan of the take, from which its envelope is taken."""
        if self._pan is None:
            return self._take.pan
        lane = self._pan.mapped(lambda point: max(-1.0, min(1.0, self._take.pan - point)))
        return lane.between(piece.at, piece.at + piece.lasts)

    def semitones(self, piece: _Piece) -> Value:
        """The interval, over the seconds of the piece of the source where it moves."""
        base = self._take.semitones
        if self._pitch is None:
            return base
        lane = self._pitch.between(piece.at, piece.at + piece.lasts).at_speed(piece.lasts / piece.spans)
        return lane.mapped(lambda point: max(-48.0, min(48.0, point + base)))
