"""A set of Ableton Live as a timeline: tempo, tracks, clips of the arrangement, notes, mixer and names; the rest is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from studio.audiofile import probe
from studio.errors import MissingError, RecipeError
from studio.interchange.archive import bytes_of
from studio.interchange.beats import check_tempo, meant
from studio.interchange.lines import Tally, TrackBuilder, frame, last_frame
from studio.interchange.live.accounts import lost
from studio.interchange.media import Media, copy_of
from studio.interchange.names import unique
from studio.interchange.numbers import GZIP, at, inflated, number, number_at
from studio.interchange.relink import HERE, Relink, Where
from studio.interchange.safe_xml import LARGEST_BYTES, parse_xml
from studio.interchange.timeline import (
    MASTER,
    PALETTE,
    AudioClip,
    Loss,
    Marker,
    NoteClip,
    Timeline,
    TimelineSend,
    TimelineStrip,
    Treatment,
)
from studio.score import Note, Score
from studio.tempo import Meter, Tempo, TempoMap

RATE = 44_100
TICKS = 960
_SILENT_SEND = 0.0004
"""What Live writes for a send that is turned down all the way, and a little more."""

_MOST_PASSES = 10_000


def read_live(path: Path, media: Path, where: Where = HERE) -> Timeline:
    """Read a set, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no set of Live 9 or later, or nothing can be made of it.
    """
    content = bytes_of(path, LARGEST_BYTES, "a set")
    root = parse_xml(inflated(content, path.name, GZIP) if content[:2] == b"\x1f\x8b" else content, path.name)
    live = root.find("LiveSet")
    if root.tag != "Ableton" or live is None:
        raise RecipeError(f"{path.name} is no set of Ableton Live.", "Save it again in Live.")
    return _Set(live, path, media, where).timeline()


class _Set:
    def __init__(self, live: Element, path: Path, media: Path, where: Where) -> None:
        self._live, self._path = live, path
        self._losses: list[Loss] = []
        self._media, self._relink = Media(media, self._losses), Relink(path.parent, where)
        self._taken, self._tally, self._colours = {MASTER}, Tally(), count()
        main = live.find("MainTrack")
        self._master = main if main is not None else live.find("MasterTrack")

    def timeline(self) -> Timeline:
        self._tempo = self._clock()
        tracks = list(self._live.iterfind("Tracks/*"))
        self._names = {id(track): self._name(track) for track in tracks}
        groups = {track.get("Id", ""): self._names[id(track)] for track in tracks if track.tag == "GroupTrack"}
        returns = [self._names[id(track)] for track in tracks if track.tag == "ReturnTrack"]
        found, buses = list[TimelineStrip](), list[TimelineStrip]()
        for track in tracks:
            strip = self._strip(track, groups, returns)
            if track.tag in ("GroupTrack", "ReturnTrack"):
                buses.append(strip)
                continue
            builder = TrackBuilder(strip.name)
            for clip in self._clips(track, strip.name):
                (builder.notes if isinstance(clip, NoteClip) else builder.clips).append(clip)  # type: ignore[arg-type]
            found += builder.tracks(strip, self._losses)
        volume = number_at(self._mixer(self._master), "Volume/Manual", 1.0)
        self._losses += lost(self._live)
        return Timeline(
            title=self._path.stem,
            rate=RATE,
            frames=last_frame(found, self._tempo, RATE),
            tempo=self._tempo,
            markers=tuple(self._markers()),
            tracks=tuple(found),
            buses=tuple(buses),
            master=TimelineStrip(MASTER, volume=max(0.0, volume)),
            losses=tuple(self._losses),
        )

    def _mixer(self, track: Element | None) -> Element | None:
        return track.find("DeviceChain/Mixer") if track is not None else None

    def _clock(self) -> TempoMap:
        mixer = self._mixer(self._master)
        bpm = number_at(mixer, "Tempo/Manual", 120.0)
        check_tempo(bpm)
        # A meter is one number in Live: its count and the power of two of its unit.
        code = int(number_at(mixer, "TimeSignature/Manual", 201))
        meter = Meter(Fraction(0), code % 99 + 1, 2 ** min(5, max(0, code // 99)))
        return TempoMap((Tempo(Fraction(0), Fraction(bpm).limit_denominator(10**6)),), (meter,))

    def _markers(self) -> Iterator[Marker]:
        for locator in self._live.iterfind("Locators/Locators/Locator"):
            yield Marker(meant(Fraction(max(0.0, number_at(locator, "Time", 0.0)))), at(locator, "Name"))

    def _name(self, track: Element) -> str:
        return unique(at(track, "Name/EffectiveName") or at(track, "Name/UserName") or track.tag, self._taken)

    def _strip(self, track: Element, groups: dict[str, str], returns: list[str]) -> TimelineStrip:
        name, mixer = self._names[id(track)], self._mixer(track)
        target = at(track, "DeviceChain/AudioOutputRouting/Target", "AudioOut/Main")
        to = groups.get(at(track, "TrackGroupId", "-1"), MASTER) if target == "AudioOut/GroupTrack" else MASTER
        if target not in ("AudioOut/GroupTrack", "AudioOut/Main", "AudioOut/Master"):
            self._losses.append(Loss(f"the way out {target!r}", name, "it goes to the master"))
        sends = []
        holders = mixer.iterfind("Sends/TrackSendHolder") if mixer is not None else ()
        for holder, bus in zip(holders, returns, strict=False):
            level = number_at(holder, "Send/Manual", 0.0)
            if level > _SILENT_SEND and bus != name:
                sends.append(TimelineSend(bus, level, pre=at(holder, "Pre", "false") == "true"))
        for device in track.iterfind("DeviceChain/DeviceChain/Devices/*"):
            called = at(device, "PluginDesc/VstPluginInfo/PlugName") or at(device, "PluginDesc/Vst3PluginInfo/Name")
            self._losses.append(Loss(f"the device {called or device.tag!r}", name, "its settings are Live's own"))
        return TimelineStrip(
            name,
            PALETTE[next(self._colours) % len(PALETTE)],
            volume=max(0.0, number_at(mixer, "Volume/Manual", 1.0)),
            pan=max(-1.0, min(1.0, number_at(mixer, "Pan/Manual", 0.0))),
            sends=tuple(sends),
            mute=at(mixer, "Speaker/Manual", "true") == "false",
            solo=at(mixer, "SoloSink", "false") == "true" or at(mixer, "Solo/Manual", "false") == "true",
            to=to,
        )

    def _clips(self, track: Element, name: str) -> Iterator[AudioClip | NoteClip]:
        sequencer = track.find("DeviceChain/MainSequencer")
        for way in ("ClipTimeable/ArrangerAutomation/Events", "Sample/ArrangerAutomation/Events"):
            for clip in sequencer.iterfind(f"{way}/*") if sequencer is not None else ():
                self._tally.one()
                if clip.tag == "MidiClip":
                    yield from self._notes(clip)
                elif clip.tag == "AudioClip":
                    yield from self._audio(clip, name)

    def _span(self, clip: Element) -> tuple[Fraction, Fraction]:
        begin = number_at(clip, "CurrentStart", number(clip, "Time", 0.0))
        return meant(Fraction(max(0.0, begin))), meant(Fraction(max(0.0, number_at(clip, "CurrentEnd", begin))))

    def _passes(self, clip: Element, long: float) -> Iterator[tuple[float, float, float]]:
        """What of the content is heard: (where in the clip, from where in the content, for how long), looped or not."""
        loop = clip.find("Loop")
        low, high = number_at(loop, "LoopStart", 0.0), number_at(loop, "LoopEnd", long)
        start = low + number_at(loop, "StartRelative", 0.0)
        if at(loop, "LoopOn", "false") != "true" or high <= low:
            yield 0.0, start, long
            return
        place = 0.0
        for _ in range(_MOST_PASSES):
            if place >= long - 1e-9:
                return
            piece = min(long - place, max(1e-3, high - start))
            yield place, start, piece
            place, start = place + piece, low

    def _notes(self, clip: Element) -> Iterator[NoteClip]:
        begin, end = self._span(clip)
        long, notes = float(end - begin), []
        if at(clip, "Disabled", "false") == "true" or long <= 0:
            return
        lines = [
            (int(number_at(line, "MidiKey", -1)), event)
            for line in clip.iterfind("Notes/KeyTracks/KeyTrack")
            for event in line.iterfind("Notes/MidiNoteEvent")
            if event.get("IsEnabled", "true") == "true"
        ]
        for place, start, piece in self._passes(clip, long):
            for pitch, event in lines:
                first = number(event, "Time", 0.0)
                if not (start - 1e-9 <= first < start + piece - 1e-9 and 0 <= pitch <= 127):
                    continue
                sounding = min(number(event, "Duration", 0.25), start + piece - first)
                tick = round((place + first - start) * TICKS)
                velocity = min(127, max(1, round(number(event, "Velocity", 100.0))))
                notes.append(Note(tick, max(tick + 1, tick + round(sounding * TICKS)), pitch, velocity, 0, 0))
        if notes:
            score = Score((), TICKS, end=round(long * TICKS)).with_notes(sorted(notes))
            yield NoteClip(begin, end - begin, score, at(clip, "Name"))

    def _audio(self, clip: Element, track: str) -> Iterator[AudioClip]:
        begin, end = self._span(clip)
        where = at(clip, "Name") or track
        said = at(clip, "SampleRef/FileRef/RelativePath") or at(clip, "SampleRef/FileRef/Path")
        absolute = at(clip, "SampleRef/FileRef/Path")
        file = self._media.audio(said, where, lambda name: self._found(name, absolute))
        first, last = (frame(self._tempo.second_at(beat), RATE) for beat in (begin, end))
        if file is None or last <= first:
            return
        rate, _, frames = probe(file)
        whole, warped = frames / rate, at(clip, "IsWarped", "false") == "true"
        seconds_of = self._warp(clip) if warped else (lambda content: content)
        beat = float(self._tempo.second_at(Fraction(1)))
        long = float(end - begin) if warped else (last - first) / RATE
        semitones = number_at(clip, "PitchCoarse", 0.0) + number_at(clip, "PitchFine", 0.0) / 100
        muted = at(clip, "Disabled", "false") == "true"
        for place, start, piece in self._passes(clip, long):
            here = first + frame(place * (beat if warped else 1.0), RATE)
            heard = [max(0.0, min(whole, seconds_of(content))) for content in (start, start + piece)]
            played = piece * (beat if warped else 1.0)
            if heard[1] - heard[0] < 1 / rate or played <= 0:
                continue
            if not warped:
                played = min(played, heard[1] - heard[0])
            warps = () if abs(heard[1] - heard[0] - played) < 1e-4 else ((0.0, 0.0), (heard[1] - heard[0], played))
            treatment = Treatment(heard[1] - heard[0], warps=warps, semitones=semitones)
            yield AudioClip(
                file,
                here,
                max(1, frame(played, RATE)),
                frame(heard[0], RATE),
                max(0.0, number_at(clip, "SampleVolume", 1.0)),
                name=where,
                muted=muted,
                treatment=None if treatment.plain else treatment,
            )

    def _found(self, said: str, absolute: str) -> Callable[[Path], object]:
        try:
            return copy_of(self._relink.find(said))
        except MissingError:
            return copy_of(self._relink.find(absolute or said))

    def _warp(self, clip: Element) -> Callable[[float], float]:
        """Seconds of the file by beats of the clip: straight between its markers, and on beyond them."""
        marks = sorted(
            {
                number(mark, "BeatTime", 0.0): number(mark, "SecTime", 0.0)
                for mark in clip.iterfind("WarpMarkers/WarpMarker")
            }.items()
        )
        if len(marks) < 2:
            return lambda beats: float(self._tempo.second_at(Fraction(max(0.0, beats))))
        if len(marks) > 2:
            self._losses.append(
                Loss("inner warp markers", at(clip, "Name") or "clip", "it is stretched evenly between its ends")
            )
        beats, seconds = np.array(marks).T

        def second(beat: float) -> float:
            index = int(np.clip(np.searchsorted(beats, beat) - 1, 0, len(beats) - 2))
            slope = (seconds[index + 1] - seconds[index]) / (beats[index + 1] - beats[index])
            return float(seconds[index] + (beat - beats[index]) * slope)

        return second
