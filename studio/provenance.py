"""What made a sound or a model: steps, libraries, programs and plugins with their versions, and files by their hash.

One record stands behind the keys of the cache, manifests and the checkpoints of trainings. A step declares the libraries
its sound depends on by the names of their distributions (`Step.libraries`); versions are looked up where it runs. What
is not a Python distribution, such as FluidSynth itself, announces itself with `behind`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

STUDIO = "mirepoix"
"""The studio's own distribution."""

_OWN = ("studio", "widgets")
_BEHIND: dict[str, tuple[str, Callable[[], str]]] = {}


@dataclass(frozen=True, order=True)
class Component:
    """One maker of a sound.

    Attributes:
        kind: `step`, `library` (a Python distribution), `program` (a native library or command behind one), `plugin` or
            `code` (a step that belongs to no distribution).
        version: empty where it is not installed.
        build: what tells builds of one version apart, where something does.
    """

    kind: str
    name: str
    version: str
    build: str = ""

    def data(self) -> list[str]:
        """Plain data for a key."""
        return [self.kind, self.name, self.version, self.build]


@dataclass(frozen=True, order=True)
class Asset:
    """A file that was read, by its path as it is shown and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """Everything that made a sound or a model; each maker once, in order."""

    components: tuple[Component, ...] = ()
    assets: tuple[Asset, ...] = ()

    @classmethod
    def of(cls, components: Iterable[Component], assets: Iterable[Asset] = ()) -> Provenance:
        """The record of some makers, in any order and as often as they come."""
        return cls(tuple(sorted(set(components))), tuple(sorted(set(assets))))

    def digest(self) -> str:
        """A hash of all of it but the paths, which may change without changing a sound."""
        facts = [[each.data() for each in self.components], [each.sha256 for each in self.assets]]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]


def libraries(*names: str) -> Iterator[Component]:
    """Distributions with the versions that are installed, and what stands behind them."""
    for name in names:
        yield Component("library", name, installed(name))
        if name in _BEHIND:
            program, found = _BEHIND[name]
            yield Component("program", program, found())


def behind(distribution: str, program: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Announce how to find the version of the native library or command that a distribution works with."""

    def keep(found: Callable[[], str]) -> Callable[[], str]:
        _BEHIND[distribution] = (program, found)
        return found

    return keep


@cache
def installed(distribution: str) -> str:
    """The version of a distribution, empty when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def writer_of(cls: type) -> Iterator[Component]:
    """Who wrote a class, if not the studio: its distribution, or the code itself where it belongs to none.

    A step of the studio is known by its `version`; those of others change with their package, or with their text.
    """
    root = cls.__module__.partition(".")[0]
    if root in _OWN:
        return
    distributions = _distributions().get(root)
    if distributions:
        yield from libraries(*sorted(set(distributions)))
        return
    try:
        text = inspect.getsource(cls)
    except (OSError, TypeError):
        text = ""
    yield Component("code", f"{cls.__module__}.{cls.__qualname__}", "", hashlib.sha256(text.encode()).hexdigest()[:16])


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def check_declared(name: str, owner: type, declared: Any) -> None:
    """Find out whether libraries are declared in a way that versions can be looked up for.

    Raises:
        TypeError: they are not; it names the step and the module it comes from.
    """
    if not isinstance(declared, tuple) or not all(isinstance(each, str) and each.strip() for each in declared):
        raise TypeError(
            f"step {name!r} of {owner.__module__}: `libraries` is {declared!r}; "
            "write a tuple of the distributions its sound depends on, such as ('scipy', 'soxr')"
        )
