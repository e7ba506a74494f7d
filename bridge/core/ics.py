"""Bytes become calendar objects, kept exactly, and whole streams become one stream per object."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from icalendar.prop import vBroken

from bridge.core import recurrence
from bridge.core.feed_ready import is_feed_ready
from bridge.core.model import CalendarObject, ComponentType
from bridge.core.repairs import read
from bridge.core.series import extent
from bridge.core.split import split, with_uid
from bridge.core.temporal import resolve_zone
from bridge.errors import NotACalendar, WrongComponents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from icalendar.cal import Component

__all__ = ["parse", "split", "with_uid"]

_NAMED_ZONE = re.compile(rb';TZID=(?:"([^"\r\n]*)"|([^";:\r\n]*))')
_DIGITS = 32


def parse(raw: bytes, *, zone: tzinfo, max_instances: int) -> CalendarObject:
    """Reads the bytes of one calendar object resource (RFC 4791 section 4.1) and keeps them exactly.

    Lenient property by property: what is broken stays as it stands. Refused is what no client could use.

    Args:
        raw: The whole stream.
        zone: The account's zone: what dates, floating times and unknown TZIDs mean.
        max_instances: The most instances that a rule may have in a year, or in all where it has COUNT.

    Raises:
        NotACalendar: If it is not UTF-8, no iCalendar, empty, cut off, or several calendars.
        WrongComponents: If it holds no event, to-do or journal entry, several types, several or no UIDs, several
            masters, or a component that nobody could place in time.
        TooManyInstances: If its recurrence set goes beyond the limit.
    """
    reading = read(raw, zone=zone)
    components = recurrence.held_components(reading.calendar)
    if not components and raw.upper().count(b"BEGIN:") == 1:
        raise NotACalendar("The calendar is empty.", remedy="Send at least one appointment.")
    kind = _kind(components)
    uid = _uid(components)
    for component in components:
        _check_time(component, zone)
    masters = [component for component in components if "RECURRENCE-ID" not in component]
    if len(masters) > 1:
        raise WrongComponents(
            f"The appointment {_quoted(uid)} has {len(masters)} masters where one is allowed.",
            remedy="Give each appointment a UID of its own, or each changed instance a RECURRENCE-ID.",
        )
    tzids = _tzids(raw)
    return CalendarObject(
        raw=raw,
        uid=uid,
        component=kind,
        calendar=reading.calendar,
        summary=_summary(masters[0] if masters else components[0]),
        span=recurrence.span(components, zone=zone, max_instances=max_instances),
        recurring=recurrence.recurs(components),
        # A repair may have read a time in the account's zone.
        floats=bool(reading.repairs)
        or any(recurrence.floats(component) for component in components)
        or any(resolve_zone(tzid, reading.calendar) is None for tzid in tzids),
        tzids=tzids,
        feed_ready=not reading.repairs
        and is_feed_ready(raw, reading.text, calendar=reading.calendar, components=components, tzids=tzids),
        etag=sha256(raw).hexdigest()[:_DIGITS],
        repairs=reading.repairs,
    )


def _kind(components: Sequence[Component]) -> ComponentType:
    kinds = {str(component.name) for component in components}
    if not kinds:
        raise WrongComponents("The calendar holds no event, to-do or journal entry.")
    if len(kinds) > 1:
        raise WrongComponents(f"One appointment cannot be {' and '.join(sorted(kinds))} at once.")
    return ComponentType(kinds.pop())


def _uid(components: Sequence[Component]) -> str:
    uids = {str(component.get("UID", "")).strip() for component in components}
    if "" in uids:
        raise WrongComponents(
            "There is an appointment without UID.", remedy="Give it a UID (RFC 5545 section 3.8.4.7)."
        )
    if len(uids) > 1:
        raise WrongComponents(
            f"There are {len(uids)} appointments (UIDs) in one object where one is allowed.",
            remedy="Send each appointment by itself, or import the file.",
        )
    return uids.pop()


def _check_time(component: Component, zone: tzinfo) -> None:
    if component.name == "VEVENT" and extent(component, zone) is None:
        raise WrongComponents(
            f"The appointment {_quoted(str(component.get('UID', '')))} has no DTSTART that can be read.",
            remedy="Give it a start (RFC 5545 section 3.8.2.4).",
        )
    if isinstance(component.get("RECURRENCE-ID"), vBroken):
        raise WrongComponents(
            f"A changed instance of {_quoted(str(component.get('UID', '')))} does not say which one it is."
        )


def _quoted(text: str) -> str:
    return f"'{text[:80]}'"


def _summary(component: Component) -> str:
    return " ".join(str(component.get("SUMMARY", "")).split())


def _tzids(raw: bytes) -> tuple[str, ...]:
    if b";TZID=" not in raw:
        return ()
    flat = raw.replace(b"\r\n ", b"").replace(b"\n ", b"")
    found = {quoted or plain for quoted, plain in _NAMED_ZONE.findall(flat)}
    return tuple(sorted(tzid.decode(errors="replace") for tzid in found))
