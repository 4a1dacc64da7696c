"""Tables on the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from studio.interchange.timeline import Loss


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table that fits the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # A script or a file has no edge to fit: nothing is cut or folded.
        console = Console(highlight=False, width=1_000)
    shown = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(_plain(cell) for cell in row))
    console.print(shown)


def losses(found: Iterable[Loss], most: int = 60) -> None:
    """What a session or a recipe could not carry."""
    rows = [(loss.where, loss.what, loss.why) for loss in found]
    if rows:
        table(("where", "not carried", "why"), rows[:most])
    if len(rows) > most:
        click.echo(f"… and {len(rows) - most} more.")


def _plain(cell: str) -> Any:
    """User text is shown as it is, not as markup."""
    from rich.text import Text

    return Text(cell)


def finite(value: float) -> float | None:
    """A level for scripts, with two digits; None for silence, which JSON has no number for."""
    return round(value, 2) if abs(value) < 1e6 else None


def as_json(value: Any) -> None:
    """Print JSON for scripts."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
