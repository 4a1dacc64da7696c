"""Two libraries read YAML for us: wherever the quick one reads a text at all, it reads what the other reads."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from studio.errors import Collector, RecipeError, collecting
from studio.recipe import yaml_tree
from studio.recipe.document import Document
from studio.recipe.yaml_tree import NoYaml, YamlNode
from tests.test_fuzz import mangled_text, seeds

ODD = (
    "a: 1\n", "- a\n- b: {c: d, 'e': \"f\\u00e9\"}\n", "a: |\n  x\n  y\n\nb: >-\n  z\n  w\n", "? a\n: b\n", "{a: [1,2,{b: c}], d: e}",
    "# c\na: 'it''s'  # d\nb:\n- 1\n-  2\n", "&a [1, *a]\n", "a: &x {b: c}\nd: *x\n<<: *x\n", "!!map {a: !!str 1, b: ! 2}", "- >\n \n   x\n",
    "a: http://x.y:8/z?q#f\nb: x#y\nc: -1\nd: -x\ne: ?x\nf: a: b", 'a: "x\n  y\\\n  z"\nb: plain\n  more\n  words\n', "---\n", "!\n", "%YAML 1.1\n---\na: on\n",
    "a: [yes, on, 0o7, 07, 1_0, 1:30, 0b1, +.inf, ~, 2001-01-01, .5, 1e3, =, <<]\n", "a:\u2028b: c\n", "a: x\x85b: c\n", "a:\tb\n", "&a:b c\n",
)  # fmt: skip
SIGNS = [
    "\t",
    "\r\n",
    "\n\n",
    ": ",
    ":",
    "?",
    "- ",
    "-",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!",
    "!!str ",
    ">\n ",
    "#",
    " #",
    "'",
    '"',
    "\\",
    "%",
    "@",
    "---",
    "\n...\n",
    "é",
    "😀",
    "\ufeff",
    "\u2029",
    "=",
    "~",
    "<<: ",
]


def told(node: YamlNode | None, seen: dict[int, int] | None = None, member: bool = False) -> Any:
    """All of a tree that anybody asks for; where nothing is written behind a name, only that name has a place."""
    seen = {} if seen is None else seen
    if node is None or id(node) in seen:
        return node and seen[id(node)]
    seen[id(node)] = len(seen)
    place = None if member and node.value == "" else (node.start_mark.line, node.start_mark.column)
    if node.id == "mapping":
        below: Any = [(told(name, seen), told(value, seen, True)) for name, value in node.value]
    else:
        below = node.value if node.id == "scalar" else [told(item, seen) for item in node.value]
    return node.id, str(node.tag), place, below


def same(text: str) -> bool:
    """Whether the quick library read a text; if it did, the other reads the same."""
    try:
        quick = yaml_tree._by_libyaml(text)
    except yaml_tree._Unlike:
        return False
    assert told(quick) == told(yaml_tree._by_ruamel(text)), text
    return True


def test_both_libraries_read_the_same() -> None:
    luck, quick = random.Random(14), 0
    bases = [*seeds(), *ODD * 4]
    for turn in range(500):
        text = "\n".join(luck.choice(bases).splitlines()[: luck.randint(1, 40)])
        for _ in range(luck.choice([0, 1, 2])):
            text = mangled_text(text or " ", luck)
        if turn % 3 == 0:
            cut = luck.randrange(len(text) + 1)
            text = text[:cut] + luck.choice(SIGNS) + text[cut:]
        quick += same(text)
    assert quick > 130


@pytest.mark.parametrize("text", seeds(), ids=range(len(seeds())))
def test_every_shipped_recipe_is_read_the_quick_way(text: str) -> None:
    assert same(text)


def test_the_words_of_yaml_1_1_stay_words() -> None:
    data = Document("a: [yes, on, 1:30, 0o7, 0x1F, 1e3, ~, .inf, 'true', true]").data
    assert data == {"a": ["yes", "on", "1:30", 7, 31, 1000.0, None, float("inf"), "true", True]}


def test_no_nesting_is_too_deep_for_the_stack() -> None:
    for text in ("[" * 100_000, "{a: " * 50_000, "- " * 50_000, "a: " + "[" * 41 + "]" * 41):
        with pytest.raises(RecipeError, match=r"too deeply nested|values inside values|while parsing|this is not YAML"):
            Document(text)


def test_lines_are_found_behind_lines_that_are_no_yaml(tmp_path: Path) -> None:
    taking = Collector()
    with collecting(taking):
        document = Document("a:\n  b: 1\n  c d: @\n  e: [1, {f: 2}]\na: 3\n")
    assert [error.place and error.place.line for error in taking.errors] == [3, 5]
    where = [("a", "b"), ("a", "e", 1, "f"), ("a", "e", 7), ("a",), ("x",)]
    assert [(place.line, place.column) for place in map(document.place, where)] == [
        (2, 3),
        (4, 11),
        (4, 3),
        (1, 1),
        (1, 1),
    ]


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(NoYaml, match="this is not YAML") as refused:
        yaml_tree.compose("a: 1\nb: [1, 2\nc: 3\n")
    assert refused.value.place and refused.value.place.line == 3 and refused.value.context_line == 2
