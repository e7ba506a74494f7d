"""The contract of upstreams, kept by the adapter for Google Calendar with the fake."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bridge.core.model import ComponentType
from bridge.upstream.protocol import Capabilities
from tests.contracts import upstream_faults, upstream_reading, upstream_writing
from tests.contracts.upstream import ODD_NAMES, Known, Remote
from tests.fakes.faults import status
from tests.fakes.google.fake import fake_google
from tests.upstream.google.connecting import Somebody, connect, new_calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.faults import Misdeed
    from tests.fakes.google.fake import FakeGoogle

_CAPABILITIES = Capabilities(
    writable=True,
    components=frozenset({ComponentType.VEVENT}),
    delta=True,
    conditional=True,
    exclusive_create=True,
    keeps_text=False,
    holds_series=False,
    refuses_old_cursors=True,
)
_KNOWN = partial(
    Known,
    _CAPABILITIES,
    takes=frozenset({"VEVENT"}),
    lists=frozenset({"VEVENT"}),
    keeps_too_dense=False,
    # Google has no file names: each of these is an appointment as any other.
    lost_names=frozenset(ODD_NAMES[1:]),
    takes_uid_twice=True,
)
_LOST = frozenset({
    "with own properties",
    # Google has no text for a reminder.
    "with an alarm",
    # The zone is written as the one of the IANA that has the same times.
    "zone of its own",
    # So is this one, and its cancelled instance is one that is left out.
    "series with a moved and a cancelled instance",
})  # fmt: skip
WRITTEN = _KNOWN(rewrites=_LOST)
PUT_BY_OTHERS = _KNOWN(rewrites=_LOST | {"floating"})
"""Somebody else's floating times are times in a zone, and nobody knows that they floated."""


def _refusal(reason: str, message: str) -> Misdeed:
    body = {"error": {"errors": [{"domain": "global", "reason": reason, "message": message}], "code": 403}}
    return status(403, json.dumps(body).encode(), Content_Type="application/json; charset=UTF-8")


@pytest.fixture(scope="module")
def google() -> Iterator[FakeGoogle]:
    with fake_google() as running:
        running.quota.per_user = running.quota.in_all = 10**9
        yield running
        assert running.misuses == []


@pytest.fixture
def known() -> Known:
    return WRITTEN


@pytest.fixture
def remote(google: FakeGoogle, known: Known) -> Remote:
    page = new_calendar(google)
    return Remote(
        name=google.world.calendars[page.id].summary,
        port=google.port,
        connect=partial(connect, google),
        somebody=Somebody(google, page),
        known=known,
        refusals={
            "read only": _refusal("requiredAccessLevel", "You need to have writer access to this calendar."),
            "full": _refusal("quotaExceeded", "Calendar usage limits exceeded."),
        },
    )


class TestReading(upstream_reading.ReadingContract):
    @pytest.fixture
    def known(self) -> Known:
        return PUT_BY_OTHERS


class TestWriting(upstream_writing.WritingContract):
    pass


class TestFaults(upstream_faults.WriteFaultContract):
    pass
