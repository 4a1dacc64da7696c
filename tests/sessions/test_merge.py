"""What is changed in a session comes home into the recipe, and nothing else."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli import main
from studio.errors import StudioError
from studio.midi import read_midi
from studio.midi.files import write_midi
from studio.recipe import Recipe
from studio.sessions.exporting import export_session
from studio.sessions.merging import merge_session
from tests.sessions.ardour import edit_notes
from tests.sessions.sessions import song

FORMS = {"reaper": "Sess/Sess.rpp", "dawproject": "Sess.dawproject", "ardour": "Sess/Sess.ardour"}


def exported(folder: Path, form: str) -> tuple[Path, Path]:
    """A recipe with comments in a file, and a session made of it."""
    recipe = song(folder, tempo="120 bpm")
    assert recipe.origin is not None
    path = folder / "song.yaml"
    path.write_text("# the song\n" + recipe.origin.text.replace("volume: -6 dB", "volume: -6 dB  # soft"))
    export_session(path, folder / "out", form, name="Sess")
    return path, folder / "out" / FORMS[form]


def edited(session: Path, change: Callable[[str], str]) -> None:
    """Change the text of a session."""
    if session.suffix != ".dawproject":
        before = session.read_text()
        session.write_text(change(before))
        assert session.read_text() != before
        return
    with zipfile.ZipFile(session) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    before = members["project.xml"]
    members["project.xml"] = change(before.decode()).encode()
    assert members["project.xml"] != before
    with zipfile.ZipFile(session, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def at(marker: str, old: str, new: str) -> Callable[[str], str]:
    """Replace the first match of a pattern behind a marker."""

    def change(text: str) -> str:
        place = text.index(marker)
        return text[:place] + re.sub(old, new, text[place:], count=1, flags=re.S)

    return change


@pytest.mark.parametrize("form", FORMS)
def test_an_untouched_session_leaves_the_recipe_as_it_is_to_the_byte(tmp_path: Path, form: str) -> None:
    path, session = exported(tmp_path, form)
    before = path.read_bytes()
    merged = merge_session(path, session)
    assert merged.changes == () and merged.conflicts == () and merged.losses == ()
    assert path.read_bytes() == before and not path.with_suffix(".yaml.bak").exists()


def test_a_session_that_ardour_saved_brings_its_notes_and_nothing_else(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "ardour")
    edit_notes(session.parent, "Sess", 62, tmp_path / "edit.lua")
    before, score = path.read_bytes(), read_midi(tmp_path / "song.mid")
    merged = merge_session(path, session, dry_run=True)
    assert read_midi(tmp_path / "song.mid") == score and len(merged.notes) == 1
    merged = merge_session(path, session)
    assert merged.changes == () and merged.losses == () and path.read_bytes() == before
    after = read_midi(tmp_path / "song.mid")
    assert after.notes == tuple(note._replace(pitch=74) if note.pitch == 62 else note for note in score.notes)
    others = [[event for event in each.events if event.status not in (8, 9)] for each in (score, after)]
    assert others[0] == others[1] and after.marks == score.marks
    assert read_midi(tmp_path / "song.mid.bak") == score


def test_notes_of_a_midi_file_that_was_changed_too_stay_as_they_are(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "reaper")
    edited(session, at('NAME "keys (notes)"', "90 3e", "90 50"))
    edited(session, at('NAME "keys (notes)"', "80 3e", "80 50"))
    score = read_midi(tmp_path / "song.mid").keep(lambda note: note.pitch != 62)
    write_midi(score, tmp_path / "song.mid")
    score = read_midi(tmp_path / "song.mid")
    merged = merge_session(path, session)
    assert merged.notes == () and [each.where for each in merged.conflicts] == ["notes"]
    assert read_midi(tmp_path / "song.mid").notes == score.notes


REAPER = [
    (at('NAME hiss', r"VOLPAN \S+", "VOLPAN 0.25"), "hiss.volume", -12.0412),
    (at('NAME hiss', r"(VOLPAN \S+) \S+", r"\1 0.5"), "hiss.pan", 0.5),
    (at('NAME hiss', "MUTESOLO 0", "MUTESOLO 1"), "hiss.mute", True),
    (at('NAME hiss', r"MUTESOLO 0 0", "MUTESOLO 0 2"), "hiss.solo", True),
    (at("NAME hiss", r"PEAKCOL \d+", f"PEAKCOL {0x1000000 | 0x11 | 0x22 << 8 | 0x33 << 16}"), "hiss.colour", "#112233"),
    (at("NAME room", r"VOLPAN \S+", "VOLPAN 0.5"), "room.volume", -6.0206),
    (at("NAME room", r"AUXRECV 0 3 \S+", "AUXRECV 0 3 0.5"), "hiss.send.room.level", -6.0206),
    (at("SAMPLERATE", r"MASTER_VOLUME \S+", "MASTER_VOLUME 0.5"), "master.volume", -6.0206),
]  # fmt: skip
DAWPROJECT = [
    (at('name="hiss"', r'(<Volume [^>]*value=")[^"]+', r"\g<1>0.25"), "hiss.send.room.level", -12.0412),
    (at('name="hiss"', r'(</Sends>.*?<Volume [^>]*value=")[^"]+', r"\g<1>0.25"), "hiss.volume", -12.0412),
    (at('name="hiss"', r'(<Pan [^>]*value=")[^"]+', r"\g<1>0.75"), "hiss.pan", 0.5),
    (at('name="hiss"', r'(<Mute [^>]*value=")false', r"\g<1>true"), "hiss.mute", True),
    (at('name="hiss"', r'solo="false"', 'solo="true"'), "hiss.solo", True),
    (at('name="hiss"', "#ff8800", "#112233"), "hiss.colour", "#112233"),
    (at('name="room"', r'(<Volume [^>]*value=")[^"]+', r"\g<1>0.5"), "room.volume", -6.0206),
    (at('name="Master"', r'(<Volume [^>]*value=")[^"]+', r"\g<1>0.5"), "master.volume", -6.0206),
]
ARDOUR = [
    (at('name="hiss" default', r'(name="gaincontrol" id="\d+" flags="GainLike" value=")[^"]+', r"\g<1>0.25"), "hiss.send.room.level", -12.0412),
    (at('name="hiss" default', r'(name="pan-azimuth" id="\d+" flags="" value=")[^"]+', r"\g<1>0.75"), "hiss.pan", 0.5),
    (at('name="hiss" default', r'(<MuteMaster [^>]*muted=")0', r"\g<1>1"), "hiss.mute", True),
    (at('name="hiss" default', r'color="\d+"', f'color="{0x112233FF}"'), "hiss.colour", "#112233"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "change", "address", "value"),
    [
        (form, *edit)
        for form, edits in (("reaper", REAPER), ("dawproject", DAWPROJECT), ("ardour", ARDOUR))
        for edit in edits
    ],
)
def test_one_edit_comes_home_and_nothing_else(
    tmp_path: Path, form: str, change: Callable[[str], str], address: str, value: object
) -> None:
    path, session = exported(tmp_path, form)
    before = Recipe.load(path)
    edited(session, change)
    merged = merge_session(path, session)
    assert [each.where for each in merged.changes] == [address] and merged.losses == ()
    after, text = Recipe.load(path), path.read_text()
    if isinstance(value, float):
        assert after.get(address) == pytest.approx(value, abs=1e-3)
    else:
        assert after.get(address) == value
    assert after.set(address, before.get(address)) == before
    assert (text.startswith("# the song\n") and "# soft" in text) or address == "hiss.volume"
    assert Recipe.load(path.with_suffix(".yaml.bak")) == before


def test_a_clip_that_was_moved_and_one_that_was_taken_out_come_home(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "reaper")
    edited(session, at("NAME cuts", r"POSITION 0\.5", "POSITION 0.75"))
    merged = merge_session(path, session)
    assert [each.where for each in merged.changes] == ["cuts.play.clips.0.at"]
    clips = Recipe.load(path).tracks["cuts"].play.clips  # type: ignore[union-attr]
    assert float(clips[0].at.seconds) == 0.75 and str(clips[1].at) == "2 beats"
    export_session(path, tmp_path / "again", "reaper", name="Sess")
    session = tmp_path / "again" / FORMS["reaper"]
    edited(session, at("NAME cuts", r"<ITEM.*?\n    >\r?\n", ""))
    merge_session(path, session)
    [clip] = Recipe.load(path).tracks["cuts"].play.clips  # type: ignore[union-attr]
    assert str(clip.at) == "2 beats" and clip.gain == -6


def test_a_tempo_comes_home_and_clips_on_beats_stay_on_them(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "dawproject")
    edited(session, at("TempoAutomation", r'value="120\.0"', 'value="100.0"'))
    merge_session(path, session)
    after = Recipe.load(path)
    assert float(after.tempo_map(None).tempos[0].bpm) == 100
    assert str(after.tracks["cuts"].play.clips[1].at) == "2 beats"  # type: ignore[union-attr]


def test_what_both_changed_is_shown_and_left_and_the_rest_comes_home(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "reaper")
    edited(session, at("NAME hiss", r"VOLPAN \S+ \S+", "VOLPAN 0.25 0.5"))
    path.write_text(path.read_text().replace("volume: -6 dB  # soft", "volume: -9 dB  # softer"))
    done = CliRunner().invoke(main, ["merge", str(path), "--from", str(session), "--dry-run"])
    assert done.exit_code == 1 and "hiss.volume" in done.output and "hiss.pan" in done.output
    assert "-9" in done.output and "-12.04" in done.output and "softer" in path.read_text()
    assert Recipe.load(path).get("hiss.pan") == -0.3
    CliRunner().invoke(main, ["merge", str(path), "--from", str(session)])
    assert Recipe.load(path).get("hiss.pan") == 0.5 and Recipe.load(path).get("hiss.volume") == -9


def test_a_session_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path, session = exported(tmp_path, "reaper")
    (session.parent / "studio-recipe.yaml").unlink()
    before = path.read_bytes()
    with pytest.raises(StudioError, match="holds no recipe"):
        merge_session(path, session)
    with pytest.raises(StudioError, match="no session that can come home"):
        merge_session(path, path)
    assert path.read_bytes() == before
