"""What a step can come to use: a walk through the source, name by name, lazy imports included.

For tests, here and in packages that bring steps: `undeclared` finds libraries that a step leads to and does not declare.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from studio.steps import Step

Name: TypeAlias = tuple[str, str]
"""A module, and a name at its top level; an empty name is the module as a whole."""

SOUNDLESS = frozenset({"numpy", "click", "mido", "platformdirs", "pretty_midi", "ruamel", "yaml"})
"""Packages whose version need not be declared: numpy always counts, and what the others read is hashed itself."""


@dataclass
class _Source:
    """A module as its text says it is: its top-level statements by the names they bind, and what its imports mean."""

    statements: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, Name] = field(default_factory=dict)


def undeclared(step: type[Step]) -> dict[str, str]:
    """The packages that a step may use and whose distributions it does not declare, with the way that leads there."""
    declared = {package for each in step.libraries for package in _packages_in(each)}
    return {
        package: " → ".join(".".join(filter(None, each)) for each in way)
        for package, way in packages_of(step).items()
        if package not in SOUNDLESS | declared
    }


def _packages_in(distribution: str) -> set[str]:
    """The top-level packages that a distribution brings; its own name where it is not installed."""
    try:
        files = metadata.files(distribution) or ()
    except metadata.PackageNotFoundError:
        return {distribution.replace("-", "_")}
    return {file.parts[0].partition(".")[0] for file in files}


def packages_of(cls: Callable[..., object]) -> dict[str, tuple[Name, ...]]:
    """Top-level packages outside a class's or function's own and the standard library, each with the way there."""
    own = cls.__module__.partition(".")[0]
    seen: set[Name] = set()
    found: dict[str, tuple[Name, ...]] = {}
    todo: list[tuple[Name, ...]] = [((cls.__module__, cls.__name__),)]
    while todo:
        way = todo.pop(0)
        package = way[-1][0].partition(".")[0]
        if package in (own, "studio"):
            if way[-1] not in seen:
                seen.add(way[-1])
                todo += [(*way, each) for each in _used(*way[-1])]
        elif package not in sys.stdlib_module_names:
            found.setdefault(package, way[:-1])
    return found


@cache
def _used(module: str, name: str) -> tuple[Name, ...]:
    """The names that a name at the top of a module makes use of, as what they mean."""
    source = _source_of(module)
    used = {source.imported[name]: None} if name in source.imported else {}
    for statement in source.statements.get(name, ()):
        local = dict(source.imported)
        for inner in ast.walk(statement):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                meant = _meanings(inner)
                local |= meant
                used |= dict.fromkeys(meant.values())
        for inner in ast.walk(statement):
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id in local:
                where, what = local[inner.value.id]
                used[(where, what or inner.attr)] = None
            elif isinstance(inner, ast.Name) and inner.id in local:
                used[local[inner.id]] = None
            elif isinstance(inner, ast.Name) and inner.id in source.statements:
                used[(module, inner.id)] = None
    return tuple(used)


@cache
def _source_of(module: str) -> _Source:
    path = _file_of(module)
    found = _Source()
    if path is None:
        return found
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        for inner in _run(statement):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                found.imported |= _meanings(inner)
            elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.statements.setdefault(inner.name, []).append(inner)
            else:
                for target in ast.walk(inner):
                    if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                        found.statements.setdefault(target.id, []).append(inner)
    return found


def _run(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement, or those inside an `if` or `try`; what is imported for types alone is left out."""
    inside: list[ast.stmt] = []
    if isinstance(statement, ast.If):
        typing = "TYPE_CHECKING" in ast.dump(statement.test)
        inside = statement.orelse if typing else statement.body + statement.orelse
    elif isinstance(statement, ast.Try):
        inside = statement.body + statement.orelse + [line for each in statement.handlers for line in each.body]
    else:
        yield statement
    for inner in inside:
        yield from _run(inner)


def _meanings(node: ast.Import | ast.ImportFrom) -> dict[str, Name]:
    """What the names that an import binds mean."""
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0]: (each.name, "") for each in node.names}
    module = node.module or ""
    found = {}
    for each in node.names:
        whole = f"{module}.{each.name}"
        found[each.asname or each.name] = (whole, "") if _file_of(whole) else (module, each.name)
    return found


@cache
def _file_of(module: str) -> Path | None:
    """The source of a module, if it is one; nothing is imported to find out."""
    root, _, inside = module.partition(".")
    try:
        spec = find_spec(root) if root not in sys.stdlib_module_names else None
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not inside:
        return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *inside.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None
