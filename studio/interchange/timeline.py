"""The timeline: one song as every DAW understands it, between recipes on one side and session files on the other.

Writers turn it into a format and say what that format could not carry; readers make one of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from studio.errors import RecipeError
from studio.hosting.vst3 import Control
from studio.interchange.lane import Lane, Value
from studio.score import Score
from studio.tempo import TempoMap

MASTER = "master"
"""What strips that go nowhere else go to."""

MOST_CLIPS, MOST_STRIPS = 100_000, 2_000
"""Beyond these a session is taken for damage."""

PALETTE = ("#d1495b", "#edae49", "#00798c", "#30638e", "#66a182", "#8d6a9f", "#c97b4a", "#5c8001", "#b56576", "#457b9d")
"""Colours of strips that have none, in turn."""


@dataclass(frozen=True)
class Loss:
    """Something that could not be carried: `what`, of which strip or place (`where`), and `why`."""

    what: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}"


@dataclass(frozen=True)
class Marker:
    """A name on a beat of the song."""

    beat: Fraction
    name: str


@dataclass(frozen=True)
class Treatment:
    """What a piece of audio goes through on its own, in the order of these fields.

    Attributes:
        seconds: how much of the file, from the clip's offset on, is heard.
        reverse: whether it is played backwards.
        warps: moments of that piece and where in the clip they are heard, in seconds, rising; none leaves its time.
        tape: whether the pitch follows the speed.
        semitones: how much higher it is, over the seconds of the piece where it moves.
        invert: whether its polarity is turned.
        devices: plugins of its own.
        pan: −1 left to 1 right, over the seconds of the clip where it moves.
        envelope: a factor over the seconds of the clip.
    """

    seconds: float
    reverse: bool = False
    warps: tuple[tuple[float, float], ...] = ()
    tape: bool = False
    semitones: Value = 0.0
    invert: bool = False
    devices: tuple[Device, ...] = ()
    pan: Value = 0.0
    envelope: Lane | None = None

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return self == Treatment(self.seconds)


@dataclass(frozen=True)
class AudioClip:
    """A piece of an audio file on the timeline.

    Attributes:
        file: the audio file.
        start: the frame of the song at which it begins, at the song's rate.
        frames: how long it plays, at the song's rate.
        offset: the frame of the file, at the song's rate, with which it begins.
        gain: a factor.
        fade_in, fade_out: fades at its ends, in frames.
        fade_in_shape, fade_out_shape: what a recipe calls their shapes.
        muted: whether it is silent.
        treatment: what it goes through on its own, if it does.
    """

    file: Path
    start: int
    frames: int
    offset: int = 0
    gain: float = 1.0
    fade_in: int = 0
    fade_out: int = 0
    name: str = ""
    muted: bool = False
    treatment: Treatment | None = None
    fade_in_shape: str = "linear"
    fade_out_shape: str = "linear"


@dataclass(frozen=True)
class NoteClip:
    """Notes on the timeline: `score` begins on beat `start` and is heard for `beats` beats; its tempo map is unused."""

    start: Fraction
    beats: Fraction
    score: Score = field(repr=False)
    name: str = ""


@dataclass(frozen=True)
class Motion:
    """A parameter of a plugin that moves.

    Attributes:
        id: the number by which the plugin knows it, or None where a session does not say.
        name: what the plugin calls it.
        lane: its positions from 0 to 1.
        plain: whether the lane is in the plugin's own range instead.
    """

    id: int | None
    name: str
    lane: Lane = field(repr=False)
    plain: bool = False


@dataclass(frozen=True)
class Device:
    """A plugin in a strip.

    Attributes:
        name: what a person calls it.
        format: vst3, lv2, clap, vst2 or au; builtin for what belongs to a format itself.
        id: what hosts find it by: 32 hexadecimal digits for VST3, a URI for LV2, an id for CLAP.
        state: what the plugin made of its settings: for VST3 the bytes of a .vstpreset, for CLAP those of its state.
        parameters: readable settings, by id or name, in the plugin's own range.
        instrument: whether it makes sound of notes.
        enabled: whether it is on.
        file: where it lies on this machine, if that is known.
        vendor: who made it.
        motions: its parameters that move.
        controls: all its parameters in its own order, if it is a VST3 plugin of this machine that has such as move.
        kept: what else a session holds of it, as the ending of a file and its content.
        steps: what does the same in a recipe, for what belongs to a format itself.
        sided: whether a side input of it is connected.
        side: the strip that this hears.
        mix: how much of it is heard beside what goes past it, from 0 to 1.
    """

    name: str
    format: str
    id: str
    state: bytes | None = field(default=None, repr=False)
    parameters: Mapping[str, float] = field(default_factory=dict)
    instrument: bool = False
    enabled: bool = True
    file: Path | None = None
    vendor: str = ""
    motions: tuple[Motion, ...] = ()
    controls: tuple[Control, ...] = field(default=(), repr=False)
    kept: tuple[str, bytes] | None = field(default=None, repr=False)
    steps: tuple[Mapping[str, Any], ...] = ()
    sided: bool = False
    side: str | None = None
    mix: float = 1.0


@dataclass(frozen=True)
class TimelineSend:
    """How much of a strip goes to a bus besides: a factor, before the fader or after it."""

    target: str
    level: Value = 1.0
    pre: bool = False


@dataclass(frozen=True)
class TimelineStrip:
    """One line of the mixer: a track with clips, a bus that others are sent to, or the master.

    The signal is turned round if `invert`, goes through `trim` and `trim_pan` and the devices, then the sends before the fader, volume, pan (balance: the far side is
    turned down), and then the sends after the fader and the way out.

    Attributes:
        name: unique among the strips of a timeline.
        colour: as #rrggbb.
        clips: audio clips, or note clips, not both.
        volume: a factor.
        pan: −1 left to 1 right.
        trim, trim_pan: the same before the devices.
        invert: whether its polarity is turned.
        solo: whether, with others that are solo, it is heard alone; what it goes through is heard too.
        to: the bus it goes to, or master.
    """

    name: str
    colour: str = PALETTE[0]
    clips: tuple[AudioClip | NoteClip, ...] = field(default=(), repr=False)
    devices: tuple[Device, ...] = ()
    volume: Value = 1.0
    pan: Value = 0.0
    sends: tuple[TimelineSend, ...] = ()
    mute: bool = False
    solo: bool = False
    to: str = MASTER
    trim: Value = 1.0
    trim_pan: Value = 0.0
    invert: bool = False

    @property
    def audio(self) -> tuple[AudioClip, ...]:
        """Its audio clips."""
        return tuple(clip for clip in self.clips if isinstance(clip, AudioClip))

    @property
    def notes(self) -> tuple[NoteClip, ...]:
        """Its note clips."""
        return tuple(clip for clip in self.clips if isinstance(clip, NoteClip))

    @property
    def plays_notes(self) -> bool:
        """Whether it is a track of notes."""
        return bool(self.notes)

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """What moves: volume, pan, and the level of each send by its target."""
        named = {"volume": self.volume, "pan": self.pan, **{f"send {each.target}": each.level for each in self.sends}}
        return {name: value for name, value in named.items() if isinstance(value, Lane)}


@dataclass(frozen=True)
class Timeline:
    """A song as a session.

    Attributes:
        title, author, license, comment: words about it.
        rate: of all frames in it, in Hz.
        frames: how long it is.
        tempo: tempo and meter.
        markers: by beat.
        tracks: strips with clips.
        buses: strips without, each after those that go to it or not; the order is free.
        master: the last strip.
        losses: what the recipe or the file had that is not here.
    """

    title: str = ""
    author: str = ""
    license: str = ""
    comment: str = ""
    rate: int = 44_100
    frames: int = 0
    tempo: TempoMap = field(default_factory=TempoMap)
    markers: tuple[Marker, ...] = ()
    tracks: tuple[TimelineStrip, ...] = field(default=(), repr=False)
    buses: tuple[TimelineStrip, ...] = field(default=(), repr=False)
    master: TimelineStrip = field(default_factory=lambda: TimelineStrip(MASTER), repr=False)
    losses: tuple[Loss, ...] = ()

    def __post_init__(self) -> None:
        if len(self.strips) > MOST_STRIPS:
            raise RecipeError(f"a session of {len(self.strips)} strips.", f"{MOST_STRIPS} at most.")
        clips = sum(len(strip.clips) for strip in self.tracks)
        if clips > MOST_CLIPS:
            raise RecipeError(f"a session of {clips} clips.", f"{MOST_CLIPS} at most.")
        buses = {bus.name for bus in self.buses}
        for strip in (*self.tracks, *self.buses):
            for target in (strip.to, *(send.target for send in strip.sends)):
                if target not in buses and target != MASTER:
                    raise RecipeError(f"{strip.name!r} goes to {target!r}, which is no bus of the session.")

    def with_losses(self, losses: Iterable[Loss]) -> Timeline:
        """The same, with other losses."""
        return replace(self, losses=tuple(losses))

    @property
    def strips(self) -> tuple[TimelineStrip, ...]:
        """Tracks, buses and master."""
        return (*self.tracks, *self.buses, self.master)

    @property
    def seconds(self) -> Fraction:
        """How long it is."""
        return Fraction(self.frames, self.rate)

    def beat(self, frame: int) -> Fraction:
        """The beat at a frame."""
        return self.tempo.beat_at(Fraction(frame, self.rate))

    def beyond(self, name: str, sends: bool = True) -> set[str]:
        """The buses that a strip goes to, and those they go to, with its sends or without."""
        strips = {strip.name: strip for strip in self.strips}
        passed, waiting = set[str](), [name]
        while waiting:
            strip = strips[waiting.pop()]
            ways = {strip.to, *(send.target for send in strip.sends if sends)} - {MASTER} - passed
            passed |= ways
            waiting += ways
        return passed
