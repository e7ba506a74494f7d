"""Which instances of a series have to be written so that it becomes what it is to be; nothing is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.upstream.google.mapping import changed, generated
from bridge.upstream.google.standing import CANCELLED, is_cancelled

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

    @property
    def only_cancels(self) -> bool:
        """Whether it cancels an instance that is as the master says, which an EXDATE of the master does as well."""
        return self.known is None and self.body.get("status") == CANCELLED


def steps(standing: Standing, now: Whole, wanted: Whole, *, zone: str) -> Iterator[Step]:
    """What has to be done to the instances of a series whose master is as it is to be.

    Args:
        standing: The series as it stands.
        now: The same, as the mapping says it.
        wanted: As it is to be.
        zone: What floating times mean; an IANA name.
    """
    exceptions = {key_of(each): each for each in standing.exceptions}
    before, after = excluded_keys(now.master), excluded_keys(wanted.master)
    for key in sorted({*exceptions, *wanted.overrides, *(after - before)}):
        known = exceptions.get(key)
        is_live = known is not None and not is_cancelled(known)
        target = wanted.overrides.get(key)
        untouched = generated(wanted.master, key, zone=zone)
        body: Body = {}
        if target is None and (key in wanted.overrides or key in after):
            # Where no exception stands, the EXDATE of the master is enough.
            body = {"status": CANCELLED} if is_live or (known is None and key not in before) else {}
        elif known is not None and not is_live:
            is_lost = target is not None or key in before
            body = {"status": _CONFIRMED, **(target or untouched)} if is_lost else {}
        else:
            body = changed(target or untouched, now.overrides.get(key) or untouched)
        if body:
            yield Step(key, body, known)


def key_of(exception: Event) -> str:
    """The original start of an exception as it stands in ids of instances."""
    original: Mapping[str, str] = exception["originalStartTime"]
    if original.get("date"):
        return original["date"].replace("-", "")
    moment = datetime.fromisoformat(original["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(original.get("timeZone", "UTC")))
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


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
