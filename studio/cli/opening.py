"""What the words on the command line mean: recipes, chains and sounds, by file, by preset, or from standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pedalboard import Plugin

    from studio.exporting.target import Target
    from studio.recipe import Recipe
    from studio.recipe.document import Document

F = TypeVar("F", bound=Callable[..., Any])

STDIN = "-"
PLAIN_LOUDNESS = -14.0
"""The LUFS to which a MIDI file is brought that is rendered without a recipe."""

_STRIP = re.compile(r"(?P<song>[^\n:#{}\[\]]+)(?P<mark>[:#])(?P<strip>\S[^:#\n]*|)")
_BOARD = re.compile(r"[^\n{}\[\]]+\.py:\w+")


_WHERE = "studio.where"
"""Under which click keeps where the media of a session may be looked for."""


def session_options(command: F) -> F:
    """The options of a command that reads sessions of DAWs: where their audio may be."""

    def keep(context: click.Context, option: click.Parameter, value: Any) -> None:
        context.meta.setdefault(_WHERE, {})[option.name] = value

    media = click.option(
        "--media",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=keep,
        help="Of a session: a folder to look in for audio files that are not where it says.",
    )
    anywhere = click.option(
        "--anywhere",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Of a session: take audio from outside its own folder, where it says.",
    )
    return media(anywhere(command))


def document_of(name: str, stack: ExitStack) -> tuple[Document, Path]:
    """The recipe that a word means, as text not yet understood, and the folder its paths are relative to.

    A word is the path of a recipe, a MIDI file or a session of a DAW; the name of a preset; or ``-``, a recipe or a MIDI
    file on standard input. What is unpacked for it lasts as long as `stack`.

    Raises:
        StudioError: there is no such file or preset, or it cannot be read.
    """
    from studio.cli.show import losses
    from studio.midi.files import is_midi
    from studio.recipe.document import Document
    from studio.recipe.presets import find_preset
    from studio.recipe.starter import from_midi
    from studio.sessions.importing import check_readable, import_session, is_session

    path = Path(name)
    if path.is_file():
        check_readable(path)
    if name == STDIN:
        content = sys.stdin.buffer.read()
        if not content.startswith((b"MThd", b"RIFF")):
            return Document(_text(content), "standard input"), Path()
        path = _kept(content, "song.mid", stack)
    if is_midi(path):
        return Document(from_midi(path, Path("song.yaml"), bare=True, loudness=PLAIN_LOUDNESS)), Path()
    if is_session(path):
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="studio-")))
        context = click.get_current_context(silent=True)
        where = context.meta.get(_WHERE, {}) if context is not None else {}
        losses(import_session(path, folder / "song.yaml", **where).losses)
        return Document.open(folder / "song.yaml"), folder
    if not (path.is_file() or path.suffix or "/" in name):
        path = find_preset(name, Path(), "recipe").path
    return Document.open(path), path.parent


def recipe_of(
    name: str,
    stack: ExitStack,
    turns: Sequence[str] = (),
    output: Mapping[str, object] | None = None,
    score: Path | None = None,
) -> Recipe:
    """The recipe that a word means, with knobs turned as `--set` says; `score` is what it will play instead of its own.

    Raises:
        StudioError: it cannot be read, or some of its knobs cannot be turned so: all of these at once, and with a recipe
            that cannot be read what is wrong with its files too.
    """
    from studio.errors import Gather, Problems, StudioError, within
    from studio.recipe import Recipe

    document, folder = document_of(name, stack)
    try:
        song = Recipe.of(document, folder)
    except StudioError as error:
        from studio.rendering.checking import check_document

        raise Problems(check_document(document, folder, score).errors or [error]) from None
    gather = Gather()
    for turn in turns:
        address, equals, value = turn.partition("=")
        if not equals:
            raise click.UsageError(f"--set {turn}: write ADDRESS=VALUE, such as keys.chorus.depth=0.5")
        with gather:
            song = song.set(address.strip(), _value(value.strip()))
    if output:
        with gather, within("output"):
            # All at once, since some only go together.
            song = song.replace(output={**song.output.data(), **output})
    gather.done()
    return song


def recipe_file_of(name: str) -> Path:
    """The file of a recipe that is to be written to: its path, or that of a preset of the user's own by its name.

    Raises:
        StudioError: there is no such preset, or the word means what cannot be written to.
    """
    from studio.errors import OutputError
    from studio.folders import user_presets
    from studio.recipe.presets import find_preset

    path = Path(name)
    if name == STDIN:
        raise OutputError("standard input cannot be written to.", "Give the file of the recipe.")
    if path.is_file() or path.suffix or "/" in name:
        return path
    found = find_preset(name, Path(), "recipe").path
    if not found.resolve().is_relative_to(user_presets().resolve()):
        raise OutputError(
            f"{name!r} is a preset that comes with the studio, which stays as it is.",
            f"Copy it first: studio new --from {name} -o {name}.yaml",
        )
    return found


def is_board_of_script(name: str) -> bool:
    """Whether a word is ``script.py:board``: a board of pedalboard's in a Python script, which then runs."""
    return bool(_BOARD.fullmatch(name))


def board_of_script(name: str) -> Plugin:
    """The board that ``script.py:board`` means; the script runs, since the user named it.

    Raises:
        StudioError: the script fails, or it holds no such board.
    """
    from studio.recipe.boards import read_board

    script, _, board = name.rpartition(":")
    return read_board(Path(script), board)


def target_of(name: str, stack: ExitStack) -> Target:
    """The chain or instrument that a word means for a plugin: a strip of any recipe, a preset, or steps in YAML.

    Raises:
        StudioError: there is no such thing, or it holds what a plugin cannot.
    """
    from dataclasses import replace

    from studio.exporting.target import Target
    from studio.recipe.chains import chain as board_chain

    if is_board_of_script(name):
        return Target.parse(board_chain(board_of_script(name), title=name.rpartition(":")[2]))
    named = _STRIP.fullmatch(name.removeprefix("\n"))
    if not named:
        return Target.parse(chain_text(name))
    song, strip = named["song"], named["strip"].strip()
    target = Target.parse(recipe_of(song, stack), f"{named['mark'].strip(':')}{strip}")
    return replace(target, name=f"{'song' if song == STDIN else Path(song).stem} {strip}".strip())


def sound_of(name: str, stack: ExitStack) -> Path:
    """The audio file that a word means: its path, or ``-``, sound on standard input."""
    return _kept(sys.stdin.buffer.read(), "sound", stack) if name == STDIN else Path(name)


def chain_text(name: str) -> str:
    """The words of a chain: as they are, or ``-``, YAML on standard input."""
    return _text(sys.stdin.buffer.read()) if name == STDIN else name


def _kept(content: bytes, name: str, stack: ExitStack) -> Path:
    """A file that holds what came on standard input."""
    path = Path(stack.enter_context(TemporaryDirectory(prefix="studio-"))) / name
    path.write_bytes(content)
    return path


def _text(content: bytes) -> str:
    from studio.errors import Place, RecipeError

    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"byte {error.start} is not UTF-8 text.", "Save it as UTF-8.", place=Place("standard input")
        ) from None


def _value(text: str) -> Any:
    """What a value on the command line would mean in a file, curves included."""
    from studio.recipe.document import Document

    return Document(text, "--set").data
