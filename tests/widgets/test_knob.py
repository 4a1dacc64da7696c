"""The knob in JupyterLab, turned by mouse, wheel, keys, typing and MIDI."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from studio.effects.filters import Lowpass
from studio.errors import KnobError
from tests.waiting import wait_until
from tests.widgets.lab import Lab, execute
from widgets import Knob

CELLS = (
    'from widgets import Knob\nheard = []\nk = Knob.of("lowpass", "cutoff")\nk.observe(lambda c: heard.append(c["new"]), "committed")\nk',
    'v = Knob.of("gain", "gain")\np = Knob.of("pan", "position", drag="circular")\nimport ipywidgets\nipywidgets.HBox([k, v, p])',
)


def drag(page: Page, knob: Locator, up: float, steps: int = 8) -> None:
    """From the knob's middle so many pixels up."""
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - up, steps=steps)
    page.mouse.up()


def at(knob: Locator) -> float:
    return float(knob.get_attribute("aria-valuenow") or "nan")


def test_a_knob_behaves_as_knobs_in_plugins_do(lab: Lab, page: Page) -> None:
    lab.write("knob", CELLS)
    lab.open(page, "knob")
    knobs = page.get_by_role("slider", name="cutoff")
    expect(knobs).to_have_count(2)
    knob, twin = knobs.nth(0), knobs.nth(1)
    number = Lowpass.parameters()["cutoff"]

    drag(page, knob, 40)
    expected = number.at(number.position(8000.0) + 40 / 200)
    assert at(knob) == pytest.approx(20_000 if expected > 20_000 else expected, rel=0.01)
    expect(knob).to_have_attribute("aria-valuetext", "20 kHz")
    drag(page, knob, -100)
    assert at(knob) == pytest.approx(number.at(0.5), rel=0.01)
    expect(twin).to_have_attribute("aria-valuenow", knob.get_attribute("aria-valuenow") or "")
    wait_until(lambda: float(execute(page, "print(k.value)")) == at(knob), "the kernel has heard of the last move")
    assert int(execute(page, "print(len(heard))")) == 2, "one gesture is one commit"

    knob.dblclick()
    assert at(knob) == 8000.0
    page.keyboard.down("Shift")
    drag(page, knob, -100)
    page.keyboard.up("Shift")
    assert at(knob) == pytest.approx(number.at(number.position(8000.0) - 0.05), rel=0.01)

    for key, value in (("Home", 10.0), ("End", 20_000.0), ("Delete", 8000.0)):
        knob.press(key)
        assert at(knob) == value
    knob.press("ArrowUp")
    assert at(knob) == pytest.approx(number.at(number.position(8000.0) + 0.01), rel=0.01)
    knob.press("PageDown")
    knob.hover()
    before = at(knob)
    page.mouse.wheel(0, -100)
    assert at(knob) > before
    page.locator(".jp-Notebook").focus()
    before = at(knob)
    knob.hover()
    page.mouse.wheel(0, -100)
    assert at(knob) == before, "a page that is scrolled turns no knobs"

    knob.press("Enter")
    page.keyboard.type("1.2 kHz")
    page.keyboard.press("Enter")
    expect(knob).to_have_attribute("aria-valuetext", "1.2 kHz")
    knob.press("Enter")
    page.keyboard.type("5 bananas")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("unknown unit")
    assert at(knob) == 1200.0

    knob.click(button="right")
    page.get_by_role("menuitem", name="MIDI learn").click()
    expect(page.locator(".mx-learning")).to_have_count(1)
    page.evaluate("window.__cc(21, 127)")
    expect(knob).to_have_attribute("aria-valuenow", "20000")
    page.evaluate("window.__cc(22, 0)")
    assert at(knob) == 20_000.0
    assert execute(page, "print(k.cc)") == "[21, 0]"

    assert "out of range" in execute(page, "k.value = 1e9")
    execute(page, "k.value = 440.0")
    expect(twin).to_have_attribute("aria-valuetext", "440 Hz")

    pan = page.get_by_role("slider", name="position")
    box = pan.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 32 / 60
    page.mouse.move(x, y - 15)
    page.mouse.down()
    page.mouse.move(x + 11, y - 11, steps=4)
    page.mouse.move(x + 15, y, steps=4)
    page.mouse.up()
    assert at(pan) == pytest.approx(2 * 90 / 270, abs=0.02), "a quarter of a turn"


def test_without_a_browser_a_knob_is_its_value() -> None:
    knob = Knob.of("lowpass", "cutoff", value="1.2 kHz")
    assert knob.value == knob.committed == 1200.0
    knob.value = 300.0
    assert knob.committed == 300.0
    for wrong in (float("nan"), 1e9, "loud"):
        with pytest.raises((KnobError, ValueError)):
            Knob.of("lowpass", "cutoff", value=wrong)
    with pytest.raises(KnobError, match="cutoff"):
        Knob.of("lowpass", "cutof")
