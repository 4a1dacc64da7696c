"""The rack in JupyterLab, worked by hand."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.widgets.lab import Lab, execute
from tests.widgets.songs import CELL
from tests.widgets.test_knob import at, drag


def test_a_knob_turned_while_the_song_loops_is_heard(lab: Lab, page: Page) -> None:
    lab.write("rack", [CELL, "desk = widgets.rack(song)\ndesk"])
    lab.open(page, "rack")
    rack = page.get_by_role("group", name="Eight bars").first
    expect(rack).to_be_visible(timeout=30000)
    play = rack.get_by_role("button", name="Play")
    expect(play).to_be_enabled()
    cutoff = rack.get_by_role("slider", name="cutoff")
    rack.get_by_role("button", name="Loop").click()
    rack.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1000)
    box = cutoff.bounding_box()
    x, y = box["x"] + 30, box["y"] + 30
    page.mouse.move(x, y); page.mouse.down()
    for i in range(60):
        page.mouse.move(x, y + i); page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(1500)
    print(page.evaluate("__mirepoixHeard"), page.evaluate("__mirepoixPieces.slice(0, 12)"))
    print(execute(page, "print(desk.recipe.get('keys.lowpass.cutoff'), len(desk._sides.here.past), desk.errors)"), at(cutoff))
