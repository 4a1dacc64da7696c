"""The player in JupyterLab: what it plays is measured in the browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.widgets.lab import PICTURES, Lab, execute
from tests.widgets.songs import CELL


def test_a_song_plays_with_its_stems_and_loops_without_gaps(lab: Lab, page: Page) -> None:
    lab.write(
        "player", [CELL, "player = widgets.Player(studio.render(song), title='<img src=x onerror=alert(1)>')\nplayer"]
    )
    lab.open(page, "player")
    expect(page.get_by_text("keys", exact=True)).to_be_visible()
    page.get_by_role("button", name="Play").click()
    deck = "[...__mirepoixDesks.values()].at(-1).deck"
    page.wait_for_function(f"{deck}.position > 20_000 && {deck}.peak(0) > 0.01")
    page.get_by_role("button", name="Solo keys").click()
    assert page.evaluate(f"{deck}.tracks.map((track) => track.on)") == [False, True, False, False, False]
    page.wait_for_function(f"{deck}.peak(1) > 0.003")
    execute(page, "player.loop(1.0, 1.5); player.seek(1.2)")
    round_ = f"(() => {{ const [was, now] = [window.__was ?? 0, {deck}.position]; window.__was = now; return now < was; }})()"
    for _ in range(2):
        page.wait_for_function(round_)
    assert 44_100 <= page.evaluate(f"{deck}.position") < 66_150
    canvas = page.get_by_role("slider", name="position")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 8, steps=5)
    page.mouse.up()
    begin, end = page.evaluate(f"{deck}.loop")
    frames = page.evaluate(f"{deck}.frames")
    assert abs(begin / frames - 0.25) < 0.01
    assert abs(end / frames - 0.5) < 0.01
    canvas.press("l")
    assert page.evaluate(f"{deck}.loop") is None
    for name in ("spectrum", "loudness"):
        page.get_by_role("button", name=name).click()
        page.screenshot(path=PICTURES / f"player-{name}.png")
