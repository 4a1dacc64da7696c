"""The first minutes with the program: what it takes, what it completes, and what it writes to start from."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from click.shell_completion import FishComplete, ShellComplete, ZshComplete
from click.testing import CliRunner, Result

from studio.cli.completing import BASH
from studio.cli.main import main
from studio.errors import StudioError
from studio.recipe import Recipe
from tests.listening import white
from tests.songs import band_file

STUDIO = Path(sys.executable).parent / "studio"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def studio(*words: object, given: str | bytes | None = None, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(word) for word in words], input=given)
    assert done.exit_code == code, done.output
    return done


def test_a_new_recipe_renders_as_it_is(desk: Path) -> None:
    studio("new", "song.yaml")
    assert (desk / "song.mid").is_file(), "something to play lies beside it"
    studio("check", "song.yaml")
    band_file(desk / "tune.mid", seconds=1, parts=2)
    (desk / "song.mid").unlink()
    studio("new", "other.yaml")
    answer = json.loads(studio("render", "other.yaml", "-o", "out", "--stems", "none", "--json").stdout)
    assert answer["files"][0]["lufs"] > -16
    assert Recipe.load("other.yaml").score == "tune.mid"


def test_presets_files_and_standard_input_are_taken_wherever_a_recipe_is(desk: Path) -> None:
    assert "is sound" in studio("check", "demo").stdout
    studio("new", "--from", "demo", "-o", "mine.yaml")
    assert Recipe.load("mine.yaml").hash == json.loads(studio("check", "demo", "--json").stdout)["hash"]
    assert "is sound" in studio("check", "-", given=(desk / "mine.yaml").read_text()).stdout
    studio("preset", "pack", "demo", "-o", "gift.studio")
    studio("preset", "save", "demo", "my drums", "--from", "drums")
    assert (desk / "gift.studio").stat().st_size > 1000
    wrong = studio("check", "-", "--json", given="tracks: {a: {play: {noise: {length: 1 s}}, pan: 7}}", code=1)
    assert [error["file"] for error in json.loads(wrong.stdout)["errors"]] == ["standard input"]


def test_every_command_takes_recipes_chains_and_sounds_by_the_same_words(desk: Path) -> None:
    studio("new", "--from", "demo", "-o", "mine.yaml")
    text = (desk / "mine.yaml").read_text()
    for word, given in (("demo:bass", None), ("-:bass", text), ("mine.yaml:bass", None), ("-", "- lowpass: 4 kHz")):
        studio("export", word, "--format", "source", "-o", f"at {word.partition(':')[0]}", given=given)
    assert (desk / "at demo" / "demo bass").is_dir() and (desk / "at -" / "song bass").is_dir()
    assert "Did you mean demo" in studio("export", "dmo:bass", code=1).stderr
    studio("preset", "save", "mine.yaml", "my-song")
    assert "comes with the studio" in studio("merge", "demo", "--from", "x.rpp", code=1).stderr
    assert "x.rpp" in studio("merge", "my-song", "--from", "x.rpp", code=1).stderr, "the recipe is found by its name"
    soundfile.write(desk / "a.wav", white(0.5, channels=1).T, 22_050)
    sound = (desk / "a.wav").read_bytes()
    studio("transfer", "-", "a.wav", "-o", "b.wav", given=sound)
    studio("transfer", "a.wav", "-", "-o", "c.wav", given=sound)
    assert (soundfile.read("b.wav")[0] == soundfile.read("c.wav")[0]).all()
    assert "not both" in studio("transfer", "-", "-", "-o", "d.wav", given=sound, code=2).stderr


def test_a_bare_midi_file_is_brought_to_14_lufs(desk: Path) -> None:
    band_file(desk / "song.mid", seconds=2, parts=2)
    answer = json.loads(studio("render", "song.mid", "-o", "out", "--stems", "none", "--json").stdout)
    assert answer["files"][0]["lufs"] == pytest.approx(-14, abs=0.1)
    piped = studio("render", "-", "-o", "two", "--stems", "none", "--json", given=(desk / "song.mid").read_bytes())
    assert json.loads(piped.stdout)["files"][0]["lufs"] == answer["files"][0]["lufs"]


def test_a_render_tells_all_that_is_wrong_with_a_recipe_and_with_its_turns(desk: Path) -> None:
    (desk / "x.yaml").write_text(
        "tracks:\n  a:\n    play: {noise: {length: 1 s}}\n    pan: 2\n    send: {rom: -12 dB}\n"
    )
    both = studio("render", "x.yaml", "--explain", code=1).stderr
    assert "2 is out of range" in both and "no bus 'rom'" in both, "words and routes are told together, as check does"
    (desk / "files.yaml").write_text(
        "score: gone.mid\ntracks:\n  a: {part: all, play: {soundfont: no.sf2}, chain: [{convolution: no.wav}]}\n"
        "  b: {play: {clips: [{file: one.wav}, {file: two.wav}]}}\n"
    )
    for wrong, more in (("", ""), ("  c: {play: {noise: {length: 1 s}}, pan: 2}\n", "2 is out of range")):
        (desk / "files.yaml").write_text((desk / "files.yaml").read_text() + wrong)
        told = studio("render", "files.yaml", "-o", "out", code=1).stderr
        for word in ("gone.mid", "no.sf2", "no.wav", "one.wav", "two.wav", more):
            assert word in told, "files are told with the words, and in one go"
    assert not (desk / "out").exists()
    errors = studio("render", "demo", "--set", "keys.pan=7", "--set", "keyz.pan=0", "--explain", code=1).stderr
    assert "7 is out of range" in errors and "keyz" in errors


def test_many_files_are_sent_through_a_chain_and_told_as_json(desk: Path) -> None:
    for name, channels in (("a", 1), ("b", 2)):
        soundfile.write(desk / f"{name}.wav", white(0.2, channels=channels).T, 44_100)
    told = json.loads(studio("apply", "wide-chorus", "a.wav", "b.wav", "-o", "out", "--json").stdout)
    assert [each["path"] for each in told] == ["out/a.wav", "out/b.wav"]
    assert "widened to stereo" in told[0]["remarks"][0] and not told[1]["remarks"]
    assert [soundfile.info(each["path"]).channels for each in told] == [2, 2]
    studio("apply", "wide-chorus", "a.wav", "-o", "m.flac", "--mono")
    assert soundfile.info("m.flac").channels == 1
    assert "written over" in studio("apply", "chorus", "a.wav", "b.wav", "-o", ".", code=1).stderr
    (desk / "c.wav").write_bytes(b"no sound")
    wrong = studio("apply", "chorus", "a.wav", "c.wav", "gone.wav", "-o", "out", code=1).stderr
    assert "c.wav" in wrong and "gone.wav" in wrong, "each that fails is told, the others are written"


def test_yaml_that_begins_with_a_dash_is_a_chain_and_so_is_standard_input(desk: Path) -> None:
    soundfile.write(desk / "a.wav", white(0.2).T, 44_100)
    for words, given in (("- gain: -6 dB\n- invert", None), ("-", "- gain: -6 dB\n- invert")):
        studio("apply", words, "a.wav", "-o", "b.wav", given=given)
        before, after = soundfile.read("a.wav")[0], soundfile.read("b.wav")[0]
        assert abs(after + before * 10 ** (-6 / 20)).max() < 1e-5


COMPLETED = [
    (["render"], "de", "demo"),
    (["check"], "so", "song.yaml"),
    (["render", "song.yaml", "--set"], "a.cho", "a.chorus.depth="),
    (["render", "song.yaml", "--format"], "fl", "flac"),
    (["render", "song.yaml", "-o"], "so", "song.yaml"),
    (["apply"], "ta", "tape"),
    (["apply"], "so", "song.yaml"),
    (["apply", "tape"], "so", "song.yaml"),
    (["steps"], "chor", "chorus"),
    (["export", "song.yaml", "--format"], "da", "dawproject"),
    (["transfer", "a.wav", "b.wav", "--method"], "st", "stft"),
    (["preset", "show"], "lofi", "lofi-band"),
    (["preset", "save", "song.yaml", "x", "--from"], "a.ch", "a.chorus"),
    (["new", "--from"], "de", "demo"),
    (["merge"], "so", "song.yaml"),
    (["render", "song.yaml", "--section"], "ver", "verse"),
    (["transfer", "a.wav"], "so", "song.yaml"),
]  # fmt: skip

SONG = "sections: {verse: 1 bar}\ntracks: {a: {play: {noise: {length: 1 s}}, chain: [chorus]}}\n"


@pytest.mark.parametrize("shell", [ZshComplete, FishComplete])
def test_zsh_and_fish_complete_words_and_hand_files_to_the_shell(desk: Path, shell: type[ShellComplete]) -> None:
    (desk / "song.yaml").write_text(SONG)
    asked = shell(main, {}, "studio", "_STUDIO_COMPLETE")
    for words, begun, wanted in COMPLETED:
        items = asked.get_completions(list(words), begun)
        plain = [item.value for item in items if item.type == "plain"]
        assert wanted in plain or (wanted == "song.yaml" and any(item.type == "file" for item in items)), (words, items)
        assert all(asked.format_completion(item) for item in items)


def test_bash_completes_words_and_files_side_by_side(desk: Path) -> None:
    (desk / "song.yaml").write_text(SONG)
    (desk / "demo tape.wav").write_bytes(b"")
    script = ['eval "$(_STUDIO_COMPLETE=bash_source studio)"', "compopt() { :; }"]
    cases = [*COMPLETED[1:4:2], *COMPLETED[2:5:2], (["render"], "demo", "demo tape.wav"), (["apply"], "ta", "tape")]
    for words, begun, _ in cases:
        line = " ".join(f"'{word}'" for word in ("studio", *words, begun))
        script.append(f"COMP_WORDS=({line}); COMP_CWORD={len(words) + 1}; COMPREPLY=()")
        script.append("""_studio_completion studio; (IFS='|'; echo "${COMPREPLY[*]}")""")
    environment = os.environ | {"PATH": f"{STUDIO.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], env=environment, capture_output=True, text=True, check=True
    )
    for (words, begun, wanted), line in zip(cases, done.stdout.splitlines(), strict=True):
        assert wanted in line.split("|"), (words, begun, line)
    assert "complete -o nosort" in BASH


def test_ctrl_c_ends_it_with_130_and_colour_and_width_are_as_the_environment_says(desk: Path) -> None:
    stopped = "import signal, os, studio.recipe.starter as s; s.blank = lambda *a: os.kill(os.getpid(), signal.SIGINT);"
    done = subprocess.run(
        [sys.executable, "-c", stopped + "from studio.cli import main; main()", "new", "x.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGINT and "Traceback" not in done.stderr and not Path("x.yaml").exists()
    for no_colour, coloured in (("", True), ("1", False)):
        told = CliRunner(env={"NO_COLOR": no_colour}).invoke(main, ["check", "gone.yaml"], color=True)
        assert ("\x1b[" in told.output) == coloured
    narrow = CliRunner(env={"COLUMNS": "60"}).invoke(main, ["preset", "list"])
    assert max(map(len, narrow.output.splitlines())) <= 60


def test_words_from_elsewhere_are_answered_with_ours() -> None:
    for text, wanted in (
        ("tracks: {a: {instrument: piano}}", "play"),
        ("tracks: {a: {fx: [chorus]}}", "chain"),
        ("tracks: {a: {effects: [chorus]}}", "chain"),
        ("tracks: {a: {synth: x}}", "play"),
        ("tracks: {a: {level: -3 dB}}", "volume"),
        ("tracks: {a: {gain: -3 dB}}", "volume"),
        ("tracks: {a: {output: drums}}", "to"),
        ("tracks: {a: {bus: drums}}", "to"),
        ("tracks: {a: {reverb: {}}}", "chain:"),
        ("tracks: {a: {bpm: 90}}", "tempo"),
        ("bpm: 90", "tempo"),
        ("loudness: -14 LUFS", "under master"),
        ("tracks: {a: {play: {noise: {length: 1 s}}, chain: [{chorus: {mute: true}}]}}", "bypass"),
        ("tracks: {a: {play: {noise: {length: 1 s}}, chain: [{comp: {}}]}}", "compressor"),
        ("tracks: {a: {play: {sf2: x}}}", "soundfont"),
    ):
        with pytest.raises(StudioError) as caught:
            Recipe.loads(text)
        assert wanted in str(caught.value), (text, str(caught.value))
