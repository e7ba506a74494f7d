"""What every database must do for shared and moved appointments: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.core.canonical import digest
from bridge.errors import NotFound, ObjectRefused, PreconditionFailed, UidConflict
from bridge.store import calendar_object
from bridge.store.collection import Kind
from bridge.store.journal import Action
from tests.store.appointments import START, appointment
from tests.store.desk import ANNA
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.database import Database
    from tests.store.desk import Desk


class SharingContract:
    """One appointment in several calendars."""

    @pytest.fixture(autouse=True)
    def _at_rest(self, database: Database) -> Iterator[None]:
        yield
        check_integrity(database)

    @pytest.fixture
    def anna(self, desk: Desk) -> int:
        return desk.calendar("anna")

    @pytest.fixture
    def room(self, desk: Desk) -> int:
        return desk.calendar("room-1")

    def share(self, desk: Desk, *where: int) -> None:
        """Puts one appointment into all these calendars, by someone who may write them all."""
        for here in where:
            desk.put(here, "x.ics", appointment(), joinable=set(where))

    def test_an_appointment_moved_in_one_calendar_moves_in_all(self, desk: Desk, anna: int, room: int) -> None:
        self.share(desk, anna, room)
        later = appointment(start=START + timedelta(hours=2))

        desk.put(room, "x.ics", later)

        assert desk.raw(anna, "x.ics") == later.raw
        assert [change.href for change in desk.changes("anna").changes] == ["x.ics"]
        assert desk.history("anna")[0].after == later.etag

    def test_what_only_differs_in_spelling_is_one_appointment_and_the_last_spelling_counts(
        self, desk: Desk, anna: int, room: int
    ) -> None:
        first, second = appointment(), appointment(stamp="20261102T000000Z")
        assert digest(first) == digest(second)
        desk.put(anna, "x.ics", first)

        desk.put(room, "y.ics", second, joinable={anna, room})

        assert desk.raw(anna, "x.ics") == second.raw
        stored = desk.get(anna, "x.ics"), desk.get(room, "y.ics")
        assert stored[0] is not None
        assert stored[1] is not None
        assert stored[0].object_id == stored[1].object_id

    def test_deleted_in_one_calendar_it_stays_in_the_others(self, desk: Desk, anna: int, room: int) -> None:
        self.share(desk, anna, room)

        desk.remove(anna, "x.ics")

        assert desk.get(anna, "x.ics") is None
        assert desk.summaries(room) == {"x.ics": "Haircut"}

    def test_without_the_right_to_write_everywhere_it_stays_apart(self, desk: Desk, anna: int, room: int) -> None:
        laser = desk.calendar("laser")
        self.share(desk, anna, room)
        desk.put(laser, "x.ics", appointment(), joinable={anna, laser})

        desk.put(laser, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(anna) == {"x.ics": "Haircut"}

    def test_the_same_uid_with_another_meaning_stays_apart(self, desk: Desk, anna: int, room: int) -> None:
        desk.put(anna, "x.ics", appointment(summary="Haircut"))
        desk.put(room, "x.ics", appointment(summary="Blocked"), joinable={anna, room})

        desk.put(room, "x.ics", appointment(summary="Cleaning"))

        assert desk.summaries(anna) == {"x.ics": "Haircut"}

    def test_another_account_stays_apart(self, desk: Desk, anna: int) -> None:
        elsewhere = desk.calendar("anna", owner="school")
        desk.put(anna, "x.ics", appointment())
        desk.put(elsewhere, "x.ics", appointment(), joinable={anna, elsewhere})

        desk.put(elsewhere, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(anna) == {"x.ics": "Haircut"}

    def test_a_personal_calendar_never_joins(self, desk: Desk, anna: int) -> None:
        own = desk.calendar("own", owner="anna", kind=Kind.PERSONAL)
        of_the_same_name = desk.calendar("own", owner="salon", kind=Kind.PERSONAL)
        every = {anna, own, of_the_same_name}
        for here in (own, anna, of_the_same_name):
            desk.put(here, "x.ics", appointment(), joinable=every)

        desk.put(anna, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(own) == desk.summaries(of_the_same_name) == {"x.ics": "Haircut"}

    def test_three_calendars_share_and_one_leaves(self, desk: Desk, anna: int, room: int) -> None:
        laser = desk.calendar("laser")
        self.share(desk, anna, room, laser)

        desk.remove(room, "x.ics")
        desk.put(laser, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(anna) == {"x.ics": "Colour"}
        assert desk.summaries(room) == {}

    def test_a_stale_etag_of_another_calendar_is_stale_here_too(self, desk: Desk, anna: int, room: int) -> None:
        self.share(desk, anna, room)
        desk.put(anna, "x.ics", appointment(summary="Colour"))

        with pytest.raises(PreconditionFailed):
            desk.put(room, "x.ics", appointment(summary="Shave"), if_match=appointment().etag)


class MoveContract:
    """An appointment goes from one calendar to another."""

    @pytest.fixture(autouse=True)
    def _at_rest(self, database: Database) -> Iterator[None]:
        yield
        check_integrity(database)

    @pytest.fixture
    def anna(self, desk: Desk) -> int:
        return desk.calendar("anna")

    @pytest.fixture
    def bert(self, desk: Desk) -> int:
        return desk.calendar("bert")

    def test_a_moved_appointment_stands_in_one_place(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment())

        assert not desk.move((anna, "x.ics"), (bert, "y.ics"))

        assert (desk.raw(anna, "x.ics"), desk.raw(bert, "y.ics")) == (None, appointment().raw)
        assert desk.history("anna")[0].action is Action.REMOVE
        assert desk.history("bert")[0].action is Action.CREATE

    def test_it_can_get_another_href_in_the_same_calendar(self, desk: Desk, anna: int) -> None:
        desk.put(anna, "x.ics", appointment())

        assert not desk.move((anna, "x.ics"), (anna, "y.ics"))

        assert set(desk.summaries(anna)) == {"y.ics"}

    def test_it_replaces_the_same_appointment_where_that_is_wanted(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment(summary="New"))
        desk.put(bert, "x.ics", appointment(summary="Old"))

        assert desk.move((anna, "x.ics"), (bert, "x.ics"), overwrite=True)

        assert (desk.summaries(anna), desk.summaries(bert)) == ({}, {"x.ics": "New"})

    def test_it_replaces_nothing_where_that_is_not_wanted(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment(summary="New"))
        desk.put(bert, "x.ics", appointment(summary="Old"))

        with pytest.raises(PreconditionFailed):
            desk.move((anna, "x.ics"), (bert, "x.ics"), overwrite=False)

        assert (desk.summaries(anna), desk.summaries(bert)) == ({"x.ics": "New"}, {"x.ics": "Old"})

    def test_it_goes_nowhere_when_its_uid_stands_there_under_another_href(
        self, desk: Desk, anna: int, bert: int
    ) -> None:
        desk.put(anna, "x.ics", appointment(summary="New"))
        desk.put(bert, "y.ics", appointment(summary="Old"))

        with pytest.raises(UidConflict):
            desk.move((anna, "x.ics"), (bert, "x.ics"))

        assert desk.summaries(anna) == {"x.ics": "New"}

    def test_a_version_that_is_not_there_any_more_is_not_moved(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment(summary="New"))

        with pytest.raises(PreconditionFailed), desk.database.writing() as tx:
            calendar_object.move(
                tx, (anna, "x.ics"), (bert, "x.ics"), moved=appointment(summary="Old"), author=ANNA, overwrite=True
            )

        assert desk.summaries(anna) == {"x.ics": "New"}

    def test_what_is_not_there_is_not_moved(self, desk: Desk, anna: int, bert: int) -> None:
        with pytest.raises((NotFound, PreconditionFailed)), desk.database.writing() as tx:
            calendar_object.move(tx, (anna, "x.ics"), (bert, "x.ics"), moved=appointment(), author=ANNA, overwrite=True)

    def test_a_shared_appointment_that_is_moved_is_still_shared(self, desk: Desk, anna: int, bert: int) -> None:
        room = desk.calendar("room-1")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})

        desk.move((anna, "x.ics"), (bert, "x.ics"), joinable={anna, bert, room})
        desk.put(bert, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(room) == {"x.ics": "Colour"}

    def test_whoever_moves_a_shared_appointment_it_stays_the_same_one(self, desk: Desk, anna: int, bert: int) -> None:
        room = desk.calendar("room-1")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})
        before = desk.get(room, "x.ics")

        desk.move((anna, "x.ics"), (bert, "y.ics"), joinable={anna, bert})

        after = desk.get(bert, "y.ics")
        assert before is not None
        assert after is not None
        assert after.object_id == before.object_id
        desk.put(bert, "y.ics", appointment(summary="Colour"))
        assert desk.summaries(room) == {"x.ics": "Colour"}

    def test_every_calendar_that_a_move_concerns_hears_of_it_and_no_other(
        self, desk: Desk, anna: int, bert: int
    ) -> None:
        room = desk.calendar("room-1")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})
        tokens = {key: desk.changes(key).token for key in ("anna", "bert", "room-1")}

        desk.move((anna, "x.ics"), (bert, "y.ics"))

        heard = {key: [(each.href, each.etag) for each in desk.changes(key, tokens[key]).changes] for key in tokens}
        assert heard == {"anna": [("x.ics", None)], "bert": [("y.ics", appointment().etag)], "room-1": []}

    @pytest.mark.parametrize("href", ["x.ics", "y.ics"])
    def test_moved_to_where_it_stands_already_it_stands_there_once(
        self, desk: Desk, anna: int, bert: int, href: str
    ) -> None:
        room = desk.calendar("room-1")
        for here in (anna, bert, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, bert, room})

        replaced = desk.move((anna, "x.ics"), (bert, href))

        assert replaced is (href == "x.ics")
        desk.put(room, "x.ics", appointment(summary="Colour"))
        assert (desk.summaries(anna), desk.summaries(bert)) == ({}, {href: "Colour"})

    def test_what_a_move_replaces_stays_where_else_it_stands(self, desk: Desk, anna: int, bert: int) -> None:
        room = desk.calendar("room-1")
        for here in (bert, room):
            desk.put(here, "x.ics", appointment(summary="Old"), joinable={bert, room})
        desk.put(anna, "x.ics", appointment(summary="New"))

        assert desk.move((anna, "x.ics"), (bert, "x.ics"))

        assert (desk.summaries(bert), desk.summaries(room)) == ({"x.ics": "New"}, {"x.ics": "Old"})

    def test_of_two_that_are_equal_to_the_letter_the_moved_one_remains_shared(
        self, desk: Desk, anna: int, bert: int
    ) -> None:
        room = desk.calendar("room-1")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})
        desk.put(bert, "x.ics", appointment())
        token = desk.changes("bert").token

        assert desk.move((anna, "x.ics"), (bert, "x.ics"))

        assert desk.changes("bert", token).changes == ()
        desk.put(bert, "x.ics", appointment(summary="Colour"))
        assert desk.summaries(room) == {"x.ics": "Colour"}

    def test_moved_to_where_it_stands_nothing_changes(self, desk: Desk, anna: int) -> None:
        desk.put(anna, "x.ics", appointment())

        assert desk.move((anna, "x.ics"), (anna, "x.ics"))

        assert len(desk.history("anna")) == 1

    def test_a_name_that_nobody_can_keep_is_refused(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment())

        with pytest.raises(ObjectRefused):
            desk.move((anna, "x.ics"), (bert, "x" * 3000))

        assert desk.summaries(anna) == {"x.ics": "Haircut"}

    def test_moved_to_another_account_it_is_another_appointment(self, desk: Desk, anna: int) -> None:
        room, elsewhere = desk.calendar("room-1"), desk.calendar("anna", owner="school")
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})

        desk.move((anna, "x.ics"), (elsewhere, "x.ics"), joinable={anna, room, elsewhere})
        desk.put(elsewhere, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(room) == {"x.ics": "Haircut"}

    def test_moved_to_a_calendar_of_a_users_own_it_is_another_appointment(self, desk: Desk, anna: int) -> None:
        room, own = desk.calendar("room-1"), desk.calendar("own", owner="anna", kind=Kind.PERSONAL)
        for here in (anna, room):
            desk.put(here, "x.ics", appointment(), joinable={anna, room})

        desk.move((anna, "x.ics"), (own, "x.ics"), joinable={anna, room, own})
        desk.put(own, "x.ics", appointment(summary="Colour"))

        assert desk.summaries(room) == {"x.ics": "Haircut"}

    def test_in_a_calendar_of_a_users_own_it_can_get_another_name(self, desk: Desk) -> None:
        own = desk.calendar("own", owner="anna", kind=Kind.PERSONAL)
        desk.put(own, "x.ics", appointment())

        assert not desk.move((own, "x.ics"), (own, "y.ics"))

        assert set(desk.summaries(own)) == {"y.ics"}

    def test_another_appointment_is_never_replaced_by_a_move(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment("a"))
        desk.put(bert, "x.ics", appointment("b", "Other"))

        with pytest.raises(UidConflict):
            desk.move((anna, "x.ics"), (bert, "x.ics"))

        assert (set(desk.summaries(anna)), desk.summaries(bert)) == ({"x.ics"}, {"x.ics": "Other"})

    def test_a_move_can_be_undone_in_both_calendars(self, desk: Desk, anna: int, bert: int) -> None:
        desk.put(anna, "x.ics", appointment())
        desk.move((anna, "x.ics"), (bert, "y.ics"))

        desk.undo(desk.history("bert")[0])
        desk.undo(desk.history("anna")[0])

        assert (desk.summaries(anna), desk.summaries(bert)) == ({"x.ics": "Haircut"}, {})
