"""Which objects pass at all, and how much of a component."""

from __future__ import annotations

import pytest

from bridge.core.content import MASTER
from bridge.core.content import read as content_of
from bridge.core.model import ComponentType
from bridge.core.sides import Side
from bridge.core.view import SPECIAL, Blocking, Detail, View, admits, hidden_uid
from tests.core.core_samples import component, read, read_event, stream

EVENT = read_event("DTSTART:20260714T090000Z", "CATEGORIES:Hair, Colour ,Room", "CATEGORIES:VIP")
TO_DO = read(stream(*component("SUMMARY:Order towels", kind="VTODO")))
BOTH = frozenset({ComponentType.VEVENT, ComponentType.VTODO})


def out(**settings: object) -> View:
    return View(towards=Side.THERE, **settings)  # type: ignore[arg-type]  # each test gives what it is about


def test_only_the_component_types_of_the_rule_pass() -> None:
    assert admits(EVENT, out())
    assert not admits(TO_DO, out())
    assert admits(TO_DO, out(components=BOTH))


def test_where_only_times_are_shown_what_takes_no_time_does_not_pass() -> None:
    assert not admits(TO_DO, out(components=BOTH, detail=Detail.BUSY))
    assert admits(EVENT, out(components=BOTH, detail=Detail.BUSY))


@pytest.mark.parametrize(
    ("categories", "passes"), [({"hair"}, True), ({"COLOUR"}, True), ({"vip", "x"}, True), ({"nails"}, False)]
)
def test_only_the_categories_of_the_rule_pass_in_any_case_of_letters(categories: set[str], *, passes: bool) -> None:
    assert admits(EVENT, out(categories=frozenset(categories))) is passes


def test_what_has_no_category_passes_only_where_none_is_asked_for() -> None:
    bare = read_event("DTSTART:20260714T090000Z")
    assert admits(bare, out())
    assert not admits(bare, out(categories=frozenset({"hair"})))


def test_what_an_upstream_makes_of_itself_passes_unless_it_is_to_be_ignored() -> None:
    special = read_event("DTSTART:20260714T090000Z", f"{SPECIAL}:outOfOffice")
    assert admits(special, View(towards=Side.HERE))
    assert not admits(special, View(towards=Side.HERE, special=Blocking.IGNORE))
    assert admits(EVENT, View(towards=Side.HERE, special=Blocking.IGNORE))


def levels(*content: str, detail: Detail = Detail.FULL) -> dict[str, Detail]:
    parts = content_of(read(stream(*content))).parts
    return {key or "master": out(detail=detail).level(part, parts) for key, part in parts.items()}


@pytest.mark.parametrize("word", ["PRIVATE", "confidential", "X-SECRET"])
def test_of_what_is_not_public_only_the_times_are_shown(word: str) -> None:
    assert set(levels(*component("DTSTART:20260714T090000Z", f"CLASS:{word}")).values()) == {Detail.BUSY}


def test_what_is_public_is_shown_as_the_rule_says() -> None:
    public = component("DTSTART:20260714T090000Z", "CLASS:public")
    for detail in Detail:
        assert set(levels(*public, detail=detail).values()) == {detail}


def test_an_instance_is_as_private_as_its_series_unless_it_says_otherwise() -> None:
    master = component("DTSTART:20260714T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "CLASS:PRIVATE")
    second = component("RECURRENCE-ID:20260715T090000Z", "DTSTART:20260715T100000Z")
    third = component("RECURRENCE-ID:20260716T090000Z", "DTSTART:20260716T100000Z", "CLASS:PUBLIC")
    found = levels(*master, *second, *third)
    assert list(found.values()) == [Detail.BUSY, Detail.BUSY, Detail.FULL]
    assert set(levels(*second).values()) == {Detail.FULL}
    assert MASTER not in content_of(read(stream(*second))).parts


def test_a_hidden_uid_is_always_the_same_and_says_nothing() -> None:
    assert hidden_uid("anna@example.org") == hidden_uid("anna@example.org") != hidden_uid("berta@example.org")
    assert "anna" not in hidden_uid("anna@example.org")
