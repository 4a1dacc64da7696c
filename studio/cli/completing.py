"""What a shell completes: presets, files, steps, knobs by their addresses, formats and methods.

Loaded with every command, so that it imports the studio only when a shell asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

if TYPE_CHECKING:
    from click import Context, Parameter

    from studio.recipe import Recipe

PLUGINS = ("vst3", "lv2", "clap", "sfz", "source")
"""What a chain or an instrument can be exported as."""

BASH = """\
%(complete_func)s() {
    local IFS=$'\\n'
    local response completion type value

    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)

    for completion in $response; do
        IFS=',' read type value <<< "$completion"
        case $type in
            file) COMPREPLY+=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); compopt -o filenames ;;
            dir) COMPREPLY+=($(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")); compopt -o filenames ;;
            plain) COMPREPLY+=("$value"); [[ $value == *= ]] && compopt -o nospace ;;
        esac
    done

    return 0
}

%(complete_func)s_setup() {
    complete -o nosort -F %(complete_func)s %(prog_name)s
}

%(complete_func)s_setup;
"""


class _Bash(BashComplete):
    """Click's own forgets either words or files where both can stand, and offers no files where nothing else fits."""

    source_template = BASH


if "_STUDIO_COMPLETE" in os.environ:
    add_completion_class(_Bash, "bash")


def recipes(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Presets that are recipes, and files."""
    return [*_presets("recipe", incomplete), CompletionItem(incomplete, type="file")]


def chains(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Presets that are chains, steps that need nothing, and files."""
    from studio.steps import registry

    steps = (
        (name, step.help().split("\n")[0])
        for name, step in sorted(registry().items())
        if step.fits("effect", "transform") and not any(kind.required for kind in step.kinds().values())
    )
    return [
        *_presets("chain", incomplete),
        *_words(steps, incomplete),
        CompletionItem(incomplete, type="file"),
    ]


def chains_and_recipes(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Presets of both kinds, and files."""
    return [*_presets(None, incomplete), CompletionItem(incomplete, type="file")]


def presets(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Presets of both kinds."""
    return list(_presets(None, incomplete))


def sounds(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Files."""
    return [CompletionItem(incomplete, type="file")]


def steps(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Steps, with what they do."""
    from studio.steps import registry

    named = ((name, step.help().split("\n")[0]) for name, step in sorted(registry().items()))
    return list(_words(named, incomplete))


def turns(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Addresses of the knobs of the recipe that is named on the line."""
    from studio.address import addresses

    song = _song(context) if "=" not in incomplete else None
    if song is None:
        return []
    return list(_words(((f"{address}=", kind.describe()) for address, kind in addresses(song)), incomplete))


def _song(context: Context) -> Recipe | None:
    """The recipe that is named on the line, if it can be read."""
    from studio.cli.opening import STDIN, recipe_of
    from studio.errors import StudioError

    # While an option still waits for its value, the words before it are not yet given out.
    name = context.params.get("recipe") or next(iter(context.args), None)
    if not name or name == STDIN:
        return None
    try:
        with ExitStack() as stack:
            return recipe_of(str(name), stack)
    except (StudioError, OSError):
        return None


def sections(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Sections of the recipe that is named on the line."""
    song = _song(context)
    known = getattr(song, "sections", {})
    return list(_words(((name, "") for name in (known if not isinstance(known, str) else ())), incomplete))


def knobs(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Tracks, buses and the master of the recipe that is named on the line, and their steps."""
    found = [item.value.rpartition(".")[0] for item in turns(context, parameter, "")]
    return list(_words(((name, "") for name in dict.fromkeys(filter(None, found))), incomplete))


def methods(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Methods of transfer."""
    from studio.steps import find_step

    kind = find_step("transfer").kinds()["method"]
    return list(_words(((name, "") for name in getattr(kind, "options", ())), incomplete))


def formats(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Everything a chain or a song can be exported as."""
    from studio.sessions.exporting import FORMS

    return list(_words(((name, "") for name in (*PLUGINS, *FORMS)), incomplete))


def _presets(kind: str | None, incomplete: str) -> Iterator[CompletionItem]:
    from studio.recipe.presets import presets as listed

    yield from _words(((each.name, each.kind) for each in listed() if kind in (None, each.kind)), incomplete)


def _words(named: Iterable[tuple[str, str]], incomplete: str) -> Iterator[CompletionItem]:
    for name, about in named:
        if name.startswith(incomplete):
            yield CompletionItem(name, help=about or None)
