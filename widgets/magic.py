"""`%%recipe`: a cell of a notebook that holds a recipe or a chain, with its player and knobs below."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from studio.disk import write_whole
from studio.errors import OutputError, StudioError
from studio.folders import reading
from studio.recipe import Recipe
from studio.recipe.document import Document
from studio.recipe.presets import ChainPreset
from studio.rendering.apply import chain_of
from studio.rendering.checking import check_document
from widgets.opening import rack
from widgets.rack import Rack

_HELP = """%%recipe [NAME] [--file FILE] [--on SOUND] [--force]

The cell below is a recipe, a chain preset, or a chain: a list of steps.

  NAME         the variable that holds it; `song` if not given. A chain is a tuple of steps.
  --file FILE  the cell is this file: its paths are relative to it, and it is written each time the cell is run.
  --on SOUND   the file that a chain is heard on; pink noise if not given.
  --force      write over a file that this cell has not written.
"""

_CELL = "the cell"


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext widgets``."""
    magic = RecipeMagic(shell)
    shell.register_magic_function(magic.run, "cell", "recipe")


class RecipeMagic:
    """The magic of one notebook."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._written: dict[Path, str] = {}

    def run(self, line: str, cell: str) -> Rack:
        """Read a cell, keep what it says in a variable, and show it."""
        name, file, sound, force = self._words(line)
        folder = Path() if file is None else file.parent
        try:
            value, shown = self._read(cell, folder, sound)
            if file is not None:
                self._write(file, cell, force)
                if isinstance(value, Recipe):
                    value = shown = Recipe.load(file)
        except StudioError as error:
            self._refuse(str(error))
        self._shell.user_ns[name] = value
        return rack(shown, None if isinstance(shown, Recipe) else sound)

    def _words(self, line: str) -> tuple[str, Path | None, str | None, bool]:
        try:
            words = shlex.split(line)
        except ValueError as error:
            self._refuse(f"{error}.\n\n{_HELP}")
        name, force, files = "song", False, dict[str, str]()
        while words:
            word = words.pop(0)
            if word in ("--file", "--on") and words:
                files[word] = words.pop(0)
            elif word == "--force":
                force = True
            elif word.isidentifier():
                name = word
            else:
                self._refuse(f"{word!r} means nothing here.\n\n{_HELP}")
        file = files.get("--file")
        return name, None if file is None else Path(file), files.get("--on"), force

    def _read(self, cell: str, folder: Path, sound: str | None) -> tuple[Any, Any]:
        """What the variable holds, and what is shown; lines in errors are those of the cell, its first one included."""
        document = Document(f"\n{cell}", _CELL)
        plain = document.data
        if not isinstance(plain, Mapping) or ("chain" in plain and "tracks" not in plain):
            try:
                with reading(folder):
                    chain = ChainPreset.parse(plain) if isinstance(plain, Mapping) else chain_of(plain, folder)
            except StudioError as error:
                raise document.placed(error) from None
            return chain, chain
        checked = check_document(document, folder)
        if checked.errors:
            self._refuse("\n".join(map(str, checked.errors)))
        if sound is not None:
            self._refuse("--on is for chains: a recipe plays by itself.")
        recipe = Recipe.loads(cell, folder)
        return recipe, recipe

    def _write(self, file: Path, cell: str, force: bool) -> None:
        """Make the file the same as the cell.

        Raises:
            OutputError: it was changed by somebody else, or cannot be written.
        """
        where = file.resolve()
        there = _digest(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else None
        if there not in (None, self._written.get(where), _digest(cell)) and not force:
            raise OutputError(
                f"{file} says something else, and not what this cell has written.",
                "Take over what it says, or write over it with --force.",
            )
        write_whole(file, cell)
        self._written[where] = _digest(cell)

    def _refuse(self, said: str) -> NoReturn:
        from IPython.core.error import UsageError

        # IPython shows these without a traceback, and the cell counts as failed.
        raise UsageError(said)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
