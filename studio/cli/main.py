"""The group of commands, and how errors reach a person or a script."""

from __future__ import annotations

import errno
import logging
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from studio.budgets import raise_open_files
from studio.cli.show import as_json, say
from studio.cli.stopping import STOPPING
from studio.errors import Interrupted, Problems, StudioError, shown
from studio.folders import misspelt_variables
from studio.processes import forget_working_folder
from studio.visible import visible

FAILED, BROKEN = 1, 70
_NO_NAMES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)
"""What systems answer to names of files that cannot be; whoever looks for one of them is told so."""

_AS_SCRIPT = "studio.as_script"
"""Whether somebody wants JSON, errors included; kept with the command's context."""


class Studio(click.Group):
    """Commands whose errors are printed without a traceback, with `--json` as JSON."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Words that begin with a dash and a blank are YAML, or a strip of standard input, and no option."""
        context.meta[_AS_SCRIPT] = "--json" in args
        plain = ("- ", "-\n", "-:", "-#")
        return super().parse_args(context, [f"\n{word}" if word[:2] in plain else word for word in args])

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Words that click refuses can be names of files, and those anything."""
        try:
            return super().make_context(*args, **options)
        except click.ClickException as error:
            raise _gated(error) from None

    def invoke(self, context: click.Context) -> Any:
        """Run a command; every error becomes words and an exit code."""
        if os.environ.get("NO_COLOR"):
            context.color = False
        try:
            return super().invoke(context)
        except Interrupted as error:
            fail(error, STOPPING.code)
        except KeyboardInterrupt:
            fail(Interrupted("the command was stopped."), STOPPING.code)
        except MemoryError as error:
            fail(_no_memory(error), FAILED)
        except StudioError as error:
            fail(error, FAILED)
        except BrokenPipeError:
            # Whoever read our output has seen enough.
            sys.stderr.close()
            sys.exit(0)
        except click.ClickException as error:
            raise _gated(error) from None
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _NO_NAMES:
                fail(StudioError(f"{error.strerror}: {shown(error.filename)}.", "Give another name."), FAILED)
            if context.params.get("verbose"):
                raise
            fail(
                StudioError(
                    f"a mistake in the studio itself ({type(error).__name__}: {error}).",
                    "Please report it, with what `studio -v …` prints.",
                ),
                BROKEN,
            )

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        """A mistyped command is answered with the nearest one."""
        from studio.errors import nearest

        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(context, name) is None:
            raise click.UsageError(f"There is no command {name!r}. {nearest(name, self.list_commands(context))}")
        return super().resolve_command(context, args)


def _no_memory(error: MemoryError) -> StudioError:
    wanted = f" ({error})" if str(error) else ""
    return StudioError(
        f"there is not enough memory for this{wanted}.", "Close other programs, or make less at once: --jobs 1."
    )


def _gated(error: click.ClickException) -> click.ClickException:
    """The same refusal, with what it quotes made visible."""
    setattr(error, "message", visible(error.message))  # noqa: B010
    return error


def fail(error: StudioError, code: int) -> None:
    """Print an error and end the program."""
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(_AS_SCRIPT):
        as_json({"errors": [_plain(single) for single in _singles(error)]}, indent=None)
    else:
        for single in _singles(error):
            first, *rest = str(single).split("\n")
            say(first, err=True, head="error: ", fg="red", bold=True)
            for line in rest:
                say(line, err=True)
    sys.exit(code)


def _singles(error: StudioError) -> tuple[StudioError, ...]:
    return error.errors if isinstance(error, Problems) else (error,)


def _plain(error: StudioError) -> dict[str, Any]:
    place = error.place
    return {
        "kind": type(error).__name__,
        "cause": error.cause,
        "mend": error.mend,
        "path": list(error.path),
        "file": place.file if place else None,
        "line": place.line or None if place else None,
        "column": place.column or None if place else None,
    }


class _Echo(logging.Handler):
    """Warnings of the studio, one line each, on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        colour = "yellow" if record.levelno >= logging.WARNING else "bright_black"
        message = record.getMessage()
        if record.name == "py.warnings":
            message = message.split("\n")[0]
        say(message, err=True, head=f"{record.levelname.lower()}: ", fg=colour)


@click.group(cls=Studio, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mirepoix", prog_name="studio")
@click.option("-v", "--verbose", is_flag=True, help="Tell more of what happens.")
def main(verbose: bool) -> None:
    """A scripting studio: a recipe in, everything out.

    Start with `studio new song.yaml --from song.mid`, then `studio render song.yaml -o out/`.
    """
    forget_working_folder()
    raise_open_files()
    click.get_current_context().call_on_close(STOPPING.listen())
    root = logging.getLogger("studio")
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    root.addHandler(_Echo())
    for name, meant in misspelt_variables().items():
        logging.getLogger("studio").warning(
            "the environment says %s, which nothing reads. Did you mean %s?", name, meant
        )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(_Echo())
    if not verbose:
        warnings.filterwarnings("ignore", category=DeprecationWarning)


COMMANDS = (
    "new",
    "check",
    "render",
    "apply",
    "play",
    "live",
    "export",
    "merge",
    "player",
    "sound",
    "events",
    "transfer",
    "train",
    "steps",
    "preset",
    "plugins",
    "trust",
    "verify",
    "doctor",
)
"""One file each, in this room."""

for _name in COMMANDS:
    main.add_command(import_module(f"studio.cli.{_name}").command)
