"""What a connection and a rule have to say, and may not say, depends on the type of the upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config.connections import SETTINGS_OF, Connection, ConnectionType
from bridge.config.problems import MISSING, Problem
from bridge.config.remote_urls import is_mail
from bridge.core.decision import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.config.tree import Node

_CALENDAR = {
    ConnectionType.CALDAV: "the name or id of a calendar, as `calbridge calendars {}` lists them",
    ConnectionType.GOOGLE: "primary, or the name or id of a calendar, as `calbridge calendars {}` lists them",
}
"""How a rule names the remote calendar, for the types that reach several."""


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
        if kind in _CALENDAR and connection is not None and "calendar" not in entries:
            allowed = _CALENDAR[kind].format(connection.value)
            yield Problem(tree.at(("rules", name)).line, ("rules", name, "calendar"), MISSING, allowed)
        if kind is ConnectionType.ICS:
            yield from _read_only_faults(name, entries)


def _connection_faults(tree: Node, name: str, kind: ConnectionType) -> Iterator[Problem]:
    place = ("connections", name)
    entries = _given(tree, *place)
    line = tree.at(place).line
    settings = [each for each in Connection.model_fields if kind in SETTINGS_OF.get(each, (kind,))]
    for setting in entries:
        if setting in SETTINGS_OF and setting not in settings:
            found = f"a setting that type {kind} does not have"
            yield Problem(entries[setting].line, (*place, setting), found, ", ".join(settings))
    if kind is ConnectionType.GOOGLE:
        yield from _google_faults(place, entries, line)
        return
    if "url" not in entries and "url_file" not in entries:
        yield Problem(line, (*place, "url"), MISSING, str(Connection.model_fields["url"].description))
    url = entries.get("url")
    has_user = "user" in entries or (url is not None and isinstance(url.value, str) and is_mail(url.value))
    has_password = "password" in entries or "password_file" in entries
    if not has_user and (kind is ConnectionType.CALDAV or has_password):
        allowed = "the name that the other server knows us by"
        yield Problem(line, (*place, "user"), MISSING, allowed)


def _google_faults(place: tuple[str, ...], entries: Mapping[str, Node], line: int) -> Iterator[Problem]:
    if "service_account_file" not in entries:
        if "client_file" not in entries:
            allowed = "the file of an OAuth client from Google's console; or service_account_file and subject"
            yield Problem(line, (*place, "client_file"), MISSING, allowed)
        if "subject" in entries:
            allowed = "no `subject` beside client_file: the account is the one whose owner consents"
            yield Problem(entries["subject"].line, (*place, "subject"), entries["subject"].found(), allowed)
        return
    if "client_file" in entries:
        found = "client_file as well"
        yield Problem(entries["service_account_file"].line, (*place, "service_account_file"), found, "one of the two")
    if "subject" not in entries:
        yield Problem(line, (*place, "subject"), MISSING, str(Connection.model_fields["subject"].description))


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
