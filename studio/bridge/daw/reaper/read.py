"""A REAPER project as a timeline; what is not understood is reported as lost."""

from __future__ import annotations

import base64
import binascii
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from studio.audiofile import probe
from studio.bridge.daw.archive import bytes_of
from studio.bridge.daw.lane import MOST_POINTS, Lane, Value
from studio.bridge.daw.ramps import from_seconds
from studio.bridge.daw.reaper.text import LARGEST_BYTES, Chunk, number, parse
from studio.bridge.daw.reaper.vst import read_vst
from studio.bridge.daw.timeline import (
    MASTER,
    MOST_CLIPS,
    PALETTE,
    AudioClip,
    Device,
    Loss,
    Marker,
    Motion,
    NoteClip,
    Send,
    Strip,
    Timeline,
)
from studio.bridge.manifest import slug
from studio.disk import writing
from studio.errors import RecipeError, StudioError
from studio.midi.files import FASTEST_BPM, FINEST_RESOLUTION, SLOWEST_BPM
from studio.score import Event, Score
from studio.tempo import Meter, Tempo, TempoMap

_AUDIO = ("WAVE", "FLAC", "MP3", "VORBIS", "OPUS")
_NEAR = 0.02
"""Beats by which a change of meter may miss its bar, since REAPER says it in seconds."""


def read_reaper(path: Path, media: Path) -> Timeline:
    """Read a project, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no project, or nothing can be made of it.
    """
    content = bytes_of(path, LARGEST_BYTES, "a project").decode("utf-8", "replace")
    return _Reader(parse(content, str(path)), path.parent, media).timeline()


@dataclass
class _Line:
    """A track in the making."""

    chunk: Chunk
    name: str
    clips: list[AudioClip] = field(default_factory=list)
    notes: list[NoteClip] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    parent: str = MASTER
    fed: bool = False


class _Reader:
    def __init__(self, root: Chunk, folder: Path, media: Path) -> None:
        self.root, self.folder, self.media = root, folder.resolve(), media
        self.losses: list[Loss] = []
        self.files: dict[str, Path | None] = {}
        self.taken: set[str] = set()
        self.clips = 0
        rate = round(root.number("SAMPLERATE", 0, 44_100))
        self.rate = rate if 8_000 <= rate <= 192_000 else 44_100
        self.tempo = self._tempo()

    def timeline(self) -> Timeline:
        lines = self._lines()
        for line in lines:
            for item in line.chunk.chunks("ITEM"):
                self._item(line, item)
        self._route(lines)
        tracks: list[Strip] = []
        buses: list[Strip] = []
        for line in lines:
            self._strips(line, tracks, buses)
        volume: Value = max(0.0, self.root.number("MASTER_VOLUME", 0, 1.0))
        volume = self._automated(self.root, "MASTERVOLENV2", volume, MASTER)
        master = Strip(MASTER, volume=volume, devices=tuple(self._devices(self.root, "MASTERFXLIST")))
        ends = [clip.start + clip.frames for line in lines for clip in line.clips]
        ends += [
            math.ceil(self.tempo.second_at(clip.start + clip.beats) * self.rate)
            for line in lines
            for clip in line.notes
        ]
        return Timeline(
            title=" ".join(self.root.line("TITLE"))[:400],
            author=" ".join(self.root.line("AUTHOR"))[:400],
            rate=self.rate,
            frames=max(ends, default=0),
            tempo=self.tempo,
            markers=tuple(self._markers()),
            tracks=tuple(tracks),
            buses=tuple(buses),
            master=master,
            losses=tuple(self.losses),
        )

    # Time ----------------------------------------------------------------------------------------------------------

    def _tempo(self) -> TempoMap:
        words = self.root.line("TEMPO")
        opening, count, unit = number(words, 0, 120.0), number(words, 1, 4), number(words, 2, 4)
        envelope = next(self.root.chunks("TEMPOENVEX", "TEMPOENV"), None)
        points = [list(line) for line in envelope.lines("PT")] if envelope is not None else []
        if len(points) > MOST_POINTS:
            raise RecipeError(f"a tempo map of {len(points)} points.", "That is no song.")
        known = [
            (number(point, 0), number(point, 1, opening), number(point, 2) == 0, round(number(point, 3)))
            for point in points
        ]
        for bpm in (opening, *(bpm for _, bpm, _, _ in known)):
            if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
                raise RecipeError(f"a tempo of {bpm:g} bpm.", f"Tempos go from {SLOWEST_BPM} to {FASTEST_BPM} bpm.")
        known = sorted((point for point in known if point[0] >= 0), key=lambda point: point[0])
        if not known or known[0][0] > 0:
            known.insert(0, (0.0, opening, False, 0))
        tempos = from_seconds([point[:3] for point in known])
        tempos = tempos or (Tempo(Fraction(0), Fraction(opening)),)
        raw = TempoMap(tempos)
        meters = [_meter(Fraction(0), count, unit)]
        for second, _, _, signature in known:
            if signature > 0:
                beat = raw.beat_at(Fraction(second))
                bar = TempoMap(meters=tuple(meters))
                whole = bar.beat_of_bar(Fraction(round(bar.bar_of_beat(beat))))
                beat = whole if abs(whole - beat) < _NEAR else beat
                meters.append(_meter(beat, signature % 65_536, signature // 65_536))
        return TempoMap(tempos, tuple(meters))

    def _beat(self, second: float) -> Fraction:
        """The beat at a second; to the hundred-thousandth, where the format's digits end."""
        beat = self.tempo.beat_at(Fraction(second))
        near = Fraction(round(beat * 96), 96)
        return near if abs(near - beat) < Fraction(1, 20_000) else beat.limit_denominator(10**6)

    def _markers(self) -> Iterable[Marker]:
        seen: set[str] = set()
        for words in self.root.lines("MARKER"):
            index, region = words[0] if words else "", number(words, 3) == 1
            if region and index in seen:
                self.losses.append(Loss("the end of a region", f"marker {index}", "a recipe has markers only"))
                continue
            if region:
                seen.add(index)
            second = number(words, 1)
            if second >= 0:
                yield Marker(self._beat(second), words[2] if len(words) > 2 else "")

    # Strips --------------------------------------------------------------------------------------------------------

    def _lines(self) -> list[_Line]:
        lines: list[_Line] = []
        taken = {MASTER}
        folders: list[str] = []
        for index, chunk in enumerate(self.root.chunks("TRACK")):
            base = " ".join(chunk.line("NAME")) or f"Track {index + 1}"
            name, count = base, 2
            while name in taken:
                name, count = f"{base} {count}", count + 1
            taken.add(name)
            line = _Line(chunk, name)
            if folders:
                line.parent = folders[-1]
                next(each for each in lines if each.name == folders[-1]).fed = True
            lines.append(line)
            kind, change = chunk.number("ISBUS", 0), round(chunk.number("ISBUS", 1))
            if kind == 1:
                folders.append(name)
            elif kind == 2:
                del folders[max(0, len(folders) + min(0, change)) :]
        return lines

    def _route(self, lines: list[_Line]) -> None:
        """Sends are written where they arrive; one at 0 dB of a track without another way out is its way out."""
        for line in lines:
            waiting: tuple[_Line, Send] | None = None
            for each in line.chunk.inside:
                if isinstance(each, Chunk) and each.tag == "AUXVOLENV" and waiting is not None:
                    source, send = waiting
                    if (lane := self._lane(each, source.name)) is not None:
                        source.sends[source.sends.index(send)] = replace(send, level=lane)
                    continue
                if not isinstance(each, list) or not each or each[0] != "AUXRECV":
                    continue
                index, mode, level = round(number(each, 1, -1)), round(number(each, 2)), number(each, 3, 1.0)
                if not 0 <= index < len(lines) or lines[index] is line:
                    self.losses.append(Loss("a send", line.name, "it comes from a track that is not there"))
                    continue
                if number(each, 5):
                    continue
                if number(each, 4):
                    self.losses.append(Loss("the pan of a send", lines[index].name, "a recipe's sends have none"))
                send = Send(line.name, max(0.0, level), mode in (1, 3))
                lines[index].sends.append(send)
                line.fed = True
                waiting = (lines[index], send)
        for line in lines:
            if line.chunk.number("MAINSEND", 0, 1):
                continue
            out = next((s for s in reversed(line.sends) if not s.pre and s.level == 1.0), None)
            if out is not None:
                line.sends.remove(out)
                line.parent = out.target
            else:
                self.losses.append(Loss("no way out", line.name, "a recipe's tracks have one: the master"))
                line.parent = MASTER

    def _strips(self, line: _Line, tracks: list[Strip], buses: list[Strip]) -> None:
        chunk = line.chunk
        volume: Value = max(0.0, chunk.number("VOLPAN", 0, 1.0))
        pan: Value = max(-1.0, min(1.0, chunk.number("VOLPAN", 1)))
        strip = Strip(
            line.name,
            _colour(chunk.number("PEAKCOL"), len(tracks) + len(buses)),
            devices=tuple(self._devices(chunk, "FXCHAIN")),
            volume=self._automated(chunk, "VOLENV2", volume, line.name),
            pan=self._automated(chunk, "PANENV2", pan, line.name),
            sends=tuple(line.sends),
            mute=bool(chunk.number("MUTESOLO", 0)),
            solo=bool(chunk.number("MUTESOLO", 1)),
            to=line.parent,
        )
        nothing = not line.clips and not line.notes
        if line.fed:
            buses.append(strip)
            if not nothing:
                tracks.append(
                    Strip(f"{line.name} (clips)", strip.colour, tuple(line.clips or line.notes), to=line.name)
                )
        elif line.clips and line.notes:
            tracks.append(replace(strip, clips=tuple(line.clips)))
            tracks.append(replace(strip, name=f"{line.name} (notes)", clips=tuple(line.notes), devices=()))
            self.losses.append(Loss("audio and notes on one track", line.name, "they become two tracks"))
        elif nothing and not strip.devices:
            buses.append(strip)
        else:
            tracks.append(replace(strip, clips=tuple(line.clips or line.notes)))

    def _automated(self, chunk: Chunk, tag: str, value: float | Lane, name: str) -> Value:
        """A fader with its envelope, which is multiplied with the fader, or for pan added to it."""
        envelope = next(chunk.chunks(tag), None)
        lane = self._lane(envelope, name) if envelope is not None and envelope.number("ACT", 0, 1) else None
        if lane is None or isinstance(value, Lane):
            return value
        if tag == "PANENV2":
            return lane.mapped(lambda point: max(-1.0, min(1.0, value - point)))
        return lane.mapped(lambda point: max(0.0, value * point))

    def _lane(self, envelope: Chunk, name: str) -> Lane | None:
        points = [words for words in envelope.lines("PT") if len(words) > 1]
        if not points:
            return None
        if len(points) > MOST_POINTS:
            self.losses.append(Loss("automation", name, f"it has {len(points)} points"))
            return None
        if any(number(words, 2) not in (0, 1) for words in points):
            self.losses.append(Loss("bent automation", name, "it is taken as straight lines"))
        found = sorted((number(words, 0), number(words, 1), number(words, 2) == 1) for words in points)
        return Lane(*(tuple(column) for column in zip(*found, strict=True)))

    def _devices(self, chunk: Chunk, tag: str) -> Iterable[Device]:
        for chain in chunk.chunks(tag):
            enabled = True
            waiting: Device | None = None
            for each in chain.inside:
                if isinstance(each, Chunk) and each.tag == "PARMENV" and waiting is not None:
                    waiting = self._moved(waiting, each)
                elif isinstance(each, list) and each and each[0] == "BYPASS":
                    enabled = not number(each, 1)
                elif isinstance(each, Chunk) and each.tag in ("VST", "AU", "CLAP", "LV2"):
                    if waiting is not None:
                        yield waiting
                    waiting = read_vst(each, enabled)
                elif isinstance(each, Chunk) and each.tag in ("JS", "DX", "VIDEO_EFFECT"):
                    what = each.words[0] if each.words else each.tag
                    self.losses.append(Loss(f"effect {what!r}", " ".join(chunk.line("NAME")), "it is REAPER's own"))
            if waiting is not None:
                yield waiting

    def _moved(self, device: Device, envelope: Chunk) -> Device:
        """The device with one more parameter that moves, called ``place:number`` and by name."""
        lane = self._lane(envelope, device.name) if envelope.number("ACT", 0, 1) else None
        low, high = number(envelope.words, 1), number(envelope.words, 2, 1.0)
        if lane is None or high <= low:
            return device
        called = envelope.words[0].partition(":")[2] if envelope.words else ""
        name = envelope.words[4].partition(" / ")[0] if len(envelope.words) > 4 else f"parameter {called}"
        moved = lane.mapped(lambda value: (value - low) / (high - low))
        motion = Motion(int(called) if called.isdecimal() else None, name, moved)
        return replace(device, motions=(*device.motions, motion))

    # Items ---------------------------------------------------------------------------------------------------------

    def _item(self, line: _Line, item: Chunk) -> None:
        self.clips += 1
        if self.clips > MOST_CLIPS:
            raise RecipeError(f"a session of more than {MOST_CLIPS} clips.", "That is no song.")
        source = next(item.chunks("SOURCE"), None)
        start, length = item.number("POSITION"), item.number("LENGTH")
        name = " ".join(item.line("NAME"))
        if source is None or length <= 0 or start < 0:
            return
        if any(words for words in item.lines("TAKE")):
            self.losses.append(Loss("takes", name or line.name, "the first one is taken"))
        offset = item.number("SOFFS")
        if source.words[:1] == ["SECTION"]:
            offset += source.number("STARTPOS")
            source = next(source.chunks("SOURCE"), source)
        rate = item.number("PLAYRATE", 0, 1.0)
        if rate != 1.0:
            self.losses.append(Loss(f"play rate {rate:g}", name or line.name, "it keeps its own speed"))
        kind = source.words[0] if source.words else ""
        if kind == "MIDI":
            self._notes(line, item, source, start, length, offset, name)
        elif kind in _AUDIO:
            self._audio(line, item, source, start, length, offset, name)
        else:
            self.losses.append(Loss(f"an item of {kind or 'nothing'}", name or line.name, "it cannot be played"))

    def _audio(
        self, line: _Line, item: Chunk, source: Chunk, start: float, length: float, offset: float, name: str
    ) -> None:
        path = self._media(" ".join(source.line("FILE")[:1]), line.name)
        if path is None:
            return
        rate, _, frames = probe(path)
        lasts, looped, at = frames / rate, bool(item.number("LOOP", 0, 1)), 0.0
        gain = item.number("VOLPAN", 0, 1.0) * item.number("VOLPAN", 2, 1.0)
        place = offset % lasts if looped else offset
        while at < length - 1e-9 and place < lasts:
            piece = min(length - at, lasts - place)
            first, last = _frame(start + at, self.rate), _frame(start + at + piece, self.rate)
            ending = at + piece >= length - 1e-9
            line.clips.append(
                AudioClip(
                    path,
                    first,
                    max(1, last - first),
                    _frame(place, self.rate),
                    abs(gain),
                    _frame(item.number("FADEIN", 1), self.rate) if at == 0 else 0,
                    _frame(item.number("FADEOUT", 1), self.rate) if ending or not looped else 0,
                    name,
                    bool(item.number("MUTE")),
                )
            )
            self.clips += 1
            if not looped or self.clips > MOST_CLIPS:
                break
            at, place = at + piece, 0.0

    def _media(self, said: str, line: str) -> Path | None:
        """The copy of an audio file of the project, or None if it cannot be had."""
        if said in self.files:
            return self.files[said]
        self.files[said] = None
        path = (self.folder / said.replace("\\", "/")).resolve()
        if not said or not path.is_relative_to(self.folder):
            why = "it lies outside the project's folder: copy it there, or save the project with its media"
            self.losses.append(Loss(f"audio file {said!r}", line, why))
            return None
        try:
            probe(path)
        except StudioError as error:
            self.losses.append(Loss(f"audio file {said!r}", line, error.cause))
            return None
        target = self.media / f"{slug(path.stem, self.taken)}{path.suffix.lower()[:8]}"
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        self.files[said] = target
        return target

    def _notes(
        self, line: _Line, item: Chunk, source: Chunk, start: float, length: float, offset: float, name: str
    ) -> None:
        resolution = round(source.number("HASDATA", 1, 960))
        if not 1 <= resolution <= FINEST_RESOLUTION or source.line("FILE"):
            self.losses.append(Loss("notes", name or line.name, "they lie in a file of their own"))
            return
        if item.number("MUTE"):
            self.losses.append(Loss(f"muted notes {name!r}", line.name, "they are left out"))
            return
        begin, end = self._beat(start), self._beat(start + length)
        skipped = round((self._beat(start) - self._beat(max(0.0, start - offset))) * resolution) if offset else 0
        tick, events = 0, list[Event]()
        for each in source.inside:
            if isinstance(each, Chunk) and each.tag in ("X", "x"):
                tick += round(number(each.words, 0))
                data = _system(each)
                if data is not None:
                    events.append(Event(max(0, tick - skipped), data))
            elif isinstance(each, list) and each and each[0] in ("E", "e", "Em", "em"):
                tick += round(number(each, 1))
                data = _message(each[2:5])
                if data is not None and "m" not in each[0] and tick >= skipped:
                    events.append(Event(tick - skipped, data))
        if events and events[-1].data[:2] == b"\xb0\x7b":
            events.pop()
        score = Score(tuple(events), resolution, tracks=(line.name,))
        line.notes.append(NoteClip(begin, end - begin, score, name))


def _message(words: list[str]) -> bytes | None:
    """The bytes of a MIDI message; programs and pressure have two."""
    try:
        data = bytes(int(word, 16) for word in words)
    except ValueError:
        return None
    if len(data) < 3 or not 0x80 <= data[0] < 0xF0 or max(data[1:]) > 127:
        return None
    return data[:2] if data[0] >> 4 in (12, 13) else data


def _system(chunk: Chunk) -> bytes | None:
    try:
        data = base64.b64decode("".join(each[0] for each in chunk.inside if isinstance(each, list)), validate=True)
    except binascii.Error:
        return None
    return data if data[:1] == b"\xf0" and data[-1:] == b"\xf7" else None


def _meter(beat: Fraction, count: float, unit: float) -> Meter:
    fits = 1 <= count <= 64 and unit in (1, 2, 4, 8, 16, 32)
    return Meter(beat, int(count), int(unit)) if fits else Meter(beat)


def _colour(said: float, index: int) -> str:
    value = int(said)
    if not value & 0x1000000:
        return PALETTE[index % len(PALETTE)]
    return f"#{value & 255:02x}{value >> 8 & 255:02x}{value >> 16 & 255:02x}"


def _frame(second: float, rate: int) -> int:
    return math.floor(second * rate + 0.5)
