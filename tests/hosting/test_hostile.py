"""Plugins that crash, hang, lie and run away: each costs a named error, never the process, and the next render works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import studio
from studio.context import RenderContext
from studio.errors import KnobError, StudioError
from studio.hosting import catalogue
from studio.hosting.contract import PluginError
from studio.hosting.plugin import Plugin
from studio.hosting.pool import POOL
from studio.recipe import Recipe
from studio.remarks import remarking
from tests.listening import impulse, null_db, through, white
from tests.waiting import PATIENCE


def plugin(hostile: Path, temper: str, **knobs: Any) -> Plugin:
    return Plugin.parse({"file": str(hostile / f"{temper}.vst3"), **knobs})


def unseen(hostile: Path, temper: str, **knobs: Any) -> Plugin:
    """A plugin that behaves while it is looked at, which takes less than a second of sound."""
    return plugin(hostile, temper, **knobs)


def children() -> int:
    """How many processes of plugins there are, dead ones included."""
    own = os.getpid()
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            count += int(stat.read_text().rsplit(")", 1)[1].split()[1]) == own
        except (OSError, IndexError, ValueError):
            continue
    return count


def test_the_honest_one_is_a_gain_that_comes_back_aligned(hostile: Path, context: RenderContext) -> None:
    sound = white(2.0)
    out = through(plugin(hostile, "Honest", amount=0.5), sound, context, cuts=(64, 5000, 44_100), tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound * np.float32(0.5)) < -140


@pytest.mark.parametrize("temper", ["CrashOnLoad", "AbortOnLoad"])
def test_a_crash_while_loading_is_blocked_with_its_last_words(
    hostile: Path, context: RenderContext, temper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PluginError, match=r"SIGSEGV|SIGABRT") as caught:
        plugin(hostile, temper).open(context)
    assert temper in str(caught.value) and "forget" in caught.value.mend
    if temper == "CrashOnLoad":
        assert "these are my last words" in str(caught.value)
    # It is remembered, also by the next process that asks; loading it again would fail otherwise than before.
    monkeypatch.setattr(catalogue, "look", None)
    catalogue._known.clear()
    with pytest.raises(PluginError, match="is blocked"):
        plugin(hostile, temper).open(context)


@pytest.mark.parametrize(
    ("temper", "words"),
    [
        ("CrashLater", "crashed.*SIGSEGV.*these are my last words"),
        ("HangLater", "did not answer within"),
        ("NotANumber", "NaN or infinity"),
        ("Runaway", "has run away"),
    ],
)
def test_trouble_in_mid_song_is_a_named_error_and_the_next_render_works(
    hostile: Path, context: RenderContext, temper: str, words: str
) -> None:
    before = children()
    sound = white(2.0)
    with pytest.raises(StudioError, match=f"(?s){temper}.*{words}"):
        through(
            unseen(hostile, temper, patience=0.5 if temper == "HangLater" else PATIENCE),
            sound,
            context,
            cuts=(8192, 16_384, 44_100, 66_150),
        )
    short = white(0.5)
    for step in (plugin(hostile, temper), plugin(hostile, "Honest")):
        out = through(step, short, context, tail=8192)
        assert null_db(out[:, : short.shape[1]], short) < -140
    POOL.close()
    assert children() <= before, "a process was left behind"


def test_a_hang_while_loading_is_ended(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "LOADING", 2.0)
    known = catalogue.look(hostile / "HangOnLoad.vst3")
    assert isinstance(known, str) and "did not answer within 2 s" in known


def test_with_bypass_the_song_goes_on_dry_and_aligned_and_says_so(hostile: Path, context: RenderContext) -> None:
    sound = white(2.0)
    cuts = tuple(range(8192, sound.shape[1], 8192))
    with remarking() as said:
        out = through(unseen(hostile, "CrashLater", amount=0.5, on_error="bypass"), sound, context, cuts, tail=8192)
    assert len(said) == 1 and "CrashLater was bypassed from 1.1" in said[0]
    late = int(1.3 * context.rate)
    assert null_db(out[:, late : sound.shape[1]], sound[:, late:]) < -140
    assert null_db(out[:, :30_000], sound[:, :30_000] * np.float32(0.5)) < -140


def test_a_bypassed_render_is_remarked_in_the_report_and_never_cached(hostile: Path, tmp_path: Path) -> None:
    recipe = Recipe.loads(
        f"""
        recipe: 1
        length: 2 s
        tracks:
          hiss:
            play: {{noise: {{level: -20 dB, length: 2 s}}}}
            chain: [{{plugin: {{file: '{hostile / "CrashLater.vst3"}', on_error: bypass}}}}]
        """,
        tmp_path,
    )
    for _ in range(2):
        result = studio.render(recipe, tmp_path / "out")
        assert any("CrashLater was bypassed" in remark for remark in result.remarks)
        assert result.manifest is not None and result.manifest.remarks == result.remarks
        assert "CrashLater was bypassed" in (tmp_path / "out" / "report.html").read_text()


def test_a_crash_while_saving_its_state_is_named(hostile: Path, context: RenderContext, tmp_path: Path) -> None:
    from studio.hosting.capture import save_state

    # pedalboard asks for the state when it loads a plugin, so this one never gets as far as playing.
    with pytest.raises(PluginError, match="CrashOnState"):
        save_state(plugin(hostile, "CrashOnState"), tmp_path / "state.vstpreset", context)
    assert not (tmp_path / "state.vstpreset").exists()


def test_a_lie_about_latency_is_found_by_the_probe_and_mended(hostile: Path, context: RenderContext) -> None:
    path = str(hostile / "LatencyLiar.vst3")
    click = impulse(at=1000)
    crooked = through(plugin(hostile, "LatencyLiar"), click, context, tail=8192)
    assert int(np.argmax(crooked[0])) == 1000 + 256 - 64
    known, latency = catalogue.probe_plugin(path)
    assert (latency, known.reported_latency) == (256, 64)
    straight = through(plugin(hostile, "LatencyLiar"), click, context, tail=8192)
    assert int(np.argmax(straight[0])) == 1000


def test_what_moves_the_latency_cannot_move_in_mid_song(hostile: Path) -> None:
    """pedalboard never hears of such a change, so it is found out before and refused by name."""
    known = catalogue.describe_plugin(str(hostile / "RestlessLatency.vst3"))
    assert not known.named["delay"].live and known.named["amount"].live
    with pytest.raises(KnobError, match=r"(?s)delay.*a number"):
        plugin(hostile, "RestlessLatency", delay=[["0 s", 100], ["1 s", 700]])


def test_a_latency_set_before_the_song_is_compensated(hostile: Path, context: RenderContext) -> None:
    sound = white(1.0)
    out = through(plugin(hostile, "RestlessLatency", delay=700), sound, context, tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound) < -140


def test_one_that_wakes_up_slowly_is_waited_for(hostile: Path, context: RenderContext) -> None:
    known = catalogue.describe_plugin(str(hostile / "SlowStarter.vst3"))
    assert known.measured.ready_seconds > 1.5
    sound = white(0.5)
    out = through(plugin(hostile, "SlowStarter"), sound, context, tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound) < -140


def test_what_a_plugin_prints_stays_off_the_terminal(
    hostile: Path, context: RenderContext, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = white(2.0)
    out = through(plugin(hostile, "Chatterbox"), sound, context, tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound) < -140
    captured = capfd.readouterr()
    assert "chatter" not in captured.out + captured.err


def test_dropped_blocks_are_heard_as_they_are(hostile: Path, context: RenderContext) -> None:
    """A plugin that gives silence gives sound, in time and in order: no host can know better."""
    sound = white(2.0)
    out = through(plugin(hostile, "BlockDropper"), sound, context, cuts=tuple(range(8192, 88_200, 8192)), tail=8192)
    kept = np.any(out[:, : sound.shape[1]] != 0, axis=0)
    assert 0.1 < 1 - kept.mean() < 0.4
    assert null_db(out[:, : sound.shape[1]][:, kept], sound[:, kept]) < -140


def test_renders_in_a_row_leave_no_files_open_and_no_processes_behind(hostile: Path, context: RenderContext) -> None:
    step, sound = plugin(hostile, "Honest"), white(0.05)
    counts = []
    for round_ in range(120):
        through(step, sound, context)
        if round_ in (20, 119):
            counts.append((len(list(Path("/proc/self/fd").iterdir())), children()))
    # Fewer, where what tests before it left is let go of.
    assert all(later <= before for before, later in zip(*counts, strict=True))
