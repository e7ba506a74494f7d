"""What the tests of the fake ask it with: a clock, an event, and the client library without a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from googleapiclient.errors import HttpError

ANNA = "anna@example.org"
BEGIN = datetime(2027, 3, 1, 8, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **by: float) -> None:
        self.now += timedelta(**by)


def haircut(**more: Any) -> dict[str, Any]:
    return {
        "summary": "Haircut",
        "start": {"dateTime": "2027-03-02T09:00:00", "timeZone": "Europe/Amsterdam"},
        "end": {"dateTime": "2027-03-02T10:00:00", "timeZone": "Europe/Amsterdam"},
        **more,
    }


def insert(events: Any, **more: Any) -> Any:
    return events.insert(calendarId="primary", body=haircut(**more)).execute()


def listed(events: Any, **asked: Any) -> Any:
    return events.list(calendarId="primary", **asked).execute()


def refused(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as raised:
        request.execute()
    details: Any = raised.value.error_details
    return raised.value.resp.status, details[0]["reason"]


def weekly(**more: Any) -> dict[str, Any]:
    return {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=6"], **more}
