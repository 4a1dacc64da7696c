"""Plugins of every format, as other people's hosts hear them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from studio.effects.mixing import Gain
from studio.exporting.export import Exported, export
from studio.exporting.plugin.verify import Verdict
from tests.exporting.plugin.conftest import NAME, NESTED
from tests.exporting.plugin.late import Late
from tests.listening import impulse, white

PLUGINS = ("vst3", "lv2", "clap")


@pytest.fixture(params=PLUGINS)
def made(request: pytest.FixtureRequest) -> Exported:
    exported: Exported = request.getfixturevalue(request.param)
    return exported


def verdict(made: Exported) -> Verdict:
    assert made.card is not None
    assert made.card.verdict is not None
    return made.card.verdict


def test_every_host_hears_the_render(made: Exported) -> None:
    heard = verdict(made)
    assert heard.failures == ()
    assert heard.worst_db < -120, heard.played


def test_it_was_played_in_every_way(vst3: Exported, lv2: Exported, clap: Exported) -> None:
    played = [each for made in (vst3, lv2, clap) for each in verdict(made).played]
    assert {each.host for each in played} == {
        "pedalboard", "dawdreamer", "vst3_probe", "lv2apply", "lv2_probe", "clap_probe",
    }  # fmt: skip
    assert {each.rate for each in played} == {44_100, 48_000, 96_000}
    assert {each.block for each in played} >= {1, 64, 333, 512, 4096}
    signals = {each.signal for each in played if each.host == "pedalboard"}
    assert signals >= {"noise", "sweep", "drums", "silence", "two ü at its highest", "all knobs turned while it plays"}


def test_hosts_read_names_units_and_ranges(made: Exported) -> None:
    one, two, three = verdict(made).parameters
    assert [each["name"] for each in (one, two, three)] == ["one", "two ü", "three"]
    assert (three["unit"], three["low"], three["high"], three["default"], three["taper"]) == (
        "Hz",
        100,
        1000,
        300,
        "log",
    )
    host = next(each for each in ("pedalboard", "lv2apply", "clap_probe") if each in three)
    assert three[host]["name"] == "three"
    assert [float(text.split()[0]) for text in three[host]["texts"] if text][:: 2 - (host == "lv2apply")] == [100, 1000]


def test_latency_is_reported_as_it_is(vst3: Exported) -> None:
    assert verdict(vst3).latency == {"reported": 960, "measured": 960}


def test_state_comes_back(made: Exported) -> None:
    assert verdict(made).state_restored


def test_it_is_small_and_cheap(made: Exported) -> None:
    assert made.card is not None
    assert made.card.kilobytes < 500


def test_files_of_the_bundle(vst3: Exported, lv2: Exported, clap: Exported) -> None:
    assert (vst3.path / "Contents").is_dir()
    assert sorted(file.name for file in lv2.path.iterdir()) == [
        "manifest.ttl",
        "plugin.so",
        "plugin.ttl",
        "presets.ttl",
    ]
    assert clap.path.is_file()
    for made in (vst3, lv2, clap):
        assert sorted(file.name for file in made.path.parent.iterdir()) == [
            made.path.name, f"{made.path.name}.card.json", f"{made.path.name}.card.png",
        ]  # fmt: skip


def test_the_card_says_it_all(made: Exported) -> None:
    card, picture = made.files
    data = json.loads(card.read_text(encoding="utf-8"))
    assert data["name"] == NAME
    assert data["recipe"] and data["version"] and data["id"]
    assert data["baked"] == ["c.size"]
    assert len(data["verdict"]["played"]) == len(verdict(made).played)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert made.card is not None
    assert "<script" not in made.card._repr_html_()
    assert "&quot;ü&quot;" in made.card._repr_html_()


def test_a_later_export_takes_the_place_of_the_first(tmp_path: Path) -> None:
    first = export([Gain(-3.0)], tmp_path / "Mine.vst3")
    second = export([Gain(-6.0)], tmp_path / "Mine.vst3")
    assert first.card and second.card
    assert first.card.id == second.card.id
    assert first.card.recipe != second.card.recipe
    assert len(list(tmp_path.iterdir())) == 3


def test_bypass_is_the_sound_itself_in_time(vst3: Exported) -> None:
    from pedalboard import VST3Plugin

    plugin = VST3Plugin(str(vst3.path))
    [*_, bypass] = plugin._parameters
    bypass.raw_value = 1.0
    sound = white(0.2)
    assert np.array_equal(plugin.process(sound, 44_100), sound)


def test_bypass_while_playing_fades_over_a_cell(vst3: Exported) -> None:
    from pedalboard import VST3Plugin

    plugin = VST3Plugin(str(vst3.path))
    [*_, bypass] = plugin._parameters
    sound = np.full((2, 64 * 40), 0.25, np.float32)
    plugin.process(sound, 44_100, reset=False, buffer_size=64)
    bypass.raw_value = 1.0
    out = plugin.process(sound, 44_100, reset=False, buffer_size=64)
    steps = np.abs(np.diff(out[0]))
    assert steps.max() < 0.02, "a click"
    assert np.array_equal(out[:, 64:], sound[:, 64:])


def test_nothing_in_nothing_out(vst3: Exported) -> None:
    from pedalboard import VST3Plugin

    plugin = VST3Plugin(str(vst3.path))
    plugin.process(white(0.2), 44_100, reset=False)
    tail = plugin.process(np.zeros((2, 44_100), np.float32), 44_100, reset=False)
    assert np.abs(tail[:, 4096:]).max() < 1e-6


def test_the_beat_is_counted_from_the_start_without_a_transport(tmp_path: Path) -> None:
    made = export([Late(0, 1.0, 0.5)], tmp_path / "Wobble.vst3")
    assert verdict(made).worst_db < -120


def test_reset_begins_anew(vst3: Exported) -> None:
    from pedalboard import VST3Plugin

    plugin = VST3Plugin(str(vst3.path))
    first = plugin.process(impulse(8192), 44_100)
    assert np.array_equal(plugin.process(impulse(8192), 44_100), first)


def test_from_python_in_one_call(tmp_path: Path) -> None:
    import studio

    made = studio.export(NESTED, tmp_path, format="clap", name="a/b: c?")
    assert made.path.name == "a-b- c-.clap"
