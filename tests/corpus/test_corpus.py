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


def each(*, expecting: str | None = None) -> list[pytest.ParameterSet]:
    """Lists the samples whose `about.yaml` has a field."""
    return [
        pytest.param(sample, id=sample.name)
        for sample in samples()
        if expecting is None or getattr(sample.about, expecting) is not None
    ]


def test_the_corpus_holds_what_it_promises() -> None:
    assert len(samples()) >= LEAST


def test_no_two_oddities_are_the_same_bytes() -> None:
    assert len({sample.raw for sample in samples()}) == len(samples())


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


@pytest.mark.parametrize("sample", each())
def test_an_oddity_is_accepted_and_kept_byte_for_byte(sample: Sample) -> None:
    assert read(sample).raw == sample.raw


@pytest.mark.parametrize("sample", each(expecting="instances"))
def test_its_instances_start_when_its_producer_means(sample: Sample) -> None:
    window = sample.about.instances
    assert window is not None
    found = recurrence.expand(read(sample), window.begin, window.end, zone=ACCOUNT_ZONE, limit=1_000)
    assert [instance.first for instance in found if instance.first >= window.begin] == list(window.starts)


@pytest.mark.parametrize("sample", each(expecting="instances"))
def test_its_span_holds_every_instance(sample: Sample) -> None:
    window = sample.about.instances
    assert window is not None
    span = read(sample).span
    assert all(span.first <= start <= span.last for start in window.starts)


@pytest.mark.parametrize("sample", each(expecting="repair"))
def test_the_named_repair_is_what_makes_it_readable(sample: Sample) -> None:
    assert sample.about.repair in repairs.read(sample.raw, zone=ACCOUNT_ZONE).repairs


@pytest.mark.parametrize("sample", each(expecting="repair"))
def test_a_named_repair_exists(sample: Sample) -> None:
    assert sample.about.repair in {repair.name for repair in repairs.REPAIRS}


def test_every_repair_has_an_oddity_that_needs_it() -> None:
    used = {name for sample in samples() for name in repairs.read(sample.raw, zone=ACCOUNT_ZONE).repairs}
    assert {repair.name for repair in repairs.REPAIRS} - used == set()
