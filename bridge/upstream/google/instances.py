"""Which instances of a series have to be written so that it becomes what it is to be; nothing is asked here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.core.recurrence import held_components
from bridge.upstream.google.mapping import changed, generated, to_google
from bridge.upstream.google.mapping.starts import Starts
from bridge.upstream.google.mapping.times import original_start
from bridge.upstream.google.mapping.zone_names import zone_of
from bridge.upstream.google.standing import CANCELLED, is_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bridge.core.model import CalendarObject
    from bridge.upstream.google.mapping import Body, Event, Whole
    from bridge.upstream.google.standing import Standing

_CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Target:
    """What an appointment at Google is to be.

    Attributes:
        whole: As the mapping says it.
        holds: Whether its rules give an instance at an original start, as that stands in ids of instances.
    """

    whole: Whole = field(repr=False)
    holds: Callable[[str], bool] = field(repr=False)

    @classmethod
    def of(cls, new: CalendarObject, zone: str) -> Target:
        """What an object of ours is to be at Google.

        Args:
            new: The object.
            zone: What floating times mean; an IANA name.

        Raises:
            RemoteRefused: Google cannot hold it.
        """
        whole = to_google(new, zone=zone)

        def holds(key: str) -> bool:
            master = next((each for each in held_components(new.calendar) if "RECURRENCE-ID" not in each), None)
            return master is not None and Starts(master, zone_of(None, zone)).holds(original_start(key))

        return cls(whole, holds)


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


def steps(standing: Standing, now: Whole, target: Target, *, zone: str) -> Iterator[Step]:
    """What has to be done to the instances of a series whose master is as it is to be.

    Args:
        standing: The series as it stands.
        now: The same, as the mapping says it.
        target: What it is to be.
        zone: What floating times mean; an IANA name.
    """
    exceptions = {key_of(each): each for each in standing.exceptions}
    wanted = target.whole
    before, after = excluded_keys(now.master), excluded_keys(wanted.master)
    for key in sorted({*exceptions, *wanted.overrides, *(after - before)}):
        known = exceptions.get(key)
        override = wanted.overrides.get(key)
        if override is None and (key in wanted.overrides or key in after or not target.holds(key)):
            # Where no exception stands, the EXDATE of the master is enough.
            is_there = key not in before if known is None else not is_cancelled(known)
            body: Body = {"status": CANCELLED} if is_there else {}
        else:
            untouched = generated(wanted.master, key, zone=zone)
            is_gone = known is not None and is_cancelled(known)
            # What the marks say of an instance of its own counts only where it was written.
            there = None if known is None else now.overrides.get(key)
            body = changed(override or untouched, there or untouched)
            body = {"status": _CONFIRMED, **(override or untouched)} if is_gone else body
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
