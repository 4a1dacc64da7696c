"""What widgets show can be read and used by everybody: axe, sizes and widths, on a phone, by day and by night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import anywidget
import pytest
from playwright.sync_api import Browser, Page, expect

import widgets
from studio.audio import Audio
from studio.recipe import Recipe
from tests.listening import sine
from tests.readable import objections
from tests.widgets.host import Host
from tests.widgets.songs import eight_bars

TONE = Audio(sine(330.0, 0.5), 44_100)
QUIET = Audio(TONE.samples * 0.5, TONE.rate)


def _failing(song: Recipe) -> widgets.Rack:
    desk = widgets.rack(song)
    desk.add({"convolution": {"file": "missing.wav"}})
    desk.wait()
    return desk


SHOWN: dict[str, Callable[[Recipe], anywidget.AnyWidget]] = {
    "player": lambda song: widgets.Player({"one": TONE, "two": QUIET}, title="Two sounds"),
    "comparison": lambda song: widgets.compare(loud=TONE, soft=QUIET),
    "roll": lambda song: widgets.PianoRoll(song, "keys"),
    "map": lambda song: widgets.Map({"a": TONE, "b": QUIET}, at={"a": (0.1, 0.2), "b": (0.8, 0.9)}),
    "knob": lambda song: widgets.Knob.of("lowpass", "cutoff"),
    "rack": _failing,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", SHOWN)
def test_a_widget_can_be_read_and_used_by_everybody(tmp_path: Path, chrome: Browser, kind: str, scheme: str) -> None:
    context = chrome.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    widget = SHOWN[kind](eight_bars(tmp_path))
    page = context.new_page()
    host = Host(page, widget)
    host.settle()
    assert objections(page) == []
    if kind == "rack":
        for what in _worked(page):
            assert objections(page) == [], what
    widget.close()
    context.close()


def _worked(page: Page) -> Iterator[str]:
    """Everything that a rack opens."""
    page.get_by_role("button", name="mute keys").click()
    page.get_by_role("switch", name="chorus on").click()
    expect(page.locator(".mx-off")).to_have_count(1)
    yield "muted and bypassed"
    page.get_by_role("button", name="Add a step").click()
    yield "the palette"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More for chorus").click()
    yield "a menu"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy as text").click()
    page.get_by_role("menuitem", name="as YAML").click()
    expect(page.get_by_role("textbox", name="The recipe as YAML")).to_be_visible()
    yield "a text"
    page.get_by_role("button", name="Close").click()
    cutoff = page.get_by_role("slider", name="cutoff").first
    cutoff.press("Enter")
    page.keyboard.type("4 potatoes")
    yield "a field"
    page.keyboard.press("Enter")
    expect(page.locator(".mx-wrong")).to_have_count(1)
    yield "a refusal"
    page.get_by_role("button", name="master", exact=True).click()
    yield "another strip"
