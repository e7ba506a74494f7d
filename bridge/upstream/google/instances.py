"""Which instances of a series have to be written so that it becomes what it is to be; nothing is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.upstream.google.mapping import changed
from bridge.upstream.google.standing import is_cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.upstream.google.mapping import Body, Event, Whole
    from bridge.upstream.google.standing import Standing

_CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Step:
    """One instance that has to be written.

    Attributes:
        key: Its original start as it stands in its id.
        body: The fields to be changed.
        known: The exception that stands there; None: it is as the master says.
    """

    key: str
    body: Body = field(repr=False)
    known: Event | None = field(default=None, repr=False)


def steps(standing: Standing, now: Whole, wanted: Whole) -> Iterator[Step]:
    """What has to be done to the instances of a series whose master is as it is to be.

    Args:
        standing: The series as it stands.
        now: The same, as the mapping says it.
        wanted: As it is to be.
    """
    exceptions = {key_of(each): each for each in standing.exceptions}
    excluded = {False: excluded_keys(now.master), True: excluded_keys(wanted.master)}
    for key in sorted({*exceptions, *wanted.overrides}):
        known = exceptions.get(key)
        body = _body(key, known, now, wanted, is_restored=key in excluded[False] and key not in excluded[True])
        if body:
            yield Step(key, body, known)


def _body(key: str, known: Event | None, now: Whole, wanted: Whole, *, is_restored: bool) -> Body:
    """What has to be changed of one instance; empty where nothing has."""
    is_live = known is not None and not is_cancelled(known)
    there = now.overrides.get(key) if is_live else None
    target = wanted.overrides.get(key)
    if target is not None:
        if known is not None and not is_live:
            return {"status": _CONFIRMED, **target}
        return changed(target, there or inherited(wanted.master))
    if key in wanted.overrides:
        # Where no exception stands, the EXDATE of the master is enough.
        return {"status": "cancelled"} if is_live else {}
    if is_live:
        return changed(generated(wanted.master, key), there) if there else {}
    return {"status": _CONFIRMED, **generated(wanted.master, key)} if is_restored else {}


def key_of(exception: Event) -> str:
    """The original start of an exception as it stands in ids of instances."""
    original: Mapping[str, str] = exception["originalStartTime"]
    if original.get("date"):
        return original["date"].replace("-", "")
    moment = datetime.fromisoformat(original["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(original.get("timeZone", "UTC")))
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def inherited(master: Body) -> dict[str, object]:
    """What an instance has from its master, other than when it is."""
    return {name: value for name, value in master.items() if name not in {"recurrence", "start", "end"}}


def generated(master: Body, key: str) -> dict[str, object]:
    """The body of the instance that the rule gives at an original start."""
    start, end = master["start"], master["end"]
    if "T" not in key:
        first, last = date.fromisoformat(start["date"]), date.fromisoformat(end["date"])
        day = date.fromisoformat(f"{key[:4]}-{key[4:6]}-{key[6:8]}")
        when = {"start": {"date": day.isoformat()}, "end": {"date": (day + (last - first)).isoformat()}}
        return {**inherited(master), **when}
    begins = datetime.strptime(key, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ends = begins + (_instant(end) - _instant(start))
    return {
        **inherited(master),
        "start": {"dateTime": f"{begins:%Y-%m-%dT%H:%M:%SZ}", "timeZone": start["timeZone"]},
        "end": {"dateTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}", "timeZone": end["timeZone"]},
    }


def excluded_keys(master: Body) -> frozenset[str]:
    """The original starts that the EXDATE lines of a master take out, as they stand in ids of instances."""
    lines: Sequence[str] = master.get("recurrence") or ()
    return frozenset(key for line in lines if line.upper().startswith("EXDATE") for key in _keys(line))


def _keys(line: str) -> Iterator[str]:
    head, _, values = line.partition(":")
    zone = next((part[5:].strip('"') for part in head.split(";") if part.upper().startswith("TZID=")), "UTC")
    for value in values.split(","):
        if "T" not in value or value.endswith("Z"):
            yield value
        else:
            moment = datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(zone))
            yield f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _instant(moment: Mapping[str, str]) -> datetime:
    value = datetime.fromisoformat(moment["dateTime"])
    return value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(moment["timeZone"]))
