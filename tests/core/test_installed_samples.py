"""What icalendar and recurring_ical_events install as samples is kept, or refused for a reason."""

from __future__ import annotations

import importlib.util
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.core.canonical import digest
from bridge.core.ics import parse
from bridge.core.recurrence import expand
from bridge.core.split import split
from bridge.errors import ObjectRefused
from tests.core.core_samples import BERLIN, LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD = re.compile(rb"^BEGIN:(?:VEVENT|VTODO|VJOURNAL)", re.MULTILINE)
UID = re.compile(rb"^UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE)


def sample_files() -> Iterator[Path]:
    for package in ("icalendar", "recurring_ical_events"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        yield from sorted(Path(spec.origin).parent.rglob("*.ics"))


@cache
def objects() -> tuple[tuple[str, str, bytes], ...]:
    """Each object of each file that has a UID, with the zones that it names."""
    found = []
    for path in sample_files():
        for raw in split(path.read_bytes()):
            uid = UID.search(raw)
            if uid and HELD.search(raw):
                found.append((path.name, uid[1].strip().decode(), raw))
    return tuple(found)


@cache
def refused() -> dict[tuple[str, str], str]:
    """The objects that are refused, each with the sentence."""
    found = {}
    for name, uid, raw in objects():
        try:
            parse(raw, zone=BERLIN, max_instances=LIMIT)
        except ObjectRefused as refusal:
            found[name, uid] = refusal.message
    return found


NO_START = "has no DTSTART that can be read"
TWO_MASTERS = "has 2 masters where one is allowed"

# File, UID and what the refusal says. An event that begins at no time can be shown by no client; two masters of one
# UID are two truths; one UID cannot be event and to-do; an alarm and a private component are no appointments.
REFUSED: dict[tuple[str, str], str] = {
    ("broken_dtstart.ics", "test-123"): NO_START,
    ("broken_ical.ics", "abc"): NO_START,
    ("issue_1050_multiple_calendars.ics", "event1@example.com"): NO_START,
    ("issue_1050_multiple_calendars.ics", "event2@example.com"): NO_START,
    ("issue_1050_uid_in_description.ics", "abc"): NO_START,
    ("issue_1050_uid_in_description.ics", "xyz"): NO_START,
    ("issue_1081_invalid_start_and_end.ics", "test-123"): NO_START,
    ("issue_1081_invalid_start_valid_end.ics", "test-123"): NO_START,
    ("issue_1081_with_summary.ics", "test-123"): NO_START,
    ("issue_1549_binary_attachment.ics", "binary-attachment-event"): NO_START,
    ("issue_1561_image_value.ics", "uri"): NO_START,
    ("issue_1561_image_value.ics", "binary"): NO_START,
    ("issue_1561_image_value.ics", "text"): NO_START,
    ("issue_1561_image_value.ics", "unknown"): NO_START,
    ("issue_178_custom_component_contains_other.ics", "12345"): "The calendar holds no event, to-do or journal entry.",
    ("rfc_5545_RDATE_example.ics", "0"): NO_START,
    ("rfc_5545_RDATE_example.ics", "1"): NO_START,
    ("rfc_5545_RDATE_example.ics", "2"): NO_START,
    ("rfc_5545_RDATE_example.ics", "3"): NO_START,
    ("rfc_5545_RDATE_example.ics", "4"): NO_START,
    ("rfc_5545_RDATE_example.ics", "5"): NO_START,
    ("rfc_7256_multi_value_parameters.ics", "list"): NO_START,
    ("rfc_7256_multi_value_parameters.ics", "single"): NO_START,
    ("rfc_7986_image.ics", "uri-event"): NO_START,
    ("rfc_7986_image.ics", "data-event"): NO_START,
    ("rfc_9253_gap.ics", "1"): NO_START,
    ("rfc_9253_gap.ics", "2"): NO_START,
    ("rfc_9253_related_to.ics", "19960401-080045-4000F192713.ics"): NO_START,
    ("rfc_9074_example_proximity.ics", "77D80D14-906B-4257-963F-85B1E734DBB6"): "There is an appointment without UID.",
    ("alarm_absolute_edited.ics", "cd047c29-d904-47eb-bdba-ab7abafee025"): TWO_MASTERS,
    (
        "issue_132_swapped_start_and_end.ics",
        "84A72-65798A00-5-20465200",
    ): "One appointment cannot be VEVENT and VTODO at once.",
    ("issue_148_edge_case_1.ics", "111"): TWO_MASTERS,
    ("issue_148_edge_case_2.ics", "111"): TWO_MASTERS,
    ("issue_148_exdate_and_rdate_updated.ics", "111"): TWO_MASTERS,
    ("issue_148_ignored_exdate.ics", "111"): TWO_MASTERS,
    ("issue_163_deleted_modification.ics", "111"): TWO_MASTERS,
}


def test_there_are_as_many_objects_as_ever() -> None:
    assert len(objects()) == 1112
    assert len({uid for _, uid, _ in objects()}) == 974


def test_what_is_refused_is_known_and_has_a_reason() -> None:
    assert set(refused()) == set(REFUSED)
    for which, reason in REFUSED.items():
        assert reason in refused()[which]


def test_nearly_all_objects_are_kept_byte_for_byte() -> None:
    kept = {(name, uid) for name, uid, _ in objects()} - set(refused())
    assert len({uid for _, uid in kept}) >= 930


def test_every_kept_object_can_be_expanded_compared_and_written_anew() -> None:
    start = datetime(2019, 1, 1, tzinfo=UTC)
    for name, uid, raw in objects():
        if (name, uid) in REFUSED:
            continue
        obj = parse(raw, zone=BERLIN, max_instances=LIMIT)
        assert obj.raw == raw
        for instance in expand(obj, start, start + timedelta(days=365), zone=BERLIN, limit=LIMIT):
            assert obj.span.first <= instance.first <= instance.last <= obj.span.last
        again = parse(obj.calendar.to_ical(sorted=False), zone=BERLIN, max_instances=LIMIT)
        unreadable = any(error[0] is None for found in obj.calendar.walk() for error in found.errors)
        assert unreadable or digest(again) == digest(obj), (name, uid)
