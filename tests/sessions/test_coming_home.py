"""Everything that is done to a song in a DAW comes home at once: twenty edits and more in each format, and nothing else."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from studio.address import get
from studio.midi import read_midi
from studio.midi.files import write_midi
from studio.recipe import Recipe
from studio.sessions.exporting import export_session
from studio.sessions.merging import Merged, merge_session
from tests.sessions.sessions import song
from tests.sessions.test_merge import FORMS, at, edited

Edit = Callable[[str], str]

SQUEEZED = """tracks:
  squeezed:  # by somebody else's
    play: {noise: {length: 2 s, level: -20 dB}}
    chain:
      - plugin: {file: ZamCompX2, ratio: RATIO, threshold: -30, makeup: MAKEUP}  # gently
"""
CHANGED = {
    "hiss.volume": -12.0412, "hiss.pan": 0.5, "hiss.colour": "#112233", "hiss.send.room.level": -6.0206,
    "hiss.send.group.level": -12.0412, "squeezed.mute": True, "cuts.solo": True, "rain & snow.to": "master",
    "rain & snow.volume": -6.0206, "cuts.play.clips.0.at": 0.75, "cuts.play.clips.0.length": 0.2,
    "cuts.play.clips.0.fade_in": 0.02, "cuts.play.clips.1.gain": -12.0412, "cuts.play.clips.1.mute": True,
    "room.volume": -6.0206, "group.pan": -0.5, "group.send.room.level": -12.0412, "master.volume": -6.0206,
    "squeezed.chain.0.ratio": 4.0, "squeezed.chain.0.makeup": 3.0, "squeezed.chain.0.bypass": True, "keys.mute": False,
}  # fmt: skip
"""What all edits together come to; a curve is asked for its value at the beginning, a time for its seconds."""


def written(folder: Path, form: str, ratio: int = 8, makeup: int = 6) -> tuple[Path, Path]:
    """A recipe with comments, and a session made of it."""
    recipe = song(folder, tempo="120 bpm", moving=True)
    assert recipe.origin is not None
    first = SQUEEZED.replace("RATIO", str(ratio)).replace("MAKEUP", str(makeup))
    text = "# the song\n" + recipe.origin.text.replace("tracks:\n", first, 1)
    path = folder / "song.yaml"
    path.write_text(text, encoding="utf-8")
    export_session(path, folder / "out", form, name="Sess")
    return path, folder / "out" / FORMS[form]


def all_of(*edits: Edit) -> Edit:
    """One edit after the other, each of which must change something."""

    def change(text: str) -> str:
        for edit in edits:
            before, text = text, edit(text)
            assert text != before, edit
        return text

    return change


def block(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.S)
    assert found
    return found[0]


def in_reaper(session: Path, other: Path) -> None:
    plugin = r"<VST .*?\n      >"
    turned = block(other.read_text(), plugin)
    edited(
        session,
        all_of(
            at("NAME hiss", r"VOLPAN \S+ \S+", "VOLPAN 0.25 0.5"),
            at("NAME hiss", r"PEAKCOL \d+", f"PEAKCOL {0x1000000 | 0x11 | 0x22 << 8 | 0x33 << 16}"),
            at("NAME room", r"AUXRECV 1 3 \S+", "AUXRECV 1 3 0.5"),
            at("NAME group", r"AUXRECV 1 0 \S+", "AUXRECV 1 0 0.25"),
            at("NAME squeezed", "MUTESOLO 0", "MUTESOLO 1"),
            at("NAME cuts", "MUTESOLO 0 0", "MUTESOLO 0 2"),
            at('NAME "rain & snow"', "MAINSEND 0", "MAINSEND 1"),
            at("NAME group", r"AUXRECV 2 0 [^\n]*\n", ""),
            at("<VOLENV2", r"PT 0\.0 \S+", "PT 0.0 0.5"),
            at("NAME cuts", r"POSITION 0\.5", "POSITION 0.75"),
            at("NAME cuts", r"LENGTH 0\.25", "LENGTH 0.2"),
            at("NAME cuts", r"FADEIN 0 0\.01", "FADEIN 0 0.02"),
            at("POSITION 1.0", r"MUTE 0", "MUTE 1"),
            at("POSITION 1.0", r"VOLPAN 1 0 \S+", "VOLPAN 1 0 0.25"),
            at("NAME room", r"VOLPAN \S+", "VOLPAN 0.5"),
            at("NAME group", r"(VOLPAN \S+) \S+", r"\1 -0.5"),
            at("NAME room", r"AUXRECV 7 0 \S+", "AUXRECV 7 0 0.25"),
            at("SAMPLERATE", r"MASTER_VOLUME \S+", "MASTER_VOLUME 0.5"),
            at("NAME squeezed", plugin, turned),
            at("NAME squeezed", "BYPASS 0", "BYPASS 1"),
            at("NAME keys\n", "MUTESOLO 1", "MUTESOLO 0"),
            at('NAME "keys (notes)"', "90 3e", "90 4a"),
            at('NAME "keys (notes)"', "80 3e", "80 4a"),
        ),
    )


def in_dawproject(session: Path, other: Path) -> None:
    volume, pan = r'(<Volume [^>]*value=")[^"]+', r'(<Pan [^>]*value=")[^"]+'
    edited(
        session,
        all_of(
            at('name="hiss"', r'(</Sends>.*?<Volume [^>]*value=")[^"]+', r"\g<1>0.25"),
            at('name="hiss"', pan, r"\g<1>0.75"),
            at('name="hiss"', "#ff8800", "#112233"),
            at('name="hiss"', volume, r"\g<1>0.5"),
            at('name="hiss"', r'(type="post">\s*<Volume [^>]*value=")[^"]+', r"\g<1>0.25"),
            at('name="squeezed"', r'(<Mute [^>]*value=")false', r"\g<1>true"),
            at('name="cuts"', 'solo="false"', 'solo="true"'),
            at('name="rain &amp; snow"', r'destination="\w+"', 'destination="id3"'),
            at("<RealPoint", r'time="0\.0" value="0\.0316[^"]+"', 'time="0.0" value="0.5"'),
            at("<Lanes", r'<Clip time="1\.0" duration="0\.5"', '<Clip time="1.5" duration="0.4"'),
            at("<Lanes", r'fadeInTime="0\.02"', 'fadeInTime="0.04"'),
            at('<Target expression="gain"', r'value="[^"]+"', 'value="0.25"'),
            at("<Lanes", r'<Clip time="2\.0" duration="1\.8"', '<Clip enable="false" time="2.0" duration="1.8"'),
            at('name="room"', volume, r"\g<1>0.5"),
            at('name="group"', pan, r"\g<1>0.25"),
            at('name="group"', volume, r"\g<1>0.25"),
            at('name="Master"', volume, r"\g<1>0.5"),
            at('name="ZamCompX2"', r'(<Enabled [^>]*value=")true', r"\g<1>false"),
            at('name="keys"', r'(<Mute [^>]*value=")true', r"\g<1>false"),
            at("<Notes", 'key="62"', 'key="74"'),
        ),
    )
    state = "plugins/squeezed ZamCompX2.vstpreset"
    with zipfile.ZipFile(other) as archive:
        turned = archive.read(state)
    with zipfile.ZipFile(session) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | {state: turned}
    with zipfile.ZipFile(session, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def in_ardour(session: Path, other: Path) -> None:
    chunk = r"<chunk>.*?</chunk>"
    amp = r'(name="Amp".*?name="gaincontrol" id="\d+" flags="GainLike" value=")[^"]+'
    sent = r'(name="gaincontrol" id="\d+" flags="GainLike" value=")[^"]+'
    pan = r'(name="pan-azimuth" id="\d+" flags="" value=")[^"]+'
    edited(
        session,
        all_of(
            at('name="hiss" default', amp, r"\g<1>0.25"),
            at('name="hiss" default', pan, r"\g<1>0.75"),
            at('name="hiss" default', r'color="\d+"', f'color="{0x112233FF}"'),
            at('name="hiss" default', sent, r"\g<1>0.5"),
            at(
                'name="hiss" default',
                r'(name="group" active.*?gaincontrol" id="\d+" flags="GainLike" value=")[^"]+',
                r"\g<1>0.25",
            ),
            at('name="squeezed" default', r'(<MuteMaster [^>]*muted=")0', r"\g<1>1"),
            at('name="rain &amp; snow" default', r"group/audio_in 1", "Master/audio_in 1"),
            at('name="rain &amp; snow" default', r"group/audio_in 2", "Master/audio_in 2"),
            at('name="rain &amp; snow" default', r"a0 0\.0316\d+", "a0 0.5"),
            at("<Playlists", "a70560000@a141120000", "a56448000@a211680000"),
            at("<Playlists", r"a2822400 1\.0", "a5644800 1.0"),
            at("a254016000@a282240000", r'scale-amplitude="[^"]+"', 'scale-amplitude="0.25"'),
            lambda text: re.sub(r'muted="0"([^>]*a254016000@a282240000)', r'muted="1"\1', text, count=1),
            at('name="room" default', amp, r"\g<1>0.5"),
            at('name="group" default', pan, r"\g<1>0.25"),
            at(
                'name="group" default',
                r'(type="intsend".*?gaincontrol" id="\d+" flags="GainLike" value=")[^"]+',
                r"\g<1>0.25",
            ),
            at('name="Master" default', amp, r"\g<1>0.5"),
            at('name="squeezed" default', chunk, block(other.read_text(), chunk)),
            at('name="ZamCompX2"', 'active="1"', 'active="0"'),
            at('name="keys" default', r'(<MuteMaster [^>]*muted=")1', r"\g<1>0"),
        ),
    )
    [midi] = session.parent.glob("interchange/*/midifiles/*.mid")
    score = read_midi(midi)
    write_midi(score.with_notes([n._replace(pitch=74) if n.pitch == 62 else n for n in score.notes]), midi)


EDITS = {"reaper": in_reaper, "dawproject": in_dawproject, "ardour": in_ardour}


def said(recipe: Recipe, way: tuple[str | int, ...]) -> Any:
    value = get(recipe, way)
    if hasattr(value, "values"):
        return float(value.values(np.zeros(1), recipe.tempo_map(None))[0])
    return float(value.seconds) if hasattr(value, "seconds") else value


@pytest.mark.parametrize("form", FORMS)
def test_twenty_edits_in_one_session_come_home_and_nothing_else(tmp_path: Path, form: str) -> None:
    path, session = written(tmp_path / "a", form)
    _, other = written(tmp_path / "b", form, ratio=4, makeup=3)
    before, text, notes = Recipe.load(path), path.read_text(encoding="utf-8"), read_midi(path.parent / "song.mid").notes
    EDITS[form](session, other)
    merged = merge_session(path, session, dry_run=True)
    assert path.read_text(encoding="utf-8") == text and merged.losses == () and merged.conflicts == ()
    merged = merge_session(path, session)
    after, ways = Recipe.load(path), {change.where: change.way for change in merged.changes}
    wanted = {where: value for where, value in CHANGED.items() if form != "ardour" or where != "cuts.solo"}
    assert ways.keys() == wanted.keys() and len(ways) + len(merged.notes) > 20
    for where, value in wanted.items():
        found = said(after, ways[where])
        # Ardour's lanes are written a block early, since it turns its faders late.
        near = 0.3 if form == "ardour" and where == "rain & snow.volume" else 1e-3
        assert found == (pytest.approx(value, abs=near) if isinstance(value, float) else value), where
    back = after
    for way in ways.values():
        back = back.put(way, get(before, way))
    assert back == before, "nothing else was touched"
    assert read_midi(path.parent / "song.mid").notes == tuple(
        n._replace(pitch=74) if n.pitch == 62 else n for n in notes
    )
    new = path.read_text(encoding="utf-8")
    for comment in ("# the song", "# by somebody else's", "# gently"):
        assert comment in new
    names = [line for line in text.splitlines() if re.fullmatch(r"  \S.*:( \{.*\})?( +#.*)?|\w+:", line)]
    kept = [line.partition(":")[0] for line in new.splitlines()]
    places = [kept.index(line.partition(":")[0]) for line in names]
    assert places == sorted(places), "the order is kept"
    again = merge_session(path, session, dry_run=True)
    assert again.changes == again.notes == again.conflicts == (), "what has come home is no conflict, and no change"


SONG_WIDE = {
    "reaper": all_of(
        at("SAMPLERATE", "TEMPO 120.0", "TEMPO 100.0"),
        at("<TEMPOENVEX", r"PT 0\.0 120\.0", "PT 0.0 100.0"),
        at("<TEMPOENVEX", r"PT 4\.0 120\.0 1 524295", "PT 4.8 100.0 1 262147"),
        at("MARKER 2", r"MARKER 2 2\.0 .*? 0\n", "MARKER 2 1.2 Verse 0\n"),
    ),
    "dawproject": all_of(
        at("<Transport", r'(<Tempo [^>]*value=")120\.0', r"\g<1>100.0"),
        at("<TempoAutomation", r'value="120\.0"', 'value="100.0"'),
        at("<TimeSignatureAutomation", 'numerator="7" denominator="8"', 'numerator="3" denominator="4"'),
        at("<Markers", r'<Marker time="4\.0" name="[^"]*"', '<Marker time="2.0" name="Verse"'),
    ),
    "ardour": all_of(
        at("<Tempos", r'npm="120\.0" enpm="120\.0"', 'npm="100.0" enpm="100.0"'),
        at("<Meters", r'note-value="8" divisions-per-bar="7" sclock="\d+"', 'note-value="4" divisions-per-bar="3" sclock="1354752000"'),
        at("<Locations", r'name="Größer[^"]*" start="b7680" end="b7680"', 'name="Verse" start="b3840" end="b3840"'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_tempo_meter_and_markers_come_home(tmp_path: Path, form: str) -> None:
    path, session = written(tmp_path, form)
    edited(session, SONG_WIDE[form])
    merged = merge_session(path, session)
    after = Recipe.load(path)
    tempo = after.tempo_map(None)
    assert [float(each.bpm) for each in tempo.tempos] == [100]
    assert [(float(each.beat), each.count, each.unit) for each in tempo.meters] == [(0, 4, 4), (8, 3, 4)]
    assert {"tempo", "meter"} <= {change.where for change in merged.changes}
    score = read_midi(tmp_path / "song.mid")
    marks = [(float(score.beat(mark.tick)), mark.text) for mark in score.marks if mark.kind == "marker"]
    assert marks == [(0, "Intro"), (2, "Verse")]
    before = read_midi(tmp_path / "song.mid.bak")
    assert score.notes == before.notes and len(before.marks) == len(score.marks)
    assert "# the song" in path.read_text(encoding="utf-8")
    again = merge_session(path, session)
    assert again.changes == again.conflicts == () and again.markers is None


TRACK = """  <TRACK {{11111111-2222-3333-4444-555555555555}}
    NAME {name}
    PEAKCOL 16576
    VOLPAN 0.5 0.25 -1 -1 1
    MUTESOLO 0 0 0
    ISBUS 0 0
    NCHAN 2
    FX 1
    MAINSEND 1 0
    <ITEM
      POSITION 1.0
      LENGTH {length}
      NAME take
      MUTE 0 0
      VOLPAN 1 0 1 -1
      SOFFS 0
      PLAYRATE 1 1 0 -1 0 0.0025
      {source}
    >
  >
"""


def test_tracks_that_are_new_come_home_with_their_audio_and_notes(tmp_path: Path) -> None:
    path, session = written(tmp_path, "reaper")
    rng = np.random.default_rng(3)
    soundfile.write(session.parent / "take.wav", rng.uniform(-0.1, 0.1, (22_050, 2)), 44_100, subtype="FLOAT")
    audio = TRACK.format(name="overdub", length=0.5, source="<SOURCE WAVE\n        FILE take.wav\n      >")
    midi = "<SOURCE MIDI\n        HASDATA 1 480 QN\n        E 0 90 30 50\n        E 480 80 30 40\n        E 480 b0 7b 00\n      >"
    edited(
        session, lambda text: text.rstrip()[:-1] + audio + TRACK.format(name="bass", length=1.0, source=midi) + ">\n"
    )
    before = Recipe.load(path)
    dry = merge_session(path, session, dry_run=True)
    assert [change.where for change in dry.changes] == ["overdub", "bass"] and not (tmp_path / "song media").exists()
    merged = merge_session(path, session)
    assert merged.conflicts == ()
    after = Recipe.load(path)
    assert after.replace(tracks={name: after.tracks[name] for name in before.tracks}) == before
    over = after.tracks["overdub"]
    assert over.volume == pytest.approx(-6.0206, abs=1e-3) and over.pan == 0.25
    [clip] = over.play.clips  # type: ignore[union-attr]
    assert float(clip.at.seconds) == 1.0 and (tmp_path / clip.file).is_file()
    score = read_midi(tmp_path / "song.mid")
    new = [
        (n.pitch, float(score.beat(n.start)), float(score.beat(n.end - n.start)))
        for n in score.notes
        if score.tracks[n.track] == "bass"
    ]
    assert new == [(48, 2.0, 1.0)]
    assert len(score.notes) == 7 and "# gently" in path.read_text(encoding="utf-8")
    from studio.rendering import render

    heard = render(path, cache=False)
    assert np.abs(heard.stems["overdub"].samples).max() > 0.02 and np.abs(heard.stems["bass"].samples).max() > 0.001


def test_a_plugin_whose_chain_was_changed_meanwhile_is_found_by_its_name(tmp_path: Path) -> None:
    path, session = written(tmp_path / "a", "reaper")
    _, other = written(tmp_path / "b", "reaper", ratio=4)
    plugin = r"<VST .*?\n      >"
    edited(session, at("NAME squeezed", plugin, block(other.read_text(), plugin)))
    text = path.read_text(encoding="utf-8").replace("      - plugin:", "      - gain: -1 dB\n      - plugin:")
    path.write_text(text, encoding="utf-8")
    merged: Merged = merge_session(path, session)
    assert [change.where for change in merged.changes] == ["squeezed.chain.0.ratio"]
    gain, squeezed = Recipe.load(path).tracks["squeezed"].chain
    assert gain.step == "gain" and squeezed.ratio == 4.0 and squeezed.makeup == 6.0  # type: ignore[attr-defined]
    path.write_text(text.replace("ratio: 8", "ratio: 2"), encoding="utf-8")
    merged = merge_session(path, session)
    assert [(each.where, each.recipe, each.session) for each in merged.conflicts] == [
        ("squeezed.chain.0.ratio", "2", "4.0")
    ]
