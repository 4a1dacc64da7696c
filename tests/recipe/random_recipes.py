"""Random valid recipes, made from the registry: any step, any knob, any value, nested and automated."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from studio.curves import SHAPES, WAVES
from studio.effects.blocks import EFFECTS
from studio.errors import StudioError
from studio.knobs import Choice, Number, Numbers, Port, Span, Switch, Text
from studio.macros import MACROS
from studio.midi.picks import Pick
from studio.recipe import Recipe
from studio.recipe.presets import presets
from studio.records import Kind, ListOf, Nested
from studio.sources.clips import PlacedClip
from studio.steps import parse_step, registry
from studio.stretch.anchors import Anchors

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
NAMES = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters=" -_"), min_size=1, max_size=8
).map(str.strip)
TIMES = st.sampled_from(["1/16", "1/8.", "1/4t", "3 beats", "2 bars", "1 bar 1/4", "0.125 s", "80 ms", 0.7])
TRACKS = ("one", "808", "null")


def number(kind: Number) -> st.SearchStrategy[Any]:
    """A number inside the range: bare, or as text in its unit."""
    low, high = max(kind.low, -1e6), min(kind.high, 1e6)
    plain = st.integers(int(low), int(high)) if kind.whole else st.floats(low, high)
    return st.one_of(plain, plain.map(lambda value: kind.unit.format(float(value))))


@st.composite
def curve(draw: st.DrawFn, kind: Number) -> Any:
    if draw(st.booleans()):
        ends = {"from": draw(number(kind)), "to": draw(number(kind))}
        more = draw(st.sampled_from([{}, {"phase": 0.25}, {"seed": 7}, {"phase": "50 %", "seed": 1}]))
        period = draw(TIMES)
        return {"lfo": draw(st.sampled_from(sorted(WAVES))), "period": period, **ends, **more}
    shapes = sorted(SHAPES) if kind.low > 0 else ["linear", "smooth", "step"]
    bars = draw(st.lists(st.integers(0, 99), min_size=1, max_size=4).map(sorted))
    unit = draw(st.sampled_from(["bars", "beats", "s"]))
    return [
        [f"{bar} {unit}", draw(number(kind)), *draw(st.sampled_from([[], [draw(st.sampled_from(shapes))]]))]
        for bar in bars
    ]


def value(draw: st.DrawFn, kind: Kind, ports: tuple[str, ...], depth: int) -> Any:
    """Plain data that the kind takes."""
    if isinstance(kind, Number):
        return draw(curve(kind)) if kind.live and draw(st.booleans()) else draw(number(kind))
    if isinstance(kind, Choice):
        return draw(st.sampled_from(kind.options))
    if isinstance(kind, Switch):
        return draw(st.booleans())
    if isinstance(kind, Span):
        return draw(TIMES)
    if isinstance(kind, Anchors):
        return [["0.5 s", "0 s"], [draw(st.sampled_from([0.75, "1500 ms"])), draw(TIMES)]]
    if isinstance(kind, Nested) and kind.of is Pick:
        return draw(st.sampled_from(["all", {"channel": 2}]))
    if isinstance(kind, Nested) and kind.of is PlacedClip:
        return {
            "file": "loop.wav",
            "at": draw(TIMES),
            "offset": "80 ms",
            "gain": draw(st.sampled_from([-3, "-inf dB"])),
        }
    if isinstance(kind, Numbers):
        found = draw(st.sets(number(kind.each).filter(lambda one: not isinstance(one, str)), min_size=1, max_size=2))
        return sorted(found)
    if isinstance(kind, Port):
        return draw(st.sampled_from(ports)) if ports else None
    if isinstance(kind, Text):
        return draw(st.sampled_from(["loop.wav", "a folder/b #1.mid", "hall: large.flac"]))
    if kind == EFFECTS:
        return [draw(step(("effect",), ports, depth + 1)) for _ in range(draw(st.integers(0, 2)))]
    if isinstance(kind, ListOf):
        return [value(draw, kind.each, ports, depth) for _ in range(draw(st.integers(1, 3)))]
    return None


@st.composite
def step(draw: st.DrawFn, kinds: tuple[str, ...], ports: tuple[str, ...] = (), depth: int = 0) -> Any:
    """A step of one of some kinds with any of its knobs, as a file would hold it."""
    name = draw(st.sampled_from(sorted(name for name, step in registry().items() if step.kind in kinds)))
    if name == "preset":
        use = draw(st.sampled_from(sorted(listed.name for listed in presets() if listed.kind == "chain")))
        [knob, *_] = parse_step({"preset": use}).knobs  # type: ignore[attr-defined]
        return {name: draw(st.sampled_from([use, {"use": use, knob: 0.25}, {"use": use, "name": "mine"}]))}
    knobs: dict[str, Any] = {}
    for knob, kind in registry()[name].parameters().items():
        wanted = kind.required or isinstance(kind, Port) or (depth < 2 and draw(st.booleans()))
        if wanted and kind is not MACROS and (given := value(draw, kind, ports, depth)) is not None:
            knobs[knob] = given
    if draw(st.booleans()):
        knobs["name"] = draw(NAMES.filter(bool))
    if name == "multiband":
        knobs["bands"] = [[] for _ in range(1 + len(knobs.get("crossovers", (200, 2000))))]
    data = {name: knobs}
    try:
        parse_step(data)
    except StudioError:
        # What a declaration cannot say: a low above a high, a grid in seconds, a delay of no length.
        assume(False)
    return data


@st.composite
def recipes(draw: st.DrawFn) -> dict[str, Any]:
    """A whole recipe as plain data."""

    def strip(ports: tuple[str, ...]) -> dict[str, Any]:
        volume, pan = (Recipe.kinds()["tracks"].each.of.kinds()[name] for name in ("volume", "pan"))  # type: ignore[attr-defined]
        made: dict[str, Any] = {
            "chain": [draw(step(("effect", "transform"), ports)) for _ in range(draw(st.integers(0, 3)))]
        }
        if draw(st.booleans()):
            made["volume"] = value(draw, volume, (), 0)
        if draw(st.booleans()):
            made["pan"] = value(draw, pan, (), 0)
        if draw(st.booleans()):
            made["send"] = {
                "room": draw(
                    st.sampled_from([-6, "-inf dB", {"level": "-3 dB", "pre": True}, [[0, -40], ["1 bar", 0]]])
                )
            }
        return made

    parts = st.sampled_from(
        ["all", "rest", "Piano", {"channel": 3, "optional": True}, [{"drums": True}, {"family": "Bass"}]]
    )
    score = [draw(step(("score",))) for _ in range(draw(st.integers(0, 2)))]
    tracks = {"one": {"part": draw(parts), "notes": score, **strip(())}}
    tracks["808"] = {
        "play": draw(step(("source",))),
        **strip(("one",)),
        "to": draw(st.sampled_from(["master", "room"])),
    }
    tracks["null"] = {
        "part": "all",
        "play": draw(step(("instrument",))),
        **strip(("one", "808")),
        "solo": draw(st.booleans()),
    }
    words = {name: draw(WORDS) for name in ("title", "author", "story") if draw(st.booleans())}
    return {
        **words,
        "tags": draw(st.lists(WORDS, max_size=2)),
        "credits": draw(st.dictionaries(st.sampled_from(["a.wav", "b: c.sf2"]), WORDS, max_size=1)),
        "score": "song #1.mid",
        "tempo": draw(
            st.sampled_from(["score", 92.5, "92 bpm", [["0 bars", "90 bpm"], ["4 bars 1/4", "140 bpm", "linear"]]])
        ),
        "meter": draw(st.sampled_from(["score", "7/8", [["0 bars", "4/4"], ["8 bars", "3/4"]]])),
        "length": draw(st.none() | TIMES),
        "knobs": {
            "dust": {
                "value": draw(st.floats(0, 1)),
                "drives": {"room.wide.mix": [0, "80 %"], "one.volume": ["-inf dB", 3]},
            }
        },
        "tracks": tracks,
        "buses": {"room": {"chain": [{"chorus": {"name": "wide"}}, *strip(("one",))["chain"]]}},
        "master": {"chain": strip(())["chain"], "loudness": draw(st.none() | st.floats(-60, -5))},
        "output": draw(st.sampled_from([{}, {"format": "flac", "bits": 16}, {"stems": "pre"}])),
    }
