"""How every verb speaks: tables for people, JSON for programs, and errors that say what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

# Wider than any row; a narrow terminal wraps a line by itself, and copies it whole.
TABLE_WIDTH = 300


class CliError(click.ClickException):
    """A failure that a person can put right; `hint` says how. Exit code 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def json_option(function: F) -> F:
    """Add `--json`, given to the function as `as_json`."""
    text = "Print JSON on stdout, for programs; progress stays on stderr."
    return click.option("--json", "as_json", is_flag=True, help=text)(function)


def emit_json(value: Any) -> None:
    """Print one JSON value on a line of its own, at once: a reader may be waiting for it."""
    print(json.dumps(value, default=str), flush=True)


def say(text: str = "") -> None:
    """Print a line about progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def fail(message: str, hint: str, *, as_json: bool) -> None:
    """Print a failure: to people on stderr, to programs as JSON on stdout."""
    if as_json:
        emit_json({"ok": False, "error": message, "hint": hint})
        return
    say(f"parley: {message}")
    if hint:
        say(f"        {hint}")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], colour: Callable[[str], str] | None = None
) -> None:
    """Print rows under their columns; `colour` gives a cell's style ("green", ""), plain where there is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=colour(cell) if colour else "") for cell in row))
    # As wide as it needs to be: a token that is broken over two lines cannot be copied, nor found by grep.
    Console(width=TABLE_WIDTH).print(table)


HEALTH_COLOURS = {
    "passing": "green",
    "ok": "green",
    "warning": "yellow",
    "critical": "red",
    "missing": "red",
    "problem": "red",
    "maintenance": "yellow",
}


def health_colour(cell: str) -> str:
    """Return the style of a cell that says how something is."""
    return HEALTH_COLOURS.get(cell, "")
