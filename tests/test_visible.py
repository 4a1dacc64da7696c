"""What strangers write is shown and does nothing: on terminals, in JSON, on pages."""

from __future__ import annotations

import ast
import html
import json
import logging
import re
import unicodedata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

import studio
from studio.cli import main
from studio.cli.main import _Echo
from studio.cli.show import as_json, say, table
from studio.errors import Place, StudioError
from studio.recipe import Recipe
from studio.rendering.player.page import write_player
from studio.visible import markup, visible, visible_json

ROOT = Path(__file__).parents[1]

EVIL = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\nerror: forged\r\x00\u2028\u200b"

ANYTHING = st.one_of(
    st.text(), st.text("\x00\x07\x0a\x0d\x1b\x7f\x85\x9b\u061c\u200e\u202a\u202e\u2066\u2069\u2028\ufeffaé[]/")
)


def hidden(text: str, lines: bool = False) -> list[str]:
    """The characters in it that do something instead of being seen."""
    joiners = "\u200c\u200d" + ("\n\t" if lines else "")
    return [
        mark for mark in text if unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Zl", "Zp") and mark not in joiners
    ]


@given(ANYTHING)
def test_no_text_keeps_anything_hidden(text: str) -> None:
    assert not hidden(visible(text)) and not hidden(visible(text, lines=True), lines=True)
    assert not hidden(html.unescape(markup(text))) and not set("<>\"'") & set(markup(text))
    if not hidden(text):
        assert visible(text) == text


@pytest.mark.parametrize("text", ["Füße — 夜の歌", "שיר", "أغنية", "👩‍👩‍👧", "می‌خواهم", "a\u00a0b", "C♯ 🎹"])
def test_every_script_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text and visible_json(text) == json.dumps(text, ensure_ascii=False)


@given(st.recursive(ANYTHING, lambda inner: st.lists(inner) | st.dictionaries(ANYTHING, inner), max_leaves=8))
def test_json_reads_back_as_it_was_and_hides_nothing(value: object) -> None:
    for indent in (None, 2):
        text = visible_json(value, indent)
        assert json.loads(text) == json.loads(json.dumps(value)) and not hidden(text, lines=True)


@settings(deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_errors_tables_and_lines_hide_nothing(cause: str, mend: str, key: str, file: str) -> None:
    error = StudioError(cause, mend, path=(key, 0), place=Place(file, 1, 2))

    @click.command()
    def shows() -> None:
        say(cause, head=mend)
        table((key or "k",), [(cause,), (mend,)])
        as_json({key: [cause, mend]})
        _Echo().emit(logging.LogRecord("x", logging.WARNING, "", 0, cause, (), None))

    told = CliRunner().invoke(shows)
    assert told.exception is None
    assert not hidden(told.output, lines=True) and not hidden(str(error), lines=True)
    assert len(str(error).split("\n")) <= 3
    assert told.output.split("\n")[0] == visible(mend) + visible(cause)


TITLE = "\u202egnp.exe\u2066\u200b\u2028\ufeff<b>"
"""What a title may hold: of control characters there can be none in it."""

SONG = {
    "recipe": 1, "title": TITLE, "author": TITLE, "story": TITLE + "<script>document.title = 'stolen'</script>",
    "length": "0.3 s", "tags": ["x"],
    "tracks": {"hiss": {"play": {"noise": {"length": "0.3 s"}}, "chain": [{"gain": {"name": "a", "gain": -3}}]}},
}  # fmt: skip


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song\x1b[2J\u202e\x9b.yaml"
    path.write_text(json.dumps(SONG))
    return path


def test_commands_show_a_hostile_song_and_its_mistakes(song: Path, tmp_path: Path) -> None:
    wrong = song.with_name("wrong\x1b]0;x\x07.yaml")
    wrong.write_text(json.dumps({**SONG, EVIL: 1, "tracks": {"hiss": {EVIL: 1, "play": {EVIL: EVIL}}, EVIL: {}}}))
    for words, code in (
        (["check", str(song)], 0), (["check", str(wrong)], 1), (["check", str(wrong), "--json"], 1),
        (["render", str(song), "-o", str(tmp_path / EVIL[1:20].replace("/", "")), "--no-cache"], 0),
        (["render", str(song), "--explain"], 0), (["check", str(tmp_path / EVIL.replace("\x00", ""))], 1),
        (["check", str(song), EVIL], 2), (["che\x1bck"], 2), (["--\x1b[2J"], 2), (["preset", "show", EVIL], 1),
        (["preset", "show", str(song)], 1), (["render", str(song), "--set", EVIL], 1), (["steps", EVIL], 1),
    ):  # fmt: skip
        told = CliRunner().invoke(main, words)
        assert told.exit_code == code, (words, told.output)
        assert not hidden(told.output, lines=True), words
        assert not re.search(r"^error: forged", told.output, re.M)


def test_pages_show_a_hostile_song_and_run_nothing_of_it(song: Path, tmp_path: Path, chrome: Browser) -> None:
    studio.render(Recipe.load(song), tmp_path / "out", cache=False)
    pages = [tmp_path / "out" / "report.html", write_player(tmp_path / "out")]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not hidden(text, lines=True) and "Content-Security-Policy" in text and "unsafe-inline' 's" not in text
        # Somebody has found a way past the gate: the policy of the page still holds.
        path.write_text(
            text.replace("</header>", "<img src=x onerror='stolen = 1'><script>stolen = 1</script></header>")
        )
        page = chrome.new_page()
        refused: list[str] = []
        page.on("console", lambda message, refused=refused: refused.append(message.text))  # type: ignore[misc]
        page.goto(path.as_uri())
        assert page.title() == "\\u202egnp.exe\\u2066\\u200b\\u2028\\ufeff<b>"
        assert page.evaluate("typeof stolen") == "undefined"
        assert any("Content Security Policy" in line for line in refused)
        page.close()


def test_the_report_still_plays_under_its_policy(song: Path, tmp_path: Path, chrome: Browser) -> None:
    studio.render(Recipe.load(song), tmp_path / "out", cache=False)
    page = chrome.new_page()
    page.goto((tmp_path / "out" / "report.html").as_uri())
    seconds = page.evaluate(
        """() => new Promise((done) => { const audio = document.querySelector("audio");
        audio.onloadedmetadata = () => done(audio.duration); audio.onerror = () => done(-1); audio.preload = "auto"; audio.load(); })"""
    )
    assert seconds == pytest.approx(0.3, abs=0.05)
    page.close()


HOSTS = {"studio/exporting/plugin/hosts.py", "studio/hosting/clap_host.py", "studio/hosting/lv2_features.py"}
"""What runs in the process of a host: who started it shows what it says through the gate."""


def test_there_is_one_gate_and_every_page_has_a_policy() -> None:
    wrong = []
    for file in (*(ROOT / "studio").rglob("*.py"), *(ROOT / "widgets").rglob("*.py")):
        where = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            told = called in ("click.echo", "click.secho", "print", "console.print") or called.endswith(
                ("stdout.write", "stderr.write")
            )
            told |= isinstance(node, ast.Attribute) and ast.unparse(node) == "click.echo"
            # A host's process tells who asked it, not a person.
            told = told and where not in HOSTS
            if (told and where != "studio/cli/show.py") or (
                called.endswith("escape") and "html" in called and where != "studio/visible.py"
            ):
                wrong.append(f"{where}:{node.lineno}")
            if isinstance(node, ast.ImportFrom) and node.module == "html":
                wrong.append(f"{where}:{node.lineno}")
    for file in (*(ROOT / "studio").rglob("*.html"), *(ROOT / "widgets").rglob("*.html")):
        if "Content-Security-Policy" not in file.read_text():
            wrong.append(str(file))
    assert not wrong
