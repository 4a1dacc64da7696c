"""Trained models by name: those that came with the studio, and files; each is read once for as long as it stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from studio.context import RenderContext
from studio.errors import MissingError, nearest
from studio.folders import shipped_presets, user_presets
from studio.timbre.torch_library import need_torch

Model = TypeVar("Model")


@dataclass(frozen=True)
class ModelRegistry(Generic[Model]):
    """Models of one kind.

    Attributes:
        noun: what one is called.
        folder: of `presets/`, with those that came along.
        ending: of their files.
        read: makes a model of a file.
    """

    noun: str
    folder: str
    ending: str
    read: Callable[[Path], Model]

    def shipped(self) -> dict[str, Path]:
        """Those that came with the studio, by name."""
        return self._in(shipped_presets())

    def known(self) -> dict[str, Path]:
        """Those that came with the studio and those that the user installed, by name."""
        return self.shipped() | self._in(user_presets())

    def _in(self, presets: Path) -> dict[str, Path]:
        return {path.stem: path for path in sorted((presets / self.folder).glob(f"*{self.ending}"))}

    def find(self, name: str, context: RenderContext) -> Path:
        """The file that a recipe means by `name`: a file in its folder, or one on this shelf, with or without its ending.

        Raises:
            MissingError: there is none.
        """
        known = self.known()
        if name.endswith(self.ending):
            inside = known.get(name.removesuffix(self.ending))
            return inside if inside is not None and not (context.folder / name).is_file() else context.find(name)
        if name not in known:
            raise MissingError(
                f"there is no {self.noun} {name!r}.", nearest(name, known) or f"Give a file that ends in {self.ending}."
            )
        return known[name]

    def load(self, path: Path) -> Model:
        """Read a model.

        Raises:
            MissingError: torch is not installed.
            ModelError: the file is none of this kind.
        """
        made: Model = _load(self.read, path, path.stat().st_mtime_ns)
        return made


@lru_cache(maxsize=24)
def _load(read: Callable[[Path], Any], path: Path, changed: int) -> Any:
    need_torch()
    return read(path)
