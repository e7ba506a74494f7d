from __future__ import annotations

import socket
import ssl
from datetime import timedelta
from itertools import pairwise

import pytest

from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CertificateRefused,
    CursorExpired,
    HostUnknown,
    LoginRefused,
    QuotaExceeded,
    RemoteRefused,
    Throttled,
    UidTaken,
    UpstreamUnavailable,
)
from bridge.upstream.answers import Answer
from bridge.upstream.caldav.refusals import Deed, outage, refusal
from bridge.upstream.retry_after import retry_after

URL = "https://dav.example.org/cal/alice/"


def answer(status: int, precondition: str = "", *, url: str = URL, **headers: str) -> Answer:
    body = (
        f'<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><{precondition}/></D:error>'.encode()
        if precondition
        else b"<html>No</html>"
    )
    return Answer(status, url, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("deed", "told", "kind"),
    [
        (Deed.READ, answer(401), LoginRefused),
        (Deed.READ, answer(403), LoginRefused),
        (Deed.READ, answer(403, "D:need-privileges"), LoginRefused),
        (Deed.READ, answer(403, "D:valid-sync-token"), CursorExpired),
        (Deed.READ, answer(404), CalendarGone),
        (Deed.READ, answer(410), CalendarGone),
        (Deed.READ, answer(400), UpstreamUnavailable),
        (Deed.READ, answer(500), UpstreamUnavailable),
        (Deed.READ, answer(507), UpstreamUnavailable),
        (Deed.READ, answer(429), Throttled),
        (Deed.READ, answer(503), UpstreamUnavailable),
        (Deed.READ, answer(503, retry_after="5"), Throttled),
        (Deed.WRITE, answer(400), RemoteRefused),
        (Deed.WRITE, answer(403, "D:need-privileges"), CalendarReadOnly),
        (Deed.WRITE, answer(403, "C:no-uid-conflict"), UidTaken),
        (Deed.WRITE, answer(409, "C:no-uid-conflict"), UidTaken),
        (Deed.WRITE, answer(403, "C:max-resource-size"), RemoteRefused),
        (Deed.WRITE, answer(403, "D:quota-not-exceeded"), QuotaExceeded),
        (Deed.WRITE, answer(507), QuotaExceeded),
        (Deed.WRITE, answer(502), UpstreamUnavailable),
        (Deed.WRITE, answer(503, retry_after="5"), Throttled),
    ],
)
def test_an_answer_has_one_meaning_for_each_deed(deed: Deed, told: Answer, kind: type[Exception]) -> None:
    error = refusal(told, deed, "alice")

    assert type(error) is kind
    assert error.message.startswith("dav.example.org ")
    assert error.message.endswith(".")


def test_the_remedy_for_a_refused_login_is_the_one_of_the_provider() -> None:
    for host, word in (
        ("p42-caldav.icloud.com", "app-specific"),
        ("caldav.fastmail.com", "app password"),
        ("dav.example.org", "Nextcloud"),
    ):
        assert word in refusal(answer(401, url=f"https://{host}/"), Deed.READ, "alice").remedy
    assert "CalDAV allowed" in refusal(answer(403), Deed.READ, "alice").remedy


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "99999999999"}, 7 * 24 * 3600),
        ({"retry-after": "Mon, 30 Nov 2026 10:21:15 GMT", "date": "Mon, 30 Nov 2026 10:20:15 GMT"}, 60),
        ({"retry-after": "Mon, 30 Nov 2026 10:19:15 GMT", "date": "Mon, 30 Nov 2026 10:20:15 GMT"}, 0),
        ({"retry-after": "Mon, 30 Nov 2026 10:21:15 GMT"}, None),
        ({"retry-after": "soon", "date": "Mon, 30 Nov 2026 10:20:15 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_what_the_server_says(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after(headers) == (None if seconds is None else timedelta(seconds=seconds))


def chained(*errors: Exception) -> Exception:
    """The first error, caused by the second, and so on."""
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


def test_a_failure_on_the_way_is_named_by_its_cause() -> None:
    assert type(outage(chained(OSError("x"), ConnectionResetError()), "h.example")) is UpstreamUnavailable
    assert type(outage(OSError("x", TimeoutError()), "h.example")) is UpstreamUnavailable
    assert type(outage(ssl.SSLError("WRONG_VERSION_NUMBER"), "h.example")) is CertificateRefused
    assert type(outage(ssl.SSLEOFError("EOF"), "h.example")) is UpstreamUnavailable
    assert "not answer in time" in outage(TimeoutError(), "h.example").message
    assert "takes no connections" in outage(ConnectionRefusedError(), "h.example").message


def test_a_name_that_nobody_knows_is_unknown() -> None:
    error = outage(socket.gaierror("no such name"), "no-such-host.invalid")

    assert type(error) in {HostUnknown, UpstreamUnavailable}
    assert "no-such-host.invalid" in error.message


def test_a_name_that_is_known_by_now_is_asked_again_later() -> None:
    assert type(outage(socket.gaierror("try again"), "localhost")) is UpstreamUnavailable


def test_a_name_that_cannot_be_one_is_unknown() -> None:
    assert type(outage(socket.gaierror("no such name"), "x" * 70 + ".example")) is HostUnknown
