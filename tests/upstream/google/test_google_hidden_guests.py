"""Of an appointment whose guests Google shows in part only, no guest is lost by an edit here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.model import CalendarObject
from bridge.errors import RemoteRefused
from bridge.upstream.protocol import Found
from tests.contracts.upstream_samples import parse
from tests.upstream.google.connecting import ZONE

if TYPE_CHECKING:
    from bridge.upstream.google.adapter import GoogleUpstream
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

EVERYBODY = {"boss@example.org": "accepted", "other@example.org": "declined"}
SECOND = "20270308T080000Z"


def invited(page: ByHand, **fields: Any) -> str:
    """Somebody invited this calendar among others, and hides the guests from each other; the id."""
    answers = {**EVERYBODY, page.id: "needsAction"}
    event = page.import_({
        "iCalUID": "invitation@example.org",
        "summary": "Meeting",
        "organizer": {"email": "boss@example.org"},
        "guestsCanSeeOtherGuests": False,
        "attendees": [{"email": email, "responseStatus": answer} for email, answer in answers.items()],
        "start": {"dateTime": "2027-03-01T09:00:00", "timeZone": ZONE},
        "end": {"dateTime": "2027-03-01T10:00:00", "timeZone": ZONE},
        **fields,
    })  # fmt: skip
    assert [each["email"] for each in event["attendees"]] == [page.id]
    assert event["attendeesOmitted"]
    return str(event["id"])


def guests(google: FakeGoogle, page: ByHand, event_id: str) -> dict[str, str]:
    """All guests of an event, as Google keeps them, with what they answered."""
    event = google.world.calendars[page.id].events[event_id]
    return {each["email"]: each["responseStatus"] for each in event.fields["attendees"]}


def edit(upstream: GoogleUpstream, page: ByHand, event_id: str, old: str, new: str) -> None:
    """Somebody here replaces a text, of a series the last one like it."""
    (found,) = upstream.fetch(page.id, [event_id])
    assert isinstance(found, Found)
    assert isinstance(found.object, CalendarObject)
    text = found.object.raw.replace(b"\r\n ", b"").decode()
    before, _, after = text.rpartition(old)
    assert before
    upstream.replace(page.id, event_id, parse(f"{before}{new}{after}".encode()), if_match=found.etag)


def test_an_edit_of_something_else_leaves_the_guests_alone(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    event_id = invited(page)

    edit(upstream, page, event_id, "SUMMARY:Meeting", "SUMMARY:Talk")

    assert page.get(event_id)["summary"] == "Talk"
    assert guests(google, page, event_id) == {**EVERYBODY, page.id: "needsAction"}


def test_the_own_answer_is_sent_as_that_alone(google: FakeGoogle, upstream: GoogleUpstream, page: ByHand) -> None:
    event_id = invited(page)

    edit(upstream, page, event_id, "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")

    assert guests(google, page, event_id) == {**EVERYBODY, page.id: "accepted"}


@pytest.mark.parametrize("recurrence", [[], ["RRULE:FREQ=WEEKLY;COUNT=3"]], ids=["single", "series"])
def test_a_guest_more_is_refused_and_nobody_is_uninvited(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand, recurrence: list[str]
) -> None:
    event_id = invited(page, recurrence=recurrence)

    with pytest.raises(RemoteRefused, match="only some of this appointment's guests"):
        edit(upstream, page, event_id, "SUMMARY:Meeting", "ATTENDEE:mailto:new@example.org\r\nSUMMARY:Meeting")

    assert guests(google, page, event_id) == {**EVERYBODY, page.id: "needsAction"}


def test_the_own_answer_to_one_instance_leaves_its_other_guests_alone(
    google: FakeGoogle, upstream: GoogleUpstream, page: ByHand
) -> None:
    event_id = invited(page, recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    instance = f"{event_id}_{SECOND}"
    page.edit(instance, location="Room 2")

    edit(upstream, page, event_id, "PARTSTAT=NEEDS-ACTION", "PARTSTAT=DECLINED")

    assert guests(google, page, instance) == {**EVERYBODY, page.id: "declined"}
    assert guests(google, page, event_id) == {**EVERYBODY, page.id: "needsAction"}
