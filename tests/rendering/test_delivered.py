"""What a recipe asks for is what is in the file: loudness, length, fades and peaks, measured by others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

import studio
from studio.disk import part_of
from studio.errors import OutputError, RecipeError
from studio.recipe import Recipe
from studio.rendering.manifest import Manifest
from tests.listening import db, rms_db, white

RATE = 22_050


@pytest.fixture(scope="module")
def quiet_then_loud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two quiet seconds, then four that are 24 dB louder, with clicks that stand out."""
    folder = tmp_path_factory.mktemp("sounds")
    samples = white(6, 0.01, RATE)
    samples[:, 2 * RATE :] *= 16
    samples[:, 500::3000] *= 4
    soundfile.write(folder / "quietloud.wav", samples.T, RATE, subtype="FLOAT")
    return folder


def song(folder: Path, **recipe: Any) -> Recipe:
    plain = {"recipe": 1, "rate": RATE, "tracks": {"a": {"play": {"audio": "quietloud.wav"}}}, **recipe}
    return Recipe.loads(json.dumps(plain), folder)


def delivered(recipe: Recipe, out: Path, **options: Any) -> tuple[np.ndarray, Manifest]:
    """The mix as soundfile reads it, and the manifest."""
    result = studio.render(recipe, out, report=False, cache=False, **options)
    assert result.manifest is not None
    samples, rate = soundfile.read(out / result.manifest.entries[0].path, always_2d=True)
    assert rate == recipe.rate
    return samples.T, result.manifest


def lufs(samples: np.ndarray) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness(samples.T))


def true_peak_db(samples: np.ndarray) -> float:
    return db(float(np.abs(resample_poly(samples, 16, 1, axis=1)).max()))


@settings(max_examples=16, deadline=None, derandomize=True)
@given(
    length=st.sampled_from([None, "0.9 s", "2 s", "2.3 s", "5 s", "8 s"]),
    tail=st.sampled_from(["0 s", "0.4 s"]),
    chain=st.lists(
        st.sampled_from(["normalise", {"fade_out": "1 s"}, {"fade_in": "0.5 s"}, {"trim": {"start": "0.7 s"}}]),
        max_size=2,
    ),
    master=st.lists(
        st.sampled_from(["normalise", {"fade_out": "1 s"}, {"reverb": {"wet": 0.4}}, {"fade_out": {"end": "3 s"}}]),
        max_size=2,
    ),
    asked=st.sampled_from([-30.0, -23.0, -18.0]),
    ceiling=st.sampled_from([-1.0, -6.0]),
    arrangement=st.sampled_from(
        [None, ["loud"], ["loud", "quiet", "loud"], [{"section": "quiet", "tempo": 140}, "loud"], ["all × 2"]]
    ),
    loop=st.booleans(),
    bits=st.sampled_from(["16", "24", "32"]),
    block=st.sampled_from([64, 1000, 65_536]),
)
def test_loudness_and_ceiling_hold_for_the_file(
    quiet_then_loud: Path, tmp_path_factory: pytest.TempPathFactory, length: str | None, tail: str, chain: list[Any],
    master: list[Any], asked: float, ceiling: float, arrangement: list[Any] | None, loop: bool, bits: str, block: int,
) -> None:  # fmt: skip
    track = {"play": {"audio": "quietloud.wav"}, "chain": chain}
    sections = {"quiet": [0, 2], "loud": [2, 6], "all": ["quiet", "loud"]}
    if arrangement is not None and loop:
        length = None
    shape = {"sections": sections, "arrangement": arrangement, "seamless": loop} if arrangement else {}
    recipe = song(
        quiet_then_loud, tail=tail, **shape, tracks={"a": track}, output={"bits": bits},
        master={"chain": master, "loudness": asked, "ceiling": ceiling}, **({"length": length} if length else {}),
    )  # fmt: skip
    samples, manifest = delivered(recipe, tmp_path_factory.mktemp("out"), block=block)
    assert true_peak_db(samples) <= ceiling
    reached = lufs(samples)
    assert abs(reached - asked) <= 0.05, manifest.remarks
    [mix] = [entry for entry in manifest.entries if entry.role == "mix"]
    assert mix.lufs == pytest.approx(reached, abs=0.02)
    # Noise up to the very top of the spectrum: there the meter's second, steeper filter finds more.
    assert -0.005 <= mix.true_peak_db - true_peak_db(samples) <= 0.5


def test_a_cut_song_is_as_loud_as_asked_and_fades_where_it_ends(quiet_then_loud: Path, tmp_path: Path) -> None:
    recipe = song(quiet_then_loud, length="2 s", master={"chain": [{"fade_out": "1 s"}], "loudness": -23})
    samples, manifest = delivered(recipe, tmp_path)
    assert samples.shape[1] == 2 * RATE and not manifest.remarks
    assert lufs(samples) == pytest.approx(-23, abs=0.05)
    early, late = samples[:, RATE // 2 : RATE], samples[:, -RATE // 10 :]
    assert rms_db(early) - rms_db(late) > 20
    faded = song(
        quiet_then_loud,
        length="2 s",
        tracks={"a": {"play": {"audio": "quietloud.wav"}, "chain": [{"fade_out": "1 s"}]}},
    )
    samples, _ = delivered(faded, tmp_path / "track")
    assert rms_db(samples[:, RATE // 2 : RATE]) - rms_db(samples[:, -RATE // 10 :]) > 20


def test_normalising_looks_at_what_is_delivered_and_edits_of_time_at_all(quiet_then_loud: Path, tmp_path: Path) -> None:
    played = {"play": {"audio": "quietloud.wav"}}
    peaks = {}
    for name, chain in {"level": ["normalise"], "moved": [{"trim": {"start": "3 s"}}, "normalise"]}.items():
        samples, _ = delivered(song(quiet_then_loud, length="2 s", tracks={"a": {**played, "chain": chain}}), tmp_path)
        peaks[name] = db(float(np.abs(samples).max()))
        assert rms_db(samples) > -25, name
    assert peaks["level"] == pytest.approx(-1, abs=0.01) and peaks["moved"] == pytest.approx(-1, abs=0.01)
    backwards, _ = delivered(
        song(quiet_then_loud, length="2 s", tracks={"a": {**played, "chain": ["reverse"]}}), tmp_path
    )
    assert rms_db(backwards) > -20


@pytest.mark.parametrize("block", [64, 128, 4096, 65_536])
def test_figures_do_not_depend_on_the_block(quiet_then_loud: Path, tmp_path: Path, block: int) -> None:
    _, manifest = delivered(song(quiet_then_loud), tmp_path / str(block), block=block)
    _, other = delivered(song(quiet_then_loud), tmp_path / "other")
    assert manifest.entries == other.entries


@pytest.mark.parametrize(
    ("length", "said"),
    [("0 s", "no sound"), ("0 bars", "no sound"), ("1000000 s", "277.8 hours"), ("100000 bars", "hours")],
)
def test_lengths_that_are_none_or_without_end_are_refused(
    quiet_then_loud: Path, tmp_path: Path, length: str, said: str
) -> None:
    with pytest.raises(RecipeError, match=said) as refused:
        studio.render(song(quiet_then_loud, length=length), tmp_path / "out")
    assert refused.value.path == ("length",) and not (tmp_path / "out").exists()


def test_a_song_for_which_there_is_no_room_is_refused_in_numbers(
    quiet_then_loud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 10**9))
    with pytest.raises(OutputError, match=r"this needs 3.81 GB, 1 GB are free"):
        studio.render(song(quiet_then_loud, length="14399 s"), tmp_path / "out")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_cannot_be_had_stands_in_the_manifest(quiet_then_loud: Path, tmp_path: Path) -> None:
    for _ in range(2):
        recipe = song(quiet_then_loud, master={"loudness": -5, "ceiling": -20}, length="3 s")
        result = studio.render(recipe, tmp_path, report=False)
        assert result.manifest is not None and "cannot be brought to -5.0 LUFS" in result.manifest.remarks[0]
    short, manifest = delivered(song(quiet_then_loud, master={"loudness": -14}, length="0.2 s"), tmp_path / "short")
    assert short.any() and "lasts 0.20 s" in manifest.remarks[0]
    loud = song(quiet_then_loud, tracks={"a": {"play": {"audio": "quietloud.wav"}, "volume": "12 dB"}})
    _, manifest = delivered(loud.set("tracks.a.volume", 12), tmp_path / "loud")
    assert any("mix.wav clips: its peak is +" in remark for remark in manifest.remarks)


@pytest.mark.parametrize("format", ["mp3", "ogg"])
def test_figures_of_lossy_files_are_those_of_what_they_decode_to(
    quiet_then_loud: Path, tmp_path: Path, format: str
) -> None:
    recipe = song(quiet_then_loud, master={"loudness": -16}, output={"format": format})
    samples, manifest = delivered(recipe, tmp_path)
    assert manifest.entries[0].true_peak_db == pytest.approx(true_peak_db(samples), abs=0.05)
    assert manifest.entries[0].lufs == pytest.approx(lufs(samples), abs=0.02)
    over = true_peak_db(samples) > -0.99
    assert any("above the ceiling" in remark for remark in manifest.remarks) == over


def test_an_old_report_goes_with_its_render(quiet_then_loud: Path, tmp_path: Path) -> None:
    studio.render(song(quiet_then_loud, length="1 s"), tmp_path)
    assert (tmp_path / "report.html").is_file()
    studio.render(song(quiet_then_loud, length="2 s"), tmp_path, report=False)
    assert not (tmp_path / "report.html").exists()
    (tmp_path / "report.html").write_text("my own page")
    studio.render(song(quiet_then_loud, length="1 s"), tmp_path, report=False)
    assert (tmp_path / "report.html").read_text() == "my own page"


def test_what_a_killed_render_left_is_tidied(quiet_then_loud: Path, tmp_path: Path) -> None:
    made = "from pathlib import Path; from studio.disk import part_of; print(part_of(Path('mix.wav')))"
    gone = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "stems").mkdir()
    dead, old = tmp_path / gone, tmp_path / "stems" / ".a.wav.1-abcdef.part"
    mine, foreign = part_of(tmp_path / "mix.wav"), tmp_path / ".notes.part"
    for path in (dead, old, mine, foreign):
        path.write_bytes(b"x" * 1000)
    os.utime(old, (0, 0))
    studio.render(song(quiet_then_loud, length="1 s"), tmp_path, report=False)
    assert [path.exists() for path in (dead, old, mine, foreign)] == [False, False, True, True]
