"""The linter against planted defects, one by one: each is found, and by its own name."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
import soundfile

from studio.interchange.archive import Archive
from studio.interchange.dawproject.lint import lint
from studio.interchange.dawproject.write import write_timeline
from studio.interchange.lane import Lane
from studio.interchange.timeline import AudioClip, Device, Marker, NoteClip, Timeline, TimelineSend, TimelineStrip
from studio.interchange.vstpreset import vstpreset
from studio.score import Event, Note, Score
from studio.tempo import TempoMap

IDENTITY = "0123456789ABCDEF0123456789ABCDEF"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The files of a sound project with everything in it."""
    folder = tmp_path_factory.mktemp("lint")
    soundfile.write(folder / "tone.wav", np.zeros((44_100, 2)), 44_100, subtype="FLOAT")
    score = Score((Event(0, bytes((0xB0, 7, 90))),), 480, end=480 * 4).with_notes([Note(0, 480, 60, 100)])
    device = Device("Squeeze", "vst3", IDENTITY, vstpreset(IDENTITY, {"Comp": b"state"}), {"ratio": 4.0})
    timeline = Timeline(
        title="Lint",
        frames=44_100,
        tempo=TempoMap.constant(120),
        markers=(Marker(Fraction(1), "Verse"),),
        tracks=(
            TimelineStrip(
                "tone",
                clips=(AudioClip(folder / "tone.wav", 0, 22_050, 4_410, 0.5, 441, 441, "tone"),),
                devices=(device,),
                volume=Lane((0.0, 1.0), (0.0, 1.0)),
                sends=(TimelineSend("room", 0.5),),
                to="group",
            ),
            TimelineStrip("keys", clips=(NoteClip(Fraction(0), Fraction(4), score),)),
        ),
        buses=(TimelineStrip("room"), TimelineStrip("group")),
    )
    write_timeline(timeline, folder / "sound.dawproject")
    with zipfile.ZipFile(folder / "sound.dawproject") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def codes(
    members: Members, path: Path, root: Element | None = None, more: tuple[tuple[str, bytes], ...] = ()
) -> list[str]:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if name == "project.xml" and root is not None:
                content = ElementTree.tostring(root)
            archive.writestr(name, content)
        for name, content in more:
            archive.writestr(name, content)
    with Archive(path) as archive:
        return [defect.code for defect in lint(archive)]


def put(way: str, **attributes: str | None) -> Callable[[Element], None]:
    """Set attributes of the first element that a path finds; None takes one away."""

    def change(root: Element) -> None:
        element = root if way == "." else root.find(way)
        assert element is not None, way
        for name, value in attributes.items():
            if value is None:
                del element.attrib[name]
            else:
                element.set(name, value)

    return change


def drop(way: str, child: str) -> Callable[[Element], None]:
    """Take children out of the first element that a path finds."""

    def change(root: Element) -> None:
        element = root.find(way)
        assert element is not None, way
        for found in element.findall(child):
            element.remove(found)

    return change


def add(way: str, text: str, index: int | None = None) -> Callable[[Element], None]:
    """Put a new child into the first element that a path finds."""

    def change(root: Element) -> None:
        element = root if way == "." else root.find(way)
        assert element is not None, way
        element.insert(len(element) if index is None else index, ElementTree.fromstring(text))

    return change


def point(way: str, attribute: str, at: str) -> Callable[[Element], None]:
    """Let a reference lead to the id of another element."""

    def change(root: Element) -> None:
        element, found = root.find(way), root.find(at)
        assert element is not None and found is not None
        element.set(attribute, found.attrib["id"])

    return change


def rename(root: Element) -> None:
    root.tag = "Song"


CLIP, INNER = ".//Lanes/Clips/Clip", ".//Clip/Clips/Clip"
TRACKS = "Structure/Track"
DEFECTS: list[tuple[str, str, Callable[[Element], None]]] = [
    ("not a project", "root", rename),
    ("no version", "attribute-missing", put(".", version=None)),
    ("another version", "value", put(".", version="9.9")),
    ("no application", "child-missing", lambda root: root.remove(root.find("Application"))),  # type: ignore[arg-type]
    ("an application without a name", "attribute-missing", put("Application", name=None)),
    ("an unknown element", "element-unknown", add("Structure", "<Trakc/>")),
    ("an unknown attribute", "attribute-unknown", put(f"{TRACKS}/Channel", pan="0.5")),
    ("an element in the wrong place", "child-misplaced", add("Structure", "<Clip time='0'/>")),
    ("two arrangements", "child-repeated", add(".", "<Arrangement/>", 4)),
    ("children out of order", "child-order", lambda root: root.insert(0, root[2])),
    ("an id twice", "id-duplicate", point(".//Pan", "id", ".//Volume")),
    ("an output that leads nowhere", "destination-dangling", put(".//Channel[@destination]", destination="nobody")),
    ("an output into a track", "destination-kind", point(".//Channel[@destination]", "destination", TRACKS)),
    ("a send that leads nowhere", "destination-dangling", put(".//Send", destination="nobody")),
    ("a send into a fader", "destination-kind", point(".//Send", "destination", ".//Volume")),
    (
        "an output that points forward",
        "destination-forward",
        lambda root: (
            root.find("Structure").append(root.find("Structure")[1])
            or root.find("Structure").remove(root.find("Structure")[1])
        ),
    ),  # type: ignore[union-attr,arg-type,func-returns-value]
    ("lanes of no track", "track-dangling", put(".//Lanes[@track]", track="nobody")),
    ("lanes of a channel", "track-kind", point(".//Lanes[@track]", "track", ".//Channel")),
    ("lanes without a track", "lanes-track", put(".//Lanes[@track]", track=None)),
    (
        "two lanes of one track",
        "lanes-repeated",
        lambda root: root.findall("Arrangement/Lanes/Lanes")[1].set(
            "track", root.findall("Arrangement/Lanes/Lanes")[0].attrib["track"]
        ),
    ),
    ("automation of nothing there", "target-dangling", put(".//Target[@parameter]", parameter="nobody")),
    ("automation of a track", "target-kind", point(".//Points/Target[@parameter]", "parameter", TRACKS)),
    ("automation without a target", "target-missing", drop(".//Points", "Target")),
    ("a controller without a number", "target-controller", put(".//Target[@controller]", controller=None)),
    ("an alias of nothing", "alias-dangling", put(CLIP, reference="nobody")),
    (
        "a circle",
        "routing-circle",
        lambda root: root.findall(".//Channel")[1].set("destination", root.findall(".//Channel")[-1].attrib["id"]),
    ),
    ("no master", "master-count", put(".//Channel[@role='master']", role="regular")),
    ("two masters", "master-count", put(".//Channel[@role='effect']", role="master")),
    (
        "a master that goes on",
        "master-destination",
        point(".//Channel[@role='master']", "destination", ".//Channel[@role='effect']"),
    ),
    ("an unknown role", "value", put(".//Channel", role="boss")),
    ("a colour in words", "value", put(TRACKS, color="orange")),
    ("unknown content", "value", put(TRACKS, contentType="noise")),
    ("no content", "track-content", put(TRACKS, contentType=None)),
    ("a track without a name", "track-name", put(TRACKS, name="")),
    ("a track without a channel", "track-channel", drop(f"{TRACKS}[4]", "Channel")),
    ("a volume in words", "value", put(".//Volume", value="loud")),
    ("a volume that is no number", "value", put(".//Volume", value="nan")),
    ("a negative volume", "volume-negative", put(".//Volume", value="-0.5", min="-1")),
    ("a pan beyond its range", "value-range", put(".//Pan", value="1.5")),
    ("a range upside down", "range", put(".//Pan", min="1", max="0")),
    ("a parameter without a unit", "unit-missing", put(".//Volume", unit=None)),
    ("an unknown unit", "value", put(".//Volume", unit="louds")),
    ("a mute in words", "value", put(".//Mute", value="maybe")),
    ("a send before and after", "value", put(".//Send", type="both")),
    ("a send without a level", "child-missing", drop(".//Send", "Volume")),
    ("a tempo of zero", "tempo", put(".//Tempo", value="0", min="0")),
    ("no tempo", "tempo-missing", drop("Transport", "Tempo")),
    ("another tempo in the automation", "tempo-differs", put(".//TempoAutomation/RealPoint", value="99")),
    ("a meter of zero", "value", put(".//TimeSignature", numerator="0")),
    ("a meter of fifths", "value", put(".//TimeSignaturePoint", denominator="5")),
    ("a clip before the song", "clip-before", put(CLIP, time="-1")),
    ("a clip at no time", "attribute-missing", put(CLIP, time=None)),
    ("a clip of no length", "clip-empty", put(CLIP, duration="0")),
    ("a clip of negative length", "value", put(CLIP, duration="-4")),
    (
        "a clip of nothing",
        "clip-content",
        lambda root: [root.find(CLIP).remove(child) for child in list(root.find(CLIP))],
    ),  # type: ignore[union-attr,func-returns-value]
    ("a loop upside down", "clip-loop", put(CLIP, loopStart="2", loopEnd="1")),
    ("a loop without an end", "clip-loop", put(CLIP, loopStart="2")),
    ("a clip that stops before it starts", "clip-play", put(CLIP, playStart="2", playStop="1")),
    ("fades longer than the clip", "clip-fades", put(CLIP, fadeInTime="9")),
    ("a unit of time that is none", "value", put(CLIP, contentTimeUnit="bars")),
    ("a key of 300", "value", put(".//Note", key="300")),
    ("a velocity of 2", "value", put(".//Note", vel="2")),
    ("a channel of 16", "value", put(".//Note", channel="16")),
    ("a note of no length", "value", put(".//Note", duration="0")),
    ("a note after its clip", "note-outside", put(".//Note", time="64")),
    ("a note before its clip", "note-before", put(".//Note", time="-1")),
    ("audio that is missing", "file-missing", put(".//File", path="audio/other.wav")),
    ("audio outside", "file-path", put(".//File", path="../../etc/passwd")),
    ("audio at an absolute path", "file-path", put(".//File", path="/etc/passwd")),
    ("audio elsewhere", "file-external", put(".//File", external="true")),
    ("audio that is text", "audio-unreadable", put(".//File", path="metadata.xml")),
    ("another sample rate", "audio-samplerate", put(".//Audio", sampleRate="48000")),
    ("other channels", "audio-channels", put(".//Audio", channels="1")),
    ("another length", "audio-duration", put(".//Audio", duration="2.5")),
    ("audio without a file", "child-missing", drop(".//Audio", "File")),
    ("one warp point", "warps-few", lambda root: root.find(".//Warps").remove(root.findall(".//Warp")[1])),  # type: ignore[union-attr]
    ("warps backwards", "warps-order", put(".//Warp", contentTime="9")),
    ("warps beyond the file", "warps-beyond", put(".//Warp[2]", contentTime="7")),
    ("warps without a unit", "attribute-missing", put(".//Warps", contentTimeUnit=None)),
    ("warps of nothing", "warps-content", drop(".//Warps", "Audio")),
    ("points out of order", "points-order", put(".//Lanes[@track]/Points/RealPoint", time="99")),
    ("no points", "points-empty", drop(".//Points", "RealPoint")),
    ("a point in words", "value", put(".//RealPoint", value="up")),
    ("an unknown way between points", "value", put(".//RealPoint", interpolation="wavy")),
    ("automation beyond its range", "points-range", put(".//Lanes[@track]/Points/RealPoint", value="9")),
    ("automation in another unit", "points-unit", put(".//Lanes[@track]/Points", unit="decibel")),
    ("a class id that is none", "device-id", put(".//Vst3Plugin", deviceID="squeeze")),
    ("no class id", "device-id", put(".//Vst3Plugin", deviceID=None)),
    ("a plugin without a name", "attribute-missing", put(".//Vst3Plugin", deviceName=None)),
    ("an unknown kind of plugin", "value", put(".//Vst3Plugin", deviceRole="toy")),
    ("a plugin without a state", "state-missing", drop(".//Vst3Plugin", "State")),
    ("a state that is missing", "file-missing", put(".//State", path="plugins/none.vstpreset")),
    ("a state of another kind", "state-format", put(".//State", path="metadata.xml")),
    ("a state of another plugin", "state-other", put(".//Vst3Plugin", deviceID=IDENTITY[::-1])),
    ("a marker without a name", "attribute-missing", put(".//Marker", name=None)),
    ("a marker before the song", "value", put(".//Marker", time="-2")),
]


def test_a_sound_project_has_no_defects(members: Members, tmp_path: Path) -> None:
    assert codes(members, tmp_path / "a.dawproject") == []
    assert len(DEFECTS) >= 80 and len({code for _, code, _ in DEFECTS}) >= 40


@pytest.mark.parametrize(("code", "plant"), [each[1:] for each in DEFECTS], ids=[each[0] for each in DEFECTS])
def test_a_planted_defect_is_found(
    members: Members, tmp_path: Path, code: str, plant: Callable[[Element], None]
) -> None:
    root = ElementTree.fromstring(members["project.xml"])
    plant(root)
    assert code in codes(members, tmp_path / "a.dawproject", root)


def test_defects_of_the_container_are_found(members: Members, tmp_path: Path) -> None:
    path = tmp_path / "a.dawproject"
    with pytest.warns(UserWarning, match="Duplicate name"):
        assert "zip-duplicate" in codes(members, path, more=(("metadata.xml", b"<MetaData/>"),))
    assert "zip-path" in codes(members, path, more=(("../evil.wav", b""),))
    rest = {name: content for name, content in members.items() if name != "metadata.xml"}
    assert "metadata-missing" in codes(rest, path)
    assert "metadata-xml" in codes(members | {"metadata.xml": b"<MetaData>"}, path)
    assert "metadata-root" in codes(members | {"metadata.xml": b"<Data/>"}, path)


def test_the_command_line_tells_what_is_wrong(members: Members, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from studio.cli import main

    assert codes(members, tmp_path / "good.dawproject") == []
    root = ElementTree.fromstring(members["project.xml"])
    put(".//Note", key="300")(root)
    codes(members, tmp_path / "bad.dawproject", root)
    good = CliRunner().invoke(main, ["check", str(tmp_path / "good.dawproject")])
    bad = CliRunner().invoke(main, ["check", str(tmp_path / "bad.dawproject")])
    assert good.exit_code == 0 and "is sound" in good.output
    assert bad.exit_code == 1 and "300" in bad.output
