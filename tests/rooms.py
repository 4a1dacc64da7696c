"""The rooms of the house, seen from its own imports: `python -m tests.rooms` draws them anew in CONTRIBUTING.md."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAP = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- the rooms, drawn by `python -m tests.rooms` -->", "<!-- end of the rooms -->"
PACKAGES = ("studio", "widgets")
NOUNS = "nouns"
CODE = {".py", ".hpp", ".cpp", ".js", ".css"}

ORDER = (
    "native", NOUNS, "midi", "sources", "effects", "editing", "stretch", "hosting", "nets", "timbre", "recipe", "engine",
    "rendering", "training", "exporting", "interchange", "sessions", "live", "doctor", "extend", "cli", "widgets",
)  # fmt: skip
"""From what everything stands on to what stands on everything; import-linter holds the rooms to it."""


def room_of(module: str) -> str:
    """The room in which a module lies: its folder, or among the nouns if it lies beside them."""
    package, _, rest = module.partition(".")
    if package == "widgets":
        return "widgets"
    first = rest.partition(".")[0]
    return first if (ROOT / "studio" / first).is_dir() and first else "doctor" if first == "doctor" else (
        "extend" if first == "extend" else "cli" if first == "__main__" else NOUNS
    )  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    """Every module by its name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = path
    return found


@cache
def imports() -> dict[str, frozenset[str]]:
    """What each module imports of the house, wherever in it, for types alone as well."""
    known, found = modules(), {}
    for name, path in known.items():
        wanted = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    wanted.add(whole if whole in known else node.module)
            elif isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
        found[name] = frozenset(wanted & known.keys() - {name})
    return found


def circles() -> list[tuple[str, ...]]:
    """Modules that import each other in a circle (Tarjan's strongly connected components of more than one)."""
    graph, index, low, stack, found = imports(), dict[str, int](), dict[str, int](), list[str](), []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            together = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(together) > 1:
                found.append(tuple(sorted(together)))

    for name in graph:
        if name not in index:
            visit(name)
    return found


def sizes() -> dict[str, int]:
    """Lines of code in each room, whatever the language."""
    lines: dict[str, int] = defaultdict(int)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in CODE and path.is_file():
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                lines[room_of(name)] += len(path.read_text(encoding="utf-8").splitlines())
    return dict(lines)


def arrows() -> dict[str, set[str]]:
    """The rooms that each room imports from."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, wanted in imports().items():
        found[room_of(name)] |= {room_of(other) for other in wanted} - {room_of(name)}
    return found


def picture() -> str:
    """The rooms from the top of the house down, with their share of the lines and what each imports directly."""
    lines, graph = sizes(), arrows()
    total = sum(lines.values())
    rows = ["| room | share of the lines | imports |", "| --- | --- | --- |"]
    for room in reversed(ORDER):
        below = [other for other in reversed(ORDER) if other in graph.get(room, ())]
        name = {NOUNS: "the nouns", "widgets": "`widgets/`"}.get(room, f"`studio/{room}`")
        rows.append(f"| {name} | {round(100 * lines.get(room, 0) / total)} % | {', '.join(below) or '–'} |")
    return "\n".join(rows)


def _redrawn(text: str) -> str:
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{picture()}\n\n{END}{after}"


def public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every public class, function and method, by its name within the module."""
    bodies: list[tuple[str, list[ast.stmt]]] = [("", tree.body)]
    while bodies:
        before, body = bodies.pop()
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name[0] != "_":
                yield before + node.name, node
                if isinstance(node, ast.ClassDef):
                    bodies.append((f"{before}{node.name}.", node.body))


if __name__ == "__main__":
    MAP.write_text(_redrawn(MAP.read_text(encoding="utf-8")), encoding="utf-8")
