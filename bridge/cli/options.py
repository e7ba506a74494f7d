"""The options that commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.outcome import JSON_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE = "CALBRIDGE_CONFIG"
_PLACES = (Path("bridge.yaml"), Path("/etc/calbridge/bridge.yaml"))


def default_config() -> Path:
    """The configuration file that is meant where none is named: by CALBRIDGE_CONFIG, here, or under /etc."""
    named = os.environ.get(_VARIABLE)
    if named:
        return Path(named)
    return next((place for place in _PLACES if place.exists()), _PLACES[0])


def _note_json(context: click.Context, _parameter: click.Parameter, value: bool) -> bool:  # noqa: FBT001 -- click's form
    context.meta[JSON_KEY] = value
    return value


def with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--config PATH`, which arrives as `config`."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=default_config,
        metavar="PATH",
        help=f"The configuration file [default: {_VARIABLE}, else ./{_PLACES[0]}, else {_PLACES[1]}]",
    )(command)


def with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--json`, which arrives as `as_json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_note_json,
        help="Answer with one JSON document; errors too, on stderr",
    )(command)
