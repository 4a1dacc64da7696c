"""The recipe: what a song is made of, as a frozen value.

Read it from a file, or build it in Python; both give the same value and the same hash. Change it with `set`,
which gives a new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as plain_field
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from studio import units
from studio.address import Path as Way
from studio.address import get, locate, put, steps_in
from studio.disk import write_whole, writing
from studio.errors import Gather, RecipeError, StudioError, attempt, collector, nearest, within
from studio.folders import folder_of_reading, reading
from studio.knobs import File, Live, Number, Text, choice, count, knob, span, switch, text
from studio.levels import SILENCE_DB
from studio.macros import MACROS, Macro, checked, settle
from studio.midi.files import read_midi
from studio.midi.picks import Pick
from studio.plain import plain
from studio.recipe.arranging import marker_names, song_tempo
from studio.recipe.assets import map_files
from studio.recipe.colour import Colour
from studio.recipe.document import Document, write
from studio.recipe.presets import RECIPE_FILE, Preset
from studio.recipe.sections import (
    ARRANGEMENT,
    MARKERS,
    Section,
    SectionsKind,
    Turn,
    check_arrangement,
)
from studio.recipe.timing import MeterKind, Meters, TempoKind, TempoPoints
from studio.recipe.yaml_tree import uncollected
from studio.records import ListOf, MapOf, Nested, Parsed, Record, field
from studio.score import Score
from studio.steps import ScoreStep, Step, StepKind, registry
from studio.stored import refuse_later
from studio.synonyms import meant
from studio.tempo import ANY_SECTION, TempoMap, Time, naming
from studio.units import DB, LUFS
from studio.views import view

FORMAT = 1
"""The version of the document; a change that old studios would misread raises it."""

_MASTER = "master"


_UNDER = {"effect": "chain", "transform": "chain", "score": "notes", "instrument": "play", "source": "play"}


def _elsewhere(word: str, own: type[Record], **homes: type[Record]) -> str:
    """A hint for a word that is none here: what it is called here, or where else in a recipe it stands."""
    kinds = own.kinds()
    if meant(word, kinds) or get_close_matches(word, kinds, cutoff=0.8):
        return nearest(word, kinds)
    step = next((step for name in (word, *meant(word, registry())) if (step := registry().get(name))), None)
    under = _UNDER.get(step.kind) if step is not None else None
    if step is not None and under in kinds:
        return f"`{step.step}` is a step: write it under `{under}:`."
    for home, record in homes.items():
        for name in (word, *meant(word, record.kinds())):
            if name in record.kinds():
                return f"`{name}` stands {home.replace('_', ' ')}."
    return nearest(word, kinds)


class Send(Record):
    """How much of a track goes to a bus besides."""

    level: Live = knob(-12.0, SILENCE_DB, 12.0, DB, help="level of the send")
    pre: bool = switch(False, help="take it before the fader")

    @classmethod
    def parse(cls, data: object) -> Self:
        """As a mapping, or the level alone."""
        curve = isinstance(data, Mapping) and "lfo" in data
        return super().parse({"level": data} if curve or not isinstance(data, (Mapping, Send)) else data)

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        plain = super().data(full=full)
        return plain if full or "pre" in plain else self.kind_of("level").data(self.level)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"anyOf": [cls.kinds()["level"].schema(), super().schema()]}


_CHAIN = ListOf(each=StepKind(kinds=("effect", "transform")), help="what is done to the sound, in order")
_SENDS = MapOf(each=Nested(of=Send), what="bus", help="buses it goes to besides, and how loud")


def _volume() -> Any:
    return knob(0.0, SILENCE_DB, 12.0, DB, help="the fader")


def _pan() -> Any:
    return knob(0.0, -1.0, 1.0, help="left to right; the far side is turned down")


def _to() -> Any:
    return text(_MASTER, help="the bus it goes to, or master")


def _colour() -> Any:
    return field(Colour(help="its colour in a DAW"))


_PATTERN = r"[\s\[\]<>~*]"
"""What tells notes that are written in place from the name of a step."""


class _NotesKind(StepKind):
    """A step on notes; text that is no name of a step is notes themselves."""

    def parse(self, value: object) -> Step | None:
        """The value that plain data means; a value that is parsed already comes through."""
        if isinstance(value, str) and re.search(_PATTERN, value.strip()):
            value = {"write": value}
        return super().parse(value)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.help, "anyOf": [super().schema(), {"type": "string", "pattern": _PATTERN}]}


class Track(Record):
    """One line of the song: what plays, through what, and where to."""

    part: Parsed[tuple[Pick, ...]] = field(
        ListOf(each=Nested(of=Pick), bare=True, help="which parts of the score it plays")
    )
    notes: Parsed[tuple[Step, ...]] = field(
        ListOf(each=_NotesKind(kinds=("score",)), help="what is done to the notes, or notes of your own: c4 e4 g4")
    )
    play: Parsed[Step | None] = field(
        StepKind(kinds=("instrument", "source"), default=None, help="what makes the sound; a SoundFont if not given")
    )
    chain: Parsed[tuple[Step, ...]] = field(_CHAIN)
    volume: Live = _volume()
    pan: Live = _pan()
    send: Parsed[Mapping[str, Send]] = field(_SENDS)
    to: str = _to()
    mute: bool = switch(False, help="leave it out of the mix; side-chains still hear it")
    solo: bool = switch(False, help="leave out every track that is not solo")
    colour: Parsed[str | None] = _colour()

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody who wrote a field that there is not may have meant."""
        return _elsewhere(word, cls, at_the_top_of_the_recipe=Recipe, under_master=Master)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.play is not None and self.play.fits("source") and (self.part or self.notes):
            raise RecipeError(
                f"{self.play.step!r} plays no notes, so the track has no part or notes.",
                "Take `part` and `notes` out, or play an instrument.",
                path=("part" if self.part else "notes",),
            )
        if (self.play is None or self.play.fits("instrument")) and not self.part and not self.written:
            raise RecipeError(
                "the track plays an instrument but no part of the score.",
                "Write `part: all`, `part: {channel: 1}` or so; notes of your own, `notes: c4 e4 g4`; or"
                " `play: {audio: loop.wav}` for a file.",
                path=("part",),
            )

    @property
    def written(self) -> bool:
        """Whether its notes begin with some that are written in the recipe."""
        first = next((step for step in self.notes if not step.bypass), None)
        return isinstance(first, ScoreStep) and first.writes


class Bus(Record):
    """A group or effect bus: the sum of what is sent to it, through a chain."""

    chain: Parsed[tuple[Step, ...]] = field(_CHAIN)
    volume: Live = _volume()
    pan: Live = _pan()
    send: Parsed[Mapping[str, Send]] = field(_SENDS)
    to: str = _to()
    mute: bool = switch(False, help="leave it out of the mix")
    colour: Parsed[str | None] = _colour()

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody who wrote a field that there is not may have meant."""
        return _elsewhere(word, cls, at_the_top_of_the_recipe=Recipe, in_a_track=Track, under_master=Master)


class Master(Record):
    """The last chain, and how loud the song is in the end."""

    chain: Parsed[tuple[Step, ...]] = field(_CHAIN)
    volume: Live = _volume()
    loudness: Parsed[float | None] = field(
        Number(
            default=None, unit=LUFS, low=-60.0, high=-5.0, help="integrated loudness (BS.1770) the song is brought to"
        )
    )
    ceiling: Parsed[float] = knob(-1.0, -20.0, 0.0, DB, help="highest true peak when brought to a loudness", live=False)

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody who wrote a field that there is not may have meant."""
        return _elsewhere(word, cls, at_the_top_of_the_recipe=Recipe, in_a_track=Track, under_output=Output)


class Output(Record):
    """What is written besides the mix, and how."""

    format: str = choice("wav", "wav", "flac", "ogg", "mp3", help="file format")
    bits: str = choice("24", "16", "24", "32", help="bits a sample; 32 is float, and ogg and mp3 do without")
    stems: str = choice("post", "post", "pre", "none", help="stems after the fader and pan, before, or none")
    effects: str = choice("wet", "wet", "dry", "both", help="stems with their chains, without, or both")
    channels: str = choice(
        "stereo", "stereo", "auto", help="stems in stereo; auto writes those whose channels are the same as mono"
    )
    names: str = text("{track}", help="how stems are called, of {track}, {number}, {title}, {role} and {bpm}")
    bitrate: str | None = choice(
        None, "64", "96", "128", "160", "192", "256", "320", help="kbit/s of mp3; by quality if not given"
    )
    premaster: bool = switch(False, help="write what enters the master besides, which the stems add up to")
    minus_one: bool = switch(False, help="write the song without each of its tracks besides")
    by_section: bool = switch(False, help="write mix and stems of an arrangement cut at its sections besides")

    def __post_init__(self) -> None:
        super().__post_init__()
        known = ("track", "number", "title", "role", "bpm")
        for word in re.findall(r"\{([^{}]*)\}", self.names):
            if word not in known:
                with within("names"):
                    raise RecipeError(f"file names have no {{{word}}}.", nearest(word, known))
        if self.bitrate is not None and self.format != "mp3":
            with within("bitrate"):
                raise RecipeError(f"{self.format} has no bit rate to choose.", "Write `format: mp3`, or leave it out.")


@dataclass(frozen=True)
class Origin:
    """Where a recipe was read, and what was written there."""

    path: Path
    text: str


class FileMap(MapOf):
    """A map whose keys are the names of files."""

    def check_name(self, key: object) -> str:
        """The key as the path of a file inside the pack."""
        return str(Text(longest=400).parse(key))


class Recipe(Record):
    """A song: its score, tracks, buses and master, and the knobs that turn it."""

    recipe: int = count(FORMAT, FORMAT, FORMAT, help="the version of the format")
    title: str = text("", help="the name of the song")
    author: str = text("", help="who made it")
    license: str = text("", help="the licence of the recipe, as an SPDX identifier such as CC0-1.0")
    story: str = text("", help="what it is, in a line")
    tags: Parsed[tuple[str, ...]] = field(ListOf(each=Text(longest=40), help="words to find it by"))
    credits: Parsed[Mapping[str, str]] = field(
        FileMap(each=Text(longest=200), what="file name", help="licence or source of the files it uses, by file name")
    )
    score: Parsed[str | None] = field(File(default=None, help="a MIDI file"))
    tempo: Parsed[TempoPoints | None] = field(TempoKind())
    meter: Parsed[Meters | None] = field(MeterKind())
    rate: int = count(44_100, 8_000, 192_000, unit=units.HZ, help="sample rate of everything")
    length: Parsed[Time | None] = span(
        None, help="how long the song is; to the end of the last tail if not given", position=True
    )
    tail: Parsed[Time] = span("30 s", help="how long anything may ring after its last note")
    sections: Parsed[Mapping[str, Section] | str] = field(SectionsKind())
    arrangement: Parsed[tuple[Turn, ...]] = field(ARRANGEMENT)
    seamless: bool = switch(False, help="let it go round: what rings on at its end comes in at its beginning")
    knobs: Parsed[Mapping[str, Macro]] = field(MACROS)
    tracks: Parsed[Mapping[str, Track]] = field(
        MapOf(each=Nested(of=Track), what="track", help="the lines of the song")
    )
    buses: Parsed[Mapping[str, Bus]] = field(MapOf(each=Nested(of=Bus), what="bus", help="groups and effect buses"))
    master: Parsed[Master] = field(Nested(of=Master, default={}, help="the last chain and the loudness"))
    output: Parsed[Output] = field(Nested(of=Output, default={}, help="what is written"))
    origin: Origin | None = plain_field(default=None, compare=False, kw_only=True)

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody who wrote a field that there is not may have meant."""
        return _elsewhere(word, cls, in_a_track=Track, under_master=Master, under_output=Output)

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read the record from a mapping of its fields; times in it may be given by its sections.

        Raises:
            StudioError: an unknown or missing field, or values that do not fit (all of them at once).
        """
        if not isinstance(data, Mapping):
            return super().parse(data)
        with naming(section_names(data.get("sections"), data.get("score"))):
            return super().parse(data)

    def __post_init__(self) -> None:
        with naming(section_names(self.sections, self.score)):
            super().__post_init__()
        gather = Gather()
        with gather:
            check_arrangement(self.arrangement, self.sections, self._names("tracks"))
        for where in ("tracks", "buses"):
            for name in getattr(self, where):
                with gather, within(where, name):
                    taken = where == "buses" and name in self.tracks
                    if taken or name in self.kinds():
                        other = "a track has that name too" if taken else "the word means something else"
                        raise RecipeError(f"{name!r} cannot be the name of one of the {where}: {other}.", "Rename it.")
        for where, name, strip in self.strips():
            with gather, within(*(where, name) if name != _MASTER else (where,)):
                self._check_routes(name, strip)
        with gather:
            self._finish("knobs", checked(self))
        gather.done()
        self._check_circles()

    @classmethod
    def load(cls, path: Path | str) -> Recipe:
        """Read a recipe from a YAML (or JSON) file.

        Raises:
            StudioError: with the file and line of everything that is wrong in it.
        """
        return cls.of(Document.open(path), Path(path).parent)

    @classmethod
    def loads(cls, text: str, folder: Path | str = ".") -> Recipe:
        """Read a recipe from YAML text; its paths are relative to `folder`."""
        return cls.of(Document(text), folder)

    @classmethod
    def of(cls, document: Document, folder: Path | str) -> Recipe:
        """Read a recipe from a document; its paths are relative to `folder`.

        Raises:
            StudioError: with the line of everything that is wrong in it.
        """
        path = Path(folder, Path(document.file).name or RECIPE_FILE)
        try:
            refuse_later(document.data, "recipe", FORMAT, "a recipe")
            with reading(path.parent), uncollected():
                recipe = cls.parse(document.data)
        except StudioError as error:
            raise document.placed(error) from None
        object.__setattr__(recipe, "origin", Origin(path, document.text))  # `replace` would read all of it again.
        return recipe

    def _repr_html_(self) -> str:
        shown: str = view("written")(self.title or "Recipe", self.dumps())
        return shown

    def dumps(self) -> str:
        """The recipe as YAML; what was read from a file keeps its comments and its order."""
        return self._text(self)

    def save(self, path: Path | str) -> None:
        """Write the recipe to a file, whole or not at all; into another folder with its paths made to fit.

        Raises:
            OutputError: the file cannot be written.
        """
        with writing(Path(path)):
            # Paths that lead out of the folder can only be followed once it is there.
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        here, there = self.folder.resolve(), Path(path).parent.resolve()
        moved = self if here == there else map_files(self, lambda file: _rebased(file, here, there))
        write_whole(Path(path), self._text(moved.replace(origin=Origin(Path(path), ""))))

    def _text(self, recipe: Recipe) -> str:
        """`recipe` in YAML, in the words in which this one was written as far as they say the same."""
        plain = recipe.data()
        if self.origin is None:
            return write(plain)
        meant = Recipe.loads(self.origin.text, self.folder).data()
        text = write(plain, self.origin.text, meant)
        try:
            kept = Recipe.loads(text, recipe.folder) == recipe
        except StudioError:
            kept = False
        # Aliases and unusual keys can tie together what is to differ: then what is meant counts more than the words.
        return text if kept else write(plain)

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        with reading(self.folder):
            return super().data(full=full)

    def changed(self) -> list[str]:
        """The format comes first, always."""
        return ["recipe", *super().changed()]

    @property
    def folder(self) -> Path:
        """What its paths are relative to."""
        return self.origin.path.parent if self.origin else Path()

    @cached_property
    def hash(self) -> str:
        """A hash of everything it says, defaults included: the same on every machine, however it was written."""
        plain = json.dumps(self.data(full=True), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()

    def strips(self) -> list[tuple[str, str, Track | Bus | Master]]:
        """All strips of the mixer: (the map they stand in, their name, the strip)."""
        return [
            *(("tracks", name, track) for name, track in self.tracks.items()),
            *(("buses", name, bus) for name, bus in self.buses.items()),
            ("master", _MASTER, self.master),
        ]

    def get(self, address: str) -> Any:
        """The value of the knob at an address such as ``keys.chorus.rate``.

        Raises:
            RecipeError: there is no such knob.
        """
        return get(self, locate(self, address)[0])

    def set(self, address: str, value: object) -> Recipe:
        """A copy with one knob turned; `value` is what a file would say: a number, text with a unit, a curve.

        Raises:
            StudioError: there is no such knob, or the value does not fit it.
        """
        with reading(self.folder):
            path, _ = locate(self, address)
            with within(address):
                return self.put(path, value)

    def put(self, path: Way, value: object) -> Recipe:
        """The same by a path, such as ``("tracks", "keys", "chain", 0, "rate")``, to a knob or a whole chain.

        Raises:
            StudioError: the value does not fit it.
        """
        holder = path[:-1]
        while not isinstance(parent := get(self, holder), Record):
            holder = holder[:-1]
        with reading(self.folder), naming(section_names(self.sections, self.score)):
            given = value = plain(value)
            if len(holder) == len(path) - 1:
                given = parent.kind_of(str(path[-1])).parse(value)
            if isinstance(parent, Preset) and path[-1] == "use":
                path, given = path[:-1], parent.using(str(given))
            changed: Recipe = put(self._opened(path), path, given)
        return changed

    def rack(self, **options: Any) -> Any:
        """The recipe as a rack of knobs in a notebook; `widgets.rack` has the options.

        Raises:
            MissingError: the notebook's packages are not installed.
        """
        return view("rack")(self, **options)

    def _opened(self, path: Way) -> Recipe:
        """A copy in which the presets on the way are racks, if a file could not say otherwise what changes in them."""
        recipe = self
        for length in range(len(path)):
            held = get(recipe, path[:length])
            if isinstance(held, Preset) and not held.says(path[length:]):
                recipe = put(recipe, path[:length], held.unfolded())
        return recipe

    @contextmanager
    def placing(self) -> Iterator[None]:
        """Give errors that pass through their line in the file the recipe was read from."""
        try:
            yield
        except StudioError as error:
            if self.origin is None:
                raise
            raise Document(self.origin.text, str(self.origin.path)).placed(error) from None

    def settled(self) -> Recipe:
        """A copy in which every knob stands where the macros put it."""
        return settle(self)

    def section(self, name: str, *, loop: bool = False) -> Recipe:
        """A recipe of one section alone, as it is written; with `loop` it goes round.

        Raises:
            RecipeError: there is no such section.
        """
        if not isinstance(self.sections, str) and name not in self.sections:
            hint = nearest(name, self.sections) or "Name some: `sections: {verse: 0–16 bars, chorus: 8 bars}`."
            raise RecipeError(f"there is no section {name!r}.", hint)
        return self.replace(arrangement=(Turn(section=name),), seamless=loop, length=None)

    def tempo_map(self, score: Score | None) -> TempoMap:
        """The tempo and meter of the song, its arrangement included, and the beats at which its sections begin.

        They are its own where it gives them, else the score's, else 120 bpm in 4/4. Of an arranged song `arrangement_of`
        tells those of the timeline that it is written on.

        Raises:
            StudioError: tempos, or sections, that are not in order, empty or not there.
        """
        return song_tempo(self, score)

    def _check_routes(self, name: str, strip: Track | Bus | Master) -> None:
        gather = Gather()
        buses, known = self._names("buses"), self._names("tracks", "buses")
        if not isinstance(strip, Master):
            with gather, within("to"):
                if strip.to != _MASTER and strip.to not in buses:
                    raise RecipeError(f"there is no bus {strip.to!r}.", nearest(strip.to, [_MASTER, *buses]))
            for bus in strip.send:
                with gather, within("send", bus):
                    if bus not in buses:
                        hint = nearest(bus, buses) or f"Add it: `buses: {{{bus}: {{chain: [reverb]}}}}`."
                        raise RecipeError(f"there is no bus {bus!r}.", hint)
        for way, step in steps_in(strip.chain):
            for port, other in step.ports():
                with gather, within("chain", *way, step.step, port):
                    if other not in known:
                        raise RecipeError(f"there is no track or bus {other!r}.", nearest(other, known))
                    if other == name:
                        raise RecipeError(f"{name!r} listens to itself.", "Leave the side-chain out for that.")
        gather.done()

    def _names(self, *maps: str) -> list[str]:
        """The names in some of its maps, with those of what could not be read."""
        taking = collector()
        lost = sorted(taking.lost, key=str) if taking else ()
        unread = (str(way[1]) for way in lost if len(way) == 2 and way[0] in maps)
        return list(dict.fromkeys([*(name for where in maps for name in getattr(self, where)), *unread]))

    def feeds(self, name: str, strip: Track | Bus | Master) -> frozenset[str]:
        """The tracks and buses whose signals a strip needs before it can be computed."""
        needed = {other for step in strip.chain for inner in (step, *step.inner()) for _, other in inner.ports()}
        if isinstance(strip, Bus):
            for _, other, source in self.strips():
                if not isinstance(source, Master) and (source.to == name or name in source.send):
                    needed.add(other)
        return frozenset(needed)

    def _routes(self) -> Iterator[tuple[str, str, Way]]:
        """Every way a signal takes: from which strip, to which, and where in the recipe that is said."""
        for where, name, strip in self.strips():
            home = (where,) if isinstance(strip, Master) else (where, name)
            for way, step in steps_in(strip.chain):
                for port, other in step.ports():
                    if other != name:
                        yield other, name, (*home, "chain", *way, step.step, port)
            if not isinstance(strip, Master):
                yield from ((name, bus, (*home, "send", bus)) for bus in strip.send)
                yield name, strip.to, (*home, "to")

    def _check_circles(self) -> None:
        """See that no signal needs itself.

        Raises:
            RecipeError: at a route of the first circle; a collector is told every route of each.
        """
        # Names with two meanings have been told of.
        unclear = {*(self.tracks.keys() & self.buses.keys()), *({*self.tracks, *self.buses} & self.kinds().keys())}
        said = {(source, target): way for source, target, way in self._routes() if not {source, target} & unclear}
        needs: dict[str, list[str]] = {}
        for source, target in said:
            needs.setdefault(target, []).append(source)
        open_names = dict.fromkeys(needs)
        while ready := [name for name in open_names if not any(other in open_names for other in needs[name])]:
            for name in ready:
                del open_names[name]
        told = set[str]()
        for name in open_names:
            way = [name]
            while way[-1] not in way[:-1]:
                way.append(next(other for other in needs[way[-1]] if other in open_names))
            circle = way[way.index(way[-1]) :]
            if told & set(circle):
                continue
            told |= set(circle)
            for target, source in pairwise(circle):
                with attempt():
                    raise RecipeError(
                        f"the signal goes round in a circle: {' ← '.join(circle)}.",
                        "Take one of these routes out.",
                        path=said[source, target],
                    )


def section_names(sections: object, score: object) -> frozenset[str]:
    """The names by which places in a song may be called: those of its sections, or of the markers of its score."""
    if isinstance(sections, Mapping):
        return frozenset(str(name) for name in sections)
    if sections != MARKERS:
        return frozenset()
    if not isinstance(score, str):
        return frozenset({ANY_SECTION})
    try:
        # What is wrong with the score is told where it is played.
        return frozenset(name for name, _ in marker_names(read_midi(folder_of_reading() / score)))
    except StudioError:
        return frozenset({ANY_SECTION})


def _rebased(file: str, here: Path, there: Path) -> str:
    """A path that meant a file from `here`, as it is written `there`; anything else as it is."""
    found = here / file
    if Path(file).is_absolute() or not found.is_file():
        return file
    return Path(os.path.relpath(found, there)).as_posix()


def load(path: Path | str) -> Recipe:
    """Read a recipe from a file; `Recipe.load` under its short name.

    Raises:
        StudioError: with the file and line of everything that is wrong in it.
    """
    return Recipe.load(path)
