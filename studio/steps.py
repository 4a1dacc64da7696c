"""Steps: typed, named, pure pieces of work with knobs, and the registry that finds them by name.

A step is written by subclassing one of the kinds below; its fields are its knobs, its docstring is its help,
its class name its name in a recipe::

    class Gain(Effect):
        '''Make it louder or softer.'''

        gain: Live = knob(0.0, SILENCE_DB, 24.0, DB, help="how much")

        def open(self, context: RenderContext) -> Run:
            return lambda block, now: block * amplitude(now["gain"])

What the engine, the live player, automation and the exporter may do with a step follows from its kind.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from studio.audio import Audio, Block
from studio.context import BlockContext, RenderContext
from studio.errors import RecipeError, StudioError, collector, nearest, shown, within
from studio.knobs import File, Port, Switch, Text
from studio.provenance import Component, check_declared, libraries, writer_of
from studio.records import Kind, MapOf, Record, field
from studio.score import Score

if TYPE_CHECKING:
    from studio.native_chain import Tree

Run: TypeAlias = Callable[[Block, BlockContext], Block]
"""An effect at work: takes the next block, of any number of whole cells of the grid, and gives what is ready.

A run with latency gives fewer frames at first and is fed silence at the end until all has come out; the
first frame it gives belongs to the first frame it took.
"""

_REGISTRY: dict[str, type[Step]] = {}
_COMMON = ("name", "bypass")


class Step(Record):
    """A named piece of work; every step may carry a `name` of its own and be bypassed."""

    kind: ClassVar[str]
    step: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised whenever the same knobs begin to sound different, so that no stale result is reused."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """The distributions, besides numpy, that its sound may depend on, such as ``("scipy", "soxr")``."""

    name: str | None = field(
        Text(default=None, longest=80, help="a name of its own, to tell it from its like"), kw_only=True
    )
    bypass: bool = field(Switch(default=False, help="leave the sound as it is"), kw_only=True)

    def __init_subclass__(cls, abstract: bool = False, step: str = "", **options: Any) -> None:
        documented = bool(cls.__doc__)  # asked before a dataclass is made of it, which writes one itself
        super().__init_subclass__(**options)
        if abstract:
            return
        cls.step = step or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        known = _REGISTRY.get(cls.step)
        if known is not None and known.__qualname__ + known.__module__ != cls.__qualname__ + cls.__module__:
            raise TypeError(f"two steps are called {cls.step!r}: {known.__module__} and {cls.__module__}")
        if not documented:
            raise TypeError(f"step {cls.step!r} has no docstring, which is its help")
        check_declared(cls.step, cls, cls.libraries)
        _REGISTRY[cls.step] = cls

    @classmethod
    def fits(cls, *kinds: str) -> bool:
        """Whether it is of one of these kinds; a few steps are of two."""
        return any(getattr(base, "kind", "") in kinds for base in cls.__mro__)

    @property
    def label(self) -> str:
        """What addresses call it: its own name, else its step's."""
        return self.name or self.step

    @classmethod
    def called(cls) -> str:
        """What error messages call it."""
        return f"`{cls.step}`" if hasattr(cls, "step") else "a step"

    @classmethod
    def parameters(cls) -> Mapping[str, Kind]:
        """Its own fields, without those every step has."""
        return {name: kind for name, kind in cls.kinds().items() if name not in _COMMON}

    def dials(self) -> Mapping[str, Kind]:
        """What can be set on this one: its parameters, and for some steps what a file of theirs adds to them."""
        return self.parameters()

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read the step's value: nothing, a mapping of knobs, or the first knob alone."""
        if isinstance(data, cls):
            return data
        if data is None:
            return super().parse({})
        first = next(iter(cls.parameters()), None)
        curve = isinstance(data, Mapping) and "lfo" in data and "lfo" not in cls.kinds()
        if (not isinstance(data, Mapping) or curve) and first is not None:
            return super().parse({first: data})
        return super().parse(data)

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse_step` reads back: the name alone, or ``{name: knobs}``."""
        knobs = super().data(full=full)
        if full:
            return {self.step: knobs | {"version": self.version}}
        first = next(iter(self.parameters()), None)
        if first is not None and list(knobs) == [first] and not isinstance(knobs[first], dict):
            return {self.step: knobs[first]}
        return {self.step: knobs} if knobs else self.step

    def resolved(self) -> Step:
        """The step that it stands for: itself, unless it is another way of writing one."""
        return self

    def inner(self) -> Iterator[Step]:
        """The steps it holds, depth first."""
        for value in (getattr(self, name) for name in self.parameters()):
            yield from _steps_in(value)

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content its sound depends on.

        Raises:
            MissingError: one of them is not there.
        """
        for name, kind in self.parameters().items():
            if isinstance(kind, File) and getattr(self, name):
                with within(name):
                    yield context.find(getattr(self, name))

    def programs(self) -> Iterator[str]:
        """The programs of others that run when it does, in a phrase each, without those of steps inside it."""
        return iter(())

    def ports(self) -> Iterator[tuple[str, str]]:
        """Its connected side inputs: (knob, track or bus), without those of steps inside it."""
        for name, kind in self.parameters().items():
            if isinstance(kind, Port) and getattr(self, name):
                yield name, getattr(self, name)

    def uses(self) -> tuple[str, ...]:
        """Those of `libraries` that its sound depends on as its knobs stand."""
        return self.libraries

    def made_by(self) -> Iterator[Component]:
        """What its sound depends on besides its knobs and files, without the steps inside it."""
        yield Component("step", self.step, str(self.version))
        yield from writer_of(type(self))
        yield from libraries("numpy", *self.uses())

    def remarks(self, context: RenderContext) -> Iterator[str]:
        """What whoever hears it should know beforehand."""
        return iter(())

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Find out, without making any sound, whether it will run.

        Args:
            context: the conditions it is to run under.
            seconds: how long the sound that it is given lasts, where that is known.

        Raises:
            StudioError: what would stop it, as far as that can be known beforehand.
        """

    def check_values(self) -> None:
        """Check those of its values whose ranges only this machine knows, such as the parameters of a plugin.

        Raises:
            StudioError: values that do not fit (all of them at once).
        """

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return True

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        own = any(getattr(getattr(self, name), "musical", False) for name in self.parameters())
        return own or any(step.follows_tempo() for step in self.inner())

    def follows(self, context: RenderContext) -> Score | None:
        """The notes it listens to, where they have a say in how it sounds."""
        return None

    @classmethod
    def help(cls) -> str:
        """Its docstring."""
        return inspect.cleandoc(cls.__doc__ or "")


class Source(Step, abstract=True):
    """Makes audio from nothing or from a file."""

    kind = "source"

    def cheap(self, context: RenderContext) -> bool:
        """Whether reading it again costs no more than reading it from the cache."""
        return False

    def origin(self, context: RenderContext) -> Path | None:
        """The file whose whole sound it gives, from its first frame, if it does just that."""
        return None

    def read(self, context: RenderContext) -> Iterator[Block]:
        """The sound, in blocks of any size and `context.channels` channels."""
        raise NotImplementedError


class Instrument(Step, abstract=True):
    """Makes audio from a score."""

    kind = "instrument"

    def unplayed(self, score: Score, context: RenderContext) -> Iterator[str]:
        """What of a score it will not play, or not as written; whoever hears it should know beforehand."""
        return iter(())

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of any size and `context.channels` channels."""
        raise NotImplementedError


class Effect(Step, abstract=True):
    """Causal and of the same length, block by block: can run live, be automated, streamed and exported."""

    kind = "effect"

    def open(self, context: RenderContext) -> Run:
        """Begin a run, with all state at rest: that of its native struct, where it has no other."""
        from studio.native_chain import NativeChain

        if not self.is_native():
            raise NotImplementedError(f"{self.step} has neither `open` nor a native struct")
        chain = NativeChain((self,), context)
        return lambda block, now: chain.push(block, now.sides)

    def is_native(self) -> bool:
        """Whether it runs inside the core, as its knobs stand: a struct of its class's name lies in the header beside it."""
        from studio.native_library import native_of

        return type(self).open is Effect.open and native_of(type(self)) is not None

    def made_by(self) -> Iterator[Component]:
        """What its sound depends on besides its knobs and files: the native core too, if it runs there."""
        from studio.native_library import made_natively

        yield from super().made_by()
        if self.is_native():
            yield from made_natively(type(self))

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain; only where `is_native`."""
        tree.step(self)

    def response(self, knob: str, context: RenderContext) -> Audio:
        """The recorded sound that a knob of kind file means to its native struct."""
        raise NotImplementedError

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Open it, and let go of it again."""
        self.open(context)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can come once the input has ended."""
        return 0.05


class Transform(Step, abstract=True):
    """Whole signal in, whole signal out; may change the length."""

    kind = "transform"

    keeps_time: ClassVar[bool] = False
    """Whether every frame stays where it is, so that it can be given only what the song's `length` leaves of a sound."""

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        raise NotImplementedError


class ScoreStep(Step, abstract=True):
    """Notes in, notes out."""

    kind = "score"

    writes: ClassVar[bool] = False
    """Whether it makes notes of its own, so that a track that begins with it needs no part of a score."""

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        raise NotImplementedError


class Unread(Step, abstract=True):
    """Stands for a step that could not be read, in a document whose errors are being collected."""

    kind = "unread"
    step = "unread"


def _steps_in(value: object) -> Iterator[Step]:
    if isinstance(value, Step):
        yield value
        yield from value.inner()
    elif isinstance(value, tuple):
        for item in value:
            yield from _steps_in(item)


@cache
def registry() -> Mapping[str, type[Step]]:
    """Every step there is, by name: the studio's own and those of installed packages.

    Both come through the entry point group ``studio.steps``, whose entries are modules to import.
    """
    for entry in entry_points(group="studio.steps"):
        try:
            entry.load()
        except Exception as error:
            warnings.warn(f"the steps of {entry.value} cannot be loaded: {error}", stacklevel=2)
    return _REGISTRY


def find_step(name: str, *kinds: str) -> type[Step]:
    """The step called `name`.

    Raises:
        RecipeError: there is none, or it is not one of `kinds`.
    """
    steps = registry()
    step = steps.get(name)
    if step is not None and (not kinds or step.fits(*kinds)):
        return step
    fitting = [known for known, step in steps.items() if not kinds or step.fits(*kinds)]
    if step is None:
        raise RecipeError(f"there is no step {name!r}.", nearest(name, fitting))
    raise RecipeError(
        f"{name!r} is a step of kind {step.kind}; here stands {' or '.join(kinds)}.", nearest(name, fitting)
    )


def parse_step(data: object, *kinds: str) -> Step:
    """Read a step from plain data: its name, or ``{name: value}``.

    Raises:
        StudioError: no such step, one of another kind, or knobs that do not fit.
    """
    if isinstance(data, Unread):
        return data
    if isinstance(data, Step):
        find_step(data.step, *kinds)
        return _resolved(data, *kinds)
    if isinstance(data, str):
        return _resolved(find_step(data, *kinds).parse(None), *kinds)
    if isinstance(data, Mapping) and len(data) == 1:
        [(name, value)] = data.items()
        with within(str(name)):
            return _resolved(find_step(str(name), *kinds).parse(value), *kinds)
    raise RecipeError(f"{shown(data)} is not a step.", "Write its name, or `name: {knob: value}`.")


def _resolved(step: Step, *kinds: str) -> Step:
    """What a step stands for, which must be of one of the kinds too."""
    meant = step.resolved()
    if meant is not step:
        find_step(meant.step, *kinds)
    return meant


@dataclass(frozen=True, kw_only=True)
class StepKind(Kind):
    """A step of one of some kinds."""

    kinds: tuple[str, ...]

    def parse(self, value: object) -> Step | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        taking = collector()
        if taking is None:
            return parse_step(value, *self.kinds)
        try:
            return parse_step(value, *self.kinds)
        except StudioError as error:
            taking.take(error)
            word = next(iter(value), "") if isinstance(value, Mapping) else value
            return Unread(name=str(word)[:80], bypass=True)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return None if value is None else value.data(full=full)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.help, "$ref": f"#/$defs/{'-'.join(self.kinds)}"}


def check_label(text: object) -> str:
    """A name that can stand in an address.

    Raises:
        RecipeError: it holds dots, slashes or control characters, or is too long.
    """
    return MapOf(each=Kind(), what="name").check_name(text)


@dataclass(frozen=True, kw_only=True)
class StepCalled(Kind):
    """A step of one name, which stands without it: as its main knob, or as all of them."""

    step: str
    default: Any = None

    def parse(self, value: object) -> Step | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        return None if value is None else find_step(self.step).parse({} if value is True else value)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        if value is None:
            return None
        plain = value.data(full=full)
        return next(iter(plain.values())) if isinstance(plain, Mapping) else {}

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.help, "$ref": f"#/$defs/step-{self.step}"}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return f"as the step {self.step}"


__all__ = [
    "Effect", "Instrument", "Run", "ScoreStep", "Source", "Step", "StepCalled", "StepKind", "Transform", "Unread",
    "check_label", "find_step", "parse_step", "registry",
]  # fmt: skip
