"""Nothing that is read goes unreported: what a session holds is used, says the default, or is listed with its place."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli import main
from studio.errors import StudioError
from studio.interchange.reaper.read import read_reaper
from studio.levels import decibels
from studio.sessions.importing import OTHERS, import_session
from tests.sessions.rpp_text import RATE, imported, item, project, sounds, told, track

REACOMP = (
    "<FXCHAIN\nWNDRECT 0 0 0 0\nSHOW 0\nLASTSEL 0\nDOCKED 0\nBYPASS 0 0 0\n"
    '<VST "VST: ReaComp (Cockos)" reacomp.dll 0 "" 1919247213<5653547265636D726561636F6D700000> ""\nbWNlcg==\n>\n'
    "PRESETNAME x\nFLOATPOS 0 0 0 0\nFXID {4}\n"
    '<PARMENV 0:0 0 1 0.5 "Threshold / ReaComp"\nACT 1 -1\nPT 0 0.5 0\nPT 1 1 0\n>\nWAK 0 0\n>'
)
ZAM = '<FXCHAIN\nBYPASS 0 0 0\n<LV2 "LV2: ZamComp (Damien Zammit)" urn:zamaudio:ZamComp 0 ""\n>\n>'


@pytest.mark.parametrize(
    ("where", "line", "said"),
    [
        ("project", "PANLAW 0.5", "pan law"),
        ("project", "NEWTHING 1 2", "NEWTHING"),
        ("project", "<MASTERPLAYSPEEDENV\nACT 1 -1\nPT 0 0.5 0\n>", "play rate"),
        ("t", "PLAYOFFS2 0.5", "PLAYOFFS2"),
        ("t", "GROUP_FLAGS 1 1", "track group"),
        ("t", "<WIDTHENV2\nACT 1 -1\nPT 0 0.5 0\n>", "width"),
        ("it", "<NEWCHUNK\nA 1\n>", "NEWCHUNK"),
        ("it", "CHANMODE 3", "channel mode"),
        ("it", "SM 0 0 0.5 + 2 2 0.1", "slopes of stretch markers"),
    ],
)
def test_what_reaper_s_reader_does_not_know_is_listed_once_with_its_place(
    tmp_path: Path, where: str, line: str, said: str
) -> None:
    sounds(tmp_path)
    inside = {"project": "", "t": "", "it": ""} | {where: line}
    there = item(inside=inside["it"]).replace("CHANMODE 0\n", "" if "CHANMODE" in line else "CHANMODE 0\n")
    path = project(tmp_path / "p.rpp", track("t", there, inside=inside["t"]), inside=inside["project"])
    if "PANLAW" in line:
        path.write_text(path.read_text().replace("PANLAW 1\n", ""))
    made = import_session(path, tmp_path / "in" / "p.yaml")
    [loss] = made.losses
    assert said in loss.what and where in loss.where


def test_what_says_nothing_is_not_listed(tmp_path: Path) -> None:
    sounds(tmp_path)
    assert import_session(project(tmp_path / "p.rpp", track("t", item())), tmp_path / "p.yaml").losses == ()


def test_an_alike_leftover_of_many_items_is_one_line(tmp_path: Path) -> None:
    sounds(tmp_path)
    items = [item(position=place, inside="NEWTHING 1").replace("NAME it", f"NAME i{place}") for place in range(20)]
    [loss] = import_session(project(tmp_path / "p.rpp", track("t", *items)), tmp_path / "p.yaml").losses
    assert loss.where == "i0, i1, i2 and 17 more"


def test_a_side_chain_is_not_heard_and_told(tmp_path: Path) -> None:
    b = sounds(tmp_path)["b"]
    source = track("src", item("a.wav"), volpan="0 0 -1 -1 1")
    there = track("rcv", item("b.wav"), inside="AUXRECV 0 3 0.5 0 0 0 0 0 2 -1:U -1 -1 ''")
    made, sound = imported(project(tmp_path / "p.rpp", source, there))
    assert decibels(float(abs(sound - b[:, : 2 * RATE]).max())) < -100
    assert told(made) == "src → rcv: a side-chain: no plugin on it hears channels 3 and 4"


@pytest.mark.parametrize(
    ("pins", "hears"),
    [
        ((1, 2, 4, 8), True),
        ((1, 2, 4), True),
        ((1, 2), False),
        ((1, 2, 0, 0), False),
        ((1, 2, 1, 2), False),
        ((4, 8), False),
    ],
)
def test_the_plugin_whose_side_pins_hear_the_further_channels_hears_a_side_chain(
    tmp_path: Path, pins: tuple[int, ...], hears: bool
) -> None:
    sounds(tmp_path)

    def plugin(name: str, *masks: int) -> str:
        header = struct.pack("<III", 7, 0xFEED5EEE, len(masks)) + struct.pack(f"<{len(masks)}Q", *masks)
        content = base64.b64encode(header + struct.pack("<IQQIII", 2, 1, 2, 0, 1, 0x100000)).decode()
        return f'BYPASS 0 0 0\n<VST "VST3: {name} (Nobody)" {name}.vst3 0 "" 1{{{7:032X}}} ""\n{content}\n>\n'

    chain = f"<FXCHAIN\n{plugin('Plain', 1, 2)}{plugin('Listening', *pins)}>"
    receive = "AUXRECV 0 3 1 0 0 0 0 0 2 -1:U -1 -1 ''"
    path = project(
        tmp_path / "p.rpp", track("src", item("a.wav")), track("rcv", item("b.wav"), inside=receive + "\n" + chain)
    )
    read = read_reaper(path, tmp_path / "media")
    devices = next(strip for strip in read.tracks if strip.name == "rcv").devices
    assert [device.side for device in devices] == [None, "src" if hears else None]
    assert any("a side-chain" in loss.what for loss in read.losses) is not hears


def test_sends_of_notes_and_muted_sends_are_silent(tmp_path: Path) -> None:
    b = sounds(tmp_path)["b"]
    receives = "AUXRECV 0 0 1 0 0 0 0 -1 0 -1:U 17 -1 ''\nAUXRECV 0 0 1 0 1 0 0 0 0 -1:U -1 -1 ''"
    made, sound = imported(project(tmp_path / "p.rpp", track("src", item("b.wav")), track("fx", inside=receives)))
    assert decibels(float(abs(sound - b[:, : 2 * RATE]).max())) < -100
    assert told(made) == "src → fx: a send of notes: a recipe's parts go to their own instruments only"
    assert made.recipe.tracks["src"].send["fx"].level == -90  # type: ignore[operator]


def test_plugins_that_cannot_be_played_stay_bypassed_with_all_that_is_known_of_them(tmp_path: Path) -> None:
    b = sounds(tmp_path)["b"]
    made, sound = imported(project(tmp_path / "p.rpp", track("t", item("b.wav"), inside=REACOMP)))
    [step] = made.recipe.tracks["t"].chain
    assert step.step == "plugin" and step.bypass
    assert decibels(float(abs(sound - b[:, : 2 * RATE]).max())) < -100
    [kept] = (tmp_path / "in" / "p media").glob("*.RfxChain")
    assert kept.name in told(made)
    assert "bWNlcg==" in kept.read_text() and "Threshold" in told(made) and "not on this machine" in told(made)


def test_an_lv2_of_a_session_is_played(tmp_path: Path) -> None:
    b = sounds(tmp_path)["b"]
    made, sound = imported(project(tmp_path / "p.rpp", track("t", item("b.wav"), inside=ZAM)))
    [step] = made.recipe.tracks["t"].chain
    assert step.step == "plugin" and not step.bypass and step.file == "urn:zamaudio:ZamComp"  # type: ignore[attr-defined]
    assert decibels(float(abs(sound).max())) > -60
    assert sound.shape[0] == b.shape[0]


def test_a_rig_without_items_becomes_a_recipe_that_can_be_checked(tmp_path: Path) -> None:
    path = project(tmp_path / "p.rpp", track("guitar", inside=REACOMP))
    done = CliRunner().invoke(main, ["new", str(tmp_path / "rig.yaml"), "--from", str(path)], catch_exceptions=False)
    assert done.exit_code == 0 and "is written" in done.output
    done = CliRunner().invoke(main, ["check", str(tmp_path / "rig.yaml")], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_media_elsewhere_is_refused_with_the_reason_relinked_by_name_or_taken_by_consent(tmp_path: Path) -> None:
    a = sounds(tmp_path / "far" / "deep")["a"]
    said = {
        "C:\\\\Users\\\\me\\\\A.wav": "outside",
        str(tmp_path / "far" / "deep" / "a.wav"): "outside",
        "gone/a.wav": "no such file",
    }
    for file, why in said.items():
        path = project(tmp_path / "here" / "p.rpp", track("t", item(file)))
        with pytest.raises(StudioError, match=why) as caught:
            import_session(path, tmp_path / "in" / "p.yaml")
        assert "--media" in str(caught.value)
        _, sound = imported(path, media=tmp_path / "far")
        assert decibels(float(abs(sound - a[:, : 2 * RATE]).max())) < -120
    path = project(tmp_path / "here" / "p.rpp", track("t", item(str(tmp_path / "far" / "deep" / "a.wav"))))
    _, sound = imported(path, anywhere=True)
    assert decibels(float(abs(sound - a[:, : 2 * RATE]).max())) < -120
    with pytest.raises(StudioError, match="no folder"):
        import_session(path, tmp_path / "in" / "x.yaml", media=tmp_path / "nowhere")


def test_a_bus_that_only_empty_tracks_feed_is_told_and_left_out(tmp_path: Path) -> None:
    sounds(tmp_path)
    empty = track("empty", item("gone.wav"))
    bus = track("bus", inside="AUXRECV 1 0 1 0 0 0 0 0 0 -1:U -1 -1 ''")
    made, _ = imported(project(tmp_path / "p.rpp", track("t", item()), empty, bus))
    assert not made.recipe.buses and "bus: the bus: nothing goes to it" in told(made)


@pytest.mark.parametrize("ending", sorted(OTHERS))
def test_formats_that_cannot_be_read_are_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"song{ending}"
    path.write_bytes(b"\x00\x01")
    done = CliRunner().invoke(main, ["new", str(tmp_path / "x.yaml"), "--from", str(path)])
    assert done.exit_code and OTHERS[ending][0] in done.stderr
    assert not (tmp_path / "x.yaml").exists()
