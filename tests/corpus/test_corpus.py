"""Every oddity of the corpus is described in full, and the core reads it as its producer means it."""

from __future__ import annotations

import re

import pytest

from tests.corpus.corpus import Sample, samples

LEAST = 60
"""How many real-world oddities the corpus promises at least."""


def each() -> list[pytest.ParameterSet]:
    return [pytest.param(sample, id=sample.name) for sample in samples()]


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
    known = r"seen in \S+/\S+ (issues?|pull requests?) \d+|RFC \d+|MS-[A-Z]+|documentation|Zimbra's"
    assert re.search(known, sample.about.source)


@pytest.mark.parametrize("sample", each())
def test_the_people_are_made_up(sample: Sample) -> None:
    text = re.sub(rb"\r?\n[ \t]", b"", sample.raw)
    domains = {domain.lower() for domain in re.findall(rb"mailto:[^\s;:,\"@]+@([\w.-]+)", text, re.IGNORECASE)}
    assert all(domain.endswith((b"example.org", b"example.com", b"google.com")) for domain in domains)
