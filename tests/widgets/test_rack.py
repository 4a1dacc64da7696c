"""The rack in JupyterLab, worked by hand: mouse, keys, and what Python says of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.readable import objections
from tests.widgets.lab import LISTEN, PICTURES, Lab, command, execute
from tests.widgets.songs import CELL
from tests.widgets.test_knob import at, drag
from widgets.panels import name_of

DECK = "[...__mirepoixDesks.values()].at(-1).deck"


def opened(lab: Lab, page: Page, song: str = "song") -> Locator:
    """A rack, rendered and ready to play; one notebook serves all tests, and each begins with the song as it was."""
    if "rack.ipynb" not in page.url:
        page.set_viewport_size({"width": 1280, "height": 1250})
        lab.write("rack", [CELL, "desk = widgets.rack(song)\ndesk", "desk"])
        lab.open(page, "rack")
    assert not execute(page, f"desk.recipe = {song}; desk.copy(); desk.selected = 'keys'; desk.pause(); desk.wait()")
    rack = page.locator(".mx-rack").first
    expect(rack.get_by_role("button", name="Play")).to_be_enabled()
    page.evaluate(f"{DECK}.seek(0); {DECK}.setLoop(null)")
    return rack


def recipe(page: Page, address: str) -> str:
    return execute(page, f"print(desk.recipe.get({address!r}))")


def steps(rack: Locator) -> list[str]:
    return rack.locator(".mx-chain > .mx-panel > .mx-heading strong").all_inner_texts()


def test_a_knob_turned_while_the_song_loops_is_heard_and_is_one_step_of_undo(lab: Lab, page: Page) -> None:
    rack = opened(lab, page)
    cutoff = rack.get_by_role("slider", name="cutoff")
    rack.get_by_role("button", name="Loop").click()
    rack.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{DECK}.position > 10000")
    page.evaluate(LISTEN)
    before = page.evaluate("__heard.length")
    drag(page, cutoff, -60, steps=40)
    page.wait_for_function(f"__heard.length > {before + 1}")
    # What is heard once the hand rests is the whole render, and then the recipe stands where the knob does.
    page.wait_for_function("__heard.at(-1).version % 2 == 1")
    assert float(recipe(page, "keys.lowpass.cutoff")) == at(cutoff) < 1000
    rack.get_by_role("button", name="Undo").click()
    expect(cutoff).to_have_attribute("aria-valuetext", "4 kHz")
    assert recipe(page, "keys.lowpass.cutoff") == "4000.0"
    page.screenshot(path=PICTURES / "rack.png")
    rack.get_by_role("button", name="Redo").click()
    expect(cutoff).not_to_have_attribute("aria-valuetext", "4 kHz")
    rack.get_by_role("button", name="Pause").click()

    dust, depth = rack.get_by_role("slider", name="dust"), rack.get_by_role("slider", name="depth")
    dust.press("End")
    expect(depth).to_have_attribute("aria-valuetext", "0.6")
    dust.press("Enter")
    page.keyboard.type("50 %")
    page.keyboard.press("Enter")
    expect(dust).to_have_attribute("aria-valuenow", "0.5")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_rack_can_be_read_by_everybody_in_both_of_jupyters_themes(lab: Lab, page: Page, theme: str) -> None:
    rack = opened(lab, page)
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {theme}")
    page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower())
    rack.get_by_role("switch", name="echo on").click()
    rack.get_by_role("button", name="mute bass").click()
    expect(rack.locator(".mx-off")).to_have_count(1)
    page.screenshot(path=PICTURES / f"rack-{theme.lower()}.png")
    assert objections(page, ".mx-rack") == []


def test_steps_are_bypassed_moved_added_and_removed(lab: Lab, page: Page) -> None:
    rack = opened(lab, page)
    rack.get_by_role("switch", name="echo on").click()
    expect(rack.locator(".mx-off")).to_have_count(1)
    assert recipe(page, "keys.echo.bypass") == "True"
    grip, last = rack.get_by_role("button", name="Move chorus"), rack.get_by_role("group", name="reverb")
    begin, end = grip.bounding_box(), last.bounding_box()
    assert begin and end
    page.mouse.move(begin["x"] + 5, begin["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=12)
    page.screenshot(path=PICTURES / "reorder.png")
    page.mouse.up()
    expect(rack.locator(".mx-chain > .mx-panel > .mx-heading strong").last).to_have_text("chorus")
    assert steps(rack) == ["lowpass", "echo", "reverb", "chorus"]
    rack.get_by_role("button", name="Move chorus").press("ArrowLeft")
    expect(rack.locator(".mx-chain > .mx-panel > .mx-heading strong").last).to_have_text("reverb")
    rack.get_by_role("button", name="Add a step").click()
    page.get_by_role("searchbox").fill("phaser")
    page.screenshot(path=PICTURES / "palette.png")
    page.keyboard.press("Enter")
    expect(rack.get_by_role("group", name="phaser")).to_be_visible()
    rack.get_by_role("button", name="Copy as text").click()
    page.get_by_role("menuitem", name="as YAML").click()
    expect(page.get_by_role("textbox", name="The recipe as YAML")).to_have_value(
        re.compile(r"title: Eight bars[\s\S]*phaser")
    )
    page.get_by_role("button", name="Close").click()
    rack.get_by_role("button", name="Presets").click()
    page.get_by_role("menuitem", name="Save this chain…").click()
    page.get_by_role("textbox", name="Save the chain as").fill("Keys/<b>bold</b>")
    page.keyboard.press("Enter")
    expect(rack.get_by_text("cannot be a name")).to_be_visible()
    rack.get_by_role("button", name="Presets").click()
    page.get_by_role("menuitem", name="Save this chain…").click()
    page.get_by_role("textbox", name="Save the chain as").fill("Soft keys")
    page.keyboard.press("Enter")
    expect(rack.get_by_text("saved as Soft keys.yaml")).to_be_visible()
    rack.get_by_role("button", name="More for chorus").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(rack.get_by_role("group", name="chorus")).to_have_count(0)
    assert execute(page, "print([s.step for s in desk.chain], desk.recipe.knobs['dust'].drives.keys())").startswith(
        "['lowpass', 'echo', 'reverb', 'phaser'] dict_keys(['master"
    )


def test_both_sides_are_compared_at_one_level_and_morphed(lab: Lab, page: Page) -> None:
    rack = opened(lab, page, "song.set('master.loudness', None)")
    rack.get_by_role("button", name="master", exact=True).click()
    volume = rack.get_by_role("slider", name="volume")
    volume.press("Enter")
    page.keyboard.type("-6 dB")
    page.keyboard.press("Enter")
    rack.get_by_role("button", name="Side B").click()
    expect(volume).to_have_attribute("aria-valuetext", "0 dB")
    expect(rack.get_by_text("-6 dB", exact=True)).to_be_visible()
    page.wait_for_function(f"Math.abs({DECK}._gain - {10 ** (-6 / 20)}) < 0.01")
    morph = rack.get_by_role("slider", name="Morph from A to B")
    morph.fill("0")
    expect(volume).to_have_attribute("aria-valuetext", "-6 dB")
    text = execute(
        page,
        "desk.selected = 'keys'; desk.randomise(7); a = desk.recipe; desk.undo(); desk.randomise(7); print(a == desk.recipe, a != desk._sides.here.past[-1])",
    )
    assert text == "True True"


def test_a_failing_step_says_so_and_the_last_good_sound_stays(lab: Lab, page: Page) -> None:
    rack = opened(lab, page)
    execute(page, "desk.add({'convolution': {'file': 'missing <b>.wav'}}); desk.wait()")
    expect(rack.locator(".mx-failed")).to_have_count(1)
    expect(rack.locator(".mx-failed .mx-error")).to_contain_text("missing <b>.wav")
    page.screenshot(path=PICTURES / "failing.png")
    rack.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{DECK}.peak(0) > 0.001")
    rack.get_by_role("button", name="Undo").click()
    expect(rack.locator(".mx-failed")).to_have_count(0)
    for message in ({"kind": "turn", "turns": {'["tracks"]': "x"}}, {"kind": "do", "what": "move", "step": 99, "to": "x"},
                    {"kind": "turn", "turns": {'["tracks", "keys", "chain", 1, "cutoff"]': 1e99}}, {"kind": "type"}, {}):  # fmt: skip
        before = execute(page, "print(desk.recipe.hash)")
        assert "Traceback" not in execute(page, f"desk._told(desk, {message!r}, None)")
        assert execute(page, "print(desk.recipe.hash)") == before


def test_state_survives_a_reload_views_stay_in_step_and_a_dead_kernel_says_so(lab: Lab, page: Page) -> None:
    rack = opened(lab, page)
    rack.get_by_role("slider", name="cutoff").press("Home")
    twin = page.locator(".mx-rack").nth(1)
    expect(twin.get_by_role("slider", name="cutoff")).to_have_attribute("aria-valuetext", "10 Hz")
    command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.open(page, "rack", run=False)
    rack = page.locator(".mx-rack").first
    expect(rack.get_by_role("slider", name="cutoff")).to_have_attribute("aria-valuetext", "10 Hz")
    expect(rack.get_by_role("button", name="Play")).to_be_enabled()
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(page.get_by_text("The kernel has stopped").first).to_be_visible()
    page.goto("about:blank")  # whoever comes next opens the notebook anew


SLOW = """
import time
if not hasattr(desk, 'delay'):
    quick = desk._turn
    desk._turn = lambda content: (time.sleep(desk.delay), quick(content))[1]
desk.delay = {delay}
"""

HAND = """async ([knob, key, times]) => {
  for (let index = 0; index < times; index++) {
    knob.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await new Promise((done) => setTimeout(done, 3));
  }
}"""

WATCH = """(knob) => {
  window.__seen = [Number(knob.getAttribute("aria-valuenow"))];
  new MutationObserver(() => {
    const now = Number(knob.getAttribute("aria-valuenow"));
    if (now !== window.__seen.at(-1)) window.__seen.push(now);
  }).observe(knob, { attributes: true, attributeFilter: ["aria-valuenow"] });
}"""


def test_no_step_of_a_hand_is_lost_and_none_goes_back_however_late_python_answers(lab: Lab, page: Page) -> None:
    rack = opened(lab, page)
    dust = rack.get_by_role("slider", name="dust")
    for delay, first in ((0, 0.2), (0.1, 0.25), (0.5, 0.3), (2, 0.35)):
        assert not execute(page, SLOW.format(delay=0) + f"desk.set('dust', {first})")
        expect(dust).to_have_attribute("aria-valuenow", str(first))
        undo = int(execute(page, "print(desk.sides['undo'])"))
        assert not execute(page, SLOW.format(delay=delay))
        dust.focus()
        dust.evaluate(WATCH)
        expected = [first]
        for key, step, times in (
            ("ArrowUp", 0.01, 60),
            ("ArrowDown", -0.01, 50),
            ("PageUp", 0.1, 1),
            ("ArrowDown", -0.01, 19),
        ):
            page.evaluate(HAND, [dust.element_handle(), key, times])
            expected += [expected[-1] + step * (index + 1) for index in range(times)]
        assert page.evaluate("__seen") == pytest.approx(expected, abs=1e-6), f"{delay} s late"
        rack.get_by_role("button", name="Undo").focus()  # the knob is let go
        page.wait_for_function(
            "id => ![...__mirepoixTurns.values()].at(-1).holds(id)",
            arg=name_of(("knobs", "dust", "value")),
            timeout=30_000,
        )
        assert page.evaluate("__seen") == pytest.approx(expected, abs=1e-6), f"{delay} s late"
        assert float(recipe(page, "dust")) == pytest.approx(expected[-1], abs=1e-6)
        assert int(execute(page, "print(desk.sides['undo'])")) == undo + 1, "one gesture is one step of undo"
    assert not execute(page, SLOW.format(delay=0))
    dust.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+z")
    expect(dust).to_have_attribute("aria-valuenow", str(round(expected[-1], 2)))
    page.keyboard.press("Control+z")
    expect(dust).to_have_attribute("aria-valuenow", "0.35")
    page.keyboard.press("Control+Shift+z")
    expect(dust).to_have_attribute("aria-valuenow", str(round(expected[-1], 2)))
