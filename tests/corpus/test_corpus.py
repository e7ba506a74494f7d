"""Every oddity of the corpus is described in full, and the core reads it as its producer means it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bridge.core import ics, recurrence, repairs
from tests.corpus.corpus import ACCOUNT_ZONE, Sample, samples

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

LEAST = 60
"""How many real-world oddities the corpus promises at least."""

REFUSED = {
    "count-and-until-together": "a rule with both COUNT and UNTIL is not brought to one bound",
    "date-written-with-an-empty-time": "2026-10-11T:: is not read as a date",
    "fold-inside-a-two-byte-character": "the bytes are decoded before they are unfolded",
    "fold-inside-an-emoji": "the bytes are decoded before they are unfolded",
    "time-with-utc-offset": "a time with an offset, 20260824T154000-0500, is not read",
    "tzid-with-unquoted-colon": "the line is cut at the colon within the TZID",
}
"""What the core refuses though a client could use it, and why; a test fails when a gap closes."""

MISREAD = {
    "exdate-inside-the-rule": "a rule with an unknown part is no rule",
    "last-sunday-as-255su": "BYDAY=255SU is no weekday",
    "rrule-with-empty-part": "a rule with an empty part is no rule",
    "start-inside-the-rule": "a rule with an unknown part is no rule",
    "until-in-utc-with-all-day-start": "UNTIL is cut to its date in UTC, not in the account's zone",
}
"""What the core accepts, but reads at other instants than its producer means; a test fails when a gap closes."""


def each(*, expecting: str | None = None, gaps: dict[str, str] | None = None) -> list[pytest.ParameterSet]:
    """Lists the samples whose `about.yaml` has a field, those with a known gap as expected failures."""
    known = gaps or {}
    return [
        pytest.param(
            sample,
            id=sample.name,
            marks=[pytest.mark.xfail(reason=known[sample.name], strict=True)] if sample.name in known else [],
        )
        for sample in samples()
        if expecting is None or getattr(sample.about, expecting) is not None
    ]


def readable(expecting: str) -> list[pytest.ParameterSet]:
    """Lists the samples that have a field and no known gap."""
    return [param for param in each(expecting=expecting) if param.id not in REFUSED | MISREAD]


def test_the_corpus_holds_what_it_promises() -> None:
    assert len(samples()) >= LEAST


def test_no_two_oddities_are_the_same_bytes() -> None:
    assert len({sample.raw for sample in samples()}) == len(samples())


def test_every_known_gap_is_one_of_an_oddity_here() -> None:
    assert REFUSED.keys() | MISREAD.keys() <= {sample.name for sample in samples()}
    assert not REFUSED.keys() & MISREAD.keys()


@pytest.mark.parametrize("sample", each())
def test_a_folder_is_named_for_what_is_odd(sample: Sample) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", sample.name)


@pytest.mark.parametrize("sample", each())
def test_what_is_odd_and_why_are_one_sentence_each(sample: Sample) -> None:
    for sentence in (sample.about.odd, sample.about.why):
        assert re.fullmatch(r"\S[^\n]*\.", sentence)
        assert len(sentence) <= 200


@pytest.mark.parametrize("sample", each())
def test_the_source_is_a_report_a_specification_or_documentation(sample: Sample) -> None:
    known = r"seen in \S+/\S+ (issues?|pull requests?) \d+|RFC \d+|MS-[A-Z]+"
    assert re.search(known, sample.about.source)


@pytest.mark.parametrize("sample", each())
def test_the_people_are_made_up(sample: Sample) -> None:
    text = re.sub(rb"\r?\n[ \t]", b"", sample.raw)
    domains = {domain.lower() for domain in re.findall(rb"mailto:[^\s;:,\"@]+@([\w.-]+)", text, re.IGNORECASE)}
    assert all(domain.endswith((b"example.org", b"example.com", b"google.com")) for domain in domains)


def read(sample: Sample) -> CalendarObject:
    return ics.parse(sample.raw, zone=ACCOUNT_ZONE, max_instances=10_000)


@pytest.mark.parametrize("sample", each(gaps=REFUSED))
def test_an_oddity_is_accepted_and_kept_byte_for_byte(sample: Sample) -> None:
    assert read(sample).raw == sample.raw


@pytest.mark.parametrize("sample", each(expecting="instances", gaps=REFUSED | MISREAD))
def test_its_instances_start_when_its_producer_means(sample: Sample) -> None:
    window = sample.about.instances
    assert window is not None
    found = recurrence.expand(read(sample), window.begin, window.end, zone=ACCOUNT_ZONE, limit=1_000)
    assert [instance.first for instance in found if instance.first >= window.begin] == list(window.starts)


@pytest.mark.parametrize("sample", readable("instances"))
def test_its_span_holds_every_instance(sample: Sample) -> None:
    window = sample.about.instances
    assert window is not None
    span = read(sample).span
    assert all(span.first <= start <= span.last for start in window.starts)


@pytest.mark.parametrize("sample", readable("repair"))
def test_the_named_repair_is_what_makes_it_readable(sample: Sample) -> None:
    assert sample.about.repair in repairs.applied(sample.raw)


@pytest.mark.parametrize("sample", each(expecting="repair"))
def test_a_named_repair_exists(sample: Sample) -> None:
    assert sample.about.repair in {repair.name for repair in repairs.REPAIRS}


def test_every_repair_has_an_oddity_that_needs_it() -> None:
    used = {name for sample in samples() if sample.name not in REFUSED for name in repairs.applied(sample.raw)}
    assert {repair.name for repair in repairs.REPAIRS} - used == set()
