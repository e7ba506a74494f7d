from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.core.model import BEGINNING, ENDLESS, Span


def test_a_span_is_in_utc() -> None:
    with pytest.raises(ValueError, match="UTC"):
        Span(datetime(2026, 1, 1), ENDLESS)  # noqa: DTZ001 -- what is refused
    with pytest.raises(ValueError, match="UTC"):
        Span(BEGINNING, datetime(2026, 1, 1))  # noqa: DTZ001 -- what is refused


def test_a_span_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Span(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_span_may_be_one_instant() -> None:
    assert Span(BEGINNING, BEGINNING).first == BEGINNING
