"""The glue between the steps' structs and the core, written from the declarations of the steps.

A step `Chorus` in `modulation.py` has its struct `Chorus` in `modulation.hpp` beside it, with a member for each of its
knobs. What is written here names them; what each member is, the compiler knows. Only the text of the declarations is
read, nothing is imported, so that a wheel can be built where nothing is installed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""What includes are relative to."""


@dataclass(frozen=True)
class Native:
    """The native struct of a step: the class, its module, its header, and the knobs that are members."""

    module: str
    name: str
    header: Path
    members: tuple[str, ...]

    @property
    def key(self) -> str:
        """What the core calls it."""
        return f"{self.module}.{self.name}"


def own_natives() -> tuple[Native, ...]:
    """The structs of the studio's own steps."""
    found: list[Native] = []
    for header in sorted((ROOT / "studio").rglob("*.hpp")):
        if header.with_suffix(".py").is_file():
            module = ".".join(header.relative_to(ROOT).with_suffix("").parts)
            found += natives(module, header.with_suffix(".py"))
    return tuple(found)


@cache
def natives(module: str, source: Path) -> tuple[Native, ...]:
    """The structs in the header beside a Python file whose classes are declared in it."""
    header = source.with_suffix(".hpp")
    if not header.is_file():
        return ()
    text = header.read_text(encoding="utf-8")
    classes = {
        node.name: node for node in ast.parse(source.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)
    }
    return tuple(
        Native(module, name, header, tuple(dict.fromkeys(_members(node, classes))))
        for name, node in classes.items()
        if re.search(rf"^(struct|using) {name}\b", text, re.MULTILINE)
    )


def _members(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[str]:
    """The fields that a class and those above it in the same file declare, without ports: those are no members."""
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            yield from _members(classes[base.id], classes)
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=called)):
                if not (isinstance(called, ast.Name) and called.id == "port"):
                    yield name


def glue(steps: Iterable[Native], includes: Iterable[str]) -> str:
    """The program of a library: what it has to include, and a table of its steps."""
    steps = tuple(steps)
    lines = [f'#include "{path}"' for path in dict.fromkeys(includes)]
    lines += ["", "namespace mirepoix {", ""]
    for each in steps:
        names = "".join(f'"{member}", ' for member in each.members)
        pointers = ", ".join(f"&{each.name}::{member}" for member in each.members)
        lines += [
            "template <>",
            f"struct Members<{each.name}> {{",
            f"    static constexpr const char* names[] = {{{names}nullptr}};",
            f"    static constexpr auto pointers = std::make_tuple({pointers});",
            "};",
        ]
    lines += ["", "static const StepType TYPES[] = {"]
    lines += [f'    Glue<{each.name}>::type("{each.key}"),' for each in steps]
    lines += ["};", f"static const StepTypes STEPS = {{ABI, {len(steps)}, TYPES}};", "", "}  // namespace mirepoix", ""]
    lines += ["MIREPOIX_EXPORT const mirepoix::StepTypes* mirepoix_steps() { return &mirepoix::STEPS; }", ""]
    return "\n".join(lines)
