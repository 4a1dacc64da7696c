"""The page that plays stems: one file, in a real browser, without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, expect

from studio import render
from studio.errors import MissingError
from studio.recipe import Recipe
from studio.rendering.player.page import write_player
from tests.songs import band_file
from tests.widgets.lab import PICTURES, launched

HOSTILE = "</script><img src=x onerror=window.hit=1>"


@pytest.mark.parametrize("codec", ["flac", "opus"])
def test_a_page_plays_stems_with_mute_and_solo_and_runs_nothing_it_was_not_given(
    tmp_path: Path, chrome: Browser, codec: str
) -> None:
    band_file(tmp_path / "s.mid", seconds=12, parts=3)
    song = Recipe.loads(
        """
score: s.mid
tracks: {keys: {part: {channel: 1}}, bass: {part: {channel: 2}, send: {room: -6 dB}}, drums: {part: {drums: true}}}
buses: {room: {chain: [{reverb: {wet: 1, dry: 0}}]}}
""",
        tmp_path,
    ).replace(title=HOSTILE, story=HOSTILE)
    result = render(song, tmp_path / "out")
    path = write_player(tmp_path / "out", codec=codec)
    assert path == tmp_path / "out" / "player.html"
    page = chrome.new_page(viewport={"width": 1100, "height": 640})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(path.as_uri())
    expect(page.get_by_role("heading")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => player.deck.peak(2) > 0.001")
    assert page.evaluate("player.deck.tracks.map((track) => track.on)") == [False, False, True, False, False]
    # What is decoded is what was rendered, without a step where one piece ends and the next begins.
    page.get_by_role("button", name="Solo bass").click()
    page.evaluate("player.deck.seek(5 * player.deck.rate)")
    page.wait_for_function("() => [5.9, 6.1].every((at) => player.deck.tracks[0].reel.at(at * player.deck.rate).piece)")
    rate = page.evaluate("player.deck.rate")
    joined = page.evaluate(
        """() => { const at = 6 * player.deck.rate, out = [];
          for (let frame = at - 4000; frame < at + 4000; frame++) {
            const { piece } = player.deck.tracks[0].reel.at(frame);
            out.push(piece.buffer.getChannelData(0)[frame - piece.start + piece.lead]);
          }
          return out; }"""
    )
    page.screenshot(path=_picture(codec))
    assert page.evaluate("window.hit") is None
    page.close()
    assert not wrong, wrong
    mix = result.mix.samples[0]
    expected = (mix if codec == "flac" else soxr.resample(mix, 44_100, rate, quality="VHQ"))[
        6 * rate - 4000 : 6 * rate + 4000
    ]
    got = np.array(joined)
    null = 20 * np.log10(np.sqrt(np.mean((got - expected) ** 2)) / np.sqrt(np.mean(expected**2)))
    assert null < (-60 if codec == "flac" else -12), null
    step = np.abs(np.diff(got))[3990:4010].max()
    assert step < 1.5 * np.abs(np.diff(expected)).max()


def test_a_folder_without_a_render_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="manifest"):
        write_player(tmp_path)
    assert not list(tmp_path.iterdir())


def _picture(codec: str) -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / f"player-{codec}.png"


def test_a_browser_that_gives_no_sound_says_so(tmp_path: Path, chrome: Browser) -> None:
    (tmp_path / "song.yaml").write_text("length: 1 s\ntracks: {hiss: {play: noise}}\n", encoding="utf-8")
    render(Recipe.load(tmp_path / "song.yaml"), tmp_path / "out")
    # A page that nobody has clicked on may not play here, and its audio context never runs: as without a sound device.
    strict = launched(chrome.browser_type, autoplay=False)
    page = strict.new_page()
    page.add_init_script(
        "const begun = setInterval(() => { if (globalThis.player) { clearInterval(begun); player.deck.play(); } }, 50)"
    )
    page.goto(write_player(tmp_path / "out").as_uri())
    expect(page.get_by_role("status")).to_contain_text("no sound device")
    expect(page.get_by_role("button", name="Play")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("status")).to_have_text("")
    page.wait_for_function("() => player.deck.peak(0) > 0")
    strict.close()
