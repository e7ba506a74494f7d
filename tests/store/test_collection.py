"""Tests of collections: where they stand, and what each user makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Conflict, NotFound, TooManyProperties
from bridge.store import collection
from bridge.store.collection import Address, Kind

if TYPE_CHECKING:
    from tests.store.desk import Desk


def test_a_resource_and_a_personal_calendar_of_the_same_name_are_two(desk: Desk) -> None:
    resource = desk.calendar("anna", owner="anna")
    personal = desk.calendar("anna", owner="anna", kind=Kind.PERSONAL)

    assert resource != personal
    with desk.database.reading() as tx:
        assert [found.id for found in collection.owned(tx, Kind.PERSONAL, "anna")] == [personal]


def test_owned_calendars_come_by_name(desk: Desk) -> None:
    for key in ("room-2", "anna", "room-1"):
        desk.calendar(key)

    with desk.database.reading() as tx:
        keys = [found.address.key for found in collection.owned(tx, Kind.RESOURCE, "salon")]

    assert keys == ["anna", "room-1", "room-2"]


def test_a_calendar_is_found_by_its_number_whatever_stands_beside_it(desk: Desk) -> None:
    anna, bert = desk.calendar("anna"), desk.calendar("bert")

    with desk.database.reading() as tx:
        assert collection.with_id(tx, anna) == collection.get(tx, Address(Kind.RESOURCE, "salon", "anna"))
        assert collection.with_id(tx, anna + bert) is None


def test_a_calendar_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="'salon/anna'"):
        desk.state("anna")


def test_a_calendar_is_made_once(desk: Desk) -> None:
    anna = desk.calendar("anna")

    with pytest.raises(Conflict), desk.database.writing() as tx:
        collection.create(tx, Address(Kind.RESOURCE, "salon", "anna"))

    assert desk.calendar("anna") == anna


@pytest.mark.parametrize("key", ["", "a\0b", "\udc80", "x" * 2001])
def test_no_calendar_has_a_name_that_cannot_be_kept(desk: Desk, key: str) -> None:
    address = Address(Kind.PERSONAL, "anna", key)

    with desk.database.reading() as tx:
        assert collection.find(tx, address) is None
    with pytest.raises(Conflict), desk.database.writing() as tx:
        collection.create(tx, address)


def test_a_user_sees_everybodys_properties_overlaid_with_their_own(desk: Desk) -> None:
    anna = desk.calendar()
    with desk.database.writing() as tx:
        collection.set_properties(tx, anna, "", {"name": "Anna", "color": "#fff"})
        collection.set_properties(tx, anna, "boss", {"color": "#f00"})
        collection.set_properties(tx, anna, "zoë", {"color": "#0f0", "order": "1"})

    with desk.database.reading() as tx:
        assert collection.properties(tx, anna, "boss") == {"name": "Anna", "color": "#f00"}
        assert collection.properties(tx, anna, "zoë") == {"name": "Anna", "color": "#0f0", "order": "1"}
        assert collection.properties(tx, anna, "other") == {"name": "Anna", "color": "#fff"}


def test_a_property_of_ones_own_can_be_changed_and_taken_away(desk: Desk) -> None:
    anna = desk.calendar()
    for color in ("#f00", "#0f0"):
        with desk.database.writing() as tx:
            collection.set_properties(tx, anna, "boss", {"color": color})
    with desk.database.reading() as tx:
        assert collection.properties(tx, anna, "boss") == {"color": "#0f0"}

    with desk.database.writing() as tx:
        collection.set_properties(tx, anna, "boss", {"color": None, "never there": None})

    with desk.database.reading() as tx:
        assert collection.properties(tx, anna, "boss") == {}


def test_a_deleted_calendar_takes_its_properties_with_it(desk: Desk) -> None:
    anna = desk.calendar()
    with desk.database.writing() as tx:
        collection.set_properties(tx, anna, "boss", {"color": "#f00"})
        collection.remove(tx, anna)

    again = desk.calendar()

    with desk.database.reading() as tx:
        assert collection.properties(tx, again, "boss") == {}


@pytest.mark.parametrize(
    "given",
    [{f"name{number}": "" for number in range(201)}, {f"name{number}": "ü" * 50_000 for number in range(10)}],
    ids=["number", "octets"],
)
def test_a_user_has_only_so_many_properties_and_others_have_room_left(desk: Desk, given: dict[str, str]) -> None:
    anna = desk.calendar()
    *first, last = given
    with desk.database.writing() as tx:
        collection.set_properties(tx, anna, "boss", {name: given[name] for name in first})
    with pytest.raises(TooManyProperties, match="Remove some"), desk.database.writing() as tx:
        collection.set_properties(tx, anna, "boss", {last: given[last]})

    with desk.database.writing() as tx:
        assert sorted(collection.properties(tx, anna, "boss")) == sorted(first)
        collection.set_properties(tx, anna, "zoë", {last: given[last]})
        collection.set_properties(tx, anna, "boss", {first[0]: None, last: given[last]})
        assert sorted(collection.properties(tx, anna, "boss")) == sorted([*first[1:], last])
