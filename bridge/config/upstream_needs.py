"""What a connection and a rule have to say, and may not say, depends on the type of the upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config.connections import Connection, ConnectionType
from bridge.config.problems import MISSING, Problem
from bridge.config.remote_urls import is_mail
from bridge.config.rules import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.config.tree import Node

_OF_ONE_TYPE = {"url_file": ConnectionType.ICS, "allow_private": ConnectionType.ICS}
"""Settings of a connection that mean something for one type alone."""


def faults_by_type(tree: Node) -> Iterator[Problem]:
    """What is missing, or out of place, in a connection or a rule of its type."""
    kinds = {name: _kind(_given(tree, "connections", name)) for name in tree.mapping("connections")}
    for name, kind in kinds.items():
        if kind is not None:
            yield from _connection_faults(tree, name, kind)
    for name in tree.mapping("rules"):
        entries = _given(tree, "rules", name)
        connection = entries.get("connection")
        kind = kinds.get(str(connection.value)) if connection else None
        if kind is ConnectionType.CALDAV and "calendar" not in entries:
            allowed = f"the name or id of a calendar, as `calbridge calendars {connection.value}` lists them"  # type: ignore[union-attr]  # its kind is known
            yield Problem(tree.at(("rules", name)).line, ("rules", name, "calendar"), MISSING, allowed)
        if kind is ConnectionType.ICS:
            yield from _read_only_faults(name, entries)


def _connection_faults(tree: Node, name: str, kind: ConnectionType) -> Iterator[Problem]:
    place = ("connections", name)
    entries = _given(tree, *place)
    settings = [each for each in Connection.model_fields if _OF_ONE_TYPE.get(each, kind) is kind]
    for setting in entries.keys() - settings:
        if setting in _OF_ONE_TYPE:
            found = f"a setting that type {kind} does not have"
            yield Problem(entries[setting].line, (*place, setting), found, ", ".join(settings))
    url = entries.get("url")
    has_user = "user" in entries or (url is not None and isinstance(url.value, str) and is_mail(url.value))
    has_password = "password" in entries or "password_file" in entries
    if not has_user and (kind is ConnectionType.CALDAV or has_password):
        allowed = "the name that the other server knows us by"
        yield Problem(tree.at(place).line, (*place, "user"), MISSING, allowed)


def _read_only_faults(name: str, entries: Mapping[str, Node]) -> Iterator[Problem]:
    calendar, direction = entries.get("calendar"), entries.get("direction")
    if calendar is not None:
        allowed = "no `calendar` for a connection of type ics, as its address is one calendar"
        yield Problem(calendar.line, ("rules", name, "calendar"), calendar.found(), allowed)
    if direction is not None and direction.value in (Direction.BOTH, Direction.PUSH):
        allowed = "pull, as a connection of type ics can be read, but nothing can be written there"
        yield Problem(direction.line, ("rules", name, "direction"), direction.found(), allowed)


def _given(tree: Node, *place: str) -> Mapping[str, Node]:
    return {key: node for key, node in tree.mapping(*place).items() if node.value is not None}


def _kind(entries: Mapping[str, Node]) -> ConnectionType | None:
    node = entries.get("type")
    words = [each.value for each in ConnectionType]
    return ConnectionType(str(node.value)) if node is not None and node.value in words else None
