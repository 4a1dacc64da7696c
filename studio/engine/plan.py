"""From a recipe to a plan: every signal of the song as a node, hashed by all that its sound depends on."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from studio.address import check_values, steps_in
from studio.arrangement import arrangement_of
from studio.context import RenderContext
from studio.curves import Curve
from studio.effects.mixing import Gain, Pan
from studio.engine.arranging import Arranged, Passage
from studio.engine.mastering import Mastered
from studio.engine.nodes import Change, Cut, Fader, Fitted, Node, Play, Process, Read, Stream, held, mixed
from studio.errors import Gather, MissingError, OutputError, Place, RecipeError, ScoreError, within
from studio.folders import cache_folder, searching_once
from studio.headers import cut_short
from studio.midi import Part, read_midi, split, together
from studio.midi.arranging import arrange
from studio.midi.picks import chosen
from studio.notes import read_note, write_note
from studio.provenance import Asset, Component, Provenance
from studio.recipe import Bus, Master, Recipe, Track
from studio.recipe.arranging import LONGEST_HOURS
from studio.score import Score
from studio.sources.noise import Noise
from studio.sources.soundfont import SoundFont
from studio.steps import Effect, Instrument, ScoreStep, Source, Step, Transform
from studio.tempo import TempoMap
from studio.typed import expect


@dataclass(frozen=True)
class PlannedStrip:
    """The signals of one track or bus, in the order in which they arise; `post` is what reaches the mix."""

    name: str
    dry: Node
    pre: Node
    post: Node
    dry_post: Node


@dataclass(frozen=True)
class PlacedSection:
    """A section where it sounds: frames of the song, from `start` up to `end`."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Plan:
    """Everything a recipe asks for, not yet computed.

    Attributes:
        recipe: the recipe as it was given.
        settled: the same with its knobs where the macros put them.
        context: rate, channels, tempo and folder.
        score: the whole score as it is written, or None when the recipe has none; that of the song is in `context`.
        tracks, buses: the strips that are heard, by name.
        premaster: the sum before the master chain.
        mix: the song.
        frames: the fixed length of the song, or None when the last tail decides.
        sections: where in the song its sections sound, in frames, if it is an arrangement of them.
        direct: the tracks and buses whose sum is the premaster.
        files: every file the song is made of, with its hash.
        provenance: what makes the song: steps, libraries and plugins with versions, and every file.
        remarks: what whoever hears it should know beforehand.
    """

    recipe: Recipe
    settled: Recipe
    context: RenderContext
    score: Score | None
    tracks: Mapping[str, PlannedStrip]
    buses: Mapping[str, PlannedStrip]
    premaster: Node
    mix: Node
    frames: int | None
    sections: tuple[PlacedSection, ...]
    direct: tuple[str, ...]
    files: Mapping[str, str]
    provenance: Provenance
    remarks: tuple[str, ...]

    def _repr_html_(self) -> str:
        return self.recipe._repr_html_()

    @property
    def written(self) -> TempoMap:
        """The tempo map of the timeline that the song is written on: its own, if it is no arrangement."""
        arrangement = arrangement_of(self.context.tempo)
        return arrangement.written if arrangement is not None else self.context.tempo

    def nodes(self) -> Iterator[Node]:
        """Every node, inputs before those that need them, each once."""
        seen: set[str] = set()
        strips = [*self.tracks.values(), *self.buses.values()]
        for root in (*(strip.post for strip in strips), self.mix):
            yield from _below(root, seen)


def _below(node: Node, seen: set[str]) -> Iterator[Node]:
    if node.key in seen:
        return
    seen.add(node.key)
    for source in node.inputs:
        yield from _below(source, seen)
    yield node


def plan(recipe: Recipe, score: Score | Path | str | None = None, *, faders: bool = False) -> Plan:
    """Plan a recipe, with another score than its own if one is given.

    With `faders`, those that change nothing have their nodes too, for hands to move.

    Raises:
        StudioError: something the recipe names is not there, or does not fit.
    """
    with recipe.placing(), searching_once():
        check_values(recipe)
        return _Planner(recipe, score, faders).plan()


class _Planner:
    def __init__(self, recipe: Recipe, score: Score | Path | str | None, faders: bool) -> None:
        self.given, self.recipe = recipe, recipe.settled()
        self.faders = faders
        self.files: dict[str, str] = {}
        self.components: set[Component] = set()
        self.remarks: dict[str, None] = {}
        self.score = self._score(score)
        self.remarks |= dict.fromkeys(self.score.remarks if self.score else ())
        if faders:
            # What plays live goes round by itself.
            self.recipe = self.recipe.replace(seamless=False)
        self.tempo = self.recipe.tempo_map(self.score)
        self.arrangement = arrangement_of(self.tempo)
        self.written, self.context = contexts(self.recipe, self.score, self.tempo)
        self.strips: dict[str, PlannedStrip] = {}
        self.played: dict[tuple[frozenset[int], ...], Score] = {}
        self.round = round_of(self.recipe, self.tempo)
        self.frames = frames_of(self.recipe, self.tempo) if self.round is None else None

    def plan(self) -> Plan:
        recipe = self.recipe
        if not recipe.tracks:
            raise RecipeError(
                "the recipe has no tracks.", "Add one: `tracks: {keys: {part: all}}`, or run `studio new`."
            )
        if self.score is not None:
            check_length(self.score, self.written.tempo)
        parts = self._parts()
        gather = Gather()
        for name in self._order():
            with gather:
                if name in recipe.tracks:
                    track = recipe.tracks[name]
                    if not self._absent(track, parts.get(name, ())):
                        self.strips[name] = self._track(name, track, parts.get(name, ()))
                elif (bus := self._bus(name, recipe.buses[name])) is not None:
                    self.strips[name] = bus
        gather.done()
        return self._finish()

    def _finish(self) -> Plan:
        recipe = self.recipe
        heard = [name for name in self.strips if self._heard(name)]
        direct = [name for name in heard if self._strip_of(name).to == "master"]
        if not direct:
            raise RecipeError("nothing reaches the master.", "Every track is muted, missing or routed elsewhere.")
        premaster = mixed("premaster", self.context, [self.strips[name].post for name in direct])
        with within("master"):
            chained = self._chain("master", recipe.master.chain, premaster)
            mix = self._fader("master", recipe.master, chained)
        skipped, frames = self.round or (0, self.frames)
        if recipe.master.loudness is not None:
            whole = Fitted("mix", self.context, (held(mix), premaster), frames and skipped + frames)
            mix = Mastered("mix", self.context, (whole,), recipe.master.loudness, recipe.master.ceiling, skipped)
        elif self.round is not None:
            mix = self._last_round(mix)
        if self.round is not None:
            premaster = self._last_round(premaster)
            self.strips = {
                name: replace(
                    strip,
                    dry=self._last_round(strip.dry), pre=self._last_round(strip.pre), post=self._last_round(strip.post),
                    dry_post=self._last_round(strip.dry_post),
                )
                for name, strip in self.strips.items()
            }  # fmt: skip
        made = Plan(
            recipe=self.given,
            settled=recipe,
            context=self.context,
            score=self.score,
            tracks={name: self.strips[name] for name in recipe.tracks if name in heard},
            buses={name: self.strips[name] for name in recipe.buses if name in heard},
            premaster=premaster,
            mix=mix,
            frames=frames,
            sections=() if self.round is not None else placed_sections(self.context),
            direct=tuple(direct),
            files=self.files,
            provenance=Provenance(),
            remarks=tuple(self.remarks),
        )
        return replace(made, provenance=self._provenance(made))

    def _last_round(self, node: Node) -> Node:
        """What is heard of a signal of a song that goes round: the last time, when all that rang on has come round."""
        start, frames = self.round or (0, 0)
        return Passage(node.name, self.context, (node,), start, frames)

    def _provenance(self, made: Plan) -> Provenance:
        for node in made.nodes():
            self.components.update(node.made_by())
        folder = self.context.folder.resolve()
        assets = [Asset(_shown(Path(path), folder), digest) for path, digest in self.files.items()]
        return Provenance.of(self.components, assets)

    def _score(self, given: Score | Path | str | None) -> Score | None:
        if isinstance(given, Score):
            return given
        if given is None and self.recipe.score is None:
            return None
        with within("score"):
            path = (
                Path(given)
                if given is not None
                else RenderContext(folder=self.recipe.folder).find(str(self.recipe.score))
            )
            score = read_midi(path)
            self._hash(path)
            return score

    def _parts(self) -> dict[str, tuple[Part, ...]]:
        picks = {name: track.part for name, track in self.recipe.tracks.items() if track.part}
        if picks and self.score is None:
            raise MissingError(
                "the recipe plays parts of a score, but there is none.",
                "Write `score: song.mid` in it, or give `--score song.mid`.",
                path=("score",),
            )
        return chosen(picks, split(self.score)) if self.score else {}

    def _absent(self, track: Track, parts: tuple[Part, ...]) -> bool:
        return bool(track.part) and not parts

    def _order(self) -> list[str]:
        """Tracks and buses, each after those it listens to or is fed by."""
        needs = {name: self.recipe.feeds(name, strip) for _, name, strip in self.recipe.strips() if name != "master"}
        order: list[str] = []
        while len(order) < len(needs):
            order += [name for name in needs if name not in order and needs[name] <= set(order)]
        return order

    def _strip_of(self, name: str) -> Track | Bus:
        return self.recipe.tracks[name] if name in self.recipe.tracks else self.recipe.buses[name]

    def _heard(self, name: str) -> bool:
        strip = self._strip_of(name)
        if isinstance(strip, Bus):
            return not strip.mute
        solo = any(track.solo for track in self.recipe.tracks.values())
        return not strip.mute and (strip.solo or not solo)

    def _track(self, name: str, track: Track, parts: tuple[Part, ...]) -> PlannedStrip:
        with within("tracks", name):
            play = track.play or SoundFont()
            with within("play", play.step):
                hashes = self._hashes(play)
                dry: Node
                if isinstance(play, Source):
                    kind = Stream if play.cheap(self.written) else Read
                    dry = kind(
                        f"{name} · {play.step}",
                        self.written,
                        (),
                        play,
                        hashes,
                        path=("tracks", name, "play", play.step),
                    )
                else:
                    play = expect(Instrument, play)
                    score = self._edited(track.notes, self._together(parts))
                    if self.arrangement is not None:
                        score = arrange(score, self.arrangement, self.tempo, name)
                    self.remarks |= dict.fromkeys(f"{name}: {each}" for each in play.unplayed(score, self.context))
                    dry = Play(
                        f"{name} · {play.step}",
                        self.context,
                        (),
                        play,
                        score,
                        hashes,
                        path=("tracks", name, "play", play.step),
                    )
            if isinstance(play, Source) and self.arrangement is not None:
                still = isinstance(play, Noise)
                pre = self._arranged_chain(name, track, dry, still)
                return self._strip(name, track, self._arranged(name, dry, still), pre)
            return self._strip(name, track, dry, self._chain(name, track.chain, dry))

    def _arranged(self, name: str, node: Node, still: bool) -> Node:
        """A sound that is written on the timeline of the sections, where these sound."""
        path = ("tracks", name, "play")
        return Arranged(f"{name} · arranged", self.context, (held(node),), name, still, path=path)

    def _arranged_chain(self, name: str, track: Track, dry: Node, still: bool) -> Node:
        """The chain of a track that plays sound: up to the last step that moves it in time it is written, behind it heard."""
        moving = placed(track.chain)
        if not moving:
            return self._chain(name, track.chain, self._arranged(name, dry, still))
        for way, step in steps_in(track.chain[:moving], bypassed=False):
            for port, _ in step.ports():
                raise RecipeError(
                    "a side-chain in front of a step that moves time, in a song that is arranged.",
                    f"Put {step.label!r} behind {track.chain[moving - 1].label!r}.",
                    path=("chain", *way, step.step, port),
                )
        written = self._chain(name, track.chain[:moving], dry, context=self.written)
        return self._chain(name, track.chain[moving:], self._arranged(name, written, still), moving)

    def _together(self, parts: tuple[Part, ...]) -> Score:
        """What some parts play; tracks that play the same share it. Without any, a score that is still empty."""
        if not parts:
            return Score(tempo=self.written.tempo)
        key = tuple(part.own for part in parts)
        if key not in self.played:
            self.played[key] = together(parts)
        return self.played[key]

    def _bus(self, name: str, bus: Bus) -> PlannedStrip | None:
        """The strip of a bus, or None while nothing that is heard is sent to it."""
        with within("buses", name):
            signals = []
            for other, strip in self.strips.items():
                source = self._strip_of(other)
                if not self._heard(other):
                    continue
                if source.to == name:
                    signals.append(strip.post)
                if name in source.send:
                    send = source.send[name]
                    signals.append(self._send(other, name, strip.pre if send.pre else strip.post, send.level))
            if not signals:
                if not self.given.feeds(name, bus):
                    raise RecipeError("nothing is sent to the bus.", f"Add `send: {{{name}: -12 dB}}` to a track.")
                return None
            dry = mixed(f"{name} · input", self.context, signals)
            return self._strip(name, bus, dry, self._chain(name, bus.chain, dry))

    def _strip(self, name: str, strip: Track | Bus, dry: Node, pre: Node) -> PlannedStrip:
        return PlannedStrip(name, dry, pre, self._fader(name, strip, pre), self._fader(name, strip, dry))

    def _edited(self, steps: tuple[Step, ...], score: Score) -> Score:
        score = replace(score, tempo=self.written.tempo)
        for index, step in enumerate(expect(ScoreStep, each) for each in steps):
            if not step.bypass:
                with within("notes", index, step.step):
                    self._hashes(step)
                    score = replace(step.edit(score, self.written), tempo=self.written.tempo)
        return score

    def _chain(
        self, name: str, chain: tuple[Step, ...], node: Node, first: int = 0, context: RenderContext | None = None
    ) -> Node:
        """A signal through a chain, whose steps stand in the recipe from `first` on; in the song if no `context` is given."""
        context = context or self.context
        run: list[Effect] = []
        # From here on a frame of the sound is the same frame of the song.
        there = first + placed(chain)
        for index, step in enumerate(chain, first):
            if step.bypass:
                # Nothing of it is heard, so nothing of it need be there.
                continue
            with within("chain", index, step.step):
                self._hashes(step)
                step.follows(context)
            if isinstance(step, Effect):
                run.append(step)
            else:
                step = expect(Transform, step)
                node = self._effects(name, node, tuple(run), context)
                run = []
                if self.frames is not None and index >= there:
                    node = Cut(node.name, context, (node,), self.frames)
                node = Change(
                    f"{name} · {step.label}", context, (node,), step, self.files, path=(*self._way(name), index)
                )
        return self._effects(name, node, tuple(run), context)

    def _way(self, name: str) -> tuple[str, ...]:
        """Where in the recipe the chain of a strip stands."""
        where = "tracks" if name in self.recipe.tracks else "buses"
        return ("master", "chain") if name == "master" else (where, name, "chain")

    def _effects(self, name: str, node: Node, effects: tuple[Effect, ...], context: RenderContext) -> Node:
        if not effects:
            return node
        ports = {other for effect in effects for inner in (effect, *effect.inner()) for _, other in inner.ports()}
        missing = sorted(port for port in ports if port not in self.strips)
        if missing:
            raise MissingError(f"the side-chain listens to {missing[0]!r}, which this score leaves out.")
        sides = {port: held(self.strips[port].pre) for port in sorted(ports)}
        label = " → ".join(effect.label for effect in effects)
        tail = float(self.tempo.second_of(self.recipe.tail))
        return Process(
            f"{name} · {label}",
            context,
            (node, *sides.values()),
            effects,
            self.files,
            tail,
            sides,
            path=self._way(name),
        )

    def _fader(self, name: str, strip: Track | Bus | Master, node: Node) -> Node:
        effects: list[Effect] = []
        if strip.volume != 0.0 or self.faders:
            effects.append(Gain(gain=strip.volume))
        if not isinstance(strip, Master) and (strip.pan != 0.0 or self.faders):
            effects.append(Pan(position=strip.pan))
        if not effects:
            return node
        path = self._way(name)[:-1]
        return Fader(f"{name} · fader", self.context, (node,), tuple(effects), self.files, 0.0, path=path)

    def _send(self, name: str, bus: str, node: Node, level: Curve | float | str) -> Node:
        if level == 0.0 and not self.faders:
            return node
        path = (*self._way(name)[:-1], "send", bus)
        return Fader(f"{name} → {bus}", self.context, (node,), (Gain(gain=level),), self.files, 0.0, path=path)

    def _hashes(self, step: Step) -> Mapping[str, str]:
        for inner in (step, *step.inner()):
            self.components.update(inner.made_by())
            if not inner.bypass:
                self.remarks |= dict.fromkeys(inner.remarks(self.context))
            for path in inner.assets(self.context):
                self._hash(path)
        return self.files

    def _hash(self, path: Path) -> None:
        if str(path) not in self.files:
            self.files[str(path)] = file_hash(path)
            if missing := cut_short(path):
                self.remarks[missing] = None


def contexts(recipe: Recipe, score: Score | None, tempo: TempoMap) -> tuple[RenderContext, RenderContext]:
    """The conditions on the timeline that a recipe is written on, and on that of the song; without an arrangement they are one."""
    arrangement = arrangement_of(tempo)
    written = arrangement.written if arrangement is not None else tempo
    heard = replace(score, tempo=written) if score else None
    plain = RenderContext(recipe.rate, 2, written, recipe.folder, heard)
    if arrangement is None:
        return plain, plain
    song = arrange(heard, arrangement, tempo) if heard else None
    return plain, replace(plain, tempo=tempo, score=song)


def placed_sections(context: RenderContext) -> tuple[PlacedSection, ...]:
    """Where in the song its sections sound."""
    tempo, arrangement = context.tempo, arrangement_of(context.tempo)

    def frame(beat: Fraction) -> int:
        return int(tempo.second_at(beat) * context.rate + Fraction(1, 2))

    spans = arrangement.spans if arrangement is not None else ()
    return tuple(PlacedSection(span.name, frame(span.at), frame(span.until)) for span in spans)


def round_of(recipe: Recipe, tempo: TempoMap) -> tuple[int, int] | None:
    """Of a song that goes round, the frame at which its last round begins, and how long that is."""
    arrangement = arrangement_of(tempo)
    if not recipe.seamless or arrangement is None:
        return None
    begin, end = (
        int(tempo.second_at(beat) * recipe.rate + Fraction(1, 2))
        for beat in (arrangement.last_round, arrangement.last_end)
    )
    return begin, end - begin


def frames_of(recipe: Recipe, tempo: TempoMap) -> int | None:
    """The length that a recipe asks for, in frames; None where it leaves it to the last tail.

    Raises:
        RecipeError: it is nothing, or longer than a song.
    """
    if recipe.length is None:
        return None
    frames = tempo.frame_of(recipe.length, recipe.rate)
    if not 1 <= frames <= LONGEST_HOURS * 3600 * recipe.rate:
        hours = frames / recipe.rate / 3600
        cause = f"a song of {hours:,.1f} hours." if frames else f"a song of {recipe.length} has no sound."
        raise RecipeError(
            cause, f"Songs go up to {LONGEST_HOURS} hours: write 3 min, 90 s or 32 bars.", path=("length",)
        )
    return frames


def check_length(score: Score, tempo: TempoMap) -> None:
    """See that a score is no longer than a song.

    Raises:
        ScoreError: it is, by what is taken for a mistake.
    """
    if not score.events:
        return
    seconds = float(tempo.second_at(score.beat(score.end)))
    if seconds > LONGEST_HOURS * 3600:
        last = score.events[-1]
        raise ScoreError(
            f"the score lasts {seconds / 3600:.1f} hours; its last event is at tick {last.tick}"
            f" of track {last.track + 1}.",
            f"Songs go up to {LONGEST_HOURS} hours: take the gap or the stray event out.",
            path=("score",),
        )


def _shown(path: Path, folder: Path) -> str:
    """A path as the recipe would write it, or the name alone for files from elsewhere."""
    try:
        return path.resolve().relative_to(folder).as_posix()
    except ValueError:
        return path.name


def placed(chain: tuple[Step, ...]) -> int:
    """How many steps there are up to the last one that moves a sound in time; behind it a frame has its place in the song."""
    return 1 + max((index for index, step in enumerate(chain) if _moves_time(step)), default=-1)


def _moves_time(step: Step) -> bool:
    """Whether a frame behind the step can belong to another time of the song than the same frame before it."""
    return isinstance(step, Transform) and not step.bypass and not step.keeps_time


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, remembered for as long as its size and time of change stay.

    Raises:
        MissingError: it cannot be read.
    """
    try:
        stat = path.stat()
        stamp = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        note = cache_folder() / "files" / f"{hashlib.sha256(stamp.encode()).hexdigest()[:40]}.json"
        known = read_note(note)
        if known is not None and isinstance(known.get("sha256"), str):
            return str(known["sha256"])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingError(f"the file cannot be read: {error.strerror}.", place=Place(str(path))) from None
    with contextlib.suppress(OutputError):
        # Not being able to remember costs time, not correctness.
        write_note(note, {"sha256": digest, "path": str(path)})
    return digest
