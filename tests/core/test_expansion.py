from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import icalendar
import pytest

from bridge.core.expansion import expanded
from bridge.errors import TooManyInstances
from tests.core.core_samples import BERLIN, CUSTOM_BERLIN, component, read, read_event, stream

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

START = "DTSTART;TZID=Europe/Berlin:20260714T170000"
JULY = (datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC))


def instances(obj: CalendarObject) -> list[Any]:
    found = expanded(obj, *JULY, zone=BERLIN, limit=10)
    calendar = icalendar.Calendar.from_ical(found.text)
    assert calendar["PRODID"] == "-//Example//EN"
    assert len(calendar.subcomponents) == found.count
    return list(calendar.subcomponents)


def test_each_instance_stands_alone_in_utc_and_says_which_it_is() -> None:
    first, second = instances(
        read_event(START, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260721T150000Z", "SUMMARY:Yoga")
    )
    assert first["DTSTART"].dt == datetime(2026, 7, 14, 15, tzinfo=UTC)
    assert first["DTEND"].dt == datetime(2026, 7, 14, 16, tzinfo=UTC)
    assert first["RECURRENCE-ID"].dt == first["DTSTART"].dt
    assert second["DTSTART"].dt == datetime(2026, 7, 28, 15, tzinfo=UTC)
    assert second["SUMMARY"] == "Yoga"
    assert not {"RRULE", "EXDATE", "DURATION"} & set(second)


def test_an_instance_of_whole_days_keeps_its_dates_and_a_single_appointment_names_no_instance() -> None:
    (alone,) = instances(read_event("DTSTART;VALUE=DATE:20260714"))
    assert alone["DTSTART"].dt == date(2026, 7, 14)
    assert "RECURRENCE-ID" not in alone
    assert "DTEND" not in alone


def test_a_to_do_that_is_only_due_stays_so() -> None:
    (due,) = instances(read(stream(*component("DUE:20260714T120000Z", kind="VTODO"))))
    assert due["DUE"].dt == datetime(2026, 7, 14, 12, tzinfo=UTC)
    assert "DTSTART" not in due


def test_more_instances_than_the_limit_are_refused() -> None:
    with pytest.raises(TooManyInstances):
        expanded(read_event(START, "RRULE:FREQ=DAILY"), *JULY, zone=BERLIN, limit=10)


def test_instances_in_a_custom_zone_are_expanded_too() -> None:
    start = "DTSTART;TZID=Customized Time Zone:20260714T170000"
    first, second = instances(read(stream(*CUSTOM_BERLIN, *component(start, "RRULE:FREQ=WEEKLY;COUNT=2"))))
    assert first["DTSTART"].dt == datetime(2026, 7, 14, 15, tzinfo=UTC)
    assert second["RECURRENCE-ID"].dt == datetime(2026, 7, 21, 15, tzinfo=UTC)
