"""The REPORTs that calendar clients send, answered straight from the store.

Sync (RFC 6578), multiget, query and free-busy (RFC 4791 section 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from radicale import pathutils

from bridge.core import availability, expansion
from bridge.errors import QueryRefused
from bridge.radicale_plugin import multistatus, query
from bridge.radicale_plugin.refusal import refuse
from bridge.radicale_plugin.xml_text import characters
from bridge.store import collection, placement

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator

    from radicale.types import WSGIResponse

    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction
    from bridge.store.placement import Stored

_D, _C = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_XML = {"Content-Type": "text/xml; charset=utf-8"}
_MOST_HREFS = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One REPORT on one calendar.

    Attributes:
        root: The request.
        base_prefix: Where we are mounted.
        path: Of the calendar, with a slash at its end.
        calendar: The calendar.
        record: Its collection, as the transaction of the request sees it.
        href: Of the one object that is asked about, or empty for all.
    """

    root: ET.Element
    base_prefix: str
    path: str
    calendar: HomeCalendar
    record: Collection
    href: str = ""

    def answers(self) -> multistatus.ObjectAnswers:
        """Writes answers with the properties that are asked for."""
        asked = self.root.find(f"{_D}prop")
        if asked is not None:
            return multistatus.ObjectAnswers(self.base_prefix, self.path, [each.tag for each in asked])
        everything = self.root.find(f"{_D}allprop") is not None
        names = [multistatus.GETETAG, multistatus.GETCONTENTTYPE] if everything else []
        return multistatus.ObjectAnswers(self.base_prefix, self.path, names)


def answer(tx: Transaction, asked: Asked, backing: Backing) -> WSGIResponse:
    """The answer to a REPORT.

    Raises:
        QueryRefused: The request cannot be evaluated.
        SyncTokenRefused: The sync token is not one of this calendar's, or too old.
    """
    kind = asked.root.tag
    if kind == f"{_D}sync-collection" and not asked.href:
        return _sync(tx, asked)
    if kind == f"{_C}free-busy-query" and not asked.href:
        return _free_busy(tx, asked, backing)
    if kind == f"{_C}calendar-multiget":
        return _joined(_multiget(tx, asked, _Data(asked, backing)))
    if kind == f"{_C}calendar-query":
        return _joined(_query(tx, asked, backing, _Data(asked, backing)))
    return refuse(HTTPStatus.FORBIDDEN, f"The report {kind[:80]!r} is not known here.", "D:supported-report")


class _Data:
    """The calendar-data of objects: their text as it came, or expanded where the request asks for it."""

    def __init__(self, asked: Asked, backing: Backing) -> None:
        self._calendar = asked.calendar
        self._backing = backing
        self._left = backing.configuration().limits.max_report_occurrences
        expand = asked.root.find(f".//{_C}expand")
        self._range = None if expand is None else query.read_time_range(expand)

    def of(self, stored: Stored) -> str | None:
        """The text, or None where no instance of the object is in the range to be expanded.

        Raises:
            QueryRefused: The answer would hold more instances than the configuration allows.
        """
        if self._range is None:
            return characters(stored.raw)
        parsed = self._backing.parse(stored.raw, self._calendar)
        expanded = expansion.expanded(
            parsed,
            self._range.start,
            self._range.end,
            zone=self._calendar.zone,
            limit=self._backing.configuration().limits.max_instances,
        )
        self._left -= expanded.count
        if self._left < 0:
            raise QueryRefused(
                "The answer would hold more instances than limits.max_report_occurrences allows.",
                remedy="Ask for a shorter time range.",
            )
        return expanded.text if expanded.count else None


def _joined(parts: Iterator[str]) -> WSGIResponse:
    body = "".join([multistatus.HEAD, *parts, multistatus.TAIL])
    return HTTPStatus.MULTI_STATUS, _XML, body.encode(), None


def _sync(tx: Transaction, asked: Asked) -> WSGIResponse:
    token = (asked.root.findtext(f"{_D}sync-token") or "").strip()
    limit_text = asked.root.findtext(f"{_D}limit/{_D}nresults")
    limit = None
    if limit_text is not None:
        if re.fullmatch(r"[0-9]{1,12}", limit_text.strip()) is None or not int(limit_text):
            raise QueryRefused(f"The limit {limit_text[:20]!r} is not a positive number.")
        limit = min(int(limit_text), _MOST_HREFS)
    changes = collection.changes_since(tx, asked.record, token, limit=limit)
    answers = asked.answers()
    parts = [multistatus.HEAD, f"<D:sync-token>{changes.token}</D:sync-token>"]
    if answers.asks_only_for_etags:
        parts += [
            answers.gone(change.href) if change.etag is None else answers.etag_only(change.href, change.etag)
            for change in changes.changes
        ]
    else:
        there = [change.href for change in changes.changes if change.etag is not None]
        found = {stored.href: stored for stored in placement.get_many(tx, asked.record.id, there)}
        for change in changes.changes:
            stored = found.get(change.href)
            parts.append(
                answers.gone(change.href)
                if stored is None
                else answers.found(stored, characters(stored.raw) if answers.needs_text else "")
            )
    if changes.truncated:
        # RFC 6578 section 3.6: the collection itself is answered with 507.
        parts.append(
            f"<D:response><D:href>{multistatus.href(asked.base_prefix, asked.path)}</D:href>"
            "<D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
            "<D:error><D:number-of-matches-within-limits/></D:error></D:response>"
        )
    parts.append(multistatus.TAIL)
    return HTTPStatus.MULTI_STATUS, _XML, "".join(parts).encode(), None


def _multiget(tx: Transaction, asked: Asked, texts: _Data) -> Iterator[str]:
    answers = asked.answers()
    names: dict[str, None] = {}
    for element in asked.root.findall(f"{_D}href"):
        path = _path(element.text or "")
        within = f"{asked.base_prefix}{asked.path}"
        name = path[len(within) :] if path.startswith(within) else ""
        if name and "/" not in name:
            names[name] = None
        else:
            yield (
                f"<D:response><D:href>{multistatus.href('', path)}</D:href>"
                "<D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
            )
    if len(names) > _MOST_HREFS:
        raise QueryRefused(f"One multiget may ask for {_MOST_HREFS} objects at most.", remedy="Ask in parts.")
    found = {stored.href: stored for stored in placement.get_many(tx, asked.record.id, names)}
    for name in names:
        stored = found.get(name)
        yield answers.gone(name) if stored is None else _found(answers, stored, texts)


def _path(address: str) -> str:
    try:
        return pathutils.sanitize_path(unquote(urlsplit(address.strip()).path))
    except ValueError:
        return ""


def _query(tx: Transaction, asked: Asked, backing: Backing, texts: _Data) -> Iterator[str]:
    answers = asked.answers()
    criteria = [query.read_filter(element) for element in asked.root.findall(f"{_C}filter")]
    for stored in query.matching(tx, asked.record.id, criteria, backing, asked.calendar):
        if asked.href in {"", stored.href}:
            yield _found(answers, stored, texts)


def _found(answers: multistatus.ObjectAnswers, stored: Stored, texts: _Data) -> str:
    if not answers.needs_text:
        return answers.found(stored)
    text = texts.of(stored)
    return "" if text is None else answers.found(stored, text)


def _free_busy(tx: Transaction, asked: Asked, backing: Backing) -> WSGIResponse:
    bounds = query.read_time_range(asked.root.find(f"{_C}time-range"))
    if bounds is None:
        return refuse(HTTPStatus.BAD_REQUEST, "A free-busy query needs a time range.", "C:valid-filter")
    limits = backing.configuration().limits
    periods = availability.busy(
        (
            backing.parse(stored.raw, asked.calendar)
            for stored in placement.touching(tx, asked.record.id, bounds.start, bounds.end)
        ),
        bounds.start,
        bounds.end,
        zone=asked.calendar.zone,
        limit=limits.max_instances,
    )
    body = availability.vfreebusy(periods, bounds.start, bounds.end, now=tx.now, uid=str(asked.record.id))
    return HTTPStatus.OK, {"Content-Type": "text/calendar; charset=utf-8"}, body, None
