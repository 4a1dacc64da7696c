"""The comparison, the map and the piano roll in JupyterLab, and what they refuse without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from studio.audio import Audio
from studio.errors import StudioError
from tests.listening import sine, white
from tests.waiting import wait_until
from tests.widgets.lab import PICTURES, Lab, execute
from tests.widgets.songs import CELL, eight_bars
from widgets import Compare, Map, PianoRoll, Player, compare, rack
from widgets.compare import chance

DECK = "[...__mirepoixDesks.values()].find((desk) => desk.deck.tracks.length && desk.deck.tracks.at(-1).name === '{}').deck"


def says(page: Page, code: str, wanted: str) -> None:
    """Wait until the notebook's kernel prints something."""
    wait_until(lambda: execute(page, code) == wanted, f"{code} is {wanted}")


def test_sounds_are_compared_mapped_and_notes_are_edited(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1900})
    lab.write(
        "more",
        [
            CELL,
            "roll = widgets.PianoRoll(song, 'keys')\nroll",
            "mix = studio.render(song).mix\nsoft = studio.Audio(mix.samples * 0.5, mix.rate)\nversus = widgets.compare(loud=mix, soft=soft)\nversus",
            "chart = widgets.Map.of_presets(mix)\nchart",
        ],
    )
    lab.open(page, "more")
    chart = page.get_by_role("listbox", name="Presets")
    expect(chart).to_be_visible()

    roll = page.get_by_role("application", name="keys: notes")
    box = roll.bounding_box()
    assert box is not None
    page.wait_for_function("[...__mirepoixDesks.values()][0].deck.frames > 0")
    first = execute(page, "print(roll.notes[0])")
    roll.focus()
    roll.press("Control+a")
    roll.press("Shift+ArrowUp")
    says(page, "print(roll.notes[0], len(roll.notes))", "[0.0, 0.875, 64, 90] 32")
    assert first != "[0.0, 0.875, 64, 90]"
    pitch = int(execute(page, "print(max(n[2] for n in roll.notes) + 2)"))
    high = int(execute(page, "print(min(127, max(n[2] for n in roll.notes) + 3))"))
    low = int(execute(page, "print(max(0, min(min(n[2] for n in roll.notes), 60) - 3))"))
    roll.dblclick(position={"x": box["width"] * 0.5, "y": (high - pitch + 0.5) * box["height"] / (high - low + 1)})
    says(page, "print(len(roll.notes), roll.notes[-1][2])", f"33 {pitch}")
    page.get_by_role("button", name="Undo").click()
    says(page, "print(len(roll.notes))", "32")
    again = execute(
        page,
        "s = roll.save('edited.mid'); print(s.score, min(n.pitch for n in studio.read_midi('edited.mid').notes if n.channel == 0))",
    )
    assert again.split() == ["edited.mid", str(60)] or again.startswith("edited.mid")

    page.get_by_role("button", name="X is loud").click()
    expect(page.get_by_text("1 answered")).to_be_visible()
    page.get_by_role("button", name="Result").click()
    expect(page.get_by_text("by chance")).to_be_visible()
    expect(page.get_by_text("loud is turned down by 6 dB")).to_be_visible()

    spot = execute(page, "print(*[p for p in chart.points if p[0] == 'telephone'][0][1:3])").split()
    size = chart.bounding_box()
    assert size is not None
    x = 26 + float(spot[0]) * (size["width"] - 52)
    y = size["height"] - 26 - float(spot[1]) * (size["height"] - 52)
    chart.click(position={"x": x, "y": y})
    page.wait_for_function(
        f"{DECK.format('wide-chorus')}.tracks.some((_, track) => {DECK.format('wide-chorus')}.peak(track) > 0.005)"
    )
    says(page, "print(chart.chosen)", "telephone")
    page.screenshot(path=PICTURES / "more.png")


def test_a_blind_test_counts_and_tells_how_likely_chance_is() -> None:
    assert chance(16, 16) == pytest.approx(2**-16)
    assert chance(0, 5) == 1.0
    tone = Audio(sine(440.0, 1.0), 44_100)
    versus = Compare(one=tone, other=Audio(tone.samples * 0.5, 44_100))
    assert versus.null_db == pytest.approx(-12.04, abs=0.05)
    for _ in range(20):
        versus.answer("one")
    result = versus.reveal()
    assert result["trials"] == 20
    assert 0 < result["right"] < 20, "X is drawn anew each time"


def test_what_cannot_be_shown_is_refused_with_words(tmp_path: Path) -> None:
    tone, noise = Audio(sine(440.0, 0.2), 44_100), Audio(white(0.2, rate=48_000), 48_000)
    song = eight_bars(tmp_path)
    nan = np.full((2, 100), np.nan, np.float32)
    for wrong in (
        lambda: Player(3.0),
        lambda: Player({}),
        lambda: Player({"a": tone, "b": noise}),
        lambda: Player(tmp_path / "missing.wav"),
        lambda: Player(Audio(nan, 44_100)),
        lambda: compare(a=tone),
        lambda: compare(a=tone, b="missing.wav"),
        lambda: Map({}),
        lambda: Map({"a": tone}, at={}),
        lambda: Map({"a": tone}, at={"a": (float("nan"), 0)}),
        lambda: PianoRoll(song, "kyes"),
        lambda: PianoRoll(song, "keys").edit([[0, 1, 200, 90]]),
        lambda: rack(3.0),
        lambda: rack("no such preset"),
        lambda: rack("tape", tmp_path / "missing.wav"),
    ):
        with pytest.raises(StudioError):
            wrong()
    empty = Player(Audio(np.zeros((2, 0), np.float32), 44_100))
    empty.close()


def test_without_a_browser_a_rack_is_its_recipe(tmp_path: Path) -> None:
    song = eight_bars(tmp_path)
    desk = song.rack()
    desk.set("keys.lowpass.cutoff", "2 kHz")
    assert desk.recipe.get("keys.lowpass.cutoff") == 2000.0
    desk.bypass("keys.echo")
    desk.undo()
    assert not desk.recipe.get("keys.echo.bypass")
    desk.undo()
    assert desk.recipe == song
    desk.redo()
    assert desk.wait()
    assert desk.mix.seconds == pytest.approx(16.0)
    space: dict[str, object] = {}
    exec(desk.as_python(), space)
    assert space["song"] == desk.recipe
    assert type(song).loads(desk.as_yaml(), tmp_path) == desk.recipe
    path = desk.save_preset("Softer keys")
    desk.selected = "bass"
    desk.load_preset(path.stem)
    assert [step.label for step in desk.chain] == ["Softer keys"]
    half = song.set("keys.lowpass.cutoff", 1000.0)
    desk.morph(song, half, 0.5)
    assert desk.recipe.get("keys.lowpass.cutoff") == pytest.approx(2000.0)
    desk.close()
