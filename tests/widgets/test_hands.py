"""Hands on a rack whose Python half is late: drag, wheel, keys, typing, MIDI, and several knobs at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import widgets
from studio.recipe import Recipe
from tests.waiting import PATIENCE
from tests.widgets.host import Host
from tests.widgets.lab import FAKE_MIDI
from tests.widgets.test_knob import at, drag

SONG = """
length: 1 s
knobs:
  dust: {value: 0.5, drives: {hiss.lowpass.cutoff: [10 kHz, 1 kHz]}}
tracks:
  hiss: {play: noise, chain: [{highpass: 200 Hz}, {lowpass: 10 kHz}, {gain: 0 dB}]}
  calm: {play: noise, volume: -12 dB}
"""

WATCH = """(knob) => {
  window.__seen = [Number(knob.getAttribute("aria-valuenow"))];
  new MutationObserver((all) => { for (const each of all) {
    const now = Number(each.target.getAttribute("aria-valuenow"));
    if (now !== window.__seen.at(-1)) window.__seen.push(now);
  } }).observe(knob, { attributes: true, attributeFilter: ["aria-valuenow"] });
}"""


@pytest.fixture
def rack(chrome: Browser) -> Iterator[tuple[Host, widgets.Rack]]:
    """A rack on a page, ready to play."""
    context = chrome.new_context(viewport={"width": 900, "height": 900})
    context.add_init_script(FAKE_MIDI)
    page, wrong = context.new_page(), list[str]()
    page.set_default_timeout(PATIENCE * 1000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    desk = widgets.rack(Recipe.loads(SONG))
    assert desk.wait()
    yield Host(page, desk), desk
    desk.close()
    context.close()
    assert wrong == []


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


@pytest.mark.parametrize("delay", [0, 400])
def test_every_gesture_is_kept_and_none_goes_back_however_late_python_answers(
    rack: tuple[Host, widgets.Rack], delay: int
) -> None:
    host, desk = rack
    page, gain, highpass = host.page, slider(host.page, "gain"), slider(host.page, "cutoff").first
    host.delay(delay)
    gain.evaluate(WATCH)
    before = desk.recipe
    expected = [0.0]

    gain.focus()
    for _ in range(6):
        gain.dispatch_event("wheel", {"deltaY": -100})
        expected.append(at(gain))
    drag(page, gain, 30, steps=10)
    dragged = at(gain)
    assert dragged > expected[-1] > 0
    highpass.press("PageUp")
    drag(page, slider(page, "dust"), -40, steps=5)
    seen = page.evaluate("__seen")
    assert seen == sorted(seen), "a late answer pulled the knob back"
    host.settle()
    expect(gain).to_have_attribute("aria-valuenow", str(dragged))
    assert page.evaluate("__seen") == seen, "an answer moved the hand"
    assert desk.recipe.get("hiss.gain.gain") == dragged
    assert desk.recipe.get("hiss.highpass.cutoff") == at(highpass)
    assert desk.recipe.get("dust") == at(slider(page, "dust")) == pytest.approx(0.3, abs=0.01)
    assert desk.sides["undo"] == 4, "wheel, drag, key and macro are one step each"
    for _ in range(4):
        page.keyboard.press("Control+z")
    host.settle()
    page.wait_for_function("() => !__host.waiting")
    assert desk.recipe == before
    expect(gain).to_have_attribute("aria-valuenow", "0")


def test_hands_go_on_from_a_value_that_was_written_and_is_not_read_yet(rack: tuple[Host, widgets.Rack]) -> None:
    host, desk = rack
    page, dust = host.page, slider(host.page, "dust")
    host.delay(200)
    for written, keys, stands in (
        ("20 %", ["ArrowUp"] * 3, 0.23),
        ("3 potatoes", ["PageUp"], 0.33),
        ("0.5", ["End", "ArrowDown"], 0.99),
    ):
        dust.press("Enter")
        page.keyboard.type(written)
        page.keyboard.press("Enter")
        for key in keys:
            page.keyboard.press(key)
        host.settle()
        expect(dust).to_have_attribute("aria-valuenow", f"{stands:g}")
        slider(page, "gain").focus()  # the knob is let go
        host.settle()
        assert desk.recipe.get("dust") == pytest.approx(stands)
    # A drag goes on from there, too.
    dust.press("Enter")
    page.keyboard.type("0.2")
    page.keyboard.press("Enter")
    drag(page, dust, 20, steps=4)
    host.settle()
    host.settle()
    assert desk.recipe.get("dust") == at(dust) == pytest.approx(0.3)


def test_a_controller_turns_what_it_learned_and_another_strip_changes_nothing(rack: tuple[Host, widgets.Rack]) -> None:
    host, desk = rack
    page, gain = host.page, slider(host.page, "gain")
    host.delay(300)
    gain.press("ContextMenu")
    page.get_by_role("menuitem", name="MIDI learn").click()
    page.evaluate("__cc(7, 10)")
    gain.evaluate(WATCH)
    for level in range(0, 128, 4):
        page.evaluate("level => __cc(7, level)", level)
    seen = page.evaluate("__seen")
    assert len(seen) > 30 and seen[1:] == sorted(seen[1:])
    # Another strip is looked at before Python has answered: the gesture is kept all the same.
    page.get_by_role("button", name="calm", exact=True).click()
    host.settle()
    page.wait_for_function("() => !__host.waiting")
    assert desk.recipe.get("hiss.gain.gain") == pytest.approx(seen[-1])
    assert desk.recipe.get("calm.volume") == -12.0
    assert desk.sides["undo"] == 1
