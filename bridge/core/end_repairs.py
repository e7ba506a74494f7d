"""What producers get wrong about how long an appointment lasts is repaired once it is read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bridge.core.component_repairs import ComponentRepair, is_date, property_of, replace_time, sound_time
from bridge.core.temporal import shifted

if TYPE_CHECKING:
    from icalendar.cal import Component

    from bridge.core.component_repairs import Around

_END_NAMES = {"VEVENT": "DTEND", "VTODO": "DUE"}
_DAY = timedelta(days=1)
_ZERO = timedelta(0)


def _end_name(component: Component) -> str:
    return _END_NAMES.get(str(component.name), "")


def _outlook_all_day(component: Component, _: Around) -> bool:
    start, end = sound_time(component, "DTSTART"), sound_time(component, "DTEND")
    return (
        isinstance(start, datetime)
        and isinstance(end, datetime)
        and str(dict.get(component, "X-MICROSOFT-CDO-ALLDAYEVENT", "")).strip().upper() == "TRUE"
        and start.time() == end.time() == time(0)
        and start.date() < end.date()
    )


def _to_dates(component: Component, _: Around) -> None:
    for name in ("DTSTART", "DTEND"):
        replace_time(component, name, property_of(component, name).dt.date())


def _end_of_other_kind(component: Component, _: Around) -> bool:
    start, end = sound_time(component, "DTSTART"), sound_time(component, _end_name(component))
    return isinstance(start, date) and isinstance(end, date) and is_date(start) != is_date(end)


def _end_of_same_kind(component: Component, _: Around) -> None:
    name = _end_name(component)
    start, end = property_of(component, "DTSTART"), property_of(component, name).dt
    if is_date(start.dt):
        whole = end.time() == time(0)
        replace_time(component, name, end.date() if whole else shifted(end.date(), _DAY))
    else:
        replace_time(component, name, datetime.combine(end, time(0), start.dt.tzinfo), start)


def _end_and_duration(component: Component, _: Around) -> bool:
    return "DURATION" in component and _end_name(component) in component


def _drop_duration(component: Component, _: Around) -> None:
    del component["DURATION"]


def _negative_duration(component: Component, _: Around) -> bool:
    duration = sound_time(component, "DURATION")
    return isinstance(duration, timedelta) and duration < _ZERO


def _end_not_after_start(component: Component, _: Around) -> bool:
    if component.name != "VEVENT":
        return False
    start, end = sound_time(component, "DTSTART"), sound_time(component, "DTEND")
    if not isinstance(start, date) or not isinstance(end, date):
        return False
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return end <= start
    if (start.tzinfo is None) != (end.tzinfo is None):
        # Which comes first is decided on the wall clock where one of both floats.
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return end < start


def _drop_end(component: Component, _: Around) -> None:
    del component["DTEND"]


END_REPAIRS = (
    ComponentRepair(
        "outlook-all-day",
        "Outlook",
        "Midnight to midnight with X-MICROSOFT-CDO-ALLDAYEVENT is a day, which moves to other hours in other zones.",
        _outlook_all_day,
        _to_dates,
    ),
    ComponentRepair(
        "end-of-other-kind",
        "Hand-written exporters",
        "DTSTART and DTEND (or DUE) are both dates or both date-times (RFC 5545 section 3.8.2.2).",
        _end_of_other_kind,
        _end_of_same_kind,
    ),
    ComponentRepair(
        "end-and-duration",
        "Thunderbird, when one instance of a series with DURATION is moved",
        "Only one of both may stand (RFC 5545 section 3.6.1); the end is what the person dragged.",
        _end_and_duration,
        _drop_duration,
    ),
    ComponentRepair(
        "negative-duration",
        "Converters",
        "An appointment does not end before it begins; it has the default duration.",
        _negative_duration,
        _drop_duration,
    ),
    ComponentRepair(
        "end-not-after-start",
        "Booking systems (all-day events that end on the same date), converters",
        "DTEND is exclusive and later than DTSTART; without it the default duration of RFC 5545 section 3.6.1 holds.",
        _end_not_after_start,
        _drop_end,
    ),
)
