from __future__ import annotations

import pytest

from bridge.core.precondition import ANY, NO_PRECONDITION, Precondition
from bridge.errors import PreconditionFailed


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "stored", "passes"),
    [
        (None, None, "a", True),
        (None, None, None, True),
        ('"a"', None, "a", True),
        ('"b", "a"', None, "a", True),
        ('"b"', None, "a", False),
        ('"a"', None, None, False),
        ('W/"a"', None, "a", False),
        ("*", None, "a", True),
        ("*", None, None, False),
        (None, "*", None, True),
        (None, "*", "a", False),
        (None, '"a"', "a", False),
        (None, 'W/"a"', "a", False),
        (None, '"b"', "a", True),
        (None, "a,", "a", False),
    ],
)
def test_a_write_passes_only_where_the_client_knows_what_is_stored(
    if_match: str | None,
    if_none_match: str | None,
    stored: str | None,
    passes: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    precondition = Precondition.from_headers(if_match, if_none_match)
    if passes:
        precondition.check(stored, href="one.ics")
    else:
        with pytest.raises(PreconditionFailed, match=r"one\.ics") as refusal:
            precondition.check(stored, href="one.ics")
        assert refusal.value.remedy


def test_a_client_that_asks_for_nothing_overwrites_whatever_stands_there() -> None:
    NO_PRECONDITION.check("a", href="one.ics")
    assert Precondition.from_headers("*", None).if_match == ANY
