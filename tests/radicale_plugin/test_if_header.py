"""The If header of WebDAV protects an appointment from being overwritten as If-Match does."""

from __future__ import annotations

import pytest

from bridge.errors import PreconditionFailed
from bridge.radicale_plugin.if_header import both, precondition
from bridge.radicale_plugin.refusal import Refused

PATH = "/dav/anna/cal/x.ics"


def holds(header: str, stored: str | None) -> bool:
    try:
        precondition(header, PATH).check(stored, href="x.ics")
    except PreconditionFailed:
        return False
    return True


@pytest.mark.parametrize(
    ("header", "stored", "expected"),
    [
        ('(["a"])', "a", True),
        ('(["a"])', "b", False),
        ('(["a"])', None, False),
        ('(["a"]) (["b"])', "b", True),
        ('(Not ["a"])', "b", True),
        ('(Not ["a"])', "a", False),
        ('(["a"]["b"])', "a", False),
        ('([W/"a"])', "a", False),
        ("(<opaquelocktoken:1>)", "a", False),
        ('(<opaquelocktoken:1> ["a"])', "a", False),
        ("(Not <DAV:no-lock>)", "a", True),
        ("(<opaquelocktoken:1>) (Not <DAV:no-lock>)", "a", True),
        ('(<opaquelocktoken:1>) (["a"])', "a", True),
        (f'<{PATH}> (["a"])', "a", True),
        (f'<http://cal.example.org{PATH}> (["a"])', "b", False),
        ('<http://cal.example.org/dav/anna/cal/other.ics> (["a"])', "a", False),
        (f'<http://cal.example.org/other> (["b"]) <{PATH}> (["a"])', "a", True),
        ('<http://[> (["a"])', "a", False),
    ],
)  # fmt: skip
def test_it_holds_where_one_of_its_lists_does(header: str, stored: str | None, *, expected: bool) -> None:
    assert holds(header, stored) is expected


@pytest.mark.parametrize(
    "header", ["", " ", "a", "()", '("a")', '(["a"]', '["a"]', "<x>", "(Not)", '(["a"]) x', "(<a>" * 50]
)
def test_one_that_cannot_be_read_is_a_bad_request(header: str) -> None:
    with pytest.raises(Refused) as refused:
        precondition(header, PATH)
    assert refused.value.status == 400


def test_both_headers_have_to_hold() -> None:
    a, b, nothing = (precondition(header, PATH) for header in ('(["a"])', '(["b"])', None))
    assert both(a, nothing) == both(nothing, a) == a
    assert both(a, b).if_match == frozenset()
