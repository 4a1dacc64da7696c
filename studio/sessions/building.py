"""From a recipe to a timeline: what stays live in a DAW stays so, the rest is printed into audio files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from studio.arrangement import arrangement_of
from studio.audiofile import read_audio
from studio.engine import Cache, Engine, Plan, plan
from studio.engine.nodes import Node, Play
from studio.engine.plan import PlannedStrip as Signals
from studio.errors import within
from studio.hosting.plugin import Plugin
from studio.interchange.lane import Value, drawn
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
)
from studio.knobs import Live
from studio.levels import amplitude
from studio.recipe import Bus, Recipe, Track
from studio.rendering.manifest import slug
from studio.rendering.render import length
from studio.rendering.signal_writer import SignalWriter, Written, blocks_of, write_signal
from studio.score import Score
from studio.sessions.devices import Split, listened, split_chain
from studio.sessions.printing import Signal, print_signals
from studio.sources.clips import Clips, PlacedClip
from studio.tempo import Floats, TempoMap, Time

MIX = "printed mix"
"""The name of the track that holds the song as the studio rendered it, master chain and all."""


@dataclass(frozen=True, eq=False)
class SongSession:
    """A song ready to be written as a session.

    Attributes:
        timeline: the song; its audio clips point into a media folder.
        signals: what `print_media` writes there.
        copies: audio files that it writes there at the song's rate, and where.
        planned: what was computed.
        engine: by which.
    """

    timeline: Timeline
    signals: tuple[Signal, ...]
    copies: Mapping[Path, Path]
    planned: Plan
    engine: Engine

    def print_media(self) -> dict[Path, Written]:
        """Write the audio files that the timeline points to.

        Raises:
            StudioError: a step failed, or the disk refused.
        """
        for source, target in self.copies.items():
            audio = read_audio(source, self.timeline.rate, self.planned.context.channels)
            write_signal(SignalWriter(target, audio.rate, audio.channels, bits="32"), blocks_of(audio))
        return print_signals(self.planned, self.engine, self.signals, self.timeline.frames)


def session_of(recipe: Recipe, media: Path, *, cache: Cache | bool = True, workers: int | None = None) -> SongSession:
    """Render a recipe and lay it out as a session whose audio files are to lie in the folder `media`.

    A track becomes its sound before the fader, with fader, pan and sends live; a bus without a chain stays a bus.
    Hosted VST3 plugins at the end of a chain stay live, with their state. Chains of the studio's own steps are
    printed: of a bus with one, what it gives is a track of its own, and the sends to it are silent in the session.
    Tracks of notes are added, muted.

    Raises:
        StudioError: something in the recipe, its files or the disk.
    """
    recipe = recipe.replace(seamless=False)
    heard = plan(recipe)
    engine = Engine(Cache() if cache is True else cache or None, workers=workers)
    with recipe.placing():
        engine.run([heard.mix, heard.premaster])
        frames = length(heard, engine)
        live = _live(heard, frames)
        full = _open(recipe, heard, live)
        return _Layout(heard, full, live, engine, media, frames).session()


def _live(heard: Plan, frames: int) -> dict[str, Split]:
    """How the chain of each strip parts into what is printed and the plugins that stay live."""
    recipe = heard.settled
    ported = listened(recipe)
    split: dict[str, Split] = {}
    for where, name, strip in recipe.strips():
        chain = tuple(step for step in strip.chain if not step.bypass or isinstance(step, Plugin))
        with within(where, name) if where != MASTER else within(where):
            split[name] = Split(chain, ()) if name in ported else split_chain(chain, heard.context, frames)
    return split


def _open(recipe: Recipe, heard: Plan, live: dict[str, Split]) -> Plan:
    """The plan in which everything is heard, since a DAW shows what is muted too, and no live plugin is printed."""
    silenced = any(track.mute or track.solo for track in recipe.tracks.values())
    silenced = silenced or any(bus.mute for bus in recipe.buses.values())
    if not silenced and not any(split.live for split in live.values()):
        return heard
    settled = heard.settled
    tracks = {
        name: track.replace(mute=False, solo=False, chain=live[name].printed if live[name].live else track.chain)
        for name, track in settled.tracks.items()
    }
    buses = {name: bus.replace(mute=False) for name, bus in settled.buses.items()}
    return plan(settled.replace(tracks=tracks, buses=buses, knobs={}))


class _Layout:
    def __init__(
        self, heard: Plan, full: Plan, live: dict[str, Split], engine: Engine, media: Path, frames: int
    ) -> None:
        self.heard, self.full, self.engine, self.media, self.frames = heard, full, engine, media, frames
        self.live = live
        self.recipe, self.tempo, self.rate = heard.settled, heard.context.tempo, heard.context.rate
        self.arrangement = arrangement_of(self.tempo)
        self.losses: list[Loss] = []
        self.signals: list[Signal] = []
        self.taken: set[str] = set()
        self.copied: dict[Path, tuple[Path, int]] = {}
        self.printed_buses, self.absorbed = self._settle_buses()

    def session(self) -> SongSession:
        tracks = [self._track(name, self.recipe.tracks[name], signals) for name, signals in self.full.tracks.items()]
        for name, bus in self.recipe.buses.items():
            if name in self.printed_buses and name in self.heard.buses:
                tracks.append(self._bus_track(name, bus, self.heard.buses[name]))
        buses = [
            self._bus(name, bus) for name, bus in self.recipe.buses.items() if name in self.full.buses
            and name not in self.printed_buses
        ]  # fmt: skip
        tracks += self._note_tracks()
        master, mix = self._master()
        tracks += mix
        for name in [*self.recipe.tracks, *self.recipe.buses]:
            if name not in self.full.tracks and name not in self.full.buses:
                self.losses.append(Loss("the whole strip", name, "nothing in this song reaches it"))
        timeline = Timeline(
            title=self.recipe.title or "Song",
            author=self.recipe.author,
            license=self.recipe.license,
            comment=self.recipe.story,
            rate=self.rate,
            frames=self.frames,
            tempo=self.tempo,
            markers=self._markers(),
            tracks=tuple(tracks),
            buses=tuple(buses),
            master=master,
            losses=tuple(self.losses),
        )
        copies = {source: target for source, (target, _) in self.copied.items()}
        return SongSession(timeline, tuple(self.signals), copies, self.heard, self.engine)

    def _settle_buses(self) -> tuple[set[str], set[str]]:
        """The buses that cannot stay live, and the strips that are heard only through the print of one.

        A bus with a chain is printed. What goes to it alone would sound twice, so it is muted; and a bus that hears
        a strip that is muted for this is printed too.
        """
        strips: dict[str, Track | Bus] = {**self.recipe.tracks, **self.recipe.buses}
        printed = {
            name for name, bus in self.recipe.buses.items()
            if self.live[name].printed and name in self.heard.buses
        }  # fmt: skip
        while True:
            absorbed = {name for name, strip in strips.items() if strip.to in printed}
            more = {
                bus for name in absorbed for bus in (strips[name].to, *strips[name].send)
                if bus in self.heard.buses
            } - printed  # fmt: skip
            if not more:
                return printed, absorbed - printed
            printed |= more

    def _track(self, name: str, track: Track, signals: Signals) -> TimelineStrip:
        with within("tracks", name):
            plain = isinstance(track.play, Clips) and all(clip.plain for clip in track.play.clips)
            if isinstance(track.play, Clips) and plain and signals.pre is signals.dry and self.arrangement is None:
                clips = self._clips(track.play.clips)
            else:
                clips = (self._printed(name, signals.pre),)
                self._report_chain(name, track)
                if isinstance(track.play, Clips) and not plain:
                    self.losses.append(Loss("what is done to single clips", name, "they are printed into the audio"))
            return self._strip(name, track, name in self.heard.tracks, clips)

    def _bus_track(self, name: str, bus: Bus, signals: Signals) -> TimelineStrip:
        self.losses.append(Loss("live bus", name, "its chain is the studio's own, so what it gives is a track"))
        return replace(self._strip(name, bus, True, (self._printed(name, signals.pre),)), devices=())

    def _bus(self, name: str, bus: Bus) -> TimelineStrip:
        return self._strip(name, bus, name in self.heard.buses)

    def _strip(self, name: str, strip: Track | Bus, heard: bool, clips: tuple[AudioClip, ...] = ()) -> TimelineStrip:
        # A printed bus is a track of its own here, which solo would silence: what is silent is muted then.
        absorbed = name in self.absorbed or strip.to in self.printed_buses
        if absorbed:
            self.losses.append(Loss("its own way out", name, f"it is heard through the print of {strip.to!r}"))
        elif self.printed_buses and not heard and not strip.mute:
            self.losses.append(Loss("solo", name, "what solo silences is muted"))
        sends = []
        for bus, send in strip.send.items():
            if bus in self.printed_buses:
                self.losses.append(Loss(f"send to {bus!r}", name, f"{bus!r} is printed with it"))
            elif bus in self.full.buses:
                sends.append(TimelineSend(bus, self._level(send.level), send.pre))
        return TimelineStrip(
            name=name,
            colour=self._colour(name, strip),
            clips=clips,
            devices=self.live[name].live,
            volume=self._level(strip.volume),
            pan=self._value(strip.pan),
            sends=tuple(sends),
            mute=absorbed or (not heard if self.printed_buses else strip.mute),
            solo=isinstance(strip, Track) and strip.solo and not self.printed_buses,
            to=strip.to if strip.to in self.full.buses and strip.to not in self.printed_buses else MASTER,
        )

    def _colour(self, name: str, strip: Track | Bus) -> str:
        order = [*self.recipe.tracks, *self.recipe.buses]
        return strip.colour or PALETTE[order.index(name) % len(PALETTE)]

    def _report_chain(self, name: str, track: Track) -> None:
        steps = [step.label for step in self.live[name].printed if not step.bypass]
        if steps:
            self.losses.append(Loss(f"chain ({', '.join(steps)})", name, "it is printed into the audio"))

    def _printed(self, name: str, node: Node) -> AudioClip:
        path = self.media / f"{slug(name, self.taken)}.wav"
        self.signals.append(Signal(node, path, f"{self.recipe.title} — {name}".strip(" —"), name))
        return AudioClip(path, 0, self.frames, name=name)

    def _clips(self, clips: Sequence[PlacedClip]) -> tuple[AudioClip, ...]:
        """The pieces of a track of audio files, each of which becomes stereo at the song's rate."""
        placed = []
        for clip in clips:
            file, whole = self._media(self.heard.context.find(clip.file))
            start, beat = self.tempo.frame_of(clip.at, self.rate), self.tempo.beat_of(clip.at)
            offset = self.tempo.frame_of(clip.offset, self.rate)
            frames = whole - offset if clip.length is None else min(whole - offset, self._frames(clip.length, beat))
            if frames < 1:
                continue
            placed.append(
                AudioClip(
                    file,
                    start,
                    frames,
                    offset,
                    float(amplitude(clip.gain)),
                    min(frames, self._frames(clip.fade_in, beat)),
                    min(frames, self._frames(clip.fade_out, beat)),
                    Path(clip.file).stem,
                    clip.mute,
                    fade_in_shape=clip.fade_in_shape,
                    fade_out_shape=clip.fade_out_shape,
                )
            )
        return tuple(placed)

    def _frames(self, time: Time, beat: Fraction) -> int:
        return int(self.tempo.length_of(time, beat) * self.rate + Fraction(1, 2))

    def _media(self, path: Path) -> tuple[Path, int]:
        """Where the copy of an audio file will be, and its length."""
        if path not in self.copied:
            target = self.media / f"{slug(path.stem, self.taken)}.wav"
            self.copied[path] = target, read_audio(path, self.rate, self.heard.context.channels).frames
        return self.copied[path]

    def _note_tracks(self) -> Iterable[TimelineStrip]:
        names = {*self.recipe.tracks, *self.recipe.buses}
        for name, signals in self.full.tracks.items():
            if not isinstance(signals.dry, Play) or not signals.dry.score.events:
                continue
            score = signals.dry.score
            called = f"{name} (notes)"
            while called in names:
                called += "*"
            names.add(called)
            bars = math.ceil(self.tempo.bar_of_beat(score.beat(score.end)))
            end = self.tempo.beat_of_bar(Fraction(max(1, bars)))
            colour = self._colour(name, self.recipe.tracks[name])
            yield TimelineStrip(called, colour, (NoteClip(Fraction(0), end, _one_track(score, name), name),), mute=True)

    def _master(self) -> tuple[TimelineStrip, list[TimelineStrip]]:
        """The master and, where it does what no DAW can be told to, the printed song beside it."""
        master = self.recipe.master
        split = self.live[MASTER]
        steps = [step.label for step in master.chain if not step.bypass] if split.printed else []
        if not steps and master.loudness is None:
            return TimelineStrip(MASTER, devices=split.live, volume=self._level(master.volume)), []
        name = MIX
        while name in self.recipe.tracks or name in self.recipe.buses:
            name += "*"
        what = ", ".join([*steps, *(["loudness"] if master.loudness is not None else [])])
        self.losses.append(Loss(f"master ({what})", MASTER, f"the song with it is on the muted track {name!r}"))
        path = self.media / f"{slug(name, self.taken)}.wav"
        self.signals.append(Signal(self.heard.mix, path, self.recipe.title or name, name))
        clip = AudioClip(path, 0, self.frames, name=name)
        volume = self._level(master.volume) if not steps else 1.0
        devices = () if steps else split.live
        return TimelineStrip(MASTER, devices=devices, volume=volume), [
            TimelineStrip(name, "#888888", (clip,), mute=True)
        ]

    def _markers(self) -> tuple[Marker, ...]:
        score = self.heard.context.score
        if score is None:
            spans = self.arrangement.spans if self.arrangement is not None else ()
            return tuple(Marker(span.at, span.name) for span in spans)
        return tuple(
            Marker(score.beat(mark.tick), mark.text) for mark in score.marks if mark.kind == "marker" and mark.text
        )

    def _level(self, level: Live) -> Value:
        """A level in dB as a factor, moving or not."""
        return self._value(level, amplitude)

    def _value(self, value: Live, law: Callable[[Floats], Floats] = np.asarray) -> Value:
        """What a knob says, moving or not, by a law."""
        if isinstance(value, (int, float, str)):
            return float(law(np.array(value, dtype=np.float64)))
        return drawn(lambda seconds: law(value.values(seconds, self.tempo)), self.frames, self.rate)


def _one_track(score: Score, name: str) -> Score:
    """The events on one track that bears the name."""
    events = tuple(event._replace(track=0, port=0) for event in score.events)
    return replace(score, events=events, tracks=(name,), marks=(), tempo=TempoMap())


__all__ = ["MIX", "SongSession", "session_of"]
