"""What a client demands before its write, as the two header fields say it."""

from __future__ import annotations

import pytest

from bridge.core.precondition import NO_PRECONDITION, Precondition
from bridge.errors import PreconditionFailed


def holds(stored: str | None, *, if_match: str | None = None, if_none_match: str | None = None) -> bool:
    try:
        Precondition.from_headers(if_match, if_none_match).check(stored, href="x.ics")
    except PreconditionFailed:
        return False
    return True


def test_who_demands_nothing_may_write_whatever_stands_there() -> None:
    NO_PRECONDITION.check(None, href="x.ics")
    NO_PRECONDITION.check("a", href="x.ics")


@pytest.mark.parametrize("field", ['"a"', '"b", "a"', '  "a"  ', "a", "*"])
def test_if_match_lets_through_who_knows_what_stands_there(field: str) -> None:
    assert holds("a", if_match=field)
    assert not holds(None, if_match=field)


@pytest.mark.parametrize("field", ['"b"', 'W/"a"', "", '""', ",", '"*"', '"A"', '"a'])
def test_if_match_stops_who_has_something_else_in_mind(field: str) -> None:
    assert not holds("a", if_match=field)


def test_if_none_match_star_lets_nobody_overwrite() -> None:
    assert holds(None, if_none_match="*")
    assert not holds("a", if_none_match="*")


@pytest.mark.parametrize("field", ['"a"', 'W/"a"', '"b", W/"a"'])
def test_if_none_match_knows_an_etag_also_with_the_mark_of_a_weak_one(field: str) -> None:
    assert not holds("a", if_none_match=field)
    assert holds("c", if_none_match=field)


def test_a_refusal_names_the_appointment_and_what_to_do() -> None:
    with pytest.raises(PreconditionFailed, match=r"'x\.ics'.*Read it again"):
        Precondition.from_headers('"old"', None).check("new", href="x.ics")
