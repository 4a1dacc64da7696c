"""Every shipped preset is rendered, and does what its story says within bounds a listener would accept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import studio
from studio.context import RenderContext
from studio.engine.loudness import measure
from studio.midi import read_midi, write_midi
from studio.recipe import Recipe
from studio.recipe.presets import ChainPreset
from studio.recipe.schema import schema
from studio.rendering.apply import parse_chain
from tests.listening import null_db, rms_db, through
from tests.presets.compose import FILE, compose
from tests.songs import band

SHIPPED = Path(__file__).parents[2] / "presets"
CHAINS = sorted((SHIPPED / "chains").glob("*.yaml"))
RECIPES = sorted((SHIPPED / "recipes").glob("*.yaml"))
LOUDER = {"mastering"}
"""Those that are meant to change the loudness."""


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of a band at -18 LUFS."""
    folder = tmp_path_factory.mktemp("music")
    write_midi(band(6, 4), folder / "band.mid")
    song = Recipe.loads("{score: band.mid, tracks: {band: {part: all}}, master: {loudness: -18}, length: 6 s}", folder)
    studio.render(song, folder, cache=False, report=False)
    return folder / "mix.wav"


def played(chain: object, music: Path, **knobs: object) -> studio.Audio:
    """The music through one preset."""
    track = {"play": {"audio": str(music)}, "chain": [{"preset": {"use": chain, **knobs}}]}
    return studio.render(Recipe(tracks={"music": track}, length="6 s"), cache=False).mix


@pytest.mark.parametrize("path", CHAINS, ids=lambda path: path.stem)
def test_a_chain_keeps_its_level_and_every_knob_is_heard(path: Path, music: Path) -> None:
    preset = ChainPreset.load(path)
    assert preset.title and preset.story and preset.author and preset.tags
    assert preset.license == "CC0-1.0"
    before, after = measure(studio.read_audio(music)), measure(played(path.stem, music))
    assert abs(after.integrated - before.integrated) < 4.0 or path.stem in LOUDER
    assert after.true_peak_db < 0.0
    assert preset.knobs
    for name, macro in preset.knobs.items():
        low, high = (played(path.stem, music, **{name: end}) for end in macro.range)
        difference = rms_db(low.samples - high.samples) - rms_db(high.samples)
        assert difference > -40, f"{name} changes no more than {difference:.1f} dB"
        assert max(low.peak_db, high.peak_db) < 3.0


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_says_what_it_is_follows_the_schema_and_renders_its_loudness(path: Path) -> None:
    import jsonschema

    song = Recipe.load(path)
    assert song.title and song.story and song.author and song.tags and song.license == "CC0-1.0"
    jsonschema.validate(song.data(), schema())
    result = studio.render(song)
    assert measure(result.mix).integrated == pytest.approx(song.master.loudness, abs=0.1)
    assert measure(result.mix).true_peak_db <= song.master.ceiling + 0.1
    quietest = min(measure(stem).integrated for name, stem in result.stems.items() if name != "crackle")
    assert quietest > measure(result.mix).integrated - 20, "a stem cannot be heard in the mix"


def test_templates_work_on_a_song_they_have_never_seen(tmp_path: Path) -> None:
    write_midi(band(4, 6), tmp_path / "other.mid")
    for path in RECIPES:
        if "any score" in Recipe.load(path).tags:
            planned = studio.plan(studio.load(path), tmp_path / "other.mid")
            notes = sum(len(strip.dry.score.notes) for strip in planned.tracks.values() if hasattr(strip.dry, "score"))
            assert notes >= len(band(4, 6).notes) * (0.5 if path.stem == "music-box" else 1)


def test_the_demo_song_is_what_its_composer_wrote(tmp_path: Path) -> None:
    write_midi(compose(), tmp_path / "demo.mid")
    assert (tmp_path / "demo.mid").read_bytes() == FILE.read_bytes()
    score = read_midi(FILE)
    assert float(score.length) > 60
    assert [mark.text for mark in score.marks if mark.kind == "marker"][:3] == ["Intro", "Verse", "Chorus"]


def test_the_demo_shows_off_the_vocabulary() -> None:
    text = (SHIPPED / "recipes" / "demo.yaml").read_text(encoding="utf-8")
    song = Recipe.loads(text, SHIPPED / "recipes")
    for word in ("sidechain:", "lfo:", "arpeggiate:", "quantise:", "pre: true", "noise:", "exponential", "preset:"):
        assert word in text
    assert len(song.tracks) >= 8 and len(song.buses) >= 2 and len(song.knobs) >= 3


def test_a_preset_on_the_command_line_is_the_one_in_a_recipe(music: Path) -> None:
    [step] = parse_chain("{preset: {use: telephone, line: 0.2}}")
    audio = studio.read_audio(music)
    direct = through(step, audio.samples, RenderContext(audio.rate))
    assert null_db(direct[:, :44_100], played("telephone", music, line=0.2).samples[:, :44_100]) < -140
    assert np.abs(np.fft.rfft(direct[0]))[:50].max() < np.abs(np.fft.rfft(direct[0])).max() / 10
