"""YAML text as a tree of nodes that know their lines.

libyaml reads nearly every text, thirty times as fast as ruamel.yaml does; what it will not read, or would read by the rules of
YAML 1.1, is left to ruamel.yaml, which says what is wrong with it. Which words are numbers, switches or nothing is decided
by ruamel's rules for YAML 1.2 in both.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import Resolver

from studio.errors import Place, RecipeError

DEEPEST = 40
"""Values inside values; see `Document`."""

_TAG = "tag:yaml.org,2002:"
_ROOM = 3
"""What may be nested deeper than `DEEPEST` before libyaml is stopped: enough for the reader to say where it is."""

_UNLIKE = {
    "\t": re.compile("\t"),  # Where one may stand,
    "\x85": re.compile("\x85"),  # what breaks a line besides (so up to YAML 1.1),
    "\u2028": re.compile("\u2028"),
    "\u2029": re.compile("\u2029"),
    "\ufeff": re.compile("\ufeff"),  # a mark of the byte order within the text,
    "%": re.compile("^%", re.MULTILINE),  # directives,
    "---": re.compile("^---", re.MULTILINE),  # where an empty document begins,
    "!": re.compile(r"(?<![^\s\[{,:?-])!"),  # tags, which no recipe has,
    "&": re.compile(r"(?<![^\s\[{,:?-])&[\w-]*[^\w\s-]"),  # names of anchors,
    "*": re.compile(r"(?<![^\s\[{,:?-])\*[\w-]*[^\w\s,\]}-]"),
    "|": re.compile(r"\|[+\-\d]*(?:#| *\r?\n *\r?\n)"),  # and comments and empty lines at the head of blocks of text:
    ">": re.compile(r">[+\-\d]*(?:#| *\r?\n *\r?\n)"),  # in all these the two libraries differ.
}
"""Signs, and where they stand so that a text is left to ruamel.yaml."""


class YamlMark(Protocol):
    """A place in a text; both count from 0."""

    line: int
    column: int


class YamlNode(Protocol):
    """A node of either library.

    Attributes:
        id: "scalar", "sequence" or "mapping".
        tag: its tag, spelled out.
        value: the text of a scalar, the nodes of a sequence, or pairs of those of a mapping.
        start_mark: where it begins.
    """

    id: str
    tag: str
    value: Any
    start_mark: YamlMark


class NoYaml(RecipeError):
    """A text that is no YAML; `context_line` is where what went wrong began, 0 if unknown."""

    context_line = 0


def compose(text: str) -> YamlNode | None:
    """The text as nodes, what is repeated by an alias being the same node; None for a text without any.

    Raises:
        NoYaml: with the line at which it is none.
    """
    with uncollected():
        try:
            return _by_libyaml(text)
        except _Unlike:
            return _by_ruamel(text)


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no collection of garbage run while very many values that stay are made; each would look through all of them."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _Unlike(Exception):
    """A text that libyaml does not read, or perhaps not as YAML 1.2."""


def _by_libyaml(text: str) -> YamlNode | None:
    if not yaml.__with_libyaml__ or any(sign in text and where.search(text) for sign, where in _UNLIKE.items()):
        raise _Unlike
    try:
        return _libyaml()(text).get_single_node()  # type: ignore[no-any-return]
    except (yaml.YAMLError, UnicodeError):
        raise _Unlike from None


@lru_cache(maxsize=1)
def _libyaml() -> Any:
    """The class of a reader; libyaml itself is only there where PyYAML was built with it."""

    class Reader(yaml.cyaml.CParser):  # type: ignore[misc]
        """Nodes by libyaml, with the tags of YAML 1.2."""

        depth = 0

        def descend_resolver(self, parent: object, index: object) -> None:
            self.depth += 1
            if self.depth > DEEPEST + _ROOM:  # It would go down as deep as the text does, and the stack does not.
                raise _Unlike

        def ascend_resolver(self) -> None:
            self.depth -= 1

        def resolve(self, kind: type, value: str, implicit: Any) -> str:
            if kind is yaml.ScalarNode:
                return _tag(value) if implicit[0] else f"{_TAG}str"
            return f"{_TAG}seq" if kind is yaml.SequenceNode else f"{_TAG}map"

    return Reader


@lru_cache(maxsize=4096)
def _tag(word: str) -> str:
    """What a scalar without quotes or tag is in YAML 1.2, as ruamel.yaml has it."""
    for tag, pattern in Resolver.yaml_implicit_resolvers.get(word[:1], ()):
        if pattern.match(word):
            return str(tag)
    return f"{_TAG}str"


def _by_ruamel(text: str) -> YamlNode | None:
    try:
        return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place("", mark.line + 1, mark.column + 1) if mark else None
        refusal = NoYaml(f"this is not YAML: {error.problem or error.context}.", _hint(error), place=place)
        refusal.context_line = error.context_mark.line + 1 if error.context_mark else 0
        raise refusal from None
    except (YAMLError, ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else str(error).split("\n")[0]
        raise NoYaml(f"this is not YAML: {reason}.") from None


def _hint(error: MarkedYAMLError) -> str:
    if "tab" in str(error.problem) or "'\\t'" in str(error.problem):
        return "Indent with spaces, not tabs."
    if "mapping values are not allowed" in str(error.problem):
        return "Check the indentation, and put text that holds a colon in quotes."
    return ""
