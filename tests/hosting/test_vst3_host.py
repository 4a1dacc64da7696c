"""VST3 plugins of others in the host of our own: in time, with their side inputs, and with what pedalboard kept of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from studio.audio import Block
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.errors import StudioError
from studio.floating_point import floating_point_kept
from studio.hosting import catalogue
from studio.hosting.host import hosts_of
from studio.hosting.plugin import Plugin
from studio.hosting.song_position import song_positions
from studio.hosting.vst3_files import is_named, juce_state
from studio.tempo import Meter, Tempo, TempoMap
from tests.hosting.sides import squeezed_by_its_side
from tests.listening import null_db, through, white
from tests.waiting import PATIENCE

RATE = 48_000
RAMP = TempoMap((Tempo(Fraction(0), Fraction(60), ramp=True), Tempo(Fraction(8), Fraction(180))))


def echoed(file: str, on: object, tempo: TempoMap, cut: int = 3 * RATE) -> Block:
    """Three seconds of an echo of two beats, of a click a tenth of a second from the start."""
    step = Plugin.parse({"file": file, "sync_bpm": on, "divisor": 2, "dry_wet": 1, "feedback": 0})
    line = EffectChain((step,), RenderContext(RATE, 2, tempo))
    sound = np.zeros((2, 3 * RATE), np.float32)
    sound[:, 4800] = 0.5
    out = [line.push(sound[:, start : start + cut]) for start in range(0, sound.shape[1], cut)]
    return np.concatenate(out, axis=1)


def lateness(out: Block) -> int:
    return int(np.argmax(np.abs(out[0]))) - 4800


@pytest.mark.parametrize("bpm", [60, 90, 174])
def test_a_delay_follows_the_tempo(bpm: int) -> None:
    echo = lateness(echoed("ZamDelay.vst3", True, TempoMap.constant(bpm)))
    assert abs(echo - lateness(echoed("ZamDelay-vst.so", 1, TempoMap.constant(bpm)))) <= 1
    # Its low-pass makes the peak two frames late.
    assert abs(echo - 2 * RATE * 60 / bpm) <= 3


def test_along_a_ramp_too_whatever_the_blocks() -> None:
    whole, twin, cut = (
        echoed("ZamDelay.vst3", True, RAMP), echoed("ZamDelay-vst.so", 1, RAMP), echoed("ZamDelay.vst3", True, RAMP, 5000),
    )  # fmt: skip
    assert lateness(whole) == lateness(twin) == lateness(cut)
    frames = min(each.shape[1] for each in (whole, twin, cut))
    assert null_db(whole[:, :frames], cut[:, :frames]) < -140
    # When it comes back the tempo is what makes two beats of the time since: between those of start and end.
    assert 2 * RATE * 60 / 180 < lateness(whole) < 2 * RATE * 60 / 60


def test_the_song_is_told_by_cells_of_the_grid_and_anew_in_every_bar() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)),), (Meter(Fraction(0), 3, 4), Meter(Fraction(6), 4, 4)))
    whole = song_positions(tempo, 0, 5 * RATE, RATE)
    assert [(told["bar_start"], told["numerator"]) for _, told in whole] == [(0, 3), (3, 3), (6, 4)]
    assert [frame for frame, _ in whole] == [0, 72_000, 144_000]
    ramp = dict(song_positions(RAMP, 0, 8192, RATE))
    assert list(ramp) == list(range(0, 8192, 64))
    later = dict(song_positions(RAMP, 4096, 4096, RATE))
    assert all(told == ramp[frame + 4096] for frame, told in later.items())


def test_a_side_input_is_heard_as_in_the_vst2(tmp_path: Path) -> None:
    vst3, vst2 = (
        squeezed_by_its_side("ZamCompX2.vst3", "true", tmp_path),
        squeezed_by_its_side("ZamCompX2-vst.so", 1, tmp_path),
    )
    assert null_db(vst3, vst2) < -90
    half = vst3.shape[1] // 2
    assert np.std(vst3[:, : half - 4000]) < 0.7 * np.std(vst3[:, half + 8000 :]), "the side input ducks it"


def kept_by_pedalboard(tmp_path: Path) -> tuple[Path, Path, str]:
    """A preset and a raw state of a compressor turned up, and its id, as pedalboard gives them."""
    from pedalboard import VST3Plugin

    theirs = VST3Plugin("/usr/lib/vst3/ZamCompX2.vst3")
    theirs.threshold_db, theirs.ratio = -40.0, 12.0
    theirs.process(np.zeros((2, 64), np.float32), RATE)
    preset, raw = tmp_path / "kept.vstpreset", tmp_path / "kept.state"
    preset.write_bytes(theirs.preset_data)
    raw.write_bytes(theirs.raw_state)
    return preset, raw, theirs.identifier


def test_what_recipes_kept_while_pedalboard_was_the_host_goes_on_working(
    tmp_path: Path, context: RenderContext
) -> None:
    with floating_point_kept():
        preset, raw, identity = kept_by_pedalboard(tmp_path)
    sound = white(0.5)
    wanted = through(Plugin.parse({"file": "ZamCompX2.vst3", "threshold": -40, "ratio": 12}), sound, context)
    for kept in (preset, raw):
        step = Plugin.parse({"file": "ZamCompX2.vst3", "preset": str(kept), "id": identity})
        assert null_db(through(step, sound, context), wanted) < -100
        assert not list(step.remarks(context)), "it is the same plugin under another id"
    assert catalogue.find_plugin(identity).name == "ZamCompX2.vst3"
    assert not is_named(identity, "ZamGateX2", catalogue.describe_plugin("ZamGateX2.vst3").about.id)
    hosted = Plugin.parse({"file": "ZamCompX2.vst3", "host": "pedalboard", "threshold": -40, "ratio": 12})
    assert null_db(through(hosted, sound, context), wanted) < -90


def test_damaged_states_are_refused_by_name(tmp_path: Path, context: RenderContext) -> None:
    with floating_point_kept():
        raw = kept_by_pedalboard(tmp_path)[1].read_bytes()
    assert juce_state(b"something else") is None
    for number, damaged in enumerate(
        (raw[:90], raw.replace(b"<IComponent>", b"<IComponent>9"), raw[:8] + b"<!DOCTYPE a>" + raw[8:])
    ):
        (tmp_path / f"{number}.state").write_bytes(damaged)
        step = Plugin.parse({"file": "ZamCompX2.vst3", "preset": f"{number}.state"})
        if number == 1:  # longer than what is there: filled up
            continue
        with pytest.raises(StudioError, match="state"):
            through(step, white(0.1), RenderContext(folder=tmp_path))


def test_where_our_host_cannot_play_it_pedalboards_does_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: RenderContext
) -> None:
    known = catalogue.describe_plugin("ZamCompX2.vst3")
    assert hosts_of(known.path) == ("vst3", "pedalboard") and known.host == "vst3"

    def only_pedalboard(path: Path, host: str, inner: str) -> object:
        return "ZamCompX2 refused." if host == "vst3" else replace(known, host=host)

    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path))
    monkeypatch.setattr(catalogue, "_looked", only_pedalboard)
    monkeypatch.setattr(catalogue, "_known", {})
    [said] = Plugin.parse({"file": "ZamCompX2.vst3"}).remarks(context)
    assert "played by pedalboard" in said and "ZamCompX2 refused." in said


def test_folders_that_are_links_are_entered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "plugins"
    here.mkdir()
    (here / "vendor").symlink_to("/usr/lib/vst3")
    (here / "round").symlink_to(here)
    monkeypatch.setenv("STUDIO_PLUGINS", str(here))
    found = [path.name for path in catalogue.candidates() if path.name == "ZamComp.vst3"]
    assert found == ["ZamComp.vst3"]
    assert catalogue.is_installed(here / "vendor" / "ZamComp.vst3")
    assert not catalogue.is_installed(here / ".." / "Gift.vst3")


def test_states_are_loaded_again_and_again() -> None:
    """What a plugin reads its state from lives until it has done so, also where memory is tidied meanwhile."""
    program = """
import gc
from pathlib import Path
from studio.hosting.vst3_host import Vst3
gc.set_threshold(1)
for _ in range(8):
    host = Vst3(Path("/usr/lib/vst3/ZamCompX2.vst3"))
    host.load_state(host.state())
    host.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-600:]
