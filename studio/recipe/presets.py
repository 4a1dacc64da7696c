"""Presets: chains and recipes saved under a name, and the step that uses a chain by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from studio.address import Path as Way
from studio.context import RenderContext
from studio.effects.blocks import EFFECTS, Chain, RackBlock
from studio.errors import MissingError, RecipeError, StudioError, nearest, within
from studio.folders import folder_of_reading, reading, shipped_presets, user_presets
from studio.knobs import File, Text, count, text
from studio.macros import MACROS, Macro, checked
from studio.recipe.document import Document, write
from studio.records import ListOf, Parsed, Record, field
from studio.stored import refuse_later
from studio.views import view

if TYPE_CHECKING:
    from pedalboard._pedalboard import Pedalboard

RECIPE_FILE = "recipe.yaml"
"""The document inside an installed pack."""

_OWN = ("use", "name", "bypass")
"""What stands beside a preset's knobs where it is used."""

_above: ContextVar[tuple[Path, ...]] = ContextVar(
    "the presets that are being read, each used by the one before", default=()
)


class ChainPreset(Record):
    """A chain saved to be used again, with knobs of its own; of one step, it is a step preset."""

    preset: int = count(1, 1, 1, help="the version of the format")
    title: str = text("", help="its name, for people")
    story: str = text("", help="what it does, in a line")
    author: str = text("", help="who made it")
    license: str = text("", help="its licence, as an SPDX identifier")
    tags: Parsed[tuple[str, ...]] = field(ListOf(each=Text(longest=40), help="words to find it by"))
    knobs: Parsed[Mapping[str, Macro]] = field(MACROS)
    chain: Parsed[Chain] = field(EFFECTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.chain:
            raise RecipeError("the preset has no steps.", "Add some: `chain: [chorus, reverb]`.", path=("chain",))
        for name in _OWN:
            if name in self.knobs:
                raise RecipeError(f"a preset cannot have a knob {name!r}.", "Rename it.", path=("knobs", name))
        self._finish("knobs", checked(self))

    @classmethod
    def parse(cls, data: object) -> Self:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        refuse_later(data, "preset", 1, "a preset")
        return super().parse(data)

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article."""
        return "a preset"

    @classmethod
    def load(cls, path: Path | str) -> ChainPreset:
        """Read a preset from a file.

        Raises:
            StudioError: with the file and line of what is wrong in it.
        """
        document = Document.open(path)
        try:
            with reading(Path(path).parent):
                return cls.parse(document.data)
        except StudioError as error:
            raise document.placed(error) from None

    def _repr_html_(self) -> str:
        shown: str = view("written")(self.title or "Preset", self.dumps())
        return shown

    def dumps(self) -> str:
        """The preset as YAML."""
        return write(self.data())

    def pedalboard(self, *, bpm: float = 120.0, folder: Path | str = Path()) -> Pedalboard:
        """The board that sounds the same, where all of it is pedalboard's.

        Args:
            bpm: the tempo that note values mean.
            folder: what relative paths mean.

        Raises:
            StudioError: steps that pedalboard has not, knobs that it cannot have so, or curves: all of them at once.
        """
        board: Pedalboard = view("board")(RackBlock(chain=self.chain, knobs=self.knobs), bpm=bpm, folder=folder)
        return board

    def changed(self) -> list[str]:
        """The format comes first, always."""
        return ["preset", *super().changed()]


class Preset(RackBlock, step="preset"):
    """Use a saved chain; its own knobs are turned beside its name.

    `preset: tape` or `preset: {use: tape, wear: 0.6}`. It is found by name among the presets that came with
    the studio or were installed, or by the path of its file.
    """

    use: str = field(File(default="", longest=400, help="the name of a preset, or the path of its file"), kw_only=True)

    @classmethod
    def parse(cls, data: object) -> Self:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if isinstance(data, cls):
            return data
        given: dict[Any, Any] = dict(data) if isinstance(data, Mapping) else {"use": data}
        own = {key: given.pop(key) for key in _OWN if key in given}
        if not isinstance(own.get("use"), str) or not own["use"]:
            raise RecipeError("a preset needs the name of one.", "Write `preset: tape` or `preset: {use: tape}`.")
        saved = _load(own["use"], folder_of_reading())
        knobs = dict(saved.knobs)
        for name, value in given.items():
            with within(str(name)):
                if name not in knobs:
                    raise RecipeError(f"the preset {own['use']!r} has no knob {name!r}.", nearest(str(name), knobs))
                knobs[name] = knobs[name].replace(value=value)
        return cls(chain=saved.chain, knobs=knobs, **own)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """A name, or a mapping with the preset's own knobs, which only the preset knows."""
        own = {name: cls.kinds()[name].member(name) for name in _OWN}
        known = {"enum": [listed.name for listed in presets() if listed.kind == "chain"]}
        file = {"type": "string", "pattern": r"\.ya?ml$"}
        own["use"] = {"title": "use", "description": cls.kinds()["use"].describe(), "anyOf": [known, file]}
        turned = {"type": "object", "properties": own, "required": ["use"], "additionalProperties": True}
        return {"anyOf": [own["use"], turned]}

    @property
    def label(self) -> str:
        """What addresses call it: its own name, else the preset's."""
        return self.name or Path(self.use).stem

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        if full:
            return super().data(full=True)
        saved = _load(self.use, folder_of_reading())
        turned = {
            name: macro.kind_of("value").data(macro.value)
            for name, macro in self.knobs.items()
            if name not in saved.knobs or macro.value != saved.knobs[name].value
        }
        common = {key: getattr(self, key) for key in ("name", "bypass") if getattr(self, key)}
        return {"preset": {"use": self.use, **turned, **common} if turned or common else self.use}

    def unfolded(self) -> RackBlock:
        """The same as a rack, which needs no preset to be installed."""
        return RackBlock(chain=self.chain, knobs=self.knobs, name=self.label, bypass=self.bypass)

    def says(self, way: Way) -> bool:
        """Whether what stands at the end of `way` can be written beside its name, not only in its chain."""
        return way in (("name",), ("bypass",)) or (way[0] == "knobs" and way[-1] == "value")

    def using(self, use: str) -> Preset:
        """Another preset in its place."""
        return Preset.parse({"use": use, "name": self.name, "bypass": self.bypass})

    def saved(self, folder: Path) -> ChainPreset:
        """What lies under its name, as it is there; `folder` is what relative paths mean.

        Raises:
            StudioError: it is not there any more, or cannot be read.
        """
        return _load(self.use, folder)

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """None of its own: what was read from its file is all there in its chain."""
        yield from ()


def _load(use: str, folder: Path) -> ChainPreset:
    path = find_preset(use, folder, "chain").path.resolve()
    above = _above.get()
    if path in above:
        raise RecipeError(f"the preset {use!r} uses itself.", "Take one of these steps out.")
    token = _above.set((*above, path))
    try:
        return _load_file(str(path), path.stat().st_mtime_ns)
    finally:
        _above.reset(token)


@lru_cache(maxsize=256)
def _load_file(path: str, changed: int) -> ChainPreset:
    """Read a preset file once for as long as it stays as it is."""
    return ChainPreset.load(path)


@dataclass(frozen=True)
class Listed:
    """A preset that is there to be used."""

    name: str
    kind: str
    path: Path
    shipped: bool


def presets() -> Iterator[Listed]:
    """All presets there are: those of the user first, which hide shipped ones of the same name."""
    seen: set[tuple[str, str]] = set()
    for root, shipped in ((user_presets(), False), (shipped_presets(), True)):
        for kind, folder in (("chain", "chains"), ("recipe", "recipes")):
            for path in sorted((root / folder).glob("*.yaml")):
                if (kind, path.stem) not in seen:
                    seen.add((kind, path.stem))
                    yield Listed(path.stem, kind, path, shipped)
    for path in sorted(user_presets().glob(f"packs/*/{RECIPE_FILE}")):
        if ("recipe", path.parent.name) not in seen:
            yield Listed(path.parent.name, "recipe", path, False)


def find_preset(name: str, folder: Path, kind: str | None = None) -> Listed:
    """A preset by its name or the path of its file.

    Raises:
        MissingError: there is none.
    """
    if name.endswith((".yaml", ".yml")):
        path = folder / name
        if path.is_file():
            return Listed(path.stem, kind or "chain", path, False)
        raise MissingError(f"there is no preset file {name!r}.")
    there = [listed for listed in presets() if kind in (None, listed.kind)]
    for listed in there:
        if listed.name == name:
            return listed
    raise MissingError(f"there is no preset {name!r}.", nearest(name, [listed.name for listed in there]))
