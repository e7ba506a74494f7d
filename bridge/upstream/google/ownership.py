"""Which marks a request carries, so that what is ours is known for it, and a copy of it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.upstream.google.mapping import marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.upstream.google.mapping import Body, Event

_SET = "1"
_IDENTITY = (marks.ORIGIN, marks.UID, marks.UNFINISHED)
"""Marks that count only beside the id of the event that carries them."""


def as_ours(body: Body, event_id: str, *, unfinished: bool) -> Body:
    """The body of a creation.

    Args:
        body: Of the master or of a single event.
        event_id: Under which it is created.
        unfinished: Whether further requests follow.
    """
    return _with(body, {marks.ID: event_id, **({marks.UNFINISHED: _SET} if unfinished else {})})


def as_change(body: Body, event: Event, *, unfinished: bool | None = None) -> Body:
    """The body of a change to a master or a single event; empty where nothing changes.

    Marks that came along with a copy would count from now on, so they are taken away before.

    Args:
        body: The fields that change.
        event: As it stands.
        unfinished: Whether further requests follow; None: no others come before or after.
    """
    private: dict[str, str | None] = {}
    if unfinished is not None:
        private[marks.UNFINISHED] = _SET if unfinished else None
    if not any(_is_identity(name) for name in (*_private(body), *private)):
        return body
    if not marks.is_own(event):
        stale = {name: None for name in marks.private(event) if _is_identity(name)}
        private = {**stale, **_private(body), **private, marks.ID: str(event["id"])}
    return _with(body, private)


def as_instance(body: Body) -> Body:
    """The body of a change to an instance of a series that is unfinished: it has that mark from its master."""
    return _with(body, {marks.UNFINISHED: None})


def _with(body: Body, private: Mapping[str, str | None]) -> Body:
    extended = {**(body.get("extendedProperties") or {}), "private": {**_private(body), **private}}
    return {**body, "extendedProperties": extended}


def _private(body: Body) -> Mapping[str, str | None]:
    found: Mapping[str, str | None] = (body.get("extendedProperties") or {}).get("private") or {}
    return found


def _is_identity(name: str) -> bool:
    return name.startswith(_IDENTITY)
