"""Upstreams tell here that something changed: a notification is at most a nudge, whatever it says.

One that does not prove by its token that it is of one of our watches costs no look into the database; one that tells
what is known already costs no write.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from bridge.errors import StoreError
from bridge.store import rule as rules
from bridge.store import watch as watches
from bridge.store.names import can_be_kept
from bridge.web.metrics import NOTIFICATIONS

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from bridge.core.channels import Channels
    from bridge.store.database import Database
    from bridge.store.watch import Listener

_APART = timedelta(seconds=2)
_LARGEST_BODY = 64 * 1024
_LONGEST_NUMBER = 18
_GREETING = "sync"


class Outcome(StrEnum):
    """What became of a notification.

    Attributes:
        NUDGED: A pass was asked for.
        REPEATED: A pass is asked for already.
        GREETED: It said that the watch is open.
        UNWANTED: The watch is to be closed, or its rule is paused or left over.
        UNKNOWN: There is no such watch any more, or it watches something else.
        FORGED: It does not prove that it is of one of our watches.
    """

    NUDGED = "nudged"
    REPEATED = "repeated"
    GREETED = "greeted"
    UNWANTED = "unwanted"
    UNKNOWN = "unknown"
    FORGED = "forged"


_ANSWERS = {Outcome.UNKNOWN: HTTPStatus.NOT_FOUND, Outcome.FORGED: HTTPStatus.NOT_FOUND}


def hooks(database: Database, *, channels: Channels) -> Blueprint:
    """The addresses that upstreams send notifications to.

    Args:
        database: The store; a worker that looks into the same one does the pass.
        channels: Proves what is of our watches.
    """
    blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")

    @blueprint.post("/google")
    def google() -> Response:
        # https://developers.google.com/workspace/calendar/api/guides/push: everything stands in the headers.
        if (request.content_length or 0) > _LARGEST_BODY:
            return Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            outcome = _take(database, channels, request.headers)
        except StoreError:
            # It is sent again (by Google after 500, 502, 503 and 504); and the next poll finds what it was about.
            return Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
        NOTIFICATIONS.labels(outcome).inc()
        return Response(status=_ANSWERS.get(outcome, HTTPStatus.NO_CONTENT))

    return blueprint


def _take(database: Database, channels: Channels, said: Headers) -> Outcome:
    """Has a pass begin where a notification of one of our watches tells something new."""
    channel = said.get("X-Goog-Channel-ID", "")
    resource = said.get("X-Goog-Resource-ID", "")
    if not channels.proves(channel, said.get("X-Goog-Channel-Token", "")) or not can_be_kept(resource):
        return Outcome.FORGED
    with database.reading() as tx:
        listener = watches.listener(tx, channel)
        now = tx.now
    if listener is None or listener.watch.resource not in {None, resource}:
        return Outcome.UNKNOWN
    nudge_at = _nudge_at(listener, now)
    outcome = _weigh(listener, said.get("X-Goog-Resource-State", ""), nudge_at)
    is_news = listener.watch.resource is None
    if outcome is not Outcome.NUDGED and not is_news and not _is_first_greeting(listener, outcome):
        return outcome
    with database.writing() as tx:
        if outcome is Outcome.NUDGED and listener.watch.rule_id is not None:
            rules.make_due(tx, listener.watch.rule_id, nudge_at)
        if is_news:
            # The answer to its opening is still on its way, or was lost: so it is open after all.
            ends = _instant(said.get("X-Goog-Channel-Expiration", "")) or listener.watch.expires_at
            watches.note_open(tx, channel, resource=resource, expires_at=ends)
        watches.note_heard(tx, channel, number=_number(said.get("X-Goog-Message-Number", "")))
    return outcome


def _nudge_at(listener: Listener, now: datetime) -> datetime:
    """When the pass is to begin: at once, unless the last one has only just begun."""
    last = listener.last_started_at
    return now if last is None else max(now, min(last, now) + _APART)


def _weigh(listener: Listener, state: str, nudge_at: datetime) -> Outcome:
    if not listener.watch.wanted or not listener.runs:
        return Outcome.UNWANTED
    if state == _GREETING:
        return Outcome.GREETED
    if listener.wanted_at is not None and listener.wanted_at <= nudge_at:
        return Outcome.REPEATED
    return Outcome.NUDGED


def _is_first_greeting(listener: Listener, outcome: Outcome) -> bool:
    return outcome is Outcome.GREETED and listener.watch.heard_at is None


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else None


def _instant(text: str) -> datetime | None:
    """An instant as HTTP writes it (RFC 9110 section 5.6.7), or None where it is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
