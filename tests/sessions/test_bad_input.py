"""Sessions that are broken or hostile: a named error, nothing written outside the target, memory bounded."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.errors import StudioError
from studio.interchange.reaper.text import parse
from studio.sessions.importing import import_session
from tests.waiting import PATIENCE

PROJECT = """<Project version="1.0"><Application name="a" version="1"/>
<Transport><Tempo id="t" value="{tempo}" unit="bpm"/></Transport>
<Structure><Track id="tr" name="One" contentType="audio"><Channel id="ch" role="regular" destination="{to}">
<Volume id="v" value="{volume}" unit="linear"/></Channel></Track></Structure>
<Arrangement><Lanes timeUnit="seconds"><Lanes track="tr">{lanes}</Lanes></Lanes></Arrangement></Project>"""
CLIPS = """<Clips><Clip time="0" duration="1" contentTimeUnit="seconds"><Audio channels="2" sampleRate="44100" duration="1">
<File path="{path}"/></Audio></Clip></Clips>"""


def project(path: Path, xml: str | bytes | None = None, tone: bool = True, **words: str) -> Path:
    """A DAWproject file with some words in it changed."""
    said = {
        "tempo": "120",
        "to": "",
        "volume": "1",
        "lanes": CLIPS.format(path=words.pop("path", "audio/tone.wav")),
    } | words
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.xml", PROJECT.format(**said) if xml is None else xml)
        archive.writestr("metadata.xml", "<MetaData/>")
        if tone:
            soundfile.write(path.with_suffix(".wav"), np.zeros((44_100, 2)), 44_100, subtype="PCM_16")
            archive.write(path.with_suffix(".wav"), "audio/tone.wav")
            path.with_suffix(".wav").unlink()
    return path


def refused(path: Path, into: Path) -> str:
    """The error of an import, after which nothing is there that was not."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(StudioError) as caught:
        import_session(path, into)
    assert sorted(path.parent.rglob("*")) == before
    return str(caught.value)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def scramble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = content.find(b"project.xml") + 40
    content[place : place + 60] = os.urandom(60)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage", [cut, scramble, lambda path: path.write_bytes(b"not a zip"), lambda path: path.write_bytes(b"")]
)
def test_a_damaged_archive_is_named(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = project(tmp_path / "a.dawproject")
    damage(path)
    assert "a.dawproject" in refused(path, tmp_path / "x.yaml")


def test_the_sound_project_is_one(tmp_path: Path) -> None:
    made = import_session(project(tmp_path / "a.dawproject"), tmp_path / "x.yaml")
    assert list(made.recipe.tracks) == ["One"]


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ('<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><Project version="1.0">&x;</Project>', "document type"),
        ('<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Project>&b;</Project>', "document type"),
        ("<Project><Application></Project>", "not XML"),
        ("<Song/>", "not Project"),
        (b"\xff\xfe\x00\x01", "not XML"),
        ("<a>" * 300 + "</a>" * 300, "inside each other"),
        ("<Project version='1.0'><Structure/></Project>", "no track"),
    ],
)
def test_xml_that_is_hostile_or_broken_is_refused(tmp_path: Path, xml: str | bytes, said: str) -> None:
    assert said in refused(project(tmp_path / "a.dawproject", xml), tmp_path / "x.yaml")


@pytest.mark.parametrize("tempo", ["0", "-120", "1e9"])
def test_a_tempo_nobody_can_play_is_refused(tmp_path: Path, tempo: str) -> None:
    assert "bpm" in refused(project(tmp_path / "a.dawproject", tempo=tempo), tmp_path / "x.yaml")
    (tmp_path / "a.rpp").write_text(f'<REAPER_PROJECT 0.1 "7" 1\n  TEMPO {tempo} 4 4\n>\n')
    assert "bpm" in refused(tmp_path / "a.rpp", tmp_path / "y.yaml")


@pytest.mark.parametrize("path", ["../../../../etc/passwd", "/etc/passwd", "audio/none.wav", "..\\up.wav", "C:/a.wav"])
def test_media_elsewhere_or_missing_is_left_out_and_said(tmp_path: Path, path: str) -> None:
    two = CLIPS.format(path=path).replace("</Clips>", "") + CLIPS.format(path="audio/tone.wav").replace("<Clips>", "")
    made = import_session(project(tmp_path / "a.dawproject", lanes=two), tmp_path / "in" / "x.yaml")
    assert any(repr(path) in loss.what for loss in made.losses)
    assert len(made.recipe.tracks["One"].play.clips) == 1  # type: ignore[union-attr]
    (tmp_path / "a.rpp").write_text(
        '<REAPER_PROJECT 0.1 "7" 1\n<TRACK\nNAME a\n<ITEM\nPOSITION 0\nLENGTH 1\n<SOURCE WAVE\n'
        f'FILE "{path}"\n>\n>\n>\n>\n'
    )
    assert repr(path) in refused(tmp_path / "a.rpp", tmp_path / "y.yaml")


def test_references_that_lead_nowhere_are_said(tmp_path: Path) -> None:
    lanes = (
        CLIPS.format(path="audio/tone.wav")
        + '<Points><Target parameter="gone"/><RealPoint time="0" value="1"/></Points>'
    )
    made = import_session(project(tmp_path / "a.dawproject", to="nobody", lanes=lanes), tmp_path / "x.yaml")
    named = " ".join(str(loss) for loss in made.losses)
    assert "nobody" in named and "what it moves is not there" in named


def test_clips_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    lanes = '<Clips id="c"><Clip time="0" duration="1" contentTimeUnit="seconds" reference="c"/></Clips>'
    circle = '<Clips><Clip time="0" duration="9" contentTimeUnit="seconds"><Clips id="c"><Clip time="0" duration="1" reference="d"/></Clips></Clip></Clips>'
    for inside in (lanes, circle.replace('id="c"><Clip', 'id="c"><Clip id="d"')):
        path = project(tmp_path / "a.dawproject", lanes=inside)
        with pytest.raises(StudioError):
            import_session(path, tmp_path / "x.yaml", replace=True)


def test_a_path_in_the_archive_does_not_say_where_it_is_written(tmp_path: Path) -> None:
    path = project(tmp_path / "a.dawproject")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.wav", b"x")
    import_session(path, tmp_path / "deep" / "er" / "x.yaml")
    assert not list(tmp_path.rglob("evil*")) and not (tmp_path.parent / "evil.wav").exists()


def test_a_bomb_is_refused_before_it_swells(tmp_path: Path) -> None:
    path = project(tmp_path / "a.dawproject")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("audio/bomb.wav", "w") as member:
        for _ in range(300):
            member.write(bytes(1024 * 1024))
    assert "swell" in refused(path, tmp_path / "x.yaml")


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = project(tmp_path / "a.dawproject", xml="<Project>" + " " * 5_000_000 + "</Project>", tone=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 5_000_019), struct.pack("<I", 100)))
    assert "a.dawproject" in refused(path, tmp_path / "x.yaml")


MANY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from pathlib import Path
from studio.sessions.importing import import_session
from studio.errors import StudioError
try:
    import_session(Path(sys.argv[1]), Path(sys.argv[2]))
except StudioError as error:
    print(error)
# Of this program alone: what getrusage says begins with the peak of whoever started it.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print("peak", int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize("ending", ["dawproject", "rpp"])
def test_a_million_clips_are_refused_in_little_memory(tmp_path: Path, ending: str) -> None:
    if ending == "rpp":
        item = "<ITEM\nPOSITION 0\nLENGTH 1\n<SOURCE WAVE\nFILE a.wav\n>\n>\n"
        (tmp_path / "a.rpp").write_text('<REAPER_PROJECT 0.1 "7" 1\n<TRACK\n' + item * 1_000_000 + ">\n>\n")
    else:
        project(tmp_path / "a.dawproject", lanes="<Clips>" + '<Clip time="0"><Notes/></Clip>' * 1_000_000 + "</Clips>")
    done = subprocess.run(
        [sys.executable, "-c", MANY, tmp_path / f"a.{ending}", tmp_path / "x.yaml"],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert "session" in done.stdout or "than a project has" in done.stdout, done.stdout
    assert int(done.stdout.split("peak ")[1]) < 1_500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no REAPER project"),
        ("<OTHER\n>\n", "no REAPER project"),
        ("<REAPER_PROJECT 0.1\n<TRACK\n", "cut short"),
        (">\n", "never began"),
        ("<REAPER_PROJECT\n" + "<A\n" * 100 + ">\n" * 101, "inside each other"),
    ],
)
def test_text_that_is_no_project_is_refused(text: str, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        parse(text, "a.rpp")
