"""A rack in a notebook: a recipe's knobs under the hand, heard while they turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import traitlets

from studio.address import Path as Way
from studio.address import get, locate
from studio.audio import Audio
from studio.engine import Cache
from studio.engine.loudness import LoudnessMeter
from studio.errors import KnobError, Problems, RecipeError, StudioError, shown
from studio.knobs import Number
from studio.levels import amplitude
from studio.recipe import Recipe
from studio.recipe.document import Document
from studio.recipe.presets import find_preset
from studio.recipe.saving import chain_preset, keep
from studio.rendering.player.modules import script
from studio.rendering.still import written
from studio.steps import Step, check_label, parse_step
from widgets.panels import Homes, drivers, layout, name_of, palette, path_of, shelf, step_at, values
from widgets.player import HERE, STYLE, Playing
from widgets.session import Ear, PlaybackSession
from widgets.sides import Sides
from widgets.sounds import Rendered
from widgets.variation import morphed, randomised
from widgets.words import as_python

SOUND = "sound"
"""The track on which a chain of its own is played."""

MATCHED_SECONDS = 30.0
"""How much of both sides is measured to match their levels."""


class Rack(Playing):
    """Panels for every step of a recipe; turn a knob and hear it while the song loops.

    `recipe` is always the current truth, whoever turned what. One gesture is one step of undo.

    >>> desk = widgets.rack(song)
    >>> desk.set("keys.lowpass.cutoff", "2 kHz")
    >>> desk.undo()
    >>> desk.recipe.save("song.yaml")
    """

    _esm = script(HERE / "rack.js")
    _css = STYLE

    panels = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    driven = traitlets.Dict().tag(sync=True)
    errors = traitlets.Dict().tag(sync=True)
    sides = traitlets.Dict().tag(sync=True)
    palette: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    controllers = traitlets.Dict().tag(sync=True)

    def __init__(self, recipe: Recipe, *, single: bool = False, cache: Cache | None = None) -> None:
        self._sides = Sides.of(recipe)
        self._now, self._single = recipe, single
        self._match, self._levels, self._homes = True, dict[str, float](), Homes()
        first = next(iter(recipe.tracks), "master")
        super().__init__(rate=recipe.rate, title=recipe.title, selected=first, palette=palette())
        self._session = PlaybackSession(self._tell, failed=self._failed, finished=self._finished, cache=cache)
        self._show()
        self._session.wish(recipe)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands now, even while a hand is on a knob."""
        return self._now

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        """Put another recipe in its place; that is one step of undo."""
        self._change(recipe)

    @property
    def chain(self) -> tuple[Step, ...]:
        """The chain of the strip that is selected."""
        chain: tuple[Step, ...] = get(self._now, (*self._strip(), "chain"))
        return chain

    def set(self, address: str, value: object) -> None:
        """Turn one knob; `value` is what a file would say.

        Raises:
            StudioError: there is no such knob, or the value does not fit it.
        """
        self._change(self._now.set(address, value))

    def bypass(self, address: str, on: bool = True) -> None:
        """Leave a step out, such as ``"keys.chorus"``, or let it in again."""
        self.set(f"{address}.bypass", on)

    def add(self, step: object, at: int | None = None) -> None:
        """Put a step into the selected chain: a name, or what a file would say; at the end if not told where."""
        chain = list(self.chain)
        chain.insert(len(chain) if at is None else at, parse_step(step, "effect", "transform"))
        self._rebuild(tuple(chain))

    def remove(self, at: int) -> None:
        """Take a step out of the selected chain; macros let go of it."""
        chain = self.chain
        self._rebuild((*chain[:at], *chain[at + 1 :]))

    def move(self, step: int, to: int) -> None:
        """Move a step of the selected chain to another place."""
        chain = list(self.chain)
        chain.insert(to, chain.pop(step))
        self._rebuild(tuple(chain))

    def undo(self) -> None:
        """Take the last gesture back."""
        if self._sides.here.undo():
            self._arrived()

    def redo(self) -> None:
        """Do again what was undone."""
        if self._sides.here.redo():
            self._arrived()

    def swap(self) -> None:
        """Go to the other side, A or B, at a matched level."""
        self._sides.swap()
        self._arrived()

    def copy(self) -> None:
        """Make the other side like this one."""
        self._sides.there.change(self._now)
        self._show()

    def match(self, on: bool) -> None:
        """Whether the louder side is turned down to the other's loudness."""
        self._match = on
        self._show()
        self._level()

    def randomise(self, seed: int, amount: float = 0.25) -> None:
        """Throw dice for the selected strip; the same seed is the same throw."""
        self._change(randomised(self._now, seed, amount, self._strip()))

    def morph(self, one: Recipe | str, other: Recipe | str, position: float) -> None:
        """Stand between two settings: recipes, or names of presets for the selected chain."""
        ends = [end if isinstance(end, Recipe) else self._with_preset(end) for end in (one, other)]
        self._change(morphed(ends[0], ends[1], min(1.0, max(0.0, float(position)))))

    def load_preset(self, name: str) -> None:
        """Put a chain preset in place of the selected chain.

        Raises:
            MissingError: there is none of that name.
        """
        self._change(self._with_preset(name))

    def save_preset(self, name: str, *, replace: bool = False) -> Path:
        """Keep the selected chain, with the macros that drive it, among the user's presets.

        Raises:
            StudioError: the name cannot be one or is taken.
        """
        return keep(chain_preset(self._now, self.selected, title=name), name, replace=replace)

    def save(self, path: Path | str) -> None:
        """Write the recipe to a file; what was read from one keeps its comments."""
        self._now.save(path)

    def as_yaml(self) -> str:
        """The recipe as its file would say it."""
        return self._now.dumps()

    def as_python(self) -> str:
        """A program that makes the recipe."""
        return as_python(self._now)

    def export(self, out: Path | str, **options: Any) -> Any:
        """Make a plugin of the selected chain; `studio.export` has the options."""
        from studio.exporting.export import export

        return export(self._now, out, strip=self.selected, **options)

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until what is shown has been rendered; False if that takes longer or failed, as `errors` then says."""
        return self._session.wait(seconds)

    @property
    def mix(self) -> Audio:
        """What was rendered last.

        Raises:
            RecipeError: nothing was, yet.
        """
        sounds = self._session.sounds
        if sounds is None:
            raise RecipeError("nothing has been rendered yet.", "Call wait() first.")
        return Audio(sounds.read(0, 0, sounds.frames), sounds.rate)

    def _still(self) -> str:
        return super()._still() + written(self.title or "Rack", self.as_yaml())

    def _strip(self) -> Way:
        return path_of(next(strip["way"] for strip in self.panels["strips"] if strip["name"] == self.selected))

    def _with_preset(self, name: str) -> Recipe:
        step = parse_step({"preset": find_preset(name, self._now.folder, "chain").name}, "effect")
        return self._loosened((*self._strip(), "chain"), (step,))

    def _rebuild(self, chain: tuple[Step, ...]) -> None:
        self._change(self._loosened((*self._strip(), "chain"), chain))

    def _loosened(self, way: Way, chain: tuple[Step, ...]) -> Recipe:
        """The recipe with another chain, and macros that let go of what is no longer in it."""
        labels = {step.label for step in chain}
        knobs = {}
        for name, macro in self._now.knobs.items():
            drives = {}
            for address, drive in macro.drives.items():
                path, _ = locate(self._now, address)
                gone = path[: len(way)] == way and get(self._now, path[: len(way) + 1]).label not in labels
                if not gone:
                    drives[address] = drive
            knobs[name] = macro if drives == macro.drives else macro.replace(drives=drives)
        loose = self._now.replace(knobs={}).put(way, chain)
        return loose.replace(knobs=knobs)

    def _change(self, recipe: Recipe, ear: Ear | None = None) -> None:
        """One step further."""
        self._sides.here.change(recipe)
        self._arrived(ear)

    def _arrived(self, ear: Ear | None = None) -> None:
        self._now = self._sides.here.recipe
        self._show()
        self._session.wish(self._now, ear)

    def _show(self) -> None:
        """Tell the browser how everything stands."""
        recipe, sides = self._now, self._sides

        with self.hold_sync():
            self.panels = layout(recipe, self._homes, single=self._single)
            self.driven = drivers(recipe)
            self.values = values(recipe)
            self.sides = {
                "letter": sides.letter,
                "same": sides.a.recipe == sides.b.recipe,
                "undo": len(sides.here.past),
                "redo": len(sides.here.future),
                "match": self._match,
            }
            if all(strip["name"] != self.selected for strip in self.panels["strips"]):
                self.selected = self.panels["strips"][0]["name"]

    def _failed(self, error: StudioError | None) -> None:
        """A render failed, or worked again: the step says so, and the last good sound stays."""
        found: dict[str, str] = {}
        for single in error.errors if isinstance(error, Problems) else (error,) if error else ():
            way = step_at(self._now, single)
            found[name_of(way) if way else ""] = f"{single.cause} {single.mend}".strip()
        self.errors = found
        self._say(found.get("", "the last good sound plays on" if found else ""), bad=bool(found))

    def _finished(self, sounds: Rendered, recipe: Recipe) -> None:
        meter = LoudnessMeter(sounds.rate, 2, true_peak=False)
        meter.push(sounds.read(0, 0, min(sounds.frames, int(MATCHED_SECONDS * sounds.rate))))
        known = {each.recipe.hash: self._levels.get(each.recipe.hash) for each in self._both()}
        self._levels = {key: level for key, level in known.items() if level is not None}
        self._levels[recipe.hash] = meter.read().integrated
        other = next((each.recipe for each in self._both() if each.recipe.hash not in self._levels), None)
        if other is not None:
            self._session.also(other)
        self._level()

    def _both(self) -> tuple[Any, Any]:
        return self._sides.here, self._sides.there

    def _level(self) -> None:
        """Turn the louder side down to the other, once both have been heard."""
        here, there = (self._levels.get(side.recipe.hash, 0.0) for side in self._both())
        matched = self._match and -70 < here < 0 and -70 < there < 0
        gain = min(0.0, there - here) if matched else 0.0
        self._tell({"kind": "gain", "gain": float(amplitude(gain)), "decibels": round(gain, 1)}, [])

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        doings: dict[str, Callable[[dict[str, Any]], None]] = {
            "hello": lambda content: self._greet(),
            "want": self._session.want,
            "turn": self._turn,
            "type": self._type,
            "do": self._do,
        }
        doing = doings.get(str(content.get("kind")))
        if doing is None:
            return
        try:
            doing(content)
        except StudioError as error:
            self._refuse(str(content.get("id", "")), error)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError, StopIteration) as error:
            # Only a page that is not ours, or older than this, says what cannot be understood.
            self._say(f"the page said something that makes no sense here ({type(error).__name__}).", bad=True)
        if content.get("kind") == "type":
            self._tell({"kind": "read", "token": content.get("token")}, [])

    def _greet(self) -> None:
        self._session.greet()
        self._level()

    def _refuse(self, control: str, error: StudioError) -> None:
        text = " ".join(part for part in (error.cause, error.mend) if part)
        self._tell({"kind": "refused", "id": control, "text": text}, [])

    def _turn(self, content: Mapping[str, Any]) -> None:
        """A hand turns knobs: while it moves, only what is heard next is rendered."""
        recipe, moving = self._now, bool(content.get("moving"))
        try:
            for name, value in content["turns"].items():
                recipe = self._turned(recipe, name, value)
            if moving:
                self._now = recipe
                self._session.wish(recipe, Ear.parse(content.get("ear")), moving=True)
                stands = values(recipe)
                wanted = {*content["turns"], *self.driven}
                told = {name: value for name, value in stands.items() if name in wanted}
                if "morph" in content["turns"]:
                    told = stands
                self._tell({"kind": "turned", "seq": content.get("seq"), "values": told}, [])
                return
            self._change(recipe, Ear.parse(content.get("ear")))
        except StudioError as error:
            self._refuse(next(iter(content["turns"]), ""), error)
        self._tell({"kind": "turned", "seq": content.get("seq"), "values": values(self._now)}, [])

    def _turned(self, recipe: Recipe, name: str, value: object) -> Recipe:
        if name == "morph":
            return morphed(self._sides.a.recipe, self._sides.b.recipe, min(1.0, max(0.0, float(value))))  # type: ignore[arg-type]
        path = path_of(name)
        if not path:
            raise KnobError(f"there is no control {shown(name)}.")
        return recipe.put(path, value)

    def _type(self, content: Mapping[str, Any]) -> None:
        """Somebody wrote a value: read as a file would be."""
        path, text = path_of(str(content["id"])), str(content["text"]).strip()
        kind = self._kind(path)
        plain: object = text
        if not isinstance(kind, Number) or text[:1] in "[{":
            plain = Document(text, "").data if text else None
        self._change(self._now.put(path, plain), Ear.parse(content.get("ear")))

    def _kind(self, path: Way) -> object:
        holder = get(self._now, path[:-1])
        return holder.kind_of(path[-1])

    def _do(self, content: Mapping[str, Any]) -> None:
        """A button was pressed."""
        what, words = str(content["what"]), content
        if what in ("undo", "redo", "swap", "copy"):
            getattr(self, what)()
        elif what == "match":
            self.match(bool(words["on"]))
        elif what == "add":
            step = {"preset": str(words["preset"])} if "preset" in words else str(words["step"])
            self.add(step)
        elif what == "remove":
            self.remove(int(words["at"]))
        elif what == "move":
            self.move(int(words["step"]), int(words["to"]))
        elif what == "randomise":
            self.randomise(int(words["seed"]), float(words.get("amount", 0.25)))
        elif what == "load":
            self.load_preset(str(words["name"]))
        elif what == "save":
            path = self.save_preset(str(words["name"]), replace=bool(words.get("replace")))
            self._say(f"saved as {path.name}")
        elif what == "shelf":
            self._tell({"kind": "shelf", "presets": shelf()}, [])
        elif what in ("yaml", "python"):
            text = self.as_yaml() if what == "yaml" else self.as_python()
            self._tell(
                {
                    "kind": "text",
                    "title": f"The recipe as {what.upper() if what == 'yaml' else 'Python'}",
                    "text": text,
                },
                [],
            )
        elif what == "export":
            self._export(str(words["format"]))

    def _export(self, form: str) -> None:
        """Make a plugin beside the notebook, without keeping the kernel from its work."""
        import threading

        def make() -> None:
            try:
                name = check_label(f"{self._now.title or 'Rack'} {self.selected}".strip())
                made = self.export(Path(f"{name}.{form}"), format=form, say=lambda phrase: self._say(f"{phrase} …"))
                self._say(f"{made.path} is written" + (f", {made.card.state}" if made.card else ""))
            except StudioError as error:
                self._say(f"{error.cause} {error.mend}".strip(), bad=True)

        threading.Thread(target=make, name="widget-export", daemon=True).start()
