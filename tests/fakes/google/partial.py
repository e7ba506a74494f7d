"""The part of an answer that the parameter `fields` selects, such as `items(id,start/dateTime),nextPageToken`."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.google.refusal import Refused

_TOKEN = re.compile(r"[\w*]+|[(),/]")


def selected(answer: dict[str, Any], fields: str) -> dict[str, Any]:
    """The answer with nothing but what is selected.

    Raises:
        Refused: The selector is not one.
    """
    tokens = _TOKEN.findall(fields)
    if "".join(tokens) != fields.replace(" ", ""):
        raise Refused("invalidParameter", f"Invalid field selection {fields}", "fields")
    tree = _several(tokens)
    if tokens:
        raise Refused("invalidParameter", f"Invalid field selection {fields}", "fields")
    cut = _cut(answer, tree)
    return cut if isinstance(cut, dict) else {}


def _several(tokens: list[str]) -> dict[str, Any]:
    """Selectors with commas between them, up to a closing bracket."""
    tree: dict[str, Any] = {}
    while tokens and tokens[0] != ")":
        name = tokens.pop(0)
        if tokens and tokens[0] == "/":
            tokens.pop(0)
            tree.setdefault(name, {}).update(_one(tokens))
        elif tokens and tokens[0] == "(":
            tokens.pop(0)
            tree.setdefault(name, {}).update(_several(tokens))
            if not tokens:
                raise Refused("invalidParameter", "Invalid field selection", "fields")
            tokens.pop(0)
        else:
            tree[name] = {}
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    return tree


def _one(tokens: list[str]) -> dict[str, Any]:
    """What follows a slash."""
    if not tokens:
        raise Refused("invalidParameter", "Invalid field selection", "fields")
    name = tokens.pop(0)
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        return {name: _one(tokens)}
    if tokens and tokens[0] == "(":
        tokens.pop(0)
        inner = _several(tokens)
        if not tokens:
            raise Refused("invalidParameter", "Invalid field selection", "fields")
        tokens.pop(0)
        return {name: inner}
    return {name: {}}


def _cut(value: Any, tree: dict[str, Any]) -> Any:
    if not tree or "*" in tree:
        return value
    if isinstance(value, list):
        return [_cut(each, tree) for each in value]
    if isinstance(value, dict):
        return {name: _cut(each, tree[name]) for name, each in value.items() if name in tree}
    return value
