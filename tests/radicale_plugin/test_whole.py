"""A whole calendar as one stream holds every appointment, however oddly its producer writes."""

from __future__ import annotations

import pytest

from bridge.core import ics
from bridge.core.split import split
from bridge.errors import ObjectRefused
from bridge.radicale_plugin.whole import joined
from tests.corpus.corpus import ACCOUNT_ZONE, Sample, samples


def uids(raw: bytes) -> list[str]:
    found = []
    for each in split(raw):
        try:
            found.append(ics.parse(each, zone=ACCOUNT_ZONE, max_instances=10_000).uid)
        except ObjectRefused:
            assert b"BEGIN:X-CUSTOM" in each
    return found


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_each_oddity_is_in_it(sample: Sample) -> None:
    wanted = ics.parse(sample.raw, zone=ACCOUNT_ZONE, max_instances=10_000).uid
    assert uids(joined([sample.raw], name="Anna", zone=ACCOUNT_ZONE)) == [wanted]


def test_all_oddities_are_in_it_at_once() -> None:
    everything = [sample.raw for sample in samples()]
    assert len(uids(joined(everything, name="Anna", zone=ACCOUNT_ZONE))) == len(everything)
