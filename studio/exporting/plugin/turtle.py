"""What an LV2 host reads before it loads a plugin: its ports and words, in Turtle.

https://lv2plug.in/ns/ and https://www.w3.org/TR/turtle/
"""

from __future__ import annotations

from collections.abc import Iterator

from studio.exporting.plugin.design import Design
from studio.exporting.plugin.parameters import PluginParameter
from studio.knobs import LOG

_PREFIXES = """\
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix midi: <http://lv2plug.in/ns/ext/midi#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pg: <http://lv2plug.in/ns/ext/port-groups#> .
@prefix pprops: <http://lv2plug.in/ns/ext/port-props#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix time: <http://lv2plug.in/ns/ext/time#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .

"""
_UNITS = {"dB": "db", "Hz": "hz", "ms": "ms", "s": "s", "st": "semitone12TET"}
_SIDES = ("left", "right")


def uris(design: Design) -> list[tuple[str, int]]:
    """The plugins in the bundle, with their channels."""
    return [(design.uri, 2), *([(f"{design.uri}#mono", 1)] if design.mono else [])]


def manifest(design: Design, library: str) -> str:
    """The file that names the plugins of the bundle."""
    plugins = "\n".join(
        f"<{uri}> a lv2:Plugin ;\n    lv2:binary <{library}> ;\n    rdfs:seeAlso <plugin.ttl> ."
        for uri, _ in uris(design)
    )
    listed = "\n".join(
        f"<{preset}> a pset:Preset ;\n    lv2:appliesTo <{uri}> ;\n    rdfs:seeAlso <presets.ttl> ."
        for preset, uri, _, _ in _presets(design)
    )
    return f"{_PREFIXES}{plugins}\n{listed}\n"


def presets(design: Design) -> str:
    """The file that says where parameters stand in each preset."""
    blocks = []
    for preset, uri, name, values in _presets(design):
        ports = " ,\n".join(
            f'        [ lv2:symbol "{parameter.symbol}" ; pset:value {_decimal(value)} ]'
            for parameter, value in zip(design.parameters, values, strict=True)
        )
        blocks.append(
            f"<{preset}> a pset:Preset ;\n    lv2:appliesTo <{uri}> ;\n    rdfs:label {text(name)} ;\n    lv2:port\n{ports} ."
        )
    return _PREFIXES + "\n".join(blocks) + "\n"


def _presets(design: Design) -> Iterator[tuple[str, str, str, tuple[float, ...]]]:
    """The address of each preset, that of the plugin it belongs to, its name and its values."""
    for uri, channels in uris(design):
        for index, (name, values) in enumerate(design.programs):
            yield f"{design.uri}#{'preset' if channels == 2 else 'mono-preset'}-{index}", uri, name, values


def plugin(design: Design) -> str:
    """The file that says what the plugins are; ports in the order in which the shell has them."""
    return _PREFIXES + "\n".join("\n".join(_plugin(design, uri, channels)) for uri, channels in uris(design))


def _plugin(design: Design, uri: str, channels: int) -> Iterator[str]:
    name = design.name if channels == 2 else f"{design.name} (mono)"
    version = [int(part) for part in design.version.split(".")[:3] if part.isdecimal()]
    yield f"<{uri}> a lv2:Plugin , doap:Project , lv2:{_class(design)} ;"
    yield f"    doap:name {text(name)} ;"
    yield f"    doap:maintainer [ foaf:name {text(design.vendor)} ] ;"
    yield "    doap:license <https://spdx.org/licenses/GPL-3.0-or-later.html> ;"
    about = f"{design.target.story} (recipe {design.hash}, studio {design.version})".strip()
    yield f"    rdfs:comment {text(about)} ;"
    yield f"    lv2:minorVersion {version[-2] if len(version) > 1 else 0} ;"
    yield f"    lv2:microVersion {2 * version[-1] if version else 0} ;"
    yield "    lv2:optionalFeature lv2:hardRTCapable , urid:map ;"
    yield "    lv2:port"
    blocks = [*_ports(design, channels)]
    for index, lines in enumerate(blocks):
        body = "".join(f"\n        {line} ;" for line in (f"lv2:index {index}", *lines[1:]))
        yield f"    [\n        a {lines[0]} ;{body}\n    ]{' ,' if index + 1 < len(blocks) else ' .'}"
    for group, address in _groups(design).items() if channels == 2 else ():
        symbol = address.rpartition("#")[2].replace("-", "_")
        yield f'<{address}> a pg:InputGroup ;\n    lv2:symbol "{symbol}" ;\n    lv2:name {text(group)} .'
    yield ""


def _class(design: Design) -> str:
    if design.target.playing:
        return "InstrumentPlugin"
    return design.categories[0].lv2 if design.categories else "Plugin"


def _groups(design: Design) -> dict[str, str]:
    """The address of each group of parameters."""
    names = dict.fromkeys(parameter.group for parameter in design.parameters if parameter.group)
    return {name: f"{design.uri}#group-{index}" for index, name in enumerate(names)}


def _ports(design: Design, channels: int) -> Iterator[list[str]]:
    """Each port as its class and what else is said of it."""
    for word, kind in (("in", "lv2:InputPort"), ("out", "lv2:OutputPort")):
        for channel in range(0 if word == "in" and design.sampled else channels):
            yield [f"lv2:AudioPort , {kind}", *_called(f"{word}_{channel + 1}", f"{word} {_side(channel, channels)}")]
    for channel in range(channels if design.side else 0):
        yield [
            "lv2:AudioPort , lv2:InputPort",
            *_called(f"side_{channel + 1}", f"side chain {_side(channel, channels)}"),
            "lv2:portProperty lv2:isSideChain , lv2:connectionOptional",
        ]
    for parameter in design.parameters:
        yield ["lv2:ControlPort , lv2:InputPort", *_control(parameter, _groups(design).get(parameter.group, ""))]
    yield [
        "lv2:ControlPort , lv2:InputPort", *_called("enabled", "enabled"), "lv2:designation lv2:enabled",
        "lv2:portProperty lv2:toggled", "lv2:default 1 ; lv2:minimum 0 ; lv2:maximum 1",
    ]  # fmt: skip
    yield [
        "lv2:ControlPort , lv2:OutputPort", *_called("latency", "latency"), "lv2:designation lv2:latency",
        "lv2:portProperty lv2:reportsLatency , lv2:integer", "lv2:default 0 ; lv2:minimum 0 ; lv2:maximum 192000",
    ]  # fmt: skip
    if design.tempo or design.sampled:
        heard = [*(["midi:MidiEvent"] if design.sampled else []), *(["time:Position"] if design.tempo else [])]
        name = "notes" if design.sampled else "time"
        yield [
            "atom:AtomPort , lv2:InputPort", *_called(name, name), "atom:bufferType atom:Sequence",
            f"atom:supports {' , '.join(heard)}",
            "lv2:designation lv2:control" if design.sampled else "lv2:portProperty lv2:connectionOptional",
        ]  # fmt: skip


def _control(parameter: PluginParameter, group: str) -> Iterator[str]:
    low, high = parameter.ends
    yield from _called(parameter.symbol, parameter.name)
    yield f"lv2:default {_decimal(parameter.initial)} ; lv2:minimum {_decimal(low)} ; lv2:maximum {_decimal(high)}"
    if parameter.number.help:
        yield f"rdfs:comment {text(parameter.number.help)}"
    if unit := _UNITS.get(parameter.number.unit.symbol):
        yield f"units:unit units:{unit}"
    elif symbol := parameter.number.unit.symbol:
        yield f"units:unit [ a units:Unit ; units:render {text(f'%f {symbol}')} ; units:symbol {text(symbol)} ]"
    if parameter.number.taper == LOG:
        yield "lv2:portProperty pprops:logarithmic"
    if parameter.steps:
        yield "lv2:portProperty lv2:integer"
    if group:
        yield f"pg:group <{group}>"


def _called(symbol: str, name: str) -> tuple[str, str]:
    return f'lv2:symbol "{symbol}"', f"lv2:name {text(name)}"


def _side(channel: int, channels: int) -> str:
    return _SIDES[channel] if channels == 2 else ""


def _decimal(value: float) -> str:
    """A decimal without an exponent, which old readers of Turtle stumble over."""
    return f"{value:.10f}"


def text(value: str) -> str:
    """A Turtle string that means `value`, whatever is in it."""
    return (
        '"'
        + "".join(
            mark if mark.isascii() and (mark.isalnum() or mark in " .,:+-()'") else f"\\U{ord(mark):08X}"
            for mark in value
        )
        + '"'
    )
