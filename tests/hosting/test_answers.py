"""What a process that hosts a plugin says of it is checked: a plugin may have got the better of that process."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.hosting.description import Description

ANSWER: dict[str, Any] = {
    "about": {"name": "Tube", "vendor": "Zam", "version": "4.3", "id": "ab", "instrument": False, "inputs": 1, "sides": 0,
              "outputs": 1},
    "latency": 64, "programs": ["Init"], "seconds": 0.1,
    "parameters": [
        {"name": "drive", "title": "Drive", "index": 0, "unit": "dB", "positions": [0.0, 1.0], "values": [0.0, 30.0],
         "log": False, "whole": False, "choices": [], "default": 0.5, "live": True},
        {"name": "tone", "title": "Tone", "index": 1, "unit": "", "positions": [], "values": [], "log": False, "whole": False,
         "choices": ["JTM 45", "AC 30"], "default": 0.0, "live": False},
    ],
}  # fmt: skip
WILD = (None, True, -1, 10**30, 1e308, float("nan"), 2.0, "", "x" * 9_000, [], [1], ["a"], {}, {"a": 1})


def described(answer: object) -> Description:
    return Description.answered(Path("Tube.vst3"), "pedalboard", "", answer, "stamp")


def test_an_honest_answer_is_taken_as_it_is() -> None:
    found = described(ANSWER)
    assert found.about.name == "Tube" and found.named["tone"].choices == ("JTM 45", "AC 30")
    assert Description.read(found.data()) == found


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        (("latency",), 10**12, "latency"),
        (("about", "instrument"), "no", "about › instrument"),
        (("parameters", 0, "positions"), [0.0, 7.0], r"parameters › \[1\] › positions › \[2\]"),
        (("parameters", 0, "values"), [1.0], r"parameters › \[1\]\n  2 positions, 1 values"),
        (("parameters", 1, "choices"), [], r"parameters › \[2\]\n  0 positions"),
        (("parameters",), {"a": 1}, "parameters"),
        (("about",), None, "about"),
    ],
)
def test_an_answer_that_cannot_be_is_named_by_field(way: tuple[Any, ...], value: object, message: str) -> None:
    answer: Any = copy.deepcopy(ANSWER)
    holder = answer
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    with pytest.raises(StudioError, match=message):
        described(answer)


def test_mutated_answers_are_refused_or_make_a_description() -> None:
    chance, refused = random.Random(5), 0
    for _ in range(600):
        answer: Any = copy.deepcopy(ANSWER)
        holder, key = answer, chance.choice(list(answer))
        while isinstance(holder[key], (dict, list)) and holder[key] and chance.random() < 0.7:
            holder = holder[key]
            key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        holder[key] = copy.deepcopy(chance.choice(WILD))
        try:
            made = described(answer)
        except StudioError:
            refused += 1
        else:
            assert len(made.parameters) == len(made.named) or len({each.name for each in made.parameters}) < 2
    assert refused > 300
