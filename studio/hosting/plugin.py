"""The step that uses a plugin."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from studio.audio import Block
from studio.context import GRID, BlockContext, RenderContext
from studio.curves import moves
from studio.errors import Gather, MissingError, RecipeError, StudioError, collecting, nearest, shown, within
from studio.folders import folder_of_reading, reading
from studio.hosting.catalogue import describe_plugin, recall_plugin
from studio.hosting.contract import PluginError
from studio.hosting.description import Description
from studio.hosting.host import HOSTS, TELLING
from studio.hosting.parameters import Parameter
from studio.hosting.performance import Performance, Turns
from studio.hosting.song_position import SongPositions, song_positions
from studio.hosting.vst3_files import is_named
from studio.hosting.workers import PATIENCE
from studio.knobs import File, Text, choice, knob, port
from studio.provenance import Component
from studio.records import Kind, MapOf, field
from studio.remarks import remark
from studio.score import Score
from studio.steps import Effect, Instrument, Run
from studio.units import SECONDS

_BLOCK = 8192
_SILENCE = 1e-5
_LONGEST_TAIL = 60.0
_ALL_QUIET = [bytes((0xB0 | channel, control, 0)) for channel in range(16) for control in (64, 123)]


_HEARD = ("program", "preset", "sidechain", "on_error")

_UNKNOWN = Kind(default=None, help="a parameter of a plugin that is not here: kept as it was written")


class Plugin(Effect, Instrument):
    """Use a plugin of somebody else's: a VST3, VST2, LV2 or CLAP, or on macOS an Audio Unit.

    Under `chain:` it is an effect, under `play:` an instrument. Its parameters stand beside these knobs, by name and
    in its own units, as `studio plugins show` lists them: `plugin: {file: ZamTube, tube_drive: 4, bass: 7}`. They can
    move, and macros can drive them. It runs in a process of its own: if it crashes, hangs or gives what is no sound,
    the render ends with an error that names it, or goes on without it. It is told tempo, meter and position; only where
    pedalboard hosts it (an Audio Unit, a VST3 that our own host cannot play, `host: pedalboard`) it is not.
    """

    version = 2

    file: str = field(
        Text(longest=400, help="its name, its file, its id or URI; `file#name` where a file holds several")
    )
    host: str | None = choice(None, *HOSTS, help="what loads it, instead of what fits its format")
    preset: str | None = field(
        File(default=None, help="a .vstpreset, .fxp, .fxb or LV2 preset (.ttl) file, or the plugin's own state")
    )
    program: str | None = field(
        Text(default=None, longest=200, help="one of its own programs, by name or number from 1")
    )
    sidechain: str | None = port(help="the track or bus that its side input hears")
    on_error: str = choice("stop", "stop", "bypass", help="end the render when it fails, or go on without it")
    patience: float = knob(PATIENCE, 0.1, 600.0, SECONDS, help="how long it may take over a block", live=False)
    id: str | None = field(Text(default=None, longest=200, help="the id of the plugin that the recipe was made with"))
    made_with: str | None = field(Text(default=None, longest=80, help="the version that the recipe was made with"))
    state_hash: str | None = field(
        Text(default=None, longest=64, help="the SHA-256 of the preset file as it was when the recipe was made")
    )
    settings: Mapping[str, Any] = field(MapOf(each=Kind(), what="parameter", help="its parameters"))

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_home", folder_of_reading().resolve())
        known = self._recalled()
        if known is not None:
            self._read_settings(known)

    def _read_settings(self, known: Description) -> None:
        """Read the settings, which stand as they were written, by the plugin's own parameters.

        Raises:
            StudioError: it has no such parameter, or values do not fit (all of them at once).
        """
        if "_read" in self.__dict__:
            return
        gather, settings = Gather(), dict[str, Any]()
        for name, value in self.settings.items():
            with gather, within(name):
                if name not in known.named:
                    raise RecipeError(
                        f"`{self.step}` has no {name!r}, and {known.about.name} has no such parameter.",
                        nearest(name, [*_dials(known), *self.parameters()]),
                    )
                settings[name] = known.named[name].knob.parse(value)
        gather.done()
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "_read", True)

    def check_values(self) -> None:
        """Look at the plugin, if nothing is known of it, and read its settings.

        Raises:
            StudioError: it has no such parameter, or values do not fit (all of them at once).
        """
        known = self._known()
        if known is not None:
            self._read_settings(known)

    def __eq__(self, other: object) -> bool:
        """Whether all of it is equal; settings by what they mean, as far as that is known without a look."""
        if not isinstance(other, Plugin):
            return NotImplemented
        if ("_read" in self.__dict__) != ("_read" in other.__dict__):
            self._recalled_settings()
            other._recalled_settings()
        return all(getattr(self, name) == getattr(other, name) for name in self.kinds())

    def __getattr__(self, name: str) -> Any:
        """A parameter of the plugin: where it is set, else where a fresh plugin has it."""
        if name.startswith("_") or name == "settings":
            raise AttributeError(name)
        known = self._known()
        if name in self.settings:
            self._recalled_settings()
            return self.settings[name]
        if known is None or name not in known.named:
            raise AttributeError(f"{self.step!r} has no {name!r}")
        kind = known.named[name].knob
        return kind.parse(kind.default)

    @classmethod
    def parse(cls, data: object) -> Self:
        """As any step; what is no knob of it is a parameter of the plugin."""
        if not isinstance(data, Mapping):
            return super().parse(data)
        own = {key: value for key, value in data.items() if key in cls.kinds() and key != "settings"}
        return super().parse(own | {"settings": {key: value for key, value in data.items() if key not in own}})

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        self._recalled_settings()
        plain = super().data(full=full)
        said = plain[self.step]
        if not isinstance(said, dict):
            return plain
        said.pop("settings", None)
        known = self._recalled() if "_read" in self.__dict__ else None
        for name, value in self.settings.items():
            said[name] = value if known is None else known.named[name].knob.data(value, full)
        return plain

    @property
    def label(self) -> str:
        """Its own name, else the plugin's, so that several are told apart."""
        file, _, inner = self.file.partition("#")
        if "://" in self.file or self.file.startswith("urn:"):
            inner = re.split(r"[/#:]", self.file.rstrip("/"))[-1]
        elif "://" in inner:
            inner = re.split(r"[/#]", inner.rstrip("/"))[-1]
        return self.name or re.sub(r"\W+", "_", inner or Path(file).stem).strip("_") or self.step

    def dials(self) -> Mapping[str, Kind]:
        """The plugin's parameters, and of the step's own knobs those that change its sound."""
        known = self._known()
        return dict.fromkeys(self.settings, _UNKNOWN) | _own_dials() if known is None else _dials(known)

    def now(self) -> Mapping[str, Kind]:
        """The fields it has now: its own, and the parameters of the plugin."""
        known = self._known()
        if known is None:
            return {**self.kinds(), **dict.fromkeys(self.settings, _UNKNOWN)}
        return {**self.kinds(), **{name: parameter.knob for name, parameter in known.named.items()}}

    def kind_of(self, name: str) -> Kind:
        """The kind of one field as it is now."""
        own = self.kinds()
        return own[name] if name in own else self.now()[name]

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields or parameters changed."""
        turned = {name: value for name, value in changes.items() if name not in self.kinds()}
        own = {name: value for name, value in changes.items() if name in self.kinds()}
        if turned:
            own["settings"] = {**own.get("settings", self.settings), **turned}
        with reading(self._home):
            return super().replace(**own)

    @classmethod
    def parameters(cls) -> Mapping[str, Kind]:
        """The parameters, in their order."""
        return {name: kind for name, kind in super().parameters().items() if name != "settings"}

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        whole = super().schema()
        whole["properties"].pop("settings")
        return whole | {"additionalProperties": True}

    def made_by(self) -> Iterator[Component]:
        """What its sound depends on: the plugin's file, name and version."""
        yield from super().made_by()
        known = self._known()
        if known:
            yield Component("plugin", known.path.name, known.about.version, known.stamp)

    def programs(self) -> Iterator[str]:
        """The programs of others that run when it does: the plugin itself."""
        yield f"the plugin {self.file}, as it is installed here"

    def follows_tempo(self) -> bool:
        """A plugin that is told the tempo may listen."""
        self.check_values()
        moving = any(getattr(value, "musical", False) for value in self.settings.values())
        known = self._known()
        return moving or (known is not None and known.host in TELLING)

    def remarks(self, context: RenderContext) -> Iterator[str]:
        """What whoever hears it should know beforehand."""
        try:
            known = describe_plugin(self._file_here, self.host)
        except (MissingError, PluginError) as error:
            if self.on_error == "stop":
                raise
            yield f"{self.label} was left out: {error.cause}"
            return
        about = known.about
        if not known.measured.repeats:
            apart = f" (by {known.measured.differs_db:.0f} dBFS in half a second of noise)"
            yield f"{about.name} does not repeat itself: fresh processes give different sounds{apart}."
        if known.instead:
            yield (
                f"{about.name} is played by {known.host}, which tells it no tempo and feeds no side inputs: "
                f"in our own host {known.instead}"
            )
        switch = "its_sidechain"
        if self.sidechain is not None and switch in known.named and self.settings.get(switch, False) is False:
            yield f"{about.name} listens to its side input only with `{switch}: true`."
        if self.id is not None and not is_named(self.id, about.name, about.id):
            yield f"{self.label} is another plugin here ({about.id}) than the recipe was made with ({self.id})."
        if self.made_with is not None and self.made_with != about.version:
            yield f"{about.name} is version {about.version} here; the recipe was made with {self.made_with}."
        if self.preset is not None and self.state_hash is not None:
            found = hashlib.sha256(context.find(self.preset).read_bytes()).hexdigest()
            if found != self.state_hash:
                yield f"the preset {self.preset} of {about.name} has changed since the recipe was made."

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        known = self._at_hand()
        if known is None:
            return lambda block, now: block
        if known.about.instrument:
            raise RecipeError(f"{known.about.name} is an instrument.", "Write it under `play:`.")
        if self.sidechain is not None and not known.about.sides:
            raise RecipeError(
                f"{known.about.name} has no side input that {known.host} can reach.",
                "Take `sidechain` out, or use `compressor` and `ducker`, which have one.",
                path=("sidechain",),
            )
        return _Through(self, known, context)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Open it in its own process, with its preset and program."""
        known = self._at_hand()
        if known is None:
            return
        if not known.about.instrument:
            self.open(context)
        try:
            self.perform(known, context).leave()
        except PluginError:
            if self.on_error == "stop":
                raise

    def tail_seconds(self, context: RenderContext) -> float:
        """Nobody knows what a plugin remembers; a delay of so long is still heard to its end."""
        return 2.0

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        known = self._at_hand()
        frames = math.ceil(float(score.length) * context.rate)
        if known is None:
            yield np.zeros((context.channels, frames), np.float32)
            return
        if not known.about.instrument:
            raise RecipeError(f"{known.about.name} is an effect.", "Write it under `chain:`.")
        given = 0
        try:
            for block in self._played(known, score, context, frames):
                given += block.shape[1]
                yield block
        except PluginError as error:
            if self.on_error == "stop":
                raise
            remark(f"{self.label} was silenced at {given / context.rate:.2f} s: {error.cause}")
            yield np.zeros((context.channels, max(0, frames - given)), np.float32)

    def _played(self, known: Description, score: Score, context: RenderContext, frames: int) -> Iterator[Block]:
        performance = self.perform(known, context)
        due = [
            (min(round(second * context.rate), max(0, frames - 1)), event.data)
            for second, event in zip(score.seconds.tolist(), score.events, strict=True)
        ]
        # Whole cells of the grid, since some plugins never met another size.
        owed = -(-(frames + performance.latency) // GRID) * GRID
        at = 0
        for start in range(0, owed, _BLOCK):
            stop = min(start + _BLOCK, owed)
            events: list[tuple[int, bytes]] = []
            while at < len(due) and due[at][0] < stop:
                events.append((due[at][0] - start, due[at][1]))
                at += 1
            turns = self._turns(known, BlockContext(self, context, start, stop - start))
            song = _song(known, context, start, stop - start)
            yield from performance.play(events, stop - start, song, turns)
        yield from self._tail(known, performance, context, owed)

    def _tail(
        self, known: Description, performance: Performance, context: RenderContext, start: int
    ) -> Iterator[Block]:
        events = [(0, data) for data in _ALL_QUIET]
        quiet, left = 0, int(_LONGEST_TAIL * context.rate)
        while left > 0 and quiet < context.rate // 2:
            for block in performance.play(events, _BLOCK, _song(known, context, start, _BLOCK)):
                quiet = quiet + block.shape[1] if np.max(np.abs(block), initial=0.0) < _SILENCE else 0
                yield block
            events, left, start = [], left - _BLOCK, start + _BLOCK

    def perform(self, known: Description, context: RenderContext) -> Performance:
        """The plugin at its start: preset loaded, program chosen, every parameter where it begins."""
        self._read_settings(known)
        start = BlockContext(self, context, 0, GRID)
        positions = {known.named[name].index: _first(known.named[name], start, name) for name in self.settings}
        preset = context.find(self.preset).read_bytes() if self.preset else None
        return Performance(
            known, context.rate, context.channels, positions,
            program=self._program(known), preset=preset, patience=self.patience,
        )  # fmt: skip

    def _turns(self, known: Description, now: BlockContext) -> Turns:
        """The parameters that move, at the cells of the grid in which they do."""
        moving = [name for name, value in self.settings.items() if moves(value)]
        if not moving:
            return ()
        turns, last = [], dict[int, float]()
        for piece, held in now.cells(*moving):
            positions = {known.named[name].index: known.named[name].position(held[name]) for name in moving}
            if positions != last:
                turns.append((int(piece.start), positions))
                last = positions
        return turns

    def _program(self, known: Description) -> int | None:
        if self.program is None:
            return None
        if self.program.isdecimal() and 1 <= int(self.program) <= len(known.programs):
            return int(self.program) - 1
        folded = [program.casefold() for program in known.programs]
        if self.program.casefold() in folded:
            return folded.index(self.program.casefold())
        raise RecipeError(
            f"{known.about.name} has no program {shown(self.program)}.",
            nearest(self.program, known.programs),
            path=("program",),
        )

    def _at_hand(self) -> Description | None:
        """What is known of the plugin; None when it is missing or blocked and the song goes on without it.

        Raises:
            MissingError, PluginError: there is no such plugin, or it cannot be used.
        """
        try:
            known = describe_plugin(self._file_here, self.host)
        except (MissingError, PluginError):
            if self.on_error == "stop":
                raise
            return None
        self._read_settings(known)
        return known

    def _known(self) -> Description | None:
        """What is known of the plugin, which is looked at if nothing is, or None when it is not here."""
        known = self._recalled()
        if known is None:
            try:
                known = describe_plugin(self._file_here, self.host)
            except (MissingError, PluginError):
                return None
            object.__setattr__(self, "_description", known)
        return known

    def _recalled(self) -> Description | None:
        """What is known of the plugin without a look at it: a recipe can be read all the same."""
        if "_description" not in self.__dict__:
            known = recall_plugin(self._file_here, self.host)
            if known is None:
                return None
            object.__setattr__(self, "_description", known)
        found: Description = self.__dict__["_description"]
        return found

    def _recalled_settings(self) -> None:
        """Read the settings if what is needed for it is known by now; what does not fit stays as it was written."""
        known = None if "_read" in self.__dict__ else self._recalled()
        if known is not None:
            with contextlib.suppress(StudioError), collecting(None):
                self._read_settings(known)

    @property
    def _file_here(self) -> str:
        """The file where it lay when the recipe was read."""
        file, mark, inner = self.file.partition("#")
        given = self._home / file
        return f"{given}{mark}{inner}" if given.exists() else self.file


def _own_dials() -> dict[str, Kind]:
    return {name: Plugin.kinds()[name] for name in _HEARD}


def _dials(known: Description) -> dict[str, Kind]:
    """The parameters of a plugin, and of the step's own knobs those that change its sound."""
    own = Plugin.kinds()
    return {name: each.knob for name, each in known.named.items() if name not in own} | _own_dials()


class _Through:
    """An effect at work; when it fails and may be bypassed, what went in comes out from there on."""

    def __init__(self, step: Plugin, known: Description, context: RenderContext) -> None:
        self._step, self._known, self._context = step, known, context
        self._performance: Performance | None = None
        self._dry: list[Block] = []
        self._failed = False

    def __call__(self, block: Block, now: BlockContext) -> Block:
        if self._failed:
            return block
        if self._step.on_error == "bypass":
            self._dry.append(block)
        try:
            given = self._process(block, now)
        except PluginError as error:
            if self._step.on_error == "stop":
                raise
            second = (now.start + block.shape[1] - sum(dry.shape[1] for dry in self._dry)) / self._context.rate
            remark(f"{self._step.label} was bypassed from {second:.2f} s on: {error.cause}")
            self._failed, self._performance = True, None
            return np.concatenate(self._dry, axis=1)
        self._forget(given.shape[1])
        return given

    def _process(self, block: Block, now: BlockContext) -> Block:
        """What the plugin made of the block before: it works on this one while others go on."""
        if self._performance is None:
            self._performance = self._step.perform(self._known, self._context)
        sides = now.side("sidechain")
        if sides is not None:
            sides = _as_wide(sides, self._known.about.sides)
        song = _song(self._known, self._context, now.start, block.shape[1])
        return self._performance.hand_over(block, sides, self._step._turns(self._known, now), song)

    def _forget(self, frames: int) -> None:
        """Let go of the dry sound whose place has been taken."""
        while frames and self._dry:
            first = self._dry[0]
            if first.shape[1] > frames:
                self._dry[0] = first[:, frames:]
                return
            frames -= first.shape[1]
            self._dry.pop(0)


def _first(parameter: Parameter, start: BlockContext, name: str) -> float:
    """Where a parameter stands in the first cell of the song."""
    for _, held in start.cells(name):
        return parameter.position(held[name])
    raise TypeError("a block has no first cell")


def _song(known: Description, context: RenderContext, start: int, frames: int) -> SongPositions:
    """Where the song is during a block, for a host that tells it."""
    if known.host not in TELLING:
        return ()
    return song_positions(context.tempo, start, frames, context.rate)


def _as_wide(block: Block, channels: int) -> Block:
    if block.shape[0] >= channels:
        return block[:channels]
    return np.repeat(block[:1], channels, axis=0)
