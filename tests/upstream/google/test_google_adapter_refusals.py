"""What Google's refusals become: an error of its kind, with a sentence and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CursorExpired,
    LoginRefused,
    QuotaExceeded,
    RemoteChanged,
    RemoteRefused,
    Throttled,
    Turn,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.google.refusals import Deed, Refused, error

_MEANINGS: list[tuple[int, str, Deed, type[UpstreamError]]] = [
    (400, "invalid", Deed.WRITE, RemoteRefused),
    (400, "timeRangeEmpty", Deed.WRITE, RemoteRefused),
    (400, "invalid", Deed.READ, UpstreamUnavailable),
    (400, "push.webhookUrlNotHttps", Deed.WATCH, RemoteRefused),
    (401, "authError", Deed.READ, LoginRefused),
    (401, "push.webhookUrlUnauthorized", Deed.WATCH, RemoteRefused),
    (403, "rateLimitExceeded", Deed.READ, Throttled),
    (403, "userRateLimitExceeded", Deed.WRITE, Throttled),
    (403, "quotaExceeded", Deed.WRITE, QuotaExceeded),
    (403, "requiredAccessLevel", Deed.WRITE, CalendarReadOnly),
    (403, "forbidden", Deed.WRITE, CalendarReadOnly),
    (403, "forbidden", Deed.READ, CalendarGone),
    (403, "insufficientPermissions", Deed.CALENDARS, LoginRefused),
    (403, "accessNotConfigured", Deed.READ, LoginRefused),
    (403, "forbiddenForNonOrganizer", Deed.WRITE, RemoteRefused),
    (403, "forbiddenForServiceAccounts", Deed.WRITE, RemoteRefused),
    (404, "notFound", Deed.READ, CalendarGone),
    (404, "notFound", Deed.WRITE, CalendarGone),
    (404, "notFound", Deed.WATCH, CalendarGone),
    (410, "fullSyncRequired", Deed.READ, CursorExpired),
    (410, "updatedMinTooLongAgo", Deed.READ, CursorExpired),
    (410, "deleted", Deed.WRITE, RemoteChanged),
    (412, "conditionNotMet", Deed.WRITE, RemoteChanged),
    (429, "rateLimitExceeded", Deed.READ, Throttled),
    (500, "backendError", Deed.READ, UpstreamUnavailable),
    (503, "serviceUnavailable", Deed.WRITE, UpstreamUnavailable),
    (418, "", Deed.READ, UpstreamUnavailable),
]


@pytest.mark.parametrize(("status", "reason", "deed", "kind"), _MEANINGS)
def test_a_refusal_is_an_error_of_its_kind_with_a_sentence_that_says_why(
    status: int, reason: str, deed: Deed, kind: type[UpstreamError]
) -> None:
    raised = error(Refused(status, reason), deed, who="anna@example.org")

    assert type(raised) is kind
    assert raised.message.endswith(f"({reason or status}).")
    assert "{" not in raised.message
    assert raised.remedy or raised.turn is not Turn.PERSON


@pytest.mark.parametrize("reason", ["invalid", "badRequest", ""])
def test_a_sync_token_that_google_cannot_read_has_expired(reason: str) -> None:
    assert isinstance(error(Refused(400, reason), Deed.READ, who="anna", delta=True), CursorExpired)


@pytest.mark.parametrize(
    ("message", "place", "name"),
    [
        ("Invalid recurrence rule.", "", "RRULE"),
        ("Missing time zone definition for start time.", "", "DTSTART"),
        ("The specified time range is empty.", "", "DTEND"),
        ("Invalid attendee email.", "", "ATTENDEE"),
        ("Invalid Value", "reminders.overrides", "VALARM"),
        ("Invalid Value", "source.url", "URL"),
        ("Bad Request", "", ""),
    ],
)
def test_a_refused_appointment_names_the_property_that_it_stumbles_over(message: str, place: str, name: str) -> None:
    raised = error(Refused(400, "invalid", message, place), Deed.WRITE, who="anna")

    assert isinstance(raised, RemoteRefused)
    assert raised.property_name == name
    assert message in raised.message


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry-after": "77"}, timedelta(seconds=77)),
        ({"retry-after": "99999999999999999999"}, timedelta(days=7)),
        (
            {"retry-after": "Sat, 21 Nov 2026 10:01:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"},
            timedelta(minutes=1),
        ),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, timedelta(0)),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_google_wants_to_be_left_alone_is_heard(headers: dict[str, str], after: timedelta | None) -> None:
    raised = error(Refused.read(429, headers, {}), Deed.READ, who="anna")

    assert isinstance(raised, Throttled)
    assert raised.after == after


@pytest.mark.parametrize(
    "body", [{}, {"error": "invalid_grant"}, {"error": {}}, {"error": {"errors": []}}, {"error": {"errors": ["x"]}}]
)
def test_a_refusal_in_another_form_is_read_by_its_status(body: dict[str, Any]) -> None:
    assert Refused.read(403, {}, body).reason == ""


def test_the_newer_form_of_a_refusal_is_read_too() -> None:
    body = {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED"}}

    assert isinstance(error(Refused.read(403, {}, body), Deed.READ, who="anna"), LoginRefused)


def test_what_google_says_of_an_appointment_does_not_show_in_a_log() -> None:
    assert "Secret" not in repr(Refused(400, "invalid", "Secret dentist", ""))
