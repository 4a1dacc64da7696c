"""A design as one C++ file: which steps stand where, their fixed values, and how parameters turn the rest.

The sound itself is in headers beside the steps. Only numbers and the names of our own classes reach the program as
they are; whatever a person wrote stands in one table at its end, with every unusual byte escaped.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from studio.curves import Curve, Lfo, Mapped, moves
from studio.effects.blocks import Chain, Layers, Multiband, Parallel
from studio.effects.response import read_response
from studio.errors import RecipeError, within
from studio.exporting.plugin.design import Design, flat
from studio.exporting.plugin.parameters import Turned
from studio.exporting.plugin.sampler import write_sampler
from studio.knobs import LOG, Choice, File, Number, Port, Span, Switch
from studio.steps import Effect
from studio.tempo import Time

LARGEST_RESPONSE = 340_000
"""Bytes an impulse response may have inside a plugin, so that the plugin stays under 500 kB."""

_CHAIN = "studio/native/shell"
_SEEDED = ("random", "drift")


@dataclass
class PluginSource:
    """The text of the program, and the headers of steps it includes, by the path it includes them under."""

    text: str
    headers: dict[str, Path] = field(default_factory=dict)
    samples: bytes = b""
    """What the program finds under the name `mirepoix_samples`."""


def write_source(design: Design) -> PluginSource:
    """Write the program of a design.

    Raises:
        RecipeError: a step has no native half, or moves in a way that a plugin cannot.
    """
    writer = _Writer(design)
    whole = writer.row(design.turned)
    sampler = write_sampler(design.sampled) if design.sampled else None
    includes = [f"{_CHAIN}/{'sampler' if sampler else 'processor'}.hpp", *writer.headers]
    running = "Playing<Whole>>(SOUNDS)" if sampler else "Running<Whole>>()"
    lines = [
        "// A chain of the studio as a plugin. Written by `studio export`; the recipe is the source.",
        "",
        *(f'#include "{path}"' for path in includes),
        "",
        *(sampler.outside if sampler else ()),
        "namespace mirepoix {",
        "namespace {",
        "",
        *writer.lines,
        *(sampler.lines if sampler else ()),
        f"using Whole = {whole};",
        "",
        *_parameters(design),
        "}  // namespace",
        "",
        *_description(design),
        "",
        f"std::unique_ptr<Processor> make_processor() {{ return std::make_unique<{running}; }}",
        "",
        "}  // namespace mirepoix",
        "",
    ]
    return PluginSource("\n".join(lines), writer.headers, sampler.samples if sampler else b"")


class _Writer:
    def __init__(self, design: Design) -> None:
        self.lines: list[str] = []
        self.headers: dict[str, Path] = {}
        self._design, self._count = design, 0

    def row(self, chain: Chain) -> str:
        """The C++ type of a chain."""
        return f"Row<{', '.join(self._type(step) for step in flat(chain))}>"

    def _type(self, step: Effect) -> str:
        with within(step.label):
            if isinstance(step, Parallel):
                inner = self.row(step.chain)
                return f"Parallel<{self._station(step, 'Mix', ('mix',))}, {inner}>"
            if isinstance(step, Layers):
                return f"Layers<{', '.join(self.row(chain) for chain in step.chains)}>"
            if isinstance(step, Multiband):
                self.headers |= _own_header("multiband.hpp")
                return self._multiband(step)
            self.headers |= native_half(step)
            return f"Station<{self._station(step, type(step).__name__, tuple(step.parameters()))}>"

    def _multiband(self, step: Multiband) -> str:
        bands = ", ".join(self.row(band) for band in step.bands)
        name = self._name("Crossovers")
        values = ", ".join(map(number, step.crossovers))
        self.lines += [
            f"struct {name} {{",
            f"    static constexpr double HZ[] = {{{values}}};",
            "};",
            "",
        ]
        return f"Multiband<{name}, {bands}>"

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _station(self, step: Effect, struct: str, knobs: tuple[str, ...]) -> str:
        """Write how one step is set and turned; gives the name of what was written."""
        fixed, turned, listens = list[str](), list[str](), False
        for knob in knobs:
            kind, value = step.kind_of(knob), getattr(step, knob)
            with within(knob):
                if isinstance(kind, Port):
                    listens = value is not None
                elif isinstance(kind, Number) and isinstance(value, (Mapped, Lfo)):
                    turned.append(f"move(step.{knob}, cell, [](const Point& at) {{ return {_moving(value)}; }});")
                elif isinstance(kind, Number) and moves(value):
                    raise RecipeError(
                        "a curve drawn over a song cannot go into a plugin.",
                        "Hold it at a number, let a knob drive it, and automate that in the DAW.",
                    )
                elif isinstance(kind, Number) and kind.live:
                    fixed.append(f"hold(step.{knob}, {number(value)});")
                elif isinstance(kind, Span):
                    (turned if value.musical else fixed).append(f"step.{knob} = {_seconds(value)};")
                elif isinstance(kind, File):
                    fixed += self._response(step, knob)
                elif (given := _literal(kind, value)) is not None:
                    fixed.append(f"step.{knob} = {given};")
        name = self._name(struct)
        self.lines += [
            f"struct {name} {{",
            f"    using Step = {struct};",
            f"    static constexpr bool listens = {'true' if listens else 'false'};",
            *_function("fix(Step& step)", fixed),
            *_function("turn(Step& step, const Cell& cell)", turned),
            "};",
            "",
        ]
        return name

    def _response(self, step: Effect, knob: str) -> list[str]:
        """An impulse response as an array, at its own rate; as 16-bit numbers where these say all there is."""
        audio = read_response(self._design.context.find(getattr(step, knob)))
        loud = np.flatnonzero(audio.samples.any(axis=0))
        samples = audio.samples[:, : loud[-1] + 1 if len(loud) else 1]
        whole = samples * np.float32(32_768)
        coarse = bool(np.all(whole == np.round(whole)) and np.all(np.abs(whole + 0.5) <= 32_767.5))
        size = samples.size * (2 if coarse else 4)
        if size > LARGEST_RESPONSE:
            seconds = LARGEST_RESPONSE / (2 if coarse else 4) / len(samples) / audio.rate
            raise RecipeError(
                f"the response is {samples.shape[1] / audio.rate:.2f} s long, {size / 1000:.0f} kB; a plugin takes"
                f" {LARGEST_RESPONSE / 1000:.0f} kB.",
                f"Cut it to {seconds:.2f} s{'' if coarse else ', or save it with 16 bits to get twice as far'}.",
            )
        name = self._name("RESPONSE")
        numbers = map(str, whole.astype(int).ravel().tolist()) if coarse else (f"{x!s}f" for x in samples.flat)
        self.lines += [f"constexpr {'std::int16_t' if coarse else 'float'} {name}[] = {{"]
        self.lines += textwrap.wrap(", ".join(numbers), 118, initial_indent="    ", subsequent_indent="    ")
        self.lines += ["};", ""]
        channels, frames = samples.shape
        arrays = f"{name}, nullptr" if coarse else f"nullptr, {name}"
        return [f"step.{knob} = {{{channels}, {frames}, {number(float(audio.rate))}, {arrays}}};"]


def native_half(step: Effect) -> dict[str, Path]:
    """The header of a step's native half, by the path a program includes it under.

    Raises:
        RecipeError: there is none.
    """
    module = import_module(type(step).__module__)
    header = Path(str(module.__file__)).with_suffix(".hpp")
    name = type(step).__name__
    if not header.is_file() or not re.search(rf"\b(struct|using) {name}\b", header.read_text(encoding="utf-8")):
        raise RecipeError(
            f"{step.step!r} has no native half, so it cannot be in a plugin.",
            _INSTEAD.get(step.step, "Leave it out of the chain, or render the track with it."),
        )
    root = header.parents[module.__name__.count(".") + (header.stem == "__init__")]
    return {header.relative_to(root).as_posix(): header}


_INSTEAD = {
    "pitch_shift": "Pitch the track in the recipe (`psola`, `stretch`) and export the rest of the chain.",
    "resample": "`bitcrush` behind a `lowpass` is near it; or render the track with it.",
    "mp3": "An encoder is no effect for a mixer: render the track with it.",
    "plugin": "A plugin of somebody else's stays one: load it before or after the export in the DAW.",
}


def _own_header(name: str) -> dict[str, Path]:
    return {f"{_CHAIN}/{name}": Path(__file__).parents[3] / _CHAIN / name}


def _function(head: str, body: list[str]) -> Iterator[str]:
    if not body:
        unnamed = re.sub(r"(\w[\w ]*&) \w+", r"\1", head)
        yield f"    static void {unnamed} {{}}"
        return
    yield f"    static void {head} {{"
    yield from (f"        {line}" for line in body)
    yield "    }"


def number(value: float) -> str:
    """A number as a C++ literal of type double that means exactly the same."""
    text = repr(float(value))
    return text if any(mark in text for mark in ".en") else f"{text}.0"


def text(value: str) -> str:
    """A C++ string literal that means `value` in UTF-8, whatever is in it."""
    plain = re.compile(rb"[A-Za-z0-9 _.,:+-]")
    marks = (bytes([byte]) for byte in value.encode())
    return '"' + "".join(mark.decode() if plain.fullmatch(mark) else f"\\{mark[0]:03o}" for mark in marks) + '"'


def _literal(kind: object, value: object) -> str | None:
    if isinstance(kind, Choice):
        return str(kind.options.index(str(value))) if value is not None else "-1"
    if isinstance(kind, Switch):
        return "true" if value else "false"
    if isinstance(kind, Number) and isinstance(value, (int, float)):
        return str(int(value)) if kind.whole else number(value)
    return None


def _seconds(time: Time) -> str:
    """A time as an expression, in seconds at the beginning of a cell."""
    terms = []
    if time.bars:
        terms.append(f"{number(float(time.bars))} * cell.from.bar * 60.0 / cell.from.bpm")
    if time.beats:
        terms.append(f"{number(float(time.beats))} * 60.0 / cell.from.bpm")
    if time.seconds or not terms:
        terms.append(number(float(time.seconds)))
    return " + ".join(terms)


def _moving(curve: Curve) -> str:
    """A curve as an expression over `at`, a point of the grid: the arithmetic of `studio.curves`."""
    if isinstance(curve, Turned):
        return f"at.knobs[{curve.index}]"
    if isinstance(curve, Mapped):
        inner = _moving(curve.source)
        low, high = map(number, curve.ends)
        if isinstance(curve.source, Turned):
            return inner
        position = f"{'log_position' if curve.log else 'linear_position'}({inner}, {low}, {high})"
        return f"{curve.shape}({position}, {number(curve.low)}, {number(curve.high)})"
    if isinstance(curve, Lfo):
        cycles = f"{_cycles(curve.period)} + {number(curve.phase)}"
        seed = f", {curve.seed}" if curve.wave in _SEEDED else ""
        return f"{'exponential' if curve.log else 'linear'}({curve.wave}({cycles}{seed}), {number(curve.low)}, {number(curve.high)})"
    raise RecipeError(
        "a curve drawn over a song cannot go into a plugin.",
        "Hold it at a number, or let an LFO or a knob drive it and automate that in the DAW.",
    )


def _cycles(period: Time) -> str:
    if not period.musical:
        return f"at.seconds / {number(float(period.seconds))}"
    bars = f"{number(float(period.bars))} * at.bar + " if period.bars else ""
    return f"at.beat / ({bars}{number(float(period.beats))})"


def _parameters(design: Design) -> Iterator[str]:
    yield "// All words below were written by the maker of the recipe."
    if not design.parameters:
        yield "constexpr const Parameter* PARAMETERS = nullptr;"
    else:
        yield "constexpr Parameter PARAMETERS[] = {"
        for parameter in design.parameters:
            low, high = parameter.ends
            values = ", ".join(map(number, (low, high, parameter.initial)))
            words = (parameter.name, parameter.symbol, parameter.number.unit.symbol, parameter.group)
            taper = "true" if parameter.number.taper == LOG else "false"
            yield f"    {{{parameter.id}u, {', '.join(map(text, words))}, {values}, {taper}, {parameter.steps}}},"
        yield "};"
    for index, (_, settings) in enumerate(design.programs):
        yield f"constexpr double PRESET{index}[] = {{{', '.join(map(number, settings))}}};"
    if design.programs:
        named = ", ".join(f"{{{text(name)}, PRESET{index}}}" for index, (name, _) in enumerate(design.programs))
        yield f"constexpr Preset PRESETS[] = {{{named}}};"
    else:
        yield "constexpr const Preset* PRESETS = nullptr;"
    yield f"constexpr const char* FEATURES[] = {{{', '.join(map(text, clap_features(design)))}, nullptr}};"
    yield ""


def clap_features(design: Design) -> tuple[str, ...]:
    """What CLAP calls a plugin: its kind first."""
    if design.target.playing:
        return ("instrument", "sampler", "stereo")
    kinds = dict.fromkeys(category.clap for category in design.categories)
    return ("audio-effect", *kinds, "stereo", *(["mono"] if design.mono else []))


def vst3_category(design: Design) -> str:
    """What VST3 calls a plugin."""
    if design.target.playing:
        return "Instrument|Sampler"
    return "|".join(["Fx", *dict.fromkeys(category.vst3 for category in design.categories[:3])])


def _description(design: Design) -> Iterator[str]:
    words = (
        design.name,
        design.vendor,
        design.version,
        design.hash,
        design.uri,
        "",
        design.target.story,
        vst3_category(design),
    )
    identity = ", ".join(f"0x{byte:02x}" for byte in design.id.bytes)
    is_so = (design.mono, design.side, design.tempo, design.sampled is not None)
    flags = ", ".join("true" if flag else "false" for flag in is_so)
    first = design.first_of_instrument if design.target.playing else len(design.parameters)
    tempo = f"{number(design.target.bpm)}, {number(design.target.bar)}"
    yield "const Description PLUGIN = {"
    yield f"    {', '.join(map(text, words))}, FEATURES,"
    yield f"    {{{identity}}},"
    yield f"    PARAMETERS, {len(design.parameters)}, PRESETS, {len(design.programs)}, {flags}, {first}, {tempo}}};"
