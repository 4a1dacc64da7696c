"""Every page that is written: nothing that axe objects to, readable on a phone, and one sound at a time.

axe-core is run by Chromium in each page as it lies on the disk, by day and by night.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from studio import render
from studio.audio import Audio
from studio.nets.training import TrainingProgress
from studio.recipe import Recipe
from studio.rendering.player.page import write_player
from studio.rendering.transfers import compare_methods
from studio.training.log import TrainingLog
from tests.listening import sine
from tests.readable import objections
from tests.songs import band_file

SONG = """
title: A page to look at
story: Three parts and a room.
score: s.mid
tracks:
  keys: {part: {channel: 1}, send: {room: -6 dB}}
  drums: {part: {drums: true}}
buses: {room: {chain: [{reverb: {wet: 1, dry: 0}}]}}
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    place = tmp_path_factory.mktemp("pages")
    band_file(place / "s.mid", seconds=5, parts=3)
    render(Recipe.loads(SONG, place), place / "out")
    tone = Audio(sine(220, 1.5), 44_100)
    for name in ("a", "b"):
        (place / f"{name}.wav").write_bytes((place / "out" / "mix.wav").read_bytes())
    compare_methods(place / "a.wav", place / "b.wav", place / "methods")
    log = TrainingLog(place / "training", 60.0)
    (place / "training").mkdir()
    losses = [(10.0, 2.0), (60.0, 1.0)]
    log.note(TrainingProgress(seconds=60.0, losses=losses), lambda: tone)
    log.sound("a clarinet", tone, ("sound", "held out"))
    trained = log.finish("A voice", {"trained_seconds": 60.0, "steps": 3})
    assert trained is not None
    return {
        "report": place / "out" / "report.html",
        "player": write_player(place / "out"),
        "methods": next((place / "methods").glob("*.html")),
        "training": trained,
    }


@pytest.fixture
def page(chrome: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A phone's page, and what went wrong on it."""
    context = chrome.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page, wrong
    context.close()


@pytest.mark.parametrize("kind", ["report", "player", "methods", "training"])
def test_a_page_can_be_read_and_used_by_everybody(
    pages: dict[str, Path], page: tuple[Page, list[str]], kind: str
) -> None:
    shown, wrong = page
    for scheme in ("light", "dark"):
        shown.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        shown.goto(pages[kind].as_uri())
        shown.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert objections(shown) == [], scheme
    assert wrong == []


@pytest.mark.parametrize("kind", ["report", "methods", "training"])
def test_a_click_on_a_picture_plays_from_there_and_one_sound_at_a_time(
    pages: dict[str, Path], page: tuple[Page, list[str]], kind: str
) -> None:
    shown, wrong = page
    shown.set_viewport_size({"width": 1100, "height": 900})
    shown.goto(pages[kind].as_uri())
    pictures = shown.locator("section:has(audio) .picture svg")
    sounds = "[...document.querySelectorAll('audio')].map((each) => !each.paused)"
    for index in (0, 1):
        pictures.nth(index).click(position={"x": 500, "y": 60})
        expect(shown.locator("section:has(audio) .head").nth(index)).not_to_have_attribute("x1", "-99")
        playing = shown.evaluate(sounds)
        assert [place for place, on in enumerate(playing) if on] in ([index], []), "a short sound may be over"
    assert wrong == []
