"""The step that names a plugin of pedalboard's by its class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from studio.context import RenderContext
from studio.effects.pedal import fed, played
from studio.effects.pedalboard_twins import TWINS, knobs_of
from studio.errors import Gather, KnobError, RecipeError, StudioError, collecting, nearest, shown, within
from studio.knobs import Choice
from studio.records import Kind, MapOf, field
from studio.steps import Effect, Run, Step, parse_step

if TYPE_CHECKING:
    from pedalboard import Plugin

_BESIDE = ("name", "bypass")
_CUT = {"MP3Compressor": 1024, "Resample": 1024, "Convolution": 1024}
"""Plugins whose sound depends on how it is cut, and the pieces they are fed."""
_LONG = {"Convolution": 33.0, "Delay": 33.0, "Reverb": 33.0}
"""Plugins that ring on, and for how many seconds at most: a delay's longest time and a little more."""
_WHOLE = ("PitchShift", "GSMFullRateCompressor")
_RESPONSE = "impulse_response_filename"


class PedalboardPlugin(Effect, step="pedalboard"):
    """Use a plugin of pedalboard's by its class and its own numbers: `pedalboard: {Chorus: {rate_hz: 1}}`.

    Wherever one of our steps sounds the same, it is read as that step (`chorus: {rate: 1}`), so that it can be automated
    and exported. With values that only pedalboard takes, pedalboard itself plays it, and no plugin can be made of it.
    What is not set stands where pedalboard has it.
    """

    plugin: str = field(Choice(options=tuple(TWINS), help="its class in pedalboard"))
    settings: Mapping[str, Any] = field(
        MapOf(each=Kind(), what="attribute", help="its attributes, by pedalboard's names")
    )

    libraries = ("pedalboard",)

    @classmethod
    def parse(cls, data: object) -> Self:
        """A class's name, or ``{Class: {attribute: value}}``; `name` and `bypass` may stand beside it."""
        if isinstance(data, cls):
            return data
        given: dict[Any, Any] = dict(data) if isinstance(data, Mapping) else {data: {}}
        beside = {key: given.pop(key) for key in _BESIDE if key in given}
        if not given.keys().isdisjoint(cls.kinds()):
            return super().parse(given | beside)
        if len(given) != 1 or not isinstance(next(iter(given)), str):
            raise RecipeError(
                f"{shown(data)} is not a plugin of pedalboard's.", "Write `pedalboard: {Chorus: {rate_hz: 1}}`."
            )
        [(name, values)] = given.items()
        if not isinstance(values, (Mapping, type(None))):
            raise RecipeError(
                f"{shown(values)} are no attributes.", f"Write `{name}: {{attribute: value}}`.", path=(name,)
            )
        _check_names(name, values or {})
        return super().parse({"plugin": name, "settings": values or {}, **beside})

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """A class's name, or its attributes below it."""
        classes = {
            name: {
                "type": ["object", "null"],
                "properties": {key: {} for key in twin.knobs},
                "additionalProperties": False,
            }
            for name, twin in TWINS.items()
        }
        beside = {name: cls.kinds()[name].member(name) for name in _BESIDE}
        written = {"type": "object", "properties": classes | beside, "additionalProperties": False, "minProperties": 1}
        return {"anyOf": [{"enum": list(TWINS)}, written]}

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        if full:
            return super().data(full=True)
        common = {key: getattr(self, key) for key in _BESIDE if getattr(self, key)}
        inner = {self.plugin: dict(self.settings)} if self.settings or common else self.plugin
        return {self.step: {**inner, **common} if isinstance(inner, dict) else inner}

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_names(self.plugin, self.settings)

    def resolved(self) -> Step:
        """Our own step that sounds the same, where there is one for these values; else itself.

        Raises:
            StudioError: values that neither takes.
        """
        moving = [name for name, value in self.settings.items() if isinstance(value, (Mapping, list, tuple))]
        with within(self.plugin):
            still = {name: value for name, value in self.settings.items() if name not in moving}
            values = _attributes(self.plugin, still) | {name: self.settings[name] for name in moving}
            try:
                with collecting(None):
                    own = parse_step({TWINS[self.plugin].step: knobs_of(self.plugin, values)})
            except StudioError as error:
                if moving or self.plugin in _WHOLE:
                    raise _by_its_names(error, self.plugin) from None
                return self
            except LookupError:
                return self
        return own.replace(name=self.name, bypass=self.bypass)

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The impulse response, where it has one."""
        if _RESPONSE in self.settings:
            with within(_RESPONSE):
                yield context.find(str(self.settings[_RESPONSE]))

    def settings_here(self, context: RenderContext) -> dict[str, Any]:
        """Its values, with files where they lie.

        Raises:
            MissingError: one is not there.
        """
        values = dict(self.settings)
        for file in self.assets(context):
            values[_RESPONSE] = str(file)
        return values

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        plugin = make(self.plugin, self.settings_here(context))
        if self.plugin in _CUT:
            return fed(plugin, context, _CUT[self.plugin])
        return played(plugin, context)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return _LONG.get(self.plugin, 0.05)


def make(name: str, values: Mapping[str, Any]) -> Plugin:
    """A plugin of pedalboard's from plain values: choices by their names.

    Raises:
        KnobError: it does not take them, with its own reason.
    """
    import pedalboard

    given = dict(values)
    choices: dict[str, Any] = {"mode": pedalboard.LadderFilter.Mode, "quality": pedalboard.Resample.Quality}
    for attribute in given.keys() & choices.keys():
        names = list(choices[attribute].__members__)
        if given[attribute] not in names:
            raise KnobError(
                f"pedalboard has no {attribute} {shown(given[attribute])}.",
                nearest(str(given[attribute]), names),
                path=(attribute,),
            )
        given[attribute] = choices[attribute].__members__[given[attribute]]
    try:
        made: Plugin = getattr(pedalboard, name)(**given)
    except TypeError:
        raise KnobError(
            f"pedalboard's {name} takes numbers.", "Write numbers without a unit, as pedalboard has them."
        ) from None
    except (ValueError, RuntimeError) as error:
        raise KnobError(f"pedalboard's {name} refuses: {str(error).rstrip('.')}.", "Change the value.") from None
    return made


def _attributes(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes as plain values: those given, and pedalboard's own defaults."""
    if _RESPONSE in TWINS[name].knobs:
        return {"mix": 1.0} | dict(values)
    made = make(name, values)
    read = {attribute: getattr(made, attribute) for attribute in TWINS[name].knobs}
    return {attribute: getattr(value, "name", value) for attribute, value in read.items()} | dict(values)


def _check_names(name: str, values: Mapping[Any, Any]) -> None:
    """That pedalboard has such a plugin, and it such attributes; all mistakes at once."""
    if name not in TWINS:
        special = {
            "VST3Plugin": "Write `plugin: {file: NAME}`.",
            "Mix": "Write `layers`.",
            "Chain": "Write its steps one by one.",
        }
        raise RecipeError(f"pedalboard has no plugin {name!r} for a chain.", special.get(name) or nearest(name, TWINS))
    gather = Gather()
    for attribute in values:
        with gather:
            if attribute not in TWINS[name].knobs:
                raise KnobError(
                    f"pedalboard's {name} has no {str(attribute)!r}.",
                    nearest(str(attribute), TWINS[name].knobs),
                    path=(name, str(attribute)),
                )
    gather.done()


def _by_its_names(error: StudioError, name: str) -> StudioError:
    """The error of our step, told of pedalboard's attributes instead of our knobs."""
    theirs = {knob: attribute for attribute, knob in TWINS[name].knobs.items()}
    for each in getattr(error, "errors", (error,)):
        each.path = tuple(theirs.get(str(key), key) for key in each.path if key != TWINS[name].step)
    return error


__all__ = ["PedalboardPlugin", "make"]
