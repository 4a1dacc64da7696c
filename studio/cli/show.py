"""Tables on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from studio.visible import visible, visible_json

if TYPE_CHECKING:
    from studio.interchange.timeline import Loss


def say(text: object = "", *, err: bool = False, head: str = "", **style: Any) -> None:
    """Print a line: whatever strangers put into it is visible and stays on it.

    Args:
        err: to standard error.
        head: stands before it in the `style`, which else is that of the whole line.
        style: as `click.style` takes it.
    """
    shown, before = visible(str(text)), visible(head)
    click.echo(click.style(before, **style) + shown if head else click.style(shown, **style), err=err)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print a text of several lines."""
    for line in text.split("\n"):
        say(line.replace("\t", "    "), err=err)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table that fits the terminal; cells are text, not markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # A script or a file has no edge to fit: nothing is cut or folded.
        console = Console(highlight=False, width=1_000)
    shown = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(Text(visible(column)), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(visible(cell)) for cell in row))
    console.print(shown)


def losses(found: Iterable[Loss], most: int = 60) -> None:
    """What a session or a recipe could not carry."""
    rows = [(loss.where, loss.what, loss.why) for loss in found]
    if rows:
        table(("where", "not carried", "why"), rows[:most])
    if len(rows) > most:
        say(f"… and {len(rows) - most} more.")


def finite(value: float) -> float | None:
    """A level for scripts, with two digits; None for silence, which JSON has no number for."""
    return round(value, 2) if abs(value) < 1e6 else None


def as_json(value: Any, indent: int | None = 2) -> None:
    """Print JSON for scripts."""
    click.echo(visible_json(value, indent))
