"""Who is busy when: appointments merged into periods, and written as VFREEBUSY (RFC 5545 section 3.6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.core.fold import escaped, folded
from bridge.core.recurrence import Instance, expand
from bridge.errors import TooManyInstances

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.core.model import CalendarObject


class BusyKind(StrEnum):
    """How busy someone is (FBTYPE, RFC 5545 section 3.2.9), the strongest first."""

    UNAVAILABLE = "BUSY-UNAVAILABLE"
    BUSY = "BUSY"
    TENTATIVE = "BUSY-TENTATIVE"


@dataclass(frozen=True, slots=True, order=True)
class BusyPeriod:
    """A stretch of time in which someone is busy.

    Attributes:
        start: The instant (UTC) at which it begins.
        end: The instant (UTC) at which it ends, exclusive and later than `start`.
        kind: How busy.

    Raises:
        ValueError: If a bound is naive, or the period has no length.
    """

    start: datetime
    end: datetime
    kind: BusyKind

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.end <= self.start:
            raise ValueError("a busy period lies between two instants")


def busy(
    objects: Iterable[CalendarObject], start: datetime, end: datetime, *, zone: tzinfo, limit: int
) -> tuple[BusyPeriod, ...]:
    """When appointments block a range: merged for each kind, cut to the range, in the order of time.

    Transparent and cancelled appointments, to-dos and journal entries do not block. An appointment with more instances
    than `limit` blocks for its whole span: rather too busy than booked twice.

    Args:
        objects: The appointments.
        start: The instant at which the range begins.
        end: The instant at which it ends, exclusive.
        zone: The account's zone.
        limit: The most instances of one appointment.
    """
    found: dict[BusyKind, list[tuple[datetime, datetime]]] = {}
    for obj in objects:
        for kind, first, last in _blocks(obj, start, end, zone, limit):
            found.setdefault(kind, []).append((max(first, start), min(last, end)))
    return tuple(
        sorted(BusyPeriod(first, last, kind) for kind, periods in found.items() for first, last in _merged(periods))
    )


def _blocks(
    obj: CalendarObject, start: datetime, end: datetime, zone: tzinfo, limit: int
) -> Iterator[tuple[BusyKind, datetime, datetime]]:
    if obj.component != "VEVENT":
        return
    try:
        instances = expand(obj, start, end, zone=zone, limit=limit)
    except TooManyInstances:
        yield BusyKind.BUSY, obj.span.first, obj.span.last
        return
    for instance in instances:
        kind = busy_kind(instance)
        if kind is not None and instance.first < instance.last:
            yield kind, instance.first, instance.last


def busy_kind(instance: Instance) -> BusyKind | None:
    """How an instance blocks, or `None` where it does not: it is transparent, cancelled or marked free."""
    component = instance.component
    status = str(component.get("STATUS", "")).upper()
    outlook = str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    if str(component.get("TRANSP", "")).upper() == "TRANSPARENT" or status == "CANCELLED":
        return None
    if outlook == "OOF":
        return BusyKind.UNAVAILABLE
    return BusyKind.TENTATIVE if status == "TENTATIVE" or outlook == "TENTATIVE" else BusyKind.BUSY


def _merged(periods: list[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Yields periods that neither overlap nor touch."""
    (first, last), *others = sorted(periods)
    for begin, finish in others:
        if begin <= last:
            last = max(last, finish)
        else:
            yield first, last
            first, last = begin, finish
    yield first, last


def vfreebusy(
    periods: Iterable[BusyPeriod],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    uid: str,
    organizer: str = "",
    prodid: str = "-//Calbridge//NONSGML Calbridge//EN",
) -> bytes:
    """A published VFREEBUSY stream (RFC 5545 section 3.6.4, RFC 5546 section 3.3.1).

    Args:
        periods: What `busy` answers.
        start: The instant at which the range begins.
        end: The instant at which it ends.
        now: What DTSTAMP says.
        uid: The UID of the component, the same for the same calendar.
        organizer: The mail address of the owner, or nothing.
        prodid: What PRODID says.

    Returns:
        Folded lines that end in CRLF.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{escaped(prodid)}",
        "METHOD:PUBLISH",
        "BEGIN:VFREEBUSY",
        f"UID:{escaped(uid)}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(start)}",
        f"DTEND:{_utc(end)}",
    ]
    if organizer:
        lines.append(f"ORGANIZER:mailto:{organizer.removeprefix('mailto:')}")
    lines += [f"FREEBUSY;FBTYPE={period.kind}:{_utc(period.start)}/{_utc(period.end)}" for period in periods]
    lines += ["END:VFREEBUSY", "END:VCALENDAR"]
    return b"".join(folded(line) for line in lines)


def _utc(when: datetime) -> str:
    instant = when.astimezone(UTC)
    # strftime does not pad the years before 1000 on every platform.
    return f"{instant.year:04}{instant:%m%dT%H%M%SZ}"
