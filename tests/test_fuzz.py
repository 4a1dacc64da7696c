"""Thousands of mangled recipes, MIDI files and audio files: every one is read or refused by name, and none is a crash."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import studio
from studio.audiofile import read_audio
from studio.engine import plan
from studio.errors import StudioError
from studio.midi import parse_midi, split, write_midi
from studio.recipe import Recipe
from studio.recipe.starter import blank
from tests.listening import white
from tests.songs import band

SHIPPED = Path(__file__).parents[1] / "presets"
RECIPES, MIDI_FILES, AUDIO_FILES = 600, 600, 450

TOKENS = (
    "null", "true", "~", "-1", "1e309", ".nan", ".inf", "-inf dB", "99999999999999999999", "0x7f", "''", "[]", "{}", "[[]]",
    "{a: b}", "&x", "*x", "!!int 3", "3 bars", "1/0", "1/8.", "440 Hz", "lfo", "'\\0'", "😀", "!!python/name:os.system",
    "all", "rest", "master", "keys", "preset", "soundfont", "[0 bars, 1]", "{lfo: sine, period: 0 s, from: 0, to: 1}",
)  # fmt: skip


def mangled_text(text: str, luck: random.Random) -> str:
    """A few of the mistakes that hands, editors and programs make."""
    lines = text.splitlines()
    for _ in range(luck.choice([1, 1, 1, 2, 4])):
        place = luck.randrange(len(lines))
        line = lines[place]
        match luck.randrange(8):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[luck.randrange(len(lines))])
            case 2 if ":" in line:
                lines[place] = line.split(":")[0] + ": " + luck.choice(TOKENS)
            case 3:
                cut = luck.randrange(len(line) + 1)
                lines[place] = line[:cut] + luck.choice(TOKENS) + line[cut:]
            case 4:
                lines[place] = " " * luck.randrange(6) + line.lstrip()
            case 5:
                cut = luck.randrange(len(line) + 1)
                lines[place] = (
                    line[:cut]
                    + chr(luck.choice([0, 9, 0x7F, 0x85, 0x2028, 0x1F600, luck.randrange(32, 500)]))
                    + line[cut:]
                )
            case 6:
                words = line.split(" ")
                luck.shuffle(words)
                lines[place] = " ".join(words)
            case _:
                lines[place] = line.replace(luck.choice("[]{}:,- "), luck.choice("[]{}:,- "), 1)
        if not lines:
            lines = [""]
    return "\n".join(lines)


def mangled_bytes(content: bytes, luck: random.Random) -> bytes:
    """Flipped, lost, doubled and invented bytes; lengths that lie; a file cut short."""
    data = bytearray(content)
    for _ in range(luck.randint(1, 6)):
        if not data:
            break
        place = luck.randrange(min(len(data), 4000)) if luck.random() < 0.7 else luck.randrange(len(data))
        match luck.randrange(6):
            case 0:
                data[place] ^= 1 << luck.randrange(8)
            case 1:
                data[place] = luck.choice([0, 0x7F, 0x80, 0xFF, 0xF0, 0xF7, luck.randrange(256)])
            case 2:
                del data[place : place + luck.randint(1, 40)]
            case 3:
                data[place:place] = bytes(luck.randrange(256) for _ in range(luck.randint(1, 20)))
            case 4:
                data[place : place + 4] = luck.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]).to_bytes(
                    4, luck.choice(["big", "little"])
                )
            case _:
                if luck.random() < 0.3:
                    del data[place:]
    return bytes(data)


def seeds() -> list[str]:
    """Recipes that hold the whole language."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((SHIPPED / "recipes").glob("*.yaml"))]
    return [*texts, blank("x.yaml", "demo.mid"), json.dumps(Recipe.loads(texts[0], SHIPPED / "recipes").data())]


@pytest.mark.parametrize("part", range(4))
def test_mangled_recipes_are_read_or_refused(part: int) -> None:
    texts, luck = seeds(), random.Random(part)
    outcomes = {"read": 0, "refused": 0, "planned": 0}
    for _ in range(RECIPES // 4):
        text = mangled_text(luck.choice(texts), luck)
        try:
            recipe = Recipe.loads(text, SHIPPED / "recipes")
            outcomes["read"] += 1
            assert Recipe.loads(recipe.dumps(), SHIPPED / "recipes").hash == recipe.hash
            plan(recipe)
            outcomes["planned"] += 1
        except StudioError as error:
            assert str(error).strip()
            outcomes["refused"] += 1
    assert min(outcomes.values()) > RECIPES // 80, outcomes


def survivors() -> Iterator[Recipe]:
    """Small recipes with odd but legal values."""
    luck = random.Random(99)
    base = (
        "tracks:\n  a:\n    play:\n      noise:\n        length: 0.3 s\n        level: -20 dB\n    chain:\n"
        "      - chorus:\n          rate: 1 Hz\n          depth: 0.2\n      - echo:\n          time: 0.1 s\n"
        "          feedback: 0.3\n      - eq:\n          low: 3 dB\n          high_cut: 5 kHz\n      - compressor:\n"
        "          threshold: -20 dB\n          ratio: 4\n    pan: 0.1\n    volume: -3 dB\nmaster:\n  loudness: -20\n"
        "tail: 1 s\nlength: 0.5 s\n"
    )
    for _ in range(800):
        try:
            yield Recipe.loads(mangled_text(base, luck))
        except StudioError:
            continue


def test_what_can_be_read_is_rendered_or_refused() -> None:
    rendered = 0
    for recipe in survivors():
        if recipe.length is None or recipe.rate != 44_100 or float(recipe.length.seconds) > 2:
            continue
        try:
            mix = studio.render(recipe, cache=False, workers=1).mix
        except StudioError as error:
            assert error.path or error.place or error.cause
            continue
        assert np.isfinite(mix.samples).all()
        rendered += 1
    assert rendered > 20


@pytest.mark.parametrize("part", range(3))
def test_mangled_midi_files_are_read_or_refused(part: int, tmp_path: Path) -> None:
    luck = random.Random(1000 + part)
    write_midi(band(2, 3), tmp_path / "band.mid")
    wholes = [(tmp_path / "band.mid").read_bytes(), (SHIPPED / "recipes" / "demo.mid").read_bytes()]
    read = 0
    for _ in range(MIDI_FILES // 3):
        content = mangled_bytes(luck.choice(wholes), luck)
        try:
            score = parse_midi(content)
            parts = split(score)
        except StudioError as error:
            assert str(error).strip()
            continue
        assert sum(part.notes for part in parts) == len(score.notes)
        read += 1
    assert MIDI_FILES // 30 < read < MIDI_FILES // 3


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.aiff", "a.mp3"])
def test_mangled_audio_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    luck = random.Random(name)
    subtype = {"a.ogg": "VORBIS", "a.mp3": "MPEG_LAYER_III"}.get(name, "PCM_16" if name != "a.wav" else "FLOAT")
    soundfile.write(tmp_path / name, white(0.1).T, 44_100, subtype)
    whole, read, path = (tmp_path / name).read_bytes(), 0, tmp_path / f"mangled-{name}"
    for _ in range(AUDIO_FILES // 5):
        path.write_bytes(mangled_bytes(whole, luck))
        try:
            audio = read_audio(path, 44_100, 2)
        except StudioError as error:
            assert path.name in str(error) or "channels" in str(error) or "rate" in str(error)
            continue
        assert np.isfinite(audio.samples).all() and audio.channels == 2
        read += 1
    assert read > 0
