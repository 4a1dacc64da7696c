"""Which parts of a score a track plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from studio import units
from studio.errors import Gather, MissingError, RecipeError, within
from studio.knobs import Number, Switch, Text, choice, switch, text
from studio.midi.drums import DrumsKind, keys_of
from studio.midi.general_midi import family_name, program_names, program_number
from studio.midi.parts import Part
from studio.records import Record, field

_WORDS = ("all", "rest")


class Pick(Record):
    """Which parts of the score a track plays: those that fit everything given here."""

    track: str | None = text(None, help="the name of the track in the MIDI file, or part of it")
    channel: int | None = field(
        Number(default=None, unit=units.COUNT, low=1, high=16, whole=True, help="the MIDI channel, from 1")
    )
    port: int | None = field(
        Number(default=None, unit=units.COUNT, low=1, high=16, whole=True, help="the MIDI port, from 1")
    )
    program: str | None = field(Text(default=None, help="a General MIDI program, by name or number from 0"))
    bank: int | None = field(
        Number(
            default=None,
            unit=units.COUNT,
            low=0,
            high=128,
            whole=True,
            help="the bank it plays from; 128 holds drum kits",
        )
    )
    family: str | None = field(Text(default=None, help="a General MIDI family, such as Bass or Strings"))
    drums: bool | None = field(Switch(default=None, help="true for drums only, false for everything else"))
    note: tuple[str | int, ...] = field(DrumsKind(help="only these drums or keys of it"))
    which: str = choice("some", "some", "all", "rest", help="all parts, or the rest that no other track plays")
    optional: bool = switch(False, help="a score without such a part leaves the track out")

    @classmethod
    def parse(cls, data: object) -> Self:
        """As a mapping; or `all`, `rest`, or the name of a track in the MIDI file."""
        if isinstance(data, str):
            return super().parse({"which": data} if data in _WORDS else {"track": data})
        return super().parse(data)

    def __post_init__(self) -> None:
        super().__post_init__()
        with within("program"):
            if self.program is not None:
                self._finish("program", program_names()[program_number(self.program)])
        with within("family"):
            if self.family is not None and self.family.casefold() != "drums":
                self._finish("family", family_name(self.family))
        criteria = (self.track, self.channel, self.port, self.program, self.bank, self.family, self.drums)
        nothing = all(value is None for value in criteria) and not self.note
        if (self.which == "some") == nothing:
            raise RecipeError(
                "a part is picked by what it is, or is all or rest, not both.",
                "Write `part: all`, `part: rest`, `part: {channel: 1}`, {track: Melody}, {family: Bass} or so.",
            )

    def data(self, *, full: bool = False) -> Any:
        """As a mapping, or the one word that says it."""
        plain = super().data(full=full)
        word = plain.get("which") or plain.get("track")
        alone = not full and len(plain) == 1 and word is not None and ("which" in plain or word not in _WORDS)
        return word if alone else plain

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"anyOf": [{"type": "string"}, super().schema()]}

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article."""
        return "a part"

    def among(self, parts: Sequence[Part]) -> list[Part]:
        """The parts that are meant; of several whose names hold the word, those that are called just so."""
        fitting = [part for part in parts if self._fits(part)]
        exact = [part for part in fitting if self.track and part.name.casefold() == self.track.casefold()]
        return [part.only(self.keys) for part in exact or fitting] if self.note else exact or fitting

    @property
    def keys(self) -> frozenset[int]:
        """The keys of its drums."""
        return frozenset(key for drum in self.note for key in keys_of(drum))

    @property
    def _names_drums(self) -> bool:
        return any(isinstance(drum, str) for drum in self.note)

    def _fits(self, part: Part) -> bool:
        wanted = (
            (self.track, self.track is None or self.track.casefold() in part.name.casefold()),
            (self.channel, self.channel == part.channel + 1),
            (self.port, self.port == part.port + 1),
            (self.program, not part.drums and self.program == program_names()[part.program]),
            (self.bank, self.bank == part.bank),
            (self.family, self.family is not None and self.family.casefold() == part.family.casefold()),
            (self.drums, self.drums == part.drums),
            (self.note or None, part.only(self.keys).notes > 0 and (part.drums or not self._names_drums)),
        )
        return all(fitting for given, fitting in wanted if given is not None)


def _order(part: Part) -> tuple[int, ...]:
    """What tells a part from all others of its score."""
    return part.track, part.port, part.channel, part.program, part.bank


def chosen(picks: Mapping[str, Sequence[Pick]], parts: Sequence[Part]) -> dict[str, tuple[Part, ...]]:
    """The parts that each track plays, given the picks of all tracks; optional ones may come out empty.

    Raises:
        MissingError: a pick that is not optional finds no part; those there are, are listed.
    """
    gather, tracks = Gather(), dict[str, tuple[Part, ...]]()
    named = [pick for own in picks.values() for pick in own if pick.which == "some"]
    taken: dict[tuple[int, ...], frozenset[int]] = {}
    for part in (part for pick in named for part in pick.among(parts)):
        taken[_order(part)] = taken.get(_order(part), frozenset()) | part.own
    for name, own in picks.items():
        found: dict[tuple[int, ...], frozenset[int]] = {}
        for index, pick in enumerate(own):
            if pick.which == "some":
                fitting = pick.among(parts)
            elif pick.which == "all":
                fitting = list(parts)
            else:
                left = [replace(part, own=part.own - taken.get(_order(part), frozenset())) for part in parts]
                fitting = [part for part in left if part.own]
            for part in fitting:
                found[_order(part)] = found.get(_order(part), frozenset()) | part.own
            if not fitting and not pick.optional:
                with gather, within("tracks", name, "part", index):
                    raise MissingError(_missing(name, pick, parts), _listing(parts))
        tracks[name] = tuple(replace(part, own=found[_order(part)]) for part in parts if _order(part) in found)
    gather.done()
    return tracks


def _missing(track: str, pick: Pick, parts: Sequence[Part]) -> str:
    if pick.which == "rest":
        return f"no part of the score is left for the rest, which {track!r} plays."
    if not parts:
        return "the score has no notes."
    wanted = {name: getattr(pick, name) for name in pick.changed() if name != "optional"}
    words = ", ".join(f"{name} {_worded(value)}" for name, value in wanted.items())
    return f"the score has no part with {words}, which {track!r} plays."


def _worded(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _listing(parts: Sequence[Part]) -> str:
    shown = [str(part) for part in parts[:24]] + (["…"] if len(parts) > 24 else [])
    return "Or write `optional: true`. It has: " + "; ".join(shown) + "." if parts else ""
