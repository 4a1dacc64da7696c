"""Documents: YAML text as plain data, with the line of everything in it, and back with comments kept.

Only data is read: no tags, no objects, and no more of it than a person could have written.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from studio.disk import check_regular
from studio.errors import Gather, Key, MissingError, Place, Problems, RecipeError, StudioError, collector, shown
from studio.recipe.yaml_tree import DEEPEST, NoYaml, YamlNode, compose, uncollected

LARGEST_BYTES = 16_000_000
MOST_VALUES = 1_000_000
"""Those that stand in the text: 50,000 clips with fades are half of it."""

MOST_REPEATED = 20_000
"""Those that aliases put in once more; a text of a few lines can have any number of them."""

_TAG = "tag:yaml.org,2002:"
_FLOW_WIDTH = 96
_MOST_REPAIRS = 20
_LONGEST_NUMBER = 400
"""Digits; what is longer is read as the text it is, which no knob takes for a number in its range."""


class _TooMuch(Exception):
    """The text is larger than any recipe; nothing more of it is read."""

    def __init__(self, cause: str, mend: str, path: tuple[Key, ...]) -> None:
        super().__init__(cause)
        self.refusal = RecipeError(cause, mend, path=path)


class Document:
    """A text read as plain data; `place` finds the line behind a path into it."""

    def __init__(self, text: str, file: str = "") -> None:
        self.text = text
        self.file = file
        self._lines = text.splitlines()
        self._readable = text
        self._members: dict[int, dict[Key, tuple[int, int, YamlNode]]] = {}
        self._read: set[int] = set()
        self._repeated = 0
        self.data: Any = None
        try:
            with uncollected():
                self.data = self._plain(self._composed(), (), 0)
        except StudioError as error:
            raise self.placed(error) from None
        except _TooMuch as error:
            raise self.placed(error.refusal) from None

    def _composed(self) -> YamlNode | None:
        """The text as nodes; under a collector without the lines that are no YAML, each of which it is told."""
        taking, lines = collector(), list(self._lines)
        for _ in range(_MOST_REPAIRS if taking else 0):
            try:
                return self._composed_of("\n".join(lines))
            except RecipeError as error:
                line = _line_to_leave_out(lines, error)
                if line is None:
                    break
                column = error.place.column if error.place and error.place.line == line else 1
                indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
                error.place = self._placed_at(line, max(column, indent + 1))
                taking.take(error)  # type: ignore[union-attr]
                lines[line - 1] = ""
        return self._composed_of(self.text if lines == self._lines else "\n".join(lines))

    def _composed_of(self, text: str) -> YamlNode | None:
        self._readable = text
        return compose(text)

    @classmethod
    def open(cls, path: Path | str) -> Document:
        """Read a file.

        Raises:
            MissingError: it cannot be opened.
            RecipeError: it is too large, not UTF-8, or not YAML of the plain kind.
        """
        check_regular(Path(path))
        try:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            raise MissingError(f"the file cannot be opened: {error.strerror}.", place=Place(str(path))) from None
        if len(content) > LARGEST_BYTES:
            raise RecipeError(
                f"the file is larger than {LARGEST_BYTES // 1_000_000} MB.",
                "That is no recipe, or one to be divided into several songs.",
                place=Place(str(path)),
            )
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise RecipeError(
                f"byte {error.start} is not UTF-8 text.", "Save it as UTF-8.", place=Place(str(path))
            ) from None
        return cls(text, str(path))

    def place(self, path: Sequence[Key]) -> Place:
        """The line and column of the deepest part of `path` that is written in the text.

        A path has every word that could be written; shorthands leave some out, and the way goes on behind them.
        """
        node, value = self._root, self.data
        if node is None:
            return Place(self.file)
        line, column = node.start_mark.line, node.start_mark.column
        for key in path:
            only = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
            for way in ([key], *([] if only is None else [[only, key]])):
                found = self._below(node, way)
                if found is not None:
                    line, column, node = found
                    value = _at(value, way)
                    break
        return self._placed_at(line + 1, column + 1)

    @cached_property
    def _root(self) -> YamlNode | None:
        """The text as nodes once more: only errors ask for lines, and most texts have none."""
        try:
            return compose(self._readable)
        except RecipeError:
            return None

    def _below(self, node: YamlNode, way: Sequence[Key]) -> tuple[int, int, YamlNode] | None:
        """The node at the end of a way below another one, and where it or its name begins; None where there is none."""
        found = None
        for key in way:
            if id(node) not in self._members:
                self._members[id(node)] = dict(_members(node))
            found = self._members[id(node)].get(key)
            if found is None:
                return None
            node = found[2]
        return found

    def _placed_at(self, line: int, column: int = 0) -> Place:
        lines = self._lines
        return Place(self.file, line, column, lines[line - 1] if 0 < line <= len(lines) else "")

    def placed(self, error: StudioError) -> StudioError:
        """The error, with its place in this text filled in where it has none; a file it is about goes before its cause."""
        for single in error.errors if isinstance(error, Problems) else (error,):
            about = single.place
            if about is None or (about.file and not about.line and single.path):
                single.place = self.place(single.path)
                if about is not None and about.file != self.file:
                    single.cause = f"{about.file}: {single.cause}"
            elif not about.file:
                single.place = self._placed_at(about.line, about.column)
        return error

    def _plain(self, node: YamlNode | None, path: tuple[Key, ...], depth: int) -> Any:
        if node is None:
            return None
        self._count(node, path, depth)
        if node.id == "scalar":
            return _scalar(node, path)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        _check_tag(node, "seq", path)
        gather = Gather()
        items = [self._item(gather, item, (*path, index), depth) for index, item in enumerate(node.value)]
        gather.done()
        return items

    def _count(self, node: YamlNode, path: tuple[Key, ...], depth: int) -> None:
        """Keep an account of the values, those in the text and those that aliases repeat."""
        if depth > DEEPEST:
            raise _TooMuch(
                f"more values inside values than {DEEPEST}.", "Nest them less, and no alias in itself.", path
            )
        if id(node) not in self._read:
            self._read.add(id(node))
        else:
            self._repeated += 1
        if self._repeated > MOST_REPEATED:
            raise _TooMuch(
                f"more values than a recipe can have: its aliases (*) repeat more than {MOST_REPEATED:,}.",
                "Write them out, or take out repeated aliases.",
                path,
            )
        if len(self._read) > MOST_VALUES:
            raise _TooMuch(
                f"more values than a recipe can have: {MOST_VALUES:,} at most.", "Divide it into several songs.", path
            )

    def _item(self, gather: Gather, node: YamlNode, path: tuple[Key, ...], depth: int) -> Any:
        """What stands in a list or mapping; None where an error was gathered instead."""
        with gather:
            return self._plain(node, path, depth + 1)
        return None

    def _mapping(self, node: YamlNode, path: tuple[Key, ...], depth: int) -> dict[str, Any]:
        _check_tag(node, "map", path)
        gather, plain = Gather(), dict[str, Any]()
        for key_node, value in node.value:
            if key_node.id != "scalar":
                raise RecipeError("a name that is a list or mapping.", path=path, place=self._start(key_node))
            key = _words(key_node)
            if key not in plain:
                plain[key] = self._item(gather, value, (*path, key), depth)
                continue
            with gather:
                first = next(other for other, _ in node.value if other.id == "scalar" and _words(other) == key)
                raise RecipeError(
                    f"{key!r} stands here for the second time; the first is in line {first.start_mark.line + 1}.",
                    "Take one out, or rename it.",
                    path=(*path, key),
                    place=self._start(key_node),
                )
        gather.done()
        return plain

    def _start(self, node: YamlNode) -> Place:
        return self._placed_at(node.start_mark.line + 1, node.start_mark.column + 1)


def _members(node: YamlNode) -> Iterator[tuple[Key, tuple[int, int, YamlNode]]]:
    """What stands in a list or mapping: where it begins (that of a mapping with its name), and the node."""
    if node.id == "sequence":
        for index, item in enumerate(node.value):
            yield index, (item.start_mark.line, item.start_mark.column, item)
    elif node.id == "mapping":
        # The last comes first, since of several with one name the first counts.
        for name, value in reversed(node.value):
            if name.id == "scalar":
                yield _words(name), (name.start_mark.line, name.start_mark.column, value)


def _at(value: Any, way: Sequence[Key]) -> Any:
    """The plain data at the end of a way, or None where it could not be read."""
    for key in way:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _line_to_leave_out(lines: list[str], error: StudioError) -> int | None:
    """The line, counted from 1, without which most of a text can be read that is no YAML; None where there is none."""
    if error.place is None or not error.place.line:
        return None
    reach: dict[int, int] = {}
    for line in (error.place.line, error.place.line - 1, error.context_line if isinstance(error, NoYaml) else 0):
        if 0 < line <= len(lines) and lines[line - 1].strip():
            try:
                compose("\n".join("" if number == line else text for number, text in enumerate(lines, 1)))
                reach.setdefault(line, len(lines) + 1)
            except RecipeError as other:
                reach.setdefault(line, other.place.line if other.place else 0)
    best = max(reach, key=lambda line: reach[line], default=None)
    return best if best is not None and reach[best] > error.place.line else None


def _check_tag(node: YamlNode, kind: str, path: tuple[Key, ...]) -> None:
    if str(node.tag) != _TAG + kind:
        raise RecipeError(f"a YAML tag ({str(node.tag).removeprefix(_TAG)}).", "Recipes hold plain data.", path=path)


def _words(node: YamlNode) -> str:
    """Its text; JSON writes a character beyond the basic plane as two escapes, which YAML takes for two characters."""
    text = str(node.value)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _scalar(node: YamlNode, path: tuple[Key, ...]) -> str | int | float | bool | None:
    kind, text = str(node.tag).removeprefix(_TAG), _words(node)
    plain = text.replace("_", "").lower()
    if kind in ("str", "timestamp"):
        return text
    if kind == "null" and plain in ("", "~", "null"):
        return None
    if kind == "bool" and plain in ("true", "false"):
        return plain == "true"
    if kind == "int" and len(plain) > _LONGEST_NUMBER:
        return text
    with contextlib.suppress(ValueError):
        if kind == "int":
            return int(plain, 0) if plain.lstrip("+-")[:2] in ("0x", "0o", "0b") else int(plain)
        if kind == "float":
            return float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    raise RecipeError(f"a YAML tag ({kind}) on {shown(text)}.", "Recipes hold plain data, in YAML 1.2.", path=path)


def write(data: Mapping[str, Any], original: str | None = None, meant: Mapping[str, Any] | None = None) -> str:
    """Plain data as YAML.

    With an `original` text and the data it was read as (`meant`), only what differs is written anew: comments,
    order, and the way a value was written stay.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = _commented(data)
    if original is not None and meant is not None:
        tree = _merged(yaml.load(original), meant, data)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


def _merged(written: Any, meant: Any, data: Any) -> Any:
    """`data` in the clothes of `written`, which was understood as `meant`."""
    if meant == data:
        return written
    if all(isinstance(value, Mapping) for value in (written, meant, data)):
        names = {str(name): name for name in written}
        for key in [key for key in names if key in meant and key not in data]:
            del written[names[key]]
        for key, value in data.items():
            name, known = names.get(key, _quoted(key)), key in names and key in meant
            written[name] = _merged(written[name], meant[key], value) if known else _commented(value)
        return written
    if all(isinstance(value, list) for value in (written, meant, data)) and len(written) == len(meant):
        for index, value in enumerate(data):
            if index < len(meant):
                written[index] = _merged(written[index], meant[index], value)
            else:
                written.append(_commented(value))
        del written[len(data) :]
        return written
    return _commented(data)


def _commented(value: Any, listed: bool = False) -> Any:
    """Data for dumping: small collections on one line, the rest in blocks, steps one a line."""
    if isinstance(value, Mapping):
        tree: CommentedMap | CommentedSeq = CommentedMap(
            (_quoted(key), _commented(item)) for key, item in value.items()
        )
    elif isinstance(value, (list, tuple)):
        tree = CommentedSeq(_commented(item, listed=True) for item in value)
    else:
        return _quoted(value)
    step = listed and isinstance(value, Mapping) and len(value) == 1
    if not step and not _holds_mappings(value) and _width(value) <= _FLOW_WIDTH and _depth(value) <= 2:
        tree.fa.set_flow_style()
    return tree


def _quoted(value: Any) -> Any:
    """Text that ruamel.yaml writes bare, and nobody reads again: it looks like a part of a mapping, or breaks the line."""
    if isinstance(value, str) and (value.startswith(("?", ":")) or not value.replace("\n", "").isprintable()):
        return DoubleQuotedScalarString(value)
    return value


def _width(value: Any) -> int:
    if isinstance(value, Mapping):
        return 2 + sum(len(str(key)) + 2 + _width(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return 2 + sum(2 + _width(item) for item in value)
    return len(str(value))


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return 1 + max((_depth(item) for item in items), default=-1)


def _holds_mappings(value: Any) -> bool:
    """A list of mappings reads better as a block."""
    return isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value)
