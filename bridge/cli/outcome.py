"""How a command ends: its exit code, and a sentence with a remedy on stderr where it failed."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import TYPE_CHECKING

import click

from bridge.errors import CalbridgeError, ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON_KEY = "calbridge.json"
"""Under this key of `click.Context.meta` stands whether the answer is to be JSON."""

EPILOG = """\b
Exit codes:
  0  done
  1  not done, for the reason that is said
  2  wrong usage
  3  the configuration is refused
  4  the database is out of reach, locked, full, or of a newer version
  5  done in part, or something needs a person (refused items, findings, rules in trouble)
  130  interrupted
"""


class Exit(IntEnum):
    """What the exit code of a command means."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    DATABASE = 4
    PART = 5
    INTERRUPTED = 130


def code_of(error: CalbridgeError) -> Exit:
    """The exit code for an error that ended a command."""
    if isinstance(error, ConfigurationError):
        return Exit.CONFIGURATION
    if isinstance(error, StoreError):
        return Exit.DATABASE
    return Exit.FAILED


def complain(message: str, *, remedy: str = "", problems: Sequence[str] = ()) -> None:
    """Says on stderr what went wrong and what to do: in words, or as one JSON document where the command has --json."""
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(JSON_KEY):
        document = {"error": message, "remedy": remedy, **({"problems": list(problems)} if problems else {})}
        click.echo(json.dumps(document, ensure_ascii=False), err=True)
        return
    click.echo(message, err=True)
    for problem in problems:
        if problem != message:
            click.echo(f"  {problem}", err=True)
    if remedy:
        click.echo(remedy, err=True)


class Program(click.Group):
    """The top of the commands: turns every error into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command that was named."""
        try:
            return super().invoke(ctx)
        except CalbridgeError as error:
            problems = error.problems if isinstance(error, ConfigurationError) else ()
            complain(error.message, remedy=error.remedy, problems=problems)
            ctx.exit(code_of(error))
        except click.UsageError as error:
            if not ctx.meta.get(JSON_KEY):
                raise
            complain(error.format_message(), remedy="`calbridge --help` shows how it is used.")
            ctx.exit(Exit.USAGE)
        except (KeyboardInterrupt, click.Abort):
            complain("Stopped.")
            ctx.exit(Exit.INTERRUPTED)
