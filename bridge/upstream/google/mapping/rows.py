"""The table: each property of an appointment, how it goes to Google, and how it is read there."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from bridge.core.origin import ORIGIN
from bridge.core.view import SPECIAL
from bridge.upstream.google.mapping import alarms, colors, links, marks, people, stamps, texts, words
from bridge.upstream.google.mapping.row import Row, Said, Seen, Source, emulated, left_out
from bridge.upstream.google.mapping.times import (
    floating,
    in_zone_of,
    is_skipped,
    line,
    moved,
    read,
    start_and_end,
    written,
)
from bridge.upstream.google.mapping.zone_names import google_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from icalendar.cal import Component

    from bridge.core.content import Line
    from bridge.upstream.google.mapping.whole import Event, Note


def times_to(source: Source) -> Said:
    """Start and end."""
    start, end = start_and_end(source.component, source.zone)
    if source.recurs and is_skipped(start):
        # All instances are as long as the first.
        first = in_zone_of(start.astimezone(UTC), start)
        start, end = first, moved(start, end, first)
    zones = [value.tzinfo for value in (start, end) if hasattr(value, "tzinfo")]
    private = {marks.FLOATING: source.zone} if zones == [None, None] else {}
    fields = {"start": written(start, source.zone), "end": written(end, source.zone)}
    notes = list(_zone_notes(source, start, end))
    if private:
        sentence = f"Google has no floating times; they are times in {source.zone} there."
        notes.append(emulated("DTSTART", sentence))
    return Said(fields, private, tuple(notes))


def _zone_notes(source: Source, *times: date) -> Iterable[Note]:
    for value in times:
        zone = getattr(value, "tzinfo", None)
        if zone is None or google_name(zone, value, first_guess=source.zone) == getattr(zone, "key", "UTC"):  # type: ignore[arg-type]  # it has a zone, so it is a date-time
            continue
        yield emulated("DTSTART", "Google knows zones by their IANA names only; the time has another zone there.")
        return


def times_here(seen: Seen) -> list[Line]:
    """DTSTART and DTEND."""
    return [line("DTSTART", start_of(seen)), *_end_lines(seen)]


def start_of(seen: Seen) -> date:
    """When an event begins, as it is given here: floating where it still stands in the zone in which it was written."""
    series = bool(seen.event.get("recurrence"))
    start = read(seen.event.get("start"), seen.zone, keeps_zone=series or floats(seen.event))
    return floating(start) if floats(seen.event) else start


def _end_lines(seen: Seen) -> list[Line]:
    if seen.event.get("endTimeUnspecified") or not seen.event.get("end"):
        return []
    series = bool(seen.event.get("recurrence"))
    end = read(seen.event["end"], seen.zone, keeps_zone=series or floats(seen.event))
    return [line("DTEND", floating(end) if floats(seen.event) else end)]


def floats(event: Event) -> bool:
    """Whether the times of an event float."""
    zone = marks.text(event, marks.FLOATING)
    moments: list[dict[str, Any]] = [event.get("start") or {}, event.get("end") or {}]
    return bool(zone) and all(one.get("dateTime") and one.get("timeZone") == zone for one in moments)


ROWS: Final = (
    Row("UID", stamps.uid_to, stamps.uid_here),
    Row("DTSTAMP", stamps.stamps_to, stamps.stamps_here),
    Row("DTSTART", times_to, times_here),
    Row("SUMMARY", words.summary_to, words.summary_here),
    Row("DESCRIPTION", texts.description_to, texts.description_here),
    Row("LOCATION", texts.location_to, texts.location_here),
    Row("STATUS", words.status_to, words.status_here),
    Row("TRANSP", words.transparency_to, words.transparency_here),
    Row("CLASS", words.class_to, words.class_here),
    Row("COLOR", colors.color_to, colors.color_here),
    Row("CATEGORIES", texts.categories_to, texts.categories_here),
    Row("URL", texts.url_to, texts.url_here),
    Row("ORGANIZER", people.organizer_to, people.organizer_here),
    Row("ATTENDEE", people.attendees_to, people.attendees_here),
    Row("CONFERENCE", links.conference_to, links.conference_here),
    Row("ATTACH", links.attachments_to, links.attachments_here),
    Row(SPECIAL, stamps.special_to, stamps.special_here),
    Row(ORIGIN, stamps.origin_to, stamps.origin_here),
    Row("VALARM", alarms.alarms_to, alarms.alarms_here),
)
"""Every property but those that make a series (`pattern`), which concern several events at once."""

_ELSEWHERE = frozenset({
    *(row.name for row in ROWS), "DTEND", "DURATION", "CREATED", "LAST-MODIFIED", "SEQUENCE", "RECURRENCE-ID",
    "RRULE", "EXRULE", "RDATE", "EXDATE",
})  # fmt: skip


def said(source: Source) -> Said:
    """What all rows say of a component, with a note on each property for which there is none."""
    fields: dict[str, Any] = {}
    private: dict[str, str] = {}
    notes: dict[Note, None] = {}
    for row in ROWS:
        one = row.to(source)
        fields |= one.fields
        private |= one.private
        notes |= dict.fromkeys(one.notes)
    notes |= dict.fromkeys(_unmapped(source.component))
    return Said(fields, private, tuple(notes))


def _unmapped(component: Component) -> Iterable[Note]:
    for name in component:
        if name not in _ELSEWHERE and not name.startswith("X-"):
            yield left_out(name, "Google has no place for it.")


def lines(seen: Seen) -> list[Line]:
    """What all rows read of an event; its subcomponents stand last."""
    return [one for row in ROWS for one in row.here(seen)]
