"""Chains that follow the tempo are exported from songs at any tempo, and what could not be asked refuses nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from studio.exporting.export import Exported, export
from studio.exporting.plugin import hosts
from studio.exporting.plugin import verify as verifying
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.verify import Verdict

DELAY = "delay: {time: 1/8., feedback: 0.4, mix: 0.3}"
BARS = "gain: {gain: {lfo: sine, period: 2 bars, from: -6, to: 0}}"
BOTH = "echo: {time: 1 bar, mix: {lfo: triangle, period: 1/4, from: 0.1, to: 0.6}}"


def verdict(made: Exported) -> Verdict:
    assert made.card and made.card.verdict  # type: ignore[union-attr]
    return made.card.verdict  # type: ignore[union-attr]


def song(folder: Path, chain: str, tempo: str) -> str:
    path = folder / "song.yaml"
    path.write_text(f"recipe: 1\n{tempo}\ntracks: {{keys: {{part: all, chain: [{chain}]}}}}\n")
    return f"{path}:keys"


@pytest.mark.parametrize(
    ("chain", "tempo", "form"),
    [
        (DELAY, "tempo: 110 bpm", "vst3"),
        (BARS, "tempo: 174 bpm\nmeter: 3/4", "vst3"),
        (BOTH, "tempo: 60 bpm\nmeter: 7/8", "clap"),
        (BOTH, "tempo: 95 bpm\nmeter: 3/4", "lv2"),
        ("preset: dub-delay", "tempo: 95 bpm", "vst3"),
    ],
)
def test_chains_in_time_leave_songs_of_any_tempo(tmp_path: Path, chain: str, tempo: str, form: str) -> None:
    heard = verdict(export(song(tmp_path, chain, tempo), tmp_path / f"Timed.{form}"))
    assert (heard.failures, heard.word) == ((), "same")
    assert heard.worst_db < -120, heard.played
    told = {each.signal for each in heard.played if "probe" in each.host}
    if form != "lv2":
        assert told >= {"drums, faster", "drums, slower", "drums, tempo turned while it plays"}


def test_the_tempo_is_the_hosts_to_tell(tmp_path: Path) -> None:
    made = export(song(tmp_path, DELAY, "tempo: 110 bpm"), tmp_path / "Timed.clap")
    other = Design.of(song(tmp_path, DELAY, "tempo: 75 bpm"), "Timed")
    assert verifying.verify(other, made.path, "clap").word == "same"
    assert verifying.verify(Design.of("gain", "Timed"), made.path, "clap").word == "different"


def test_lv2_goes_into_relative_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = export("gain: -3", "out/Soft.lv2")
    assert not made.path.is_absolute()
    assert {each.host for each in verdict(made).played} >= {"lv2apply", "ardour"}
    assert verdict(made).word == "same"


def test_chains_that_move_by_themselves_are_no_riddle_to_ardour(tmp_path: Path) -> None:
    heard = verdict(export("chorus: {rate: 1.1 Hz}", tmp_path / "Wide.lv2"))
    assert heard.failures == ()
    assert [reason for reason in heard.skipped if reason.startswith("ardour was not asked: the chain moves by itself")]
    assert {each.host for each in heard.played} == {"lv2apply", "lv2_probe"}


def test_a_host_without_an_answer_refuses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PATIENCE", 1e-3)
    made = export("gain: -3", tmp_path / "Soft.clap")
    assert (verdict(made).word, verdict(made).failures) == ("could not be asked", ())
    assert "clap_probe could not be asked: it gave no answer" in verdict(made).skipped[0]
    assert made.card is not None
    assert made.card.state.startswith("could not be asked")
    assert made.path.is_file()


def test_ardours_own_accidents_are_not_the_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("ardour7-lua", "ardour7-export"):
        (tools / name).write_text("#!/bin/sh\nkill -SEGV $$\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    heard = verdict(export("gain: -3", tmp_path / "Soft.lv2"))
    assert (heard.word, heard.failures) == ("same", ())
    assert any("ardour could not be asked: ardour7-lua died of signal 11" in reason for reason in heard.skipped)
    assert hosts.COULD_NOT_ASK != 0


def test_our_own_host_moves_parameters_at_their_frame(vst3: Exported) -> None:
    from studio.hosting.vst3_host import Vst3

    def played(block: int) -> np.ndarray:
        plugin = Vst3(vst3.path)
        plugin.prepare(48_000)
        sound = np.random.default_rng(1).standard_normal((2, 8192)).astype(np.float32) * 0.1
        out = []
        for start in range(0, 8192, block):
            if start <= 3000 < start + block:
                plugin.turn(1, 0.9, 3000 - start)
            out.append(plugin.process(sound[:, start : start + block], None))
        return np.concatenate(out, axis=1)

    assert np.array_equal(played(8192), played(256))
    assert np.array_equal(played(8192), played(1000))
