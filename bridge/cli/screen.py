"""What commands show: aligned tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

_WIDE = 100_000
_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def say(text: str = "") -> None:
    """Writes a line, at once."""
    click.echo(text)
    sys.stdout.flush()


def document(value: object) -> None:
    """Writes `value` as one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes an aligned table; in a pipe without lines and never folded, so that a script can read it."""
    is_terminal = sys.stdout.isatty()
    shown = Table(
        box=box.SIMPLE_HEAD if is_terminal else None,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        padding=(0, 2, 0, 0),
        show_header=any(columns),
    )
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=not is_terminal)
    for row in rows:
        # What people wrote is shown as it stands, never read as markup.
        shown.add_row(*(Text(cell) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=None if is_terminal else _WIDE)
    with console.capture() as capture:
        console.print(shown)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on a terminal how far long work has come; elsewhere nothing.

    Args:
        what: What is being done, in a few words.

    Yields:
        To be called with how much is done, and of how much.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    what_is_told = TextColumn("{task.description}")
    columns = (SpinnerColumn(), what_is_told, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, of: shown.update(task, completed=done, total=of)


def plural(count: int, noun: str) -> str:
    """A count with its noun: `1 feed`, `2 feeds`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def when(moment: datetime, zone: tzinfo) -> str:
    """An instant as people in `zone` write it."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def how_long(length: timedelta) -> str:
    """A length of time in one unit: `3 hours`, `less than a minute`."""
    for unit, name in _UNITS:
        count = int(length / unit)
        if count:
            return plural(count, name)
    return "less than a minute"


def how_often(interval: timedelta) -> str:
    """How often something happens that happens after each `interval`: `about every 3 hours`."""
    for unit, name in _UNITS:
        count = round(interval / unit)
        if count:
            return f"about every {name}" if count == 1 else f"about every {count} {name}s"
    return "more than once a minute"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
