"""A project of LMMS as a timeline: tempo, tracks, clips, notes, mixer and names; the rest is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element

from studio.audiofile import probe
from studio.errors import RecipeError
from studio.interchange.accounts import losses_of
from studio.interchange.archive import bytes_of
from studio.interchange.beats import check_tempo
from studio.interchange.lines import Tally, frame, last_frame
from studio.interchange.media import Media, copy_of
from studio.interchange.names import unique
from studio.interchange.numbers import ZLIB, inflated, number
from studio.interchange.relink import HERE, Relink, Where
from studio.interchange.safe_xml import LARGEST_BYTES, consume, parse_xml, quiet, used
from studio.interchange.timeline import (
    MASTER,
    PALETTE,
    AudioClip,
    Loss,
    NoteClip,
    Timeline,
    TimelineSend,
    TimelineStrip,
)
from studio.interchange.xml_accounts import Silent, leftovers
from studio.score import Event, Note, Score
from studio.tempo import Meter, Tempo, TempoMap

RATE = 44_100
TICKS = 48
"""Of LMMS, in a quarter note."""

_INSTRUMENT, _PATTERNS, _SAMPLES = "0", "1", "2"
_STEP = 12
"""Ticks of a step; so long is a note that has no length of its own."""

_SILENT = Silent(
    elements=frozenset(
        {
            "timeline", "pianoroll", "automationeditor", "projectnotes", "ControllerRackView", "controllers", "keyboard",
            "eldata", "midiport", "scales", "keymaps", "time",
        }
    ),
    hollow=frozenset({"automationpattern", "automationclip", "automationtrack", "trackcontainer", "track", "bbtrack", "key"}),
    attributes=frozenset(
        {
            "x", "y", "width", "height", "visible", "minimized", "maximized", "color", "trackheight", "id", "metadata",
            "steps", "type", "name", "num", "icon", "version", "creator", "creatorversion", "creatorplatform",
            "creatorplatformtype", "frozen", "autoresize", "usecustomclipcolor", "usestyle", "mutedBeforeSolo",
            "usemasterpitch", "pitchrange", "sample_rate", "scale_type", "first_pitch", "instrumenttrack enablecc",
            "numofeffects", "enabled", "mixch", "fxch",
        }
    ),
    usual={
        "instrumenttrack pitch": ("0",), "instrumenttrack basenote": ("57", "69"), "head masterpitch": ("0",),
        "note pan": ("0",), "note type": ("0", "1"), "sampletco reversed": ("0",), "sampleclip reversed": ("0",),
        "fxchannel soloed": ("0",), "mixerchannel soloed": ("0",),
    },
    owners=frozenset({"track", "fxchannel", "mixerchannel"}),
    called={"automationpattern": "automation", "automationclip": "automation", "detuning": "a bend of a note"},
)  # fmt: skip
"""What LMMS keeps of its windows, and what says the default."""


def read_lmms(path: Path, media: Path, where: Where = HERE) -> Timeline:
    """Read a project, packed or not, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no project of LMMS, or nothing can be made of it.
    """
    content = bytes_of(path, LARGEST_BYTES, "a project")
    if path.suffix.lower() == ".mmpz":
        # Qt packs with the size in front of it.
        content = inflated(content[4:], path.name, ZLIB)
    root = parse_xml(content, path.name)
    song = root.find("song")
    if root.tag not in ("lmms-project", "multimedia-project") or song is None:
        raise RecipeError(f"{path.name} is no project of LMMS.", "Open and save it there.")
    return _Project(root, song, path, media, where).timeline()


class _Project:
    def __init__(self, root: Element, song: Element, path: Path, media: Path, where: Where) -> None:
        self._root, self._song, self._path = root, song, path
        self._losses: list[Loss] = []
        self._media, self._relink = Media(media, self._losses), Relink(path.parent, where)
        self._taken, self._tally, self._colours = {MASTER}, Tally(), count()
        # From 1.3 on clips are called clips, and keys are those of MIDI; before, A4 was 57.
        self._newer = next(root.iter("midiclip"), None) is not None

    def timeline(self) -> Timeline:
        head = self._root.find("head")
        bpm = self._setting(head, "bpm", 140.0)
        check_tempo(bpm)
        meter = Meter(
            Fraction(0),
            min(64, max(1, int(self._setting(head, "timesig_numerator", 4)))),
            int(self._setting(head, "timesig_denominator", 4)),
        )
        if meter.unit not in (1, 2, 4, 8, 16, 32):
            meter = Meter(Fraction(0))
        self._bar = meter.bar
        self._tempo = TempoMap((Tempo(Fraction(0), Fraction(bpm).limit_denominator(1000)),), (meter,))
        self._channels = self._mixer()
        tracks = tuple(self._tracks())
        main = self._channels.pop("0", None)
        volume = self._setting(head, "mastervol", 100.0) / 100
        master = TimelineStrip(
            MASTER, volume=volume * (main.volume if main and isinstance(main.volume, float) else 1.0)
        )
        self._losses += losses_of(leftovers(self._root, _SILENT))
        return Timeline(
            title=self._path.stem,
            rate=RATE,
            frames=last_frame(tracks, self._tempo, RATE),
            tempo=self._tempo,
            tracks=tracks,
            buses=tuple(self._channels.values()),
            master=master,
            losses=tuple(self._losses),
        )

    def _setting(self, element: Element | None, name: str, default: float) -> float:
        """A setting; one that is automated or has a scale of its own stands in an element of its name."""
        inner = element.find(name) if element is not None else None
        if inner is None:
            return number(element, name, default)
        return number(inner, "value", default)

    def _mixer(self) -> dict[str, TimelineStrip]:
        """The channels of the mixer as buses, by their numbers; number 0 is the master."""
        found = [*self._song.iterfind("fxmixer/fxchannel"), *self._song.iterfind("mixer/mixerchannel")]
        names = {
            channel.get("num", "0"): unique(channel.get("name", "") or f"FX {channel.get('num', '')}", self._taken)
            for channel in found
            if channel.get("num", "0") != "0"
        }
        made: dict[str, TimelineStrip] = {}
        for channel in found:
            own = channel.get("num", "0")
            name = names.get(own, MASTER)
            volume = max(0.0, self._setting(channel, "volume", 1.0))
            ways = [
                (names.get(send.get("channel", "0"), MASTER), max(0.0, self._setting(send, "amount", 1.0)))
                for send in channel.iterfind("send")
            ]
            # A strip has one way out, at its own level; what goes elsewhere besides are sends behind it.
            out = next((way for way in ways if way[0] == MASTER), ways[0] if ways else (MASTER, 1.0))
            sends = tuple(TimelineSend(target, amount / (out[1] or 1.0)) for target, amount in ways if target != out[0])
            self._effects(channel, name)
            muted = number(channel, "muted", 0) != 0
            made[own] = TimelineStrip(name, self._colour(), volume=volume * out[1], sends=sends, to=out[0], mute=muted)
        return made

    def _tracks(self) -> Iterator[TimelineStrip]:
        container = self._song.find("trackcontainer")
        tracks = list(container.iterfind("track")) if container is not None else []
        patterns = [track for track in tracks if quiet(track, "type") == _PATTERNS]
        for track in tracks:
            kind = quiet(track, "type")
            if kind == _INSTRUMENT:
                settings = track.find("instrumenttrack")
                clips = [
                    clip
                    for tag in ("pattern", "midiclip")
                    for pattern in track.iterfind(tag)
                    for clip in self._pattern(pattern, number(pattern, "pos", 0), self._length(pattern), settings)
                ]
                yield self._strip(track, settings, tuple(clips))
            elif kind == _SAMPLES:
                yield self._strip(track, track.find("sampletrack"), tuple(self._samples(track)))
        yield from self._beats(patterns)

    def _beats(self, tracks: list[Element]) -> Iterator[TimelineStrip]:
        """Beats and basslines: the first track holds the instruments, each with a pattern for every such track."""
        inner = [
            each for track in tracks for tag in ("bbtrack", "patterntrack") for each in track.iterfind(f"{tag}/trackcontainer/track")
        ]  # fmt: skip
        played = [
            [(number(clip, "pos", 0), number(clip, "len", 0)) for clip in track if clip.tag in ("bbtco", "patternclip")
             and number(clip, "muted", 0) == 0 and track.get("muted", "0") == "0" and used(clip) is not None]
            for track in tracks
        ]  # fmt: skip
        bar = float(self._bar * TICKS)
        grids = [[each for each in instrument if each.tag in ("pattern", "midiclip")] for instrument in inner]
        for instrument, patterns in zip(inner, grids, strict=True):
            settings, clips = instrument.find("instrumenttrack"), list[NoteClip]()
            for index, pattern in enumerate(patterns[: len(played)]):
                used(pattern)
                longest = max(self._length(row[index]) for row in grids if index < len(row))
                round_ = max(bar, -(-longest // bar) * bar)
                for begin, length in played[index]:
                    place = 0.0
                    while place < length:
                        clips += self._pattern(pattern, begin + place, min(round_, length - place), settings)
                        place += round_
            yield self._strip(instrument, settings, tuple(sorted(clips, key=lambda clip: clip.start)))

    def _length(self, pattern: Element) -> float:
        said = number(pattern, "len", 0)
        steps = number(pattern, "steps", 16) * _STEP
        notes = [number(note, "pos", 0) + max(_STEP, number(note, "len", 0)) for note in pattern.iterfind("note")]
        return said if said > 0 else max([steps, *notes])

    def _pattern(self, pattern: Element, begin: float, ticks: float, settings: Element | None) -> Iterator[NoteClip]:
        if number(pattern, "muted", 0):
            consume(pattern)
            return
        self._tally.one()
        program, drums = self._program(settings)
        channel, notes = 9 if drums else 0, []
        for note in pattern.iterfind("note"):
            start, long = round(number(note, "pos", 0)), round(number(note, "len", 0))
            pitch = round(number(note, "key", 69)) + (0 if self._newer else 12)
            velocity = min(127, max(1, round(number(note, "vol", 100) * 127 / 200)))
            if 0 <= start < ticks and 0 <= pitch <= 127:
                end = min(start + (long if long > 0 else _STEP), max(start + 1, round(ticks)))
                notes.append(Note(start, end, pitch, velocity, channel, 0))
        if notes:
            events = (Event(0, bytes((0xC0 | channel, program))),) if program is not None else ()
            score = Score(events, TICKS, end=max(1, round(ticks))).with_notes(sorted(notes))
            name = pattern.get("name", "")
            yield NoteClip(Fraction(round(begin), TICKS), Fraction(max(1, round(ticks)), TICKS), score, name)

    def _program(self, settings: Element | None) -> tuple[int | None, bool]:
        """The program that a SoundFont player plays, and whether it is of the bank of drum kits."""
        player = settings.find("instrument/sf2player") if settings is not None else None
        if player is None:
            return None, False
        return min(127, max(0, int(number(player, "patch", 0)))), number(player, "bank", 0) == 128

    def _samples(self, track: Element) -> Iterator[AudioClip]:
        for clip in (each for tag in ("sampletco", "sampleclip") for each in track.iterfind(tag)):
            self._tally.one()
            name = track.get("name", "")

            file = self._media.audio(clip.get("src", ""), name, self._found)
            begin, long = number(clip, "pos", 0), number(clip, "len", 0)
            late = max(0.0, -number(clip, "off", 0))
            if file is None or long <= 0:
                continue
            start, end = (frame(self._second(tick), RATE) for tick in (begin, begin + long))
            offset = frame(self._second(late), RATE)
            rate, _, frames = probe(file)
            there = frame(Fraction(frames, rate), RATE) - offset
            if there <= 0:
                continue
            muted = number(clip, "muted", 0) != 0
            yield AudioClip(file, start, min(end - start, there), offset, name=name, muted=muted)

    def _found(self, said: str) -> Callable[[Path], object]:
        """What copies a sample; those of the user's own folder are meant by names that begin so."""
        return copy_of(self._relink.find(said.removeprefix("usersample:")))

    def _second(self, tick: float) -> Fraction:
        return self._tempo.second_at(Fraction(round(tick), TICKS))

    def _strip(
        self, track: Element, settings: Element | None, clips: tuple[AudioClip | NoteClip, ...]
    ) -> TimelineStrip:
        name = unique(track.get("name", "") or "track", self._taken)
        bus = None
        if settings is not None:
            bus = self._channels.get(quiet(settings, "mixch") or quiet(settings, "fxch") or "0")
            self._instrument(settings, name)
            self._effects(settings, name)
        return TimelineStrip(
            name,
            self._colour(),
            clips,
            volume=max(0.0, self._setting(settings, "vol", 100.0) / 100),
            pan=max(-1.0, min(1.0, self._setting(settings, "pan", 0.0) / 100)),
            mute=number(track, "muted", 0) != 0,
            solo=number(track, "solo", 0) != 0,
            to=bus.name if bus is not None else MASTER,
        )

    def _instrument(self, settings: Element, name: str) -> None:
        instrument = settings.find("instrument")
        if instrument is not None:
            called = instrument.get("name", "")
            if called != "sf2player":
                self._lose(f"the instrument {called!r}", name, "it belongs to LMMS: a SoundFont plays its notes")
            elif (player := instrument.find("sf2player")) is not None:
                said = quiet(player, "src") or ""
                self._lose(f"the SoundFont {said!r}", name, "the studio's own plays its program")
            consume(instrument)
        for tag, knob in (("chordcreator", "chord-enabled"), ("arpeggiator", "arp-enabled")):
            helper = settings.find(tag)
            if helper is not None:
                if number(helper, knob, 0):
                    self._lose(tag, name, "the notes are as they are written")
                consume(helper)

    def _effects(self, owner: Element, name: str) -> None:
        chain = owner.find("fxchain")
        if chain is None:
            return
        for effect in chain.iterfind("effect"):
            self._lose(f"the effect {effect.get('name', '')!r}", name, "it belongs to LMMS")
        consume(chain)

    def _colour(self) -> str:
        return PALETTE[next(self._colours) % len(PALETTE)]

    def _lose(self, what: str, where: str, why: str) -> None:
        self._losses.append(Loss(what, where, why))
