"""The `studio` program as a user meets it: real processes, real files."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.listening import white
from tests.songs import band_file
from tests.waiting import PATIENCE

STUDIO = Path(sys.executable).parent / "studio"


def studio(folder: Path, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, as a build server does; check how it ends, and that nobody sees a traceback."""
    done = subprocess.run(
        [STUDIO, *map(str, words)],
        cwd=folder,
        env=os.environ | {"CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    band_file(tmp_path / "song.mid", seconds=2, parts=3)
    return tmp_path


def test_from_a_midi_file_to_stems_a_mix_and_a_verified_folder(desk: Path) -> None:
    studio(desk, "new", "--from", "song.mid", "-o", "song.yaml")
    text = (desk / "song.yaml").read_text()
    assert "program: Acoustic Bass" in text and "reverb" in text
    assert "is sound: 3 tracks, 1 bus" in studio(desk, "check", "song.yaml").stdout
    answer = json.loads(studio(desk, "render", "song.yaml", "-o", "out", "--json").stdout)
    assert [file["path"] for file in answer["files"]] == [
        "mix.wav", "stems/part-1.wav", "stems/part-2.wav", "stems/drums.wav", "buses/room.wav",
    ]  # fmt: skip
    assert answer["files"][0]["lufs"] == pytest.approx(-14, abs=0.1)
    findings = json.loads(studio(desk, "verify", "out", "--json").stdout)
    assert all(finding["sound"] for finding in findings)
    (desk / "out" / "mix.wav").write_bytes(b"broken")
    assert "WRONG" in studio(desk, "verify", "out", code=1).stdout


def test_a_bare_recipe_has_no_chains_and_a_midi_file_can_be_rendered_as_it_is(desk: Path) -> None:
    studio(desk, "new", "--from", "song.mid", "-o", "bare.yaml", "--bare")
    text = (desk / "bare.yaml").read_text()
    assert "chain" not in text and "buses" not in text and "master" not in text
    answer = json.loads(
        studio(desk, "render", "song.mid", "-o", "plain", "--stems", "none", "--format", "flac", "--json").stdout
    )
    assert [file["path"] for file in answer["files"]] == ["mix.flac"]


def test_a_new_recipe_is_commented_valid_and_never_overwrites(desk: Path) -> None:
    studio(desk, "new", "first.yaml")
    assert (desk / "first.yaml").read_text().count("#") >= 8
    studio(desk, "check", "first.yaml")
    refused = studio(desk, "new", "first.yaml", code=1)
    assert "first.yaml is there already" in refused.stderr and "--force" in refused.stderr


def test_knobs_are_turned_on_the_command_line_with_values_and_curves(desk: Path) -> None:
    studio(desk, "new", "first.yaml")
    turned = [
        "--set",
        "warmth=0.9",
        "--set",
        "everything.pan=[[0 s, -1], [1 s, 1]]",
        "--set",
        "everything.chorus.rate=2 Hz",
    ]
    plain = json.loads(studio(desk, "render", "first.yaml", "--explain", "--json").stdout)
    other = json.loads(studio(desk, "render", "first.yaml", *turned, "--explain", "--json").stdout)
    states = {row["name"]: row["state"] for row in other}
    assert states["everything · soundfont"] == "to render" and states["everything · fader"] == "on the way"
    keys = {row["name"]: row["key"] for row in plain}
    same = {row["name"] for row in other if keys.get(row["name"]) == row["key"]}
    assert same == {"everything · soundfont"}
    wrong = studio(desk, "render", "first.yaml", "--set", "everything.corus.rate=1", code=1)
    assert "chorus" in wrong.stderr


def test_steps_are_listed_explained_and_described_for_editors(desk: Path) -> None:
    import jsonschema

    listed = studio(desk, "steps").stdout
    for name in ("soundfont", "chorus", "ducker", "multiband", "quantise", "fade_out", "preset"):
        assert name in listed
    page = studio(desk, "steps", "chorus").stdout
    assert "0.01 Hz to 99 Hz" in page and "7 ms" in page and "log, can move" in page
    plain = json.loads(studio(desk, "steps", "chorus", "--json").stdout)
    assert {"name": "rate", "unit": "Hz", "taper": "log", "live": True}.items() <= plain["knobs"][0].items()
    jsonschema.Draft7Validator.check_schema(json.loads(studio(desk, "steps", "--schema").stdout))
    assert "chorus" in studio(desk, "steps", "corus", code=1).stderr


def test_presets_are_saved_shown_used_packed_and_installed(desk: Path) -> None:
    studio(desk, "new", "--from", "song.mid", "-o", "song.yaml")
    studio(desk, "preset", "save", "song.yaml", "my bass", "--from", "part-2", "--story", "Mine.", "--tag", "low")
    assert "my bass" in studio(desk, "preset", "list", "low").stdout
    shown = studio(desk, "preset", "show", "my bass").stdout
    assert "Mine." in shown and "compressor" in shown
    soundfile.write(desk / "loop.wav", white(0.5).T, 44_100)
    assert "LUFS" in studio(desk, "apply", "my bass", "loop.wav", "-o", "bass.flac").stdout
    studio(desk, "preset", "pack", "song.yaml", "-o", "gift.studio")
    (desk / "song.mid").unlink()
    studio(desk, "preset", "install", "gift.studio")
    assert "already" in studio(desk, "preset", "install", "gift.studio", code=1).stderr
    answer = json.loads(studio(desk, "render", "gift", "-o", "out", "--json").stdout)
    assert len(answer["files"]) == 5


def test_the_doctor_names_what_is_there_and_the_line_for_what_is_not(desk: Path) -> None:
    findings = {finding["name"]: finding for finding in json.loads(studio(desk, "doctor", "--json").stdout)}
    assert findings["FluidSynth"]["there"] and findings["SoundFont gm"]["there"]
    musescore = findings["SoundFont musescore"]
    assert musescore["there"] or "install" in musescore["install"]
    # Without FluidSynth's library the doctor still answers, and says so.
    hidden = "import ctypes.util; ctypes.util.find_library = lambda name: None; from studio.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", hidden, "doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "MISSING" in done.stdout and "libfluidsynth3" in done.stdout


def test_mistyped_words_are_answered_with_the_nearest(desk: Path) -> None:
    assert "render" in studio(desk, "rendr", code=2).stderr
    assert "--score" in studio(desk, "render", "x.yaml", "--scor", "y", code=2).stderr
    errors = json.loads(studio(desk, "render", "lofi-bnd", "--json", code=1).stdout)["errors"]
    assert errors[0]["kind"] == "MissingError" and "lofi-band" in errors[0]["mend"]


def test_errors_for_scripts_are_json_with_file_and_line(desk: Path) -> None:
    (desk / "bad.yaml").write_text("score: song.mid\ntracks:\n  a:\n    part: all\n    volum: -3 dB\n    pan: 7\n")
    errors = json.loads(studio(desk, "check", "bad.yaml", "--json", code=1).stdout)["errors"]
    assert [(error["file"], error["line"]) for error in errors] == [("bad.yaml", 5), ("bad.yaml", 6)]
    assert "volume" in errors[0]["mend"] and "-1 to 1" in errors[1]["mend"]


def test_progress_is_shown_on_a_terminal_and_nowhere_else(desk: Path) -> None:
    quiet = studio(desk, "render", "song.mid", "-o", "one", "--no-cache")
    assert "%" not in quiet.stdout and "\x1b" not in quiet.stdout
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [STUDIO, "render", "song.mid", "-o", "two", "--no-cache"], cwd=desk, stdout=slave, stderr=slave,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(slave)
    seen = b""
    while True:
        try:
            seen += os.read(master, 65_536)
        except OSError:
            break
    assert process.wait(PATIENCE) == 0
    os.close(master)
    assert b"song" in seen and b"%" in seen and b"soundfont" in seen


def test_shells_complete_its_words() -> None:
    environment = os.environ | {"_STUDIO_COMPLETE": "bash_complete", "COMP_WORDS": "studio re", "COMP_CWORD": "1"}
    done = subprocess.run([STUDIO], env=environment, capture_output=True, text=True, check=False)
    assert "render" in done.stdout


def test_a_mistake_of_the_studio_itself_is_one_line_and_a_way_to_see_more(desk: Path) -> None:
    broken = "import studio.recipe.starter as s; s.blank = None; from studio.cli import main; main()"
    words = [sys.executable, "-c", broken, "new", "x.yaml"]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 70 and "Traceback" not in done.stderr
    assert "a mistake in the studio itself" in done.stderr and "studio -v" in done.stderr
    told = subprocess.run([*words[:3], "-v", *words[3:]], cwd=desk, capture_output=True, text=True, check=False)
    assert told.returncode == 1 and "TypeError" in told.stderr
