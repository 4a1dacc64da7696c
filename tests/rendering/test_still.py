"""What a saved notebook shows and plays where no kernel is at work."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soundfile
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser

from studio.audio import Audio
from studio.rendering import still as stills
from studio.rendering.still import still
from tests.listening import pitch_hz, sine

HOSTILE = "</pre><script>window.hit = 1</script>"

CELLS = (
    "import numpy, studio",
    "tone = studio.Audio(numpy.sin(numpy.arange(66150) / 20)[None].repeat(2, 0) / 4, 44100)\ntone",
    "song = studio.Recipe.loads('title: HOSTILE\\ntracks: {hiss: {play: {noise: {length: 2 s}}, volume: -20 dB}}')\nsong",
    "studio.plan(song)",
    "studio.render(song, cache=False)",
    "player = studio.render(song, cache=False).player()\nplayer",
    "studio.ChainPreset.parse({'preset': 1, 'chain': ['chorus']})",
    "import widgets\nwidgets.rack(song)",
    "widgets.Knob.of('lowpass', 'cutoff', value='1.2 kHz')",
    "from tests.songs import band_file\nfrom pathlib import Path\nband_file(Path('s.mid'), seconds=2, parts=3)\n"
    "widgets.PianoRoll(studio.Recipe.loads('score: s.mid\\ntracks: {keys: {part: {channel: 1}}}', Path()), 'keys')",
)


def sound_in(html: str) -> tuple[np.ndarray, int]:
    [text] = re.findall(r'src="data:audio/ogg;base64,([^"]+)"', html)
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(text)), always_2d=True)
    return samples.T, rate


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2), (96_000, 2), (8_000, 1), (44_100, 6)])
def test_what_is_kept_sounds_like_the_sound(rate: int, channels: int) -> None:
    samples = sine(440, 1.0, 0.25, rate, channels)
    samples[2:] = 0  # what lies on centre and surrounds is mixed in, and would add up
    tone = Audio(samples, rate)
    samples, kept = sound_in(still({"a tone": tone}))
    assert abs(samples.shape[1] / kept - 1.0) < 0.001
    assert pitch_hz(samples[0].astype(np.float32), kept) == pytest.approx(440, abs=0.5)
    assert np.max(np.abs(samples[0][kept // 4 : kept // 2])) == pytest.approx(np.max(np.abs(tone.samples)), rel=0.15)


def test_music_takes_less_than_five_kb_a_second_and_no_more_than_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    some = Audio((rng.normal(size=(2, 6 * 44_100)) * 0.1).astype(np.float32), 44_100)
    silent = Audio(np.zeros((2, 6 * 44_100), np.float32), 44_100)
    assert len(still({"": some})) - len(still({"": silent})) < 30_000
    assert stills.LONGEST_SECONDS == 600
    monkeypatch.setattr(stills, "LONGEST_SECONDS", 2.0)
    samples, rate = sound_in(still({"": some}))
    assert samples.shape[1] / rate == pytest.approx(2.0, abs=0.1)


def test_nothing_at_all_is_shown_too() -> None:
    assert "0.0 s" in still({"": Audio(np.zeros((2, 0), np.float32), 44_100)})


def test_a_notebook_that_was_saved_plays_and_shows_everything_without_a_kernel(tmp_path: Path, chrome: Browser) -> None:
    cells = [nbformat.v4.new_code_cell(cell.replace("HOSTILE", HOSTILE)) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(
        notebook, timeout=120, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    page = chrome.new_context(offline=True).new_page()
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    sounds = page.locator("audio")
    assert sounds.count() == 5, "the audio, the result, the player, the rack and the roll"
    lengths = page.evaluate(
        """() => Promise.all([...document.querySelectorAll("audio")].map(async (each) => {
             each.muted = true; await each.play(); await new Promise((done) => setTimeout(done, 200));
             return [each.duration, each.currentTime > 0]; }))"""
    )
    assert [playing for _, playing in lengths] == [True] * 5
    assert [length for length, _ in lengths] == pytest.approx([1.5, 2.0, 2.0, 2.0, lengths[-1][0]], abs=0.1)
    assert page.locator("details pre").count() == 4, "recipe, plan, preset and rack"
    assert page.get_by_role("img", name="cutoff: 1.2 kHz").count() == 1
    assert page.get_by_role("img", name="keys: notes").locator("rect").count() > 3
    assert page.evaluate("window.hit") is None
