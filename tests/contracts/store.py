"""What every database must do for the store: inherited by one test class, which runs it on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotFound, ObjectRefused, PreconditionFailed, UidConflict
from bridge.store import calendar_object, collection, journal, placement
from tests.store.appointments import START, appointment, task
from tests.store.desk import ANNA
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.database import Database, Transaction
    from tests.store.desk import Desk


class ObjectContract:
    """One appointment in one calendar."""

    @pytest.fixture(autouse=True)
    def _at_rest(self, database: Database) -> Iterator[None]:
        yield
        check_integrity(database)

    def test_what_was_put_comes_back_byte_for_byte(self, desk: Desk) -> None:
        anna = desk.calendar()
        new = appointment(summary="Knippen, föhnen & 💇")

        done = desk.put(anna, "x.ics", new)

        assert (done.etag, done.created, done.changed) == (new.etag, True, True)
        stored = desk.get(anna, "x.ics")
        assert stored is not None
        assert (stored.raw, stored.etag, stored.uid, stored.size) == (new.raw, new.etag, "haircut", len(new.raw))
        assert (stored.component, stored.recurring, stored.changed_at) == ("VEVENT", False, desk.clock.now)

    def test_putting_the_same_bytes_again_changes_nothing(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())
        token = desk.changes().token

        again = desk.put(anna, "x.ics", appointment())

        assert (again.created, again.changed) == (False, False)
        assert desk.changes(token=token).changes == ()
        assert len(desk.history()) == 1

    def test_an_unconditional_put_overwrites_and_the_journal_keeps_what_was_there(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment(summary="Cut"))

        done = desk.put(anna, "x.ics", appointment(summary="Colour"))

        assert (done.created, done.changed) == (False, True)
        assert desk.summaries(anna) == {"x.ics": "Colour"}
        with desk.database.reading() as tx:
            assert b"SUMMARY:Cut" in journal.raw(tx, desk.history()[0].before or "")

    def test_a_put_with_a_stale_etag_changes_nothing(self, desk: Desk) -> None:
        anna = desk.calendar()
        old = desk.put(anna, "x.ics", appointment(summary="Cut")).etag
        desk.put(anna, "x.ics", appointment(summary="Colour"))

        with pytest.raises(PreconditionFailed):
            desk.put(anna, "x.ics", appointment(summary="Shave"), if_match=old)

        assert desk.summaries(anna) == {"x.ics": "Colour"}

    def test_a_put_with_the_present_etag_succeeds(self, desk: Desk) -> None:
        anna = desk.calendar()
        etag = desk.put(anna, "x.ics", appointment(summary="Cut")).etag

        desk.put(anna, "x.ics", appointment(summary="Colour"), if_match=etag)

        assert desk.summaries(anna) == {"x.ics": "Colour"}

    def test_a_create_does_not_overwrite(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment(), create_only=True)

        with pytest.raises(PreconditionFailed):
            desk.put(anna, "x.ics", appointment(summary="Colour"), create_only=True)

    def test_a_put_that_wants_something_to_overwrite_needs_it(self, desk: Desk) -> None:
        with pytest.raises(PreconditionFailed):
            desk.put(desk.calendar(), "x.ics", appointment(), if_match="0" * 32)

    def test_a_uid_stands_in_a_calendar_once_and_the_refusal_says_where(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())

        with pytest.raises(UidConflict) as refused:
            desk.put(anna, "y.ics", appointment(summary="Colour"))

        assert refused.value.href == "x.ics"

    def test_another_uid_does_not_take_the_place_of_an_appointment(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment("haircut"))

        with pytest.raises(UidConflict) as refused:
            desk.put(anna, "x.ics", appointment("shave"))

        assert refused.value.href == "x.ics"

    def test_uids_and_hrefs_differ_by_case_and_accent(self, desk: Desk) -> None:
        anna = desk.calendar()
        for href, uid in {"x.ics": "a", "X.ics": "A", "é.ics": "é", "e\u0301.ics": "e\u0301"}.items():
            desk.put(anna, href, appointment(uid))

        assert set(desk.summaries(anna)) == {"x.ics", "X.ics", "é.ics", "e\u0301.ics"}

    @pytest.mark.parametrize("length", [1000, 2000])
    def test_a_long_uid_and_a_long_href_are_kept(self, desk: Desk, length: int) -> None:
        anna = desk.calendar()
        noise = random.Random(length).randbytes(length).hex()[:length]

        desk.put(anna, noise, appointment(noise))

        with desk.database.reading() as tx:
            assert placement.href_of_uid(tx, anna, noise) == noise

    @pytest.mark.parametrize(
        ("href", "uid"),
        [("x" * 2001, "x"), ("é" * 1001, "x"), ("x.ics", "x" * 2001), ("a\0b", "x"), ("\udc80", "x"), ("", "x")],
        ids=["long href", "long href of umlauts", "long uid", "zero byte", "no text", "empty"],
    )
    def test_what_no_database_can_keep_as_a_name_is_refused(self, desk: Desk, href: str, uid: str) -> None:
        anna = desk.calendar()

        with pytest.raises(ObjectRefused):
            desk.put(anna, href, appointment(uid))

        assert desk.summaries(anna) == {}

    @pytest.mark.parametrize("href", ["a\0b", "\udc80", "x" * 100_000])
    def test_a_name_that_cannot_be_kept_is_not_found(self, desk: Desk, href: str) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())

        assert desk.get(anna, href) is None
        with desk.database.reading() as tx:
            assert placement.entry(tx, anna, href) is None
            assert [found.href for found in placement.get_many(tx, anna, ["x.ics", href])] == ["x.ics"]
        with pytest.raises(NotFound):
            desk.remove(anna, href)

    def test_a_deleted_appointment_is_gone_and_may_come_back(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment())

        desk.remove(anna, "x.ics")
        assert desk.get(anna, "x.ics") is None

        assert desk.put(anna, "y.ics", appointment(), create_only=True).created

    def test_deleting_what_is_not_there_is_not_found(self, desk: Desk) -> None:
        with pytest.raises(NotFound):
            desk.remove(desk.calendar(), "x.ics")

    def test_deleting_what_is_not_there_any_more_fails_its_precondition(self, desk: Desk) -> None:
        with pytest.raises(PreconditionFailed):
            desk.remove(desk.calendar(), "x.ics", if_match="0" * 32)

    def test_a_delete_with_a_stale_etag_deletes_nothing(self, desk: Desk) -> None:
        anna = desk.calendar()
        old = desk.put(anna, "x.ics", appointment(summary="Cut")).etag
        desk.put(anna, "x.ics", appointment(summary="Colour"))

        with pytest.raises(PreconditionFailed):
            desk.remove(anna, "x.ics", if_match=old)

        assert desk.summaries(anna) == {"x.ics": "Colour"}

    def test_a_put_into_a_deleted_calendar_is_not_found(self, desk: Desk) -> None:
        anna = desk.calendar()
        with desk.database.writing() as tx:
            collection.remove(tx, anna)

        with pytest.raises(NotFound):
            desk.put(anna, "x.ics", appointment())

    def test_an_error_takes_the_whole_transaction_back(self, desk: Desk) -> None:
        anna = desk.calendar()

        def put_and_fail() -> None:
            with desk.database.writing() as tx:
                calendar_object.put(tx, anna, "x.ics", appointment(), author=ANNA)
                raise NotFound("Something else is missing.")

        with pytest.raises(NotFound):
            put_and_fail()

        assert desk.state().revision == 0

    def test_an_error_in_a_savepoint_takes_back_that_part_only(self, desk: Desk) -> None:
        anna = desk.calendar()

        def put_and_fail(tx: Transaction) -> None:
            with tx.savepoint():
                calendar_object.put(tx, anna, "y.ics", appointment("b"), author=ANNA)
                calendar_object.put(tx, anna, "z.ics", appointment("a"), author=ANNA)

        with desk.database.writing() as tx:
            calendar_object.put(tx, anna, "x.ics", appointment("a"), author=ANNA)
            with pytest.raises(UidConflict):
                put_and_fail(tx)

        assert set(desk.summaries(anna)) == {"x.ics"}


class ListingContract:
    """What a calendar holds, found in several ways."""

    def test_listings_tell_everything_but_the_text(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "b.ics", task())
        desk.put(anna, "a.ics", appointment())

        with desk.database.reading() as tx:
            entries = placement.listing(tx, anna)
            assert placement.etags(tx, anna) == [(entry.href, entry.etag) for entry in entries]
            assert placement.entry(tx, anna, "b.ics") == entries[1]
            assert placement.entry(tx, anna, "c.ics") is None
            assert placement.count(tx, anna) == 2
            assert placement.href_of_uid(tx, anna, "call") == "b.ics"
            assert placement.href_of_uid(tx, anna, "Call") is None
        assert [(entry.href, entry.uid, entry.component) for entry in entries] == [
            ("a.ics", "haircut", "VEVENT"),
            ("b.ics", "call", "VTODO"),
        ]

    def test_listings_are_in_the_order_of_code_points(self, desk: Desk) -> None:
        anna = desk.calendar()
        for number, href in enumerate(["b.ics", "a.ics", "B.ics", "é.ics", "_.ics", "1.ics"]):
            desk.put(anna, href, appointment(str(number)))

        with desk.database.reading() as tx:
            hrefs = [href for href, _ in placement.etags(tx, anna)]

        assert hrefs == sorted(hrefs)

    def test_many_hrefs_are_found_at_once_and_the_missing_left_out(self, desk: Desk) -> None:
        anna = desk.calendar()
        with desk.database.writing() as tx:
            for number in range(620):
                calendar_object.put(tx, anna, f"{number}.ics", appointment(str(number)), author=ANNA)

        with desk.database.reading() as tx:
            found = {stored.href for stored in placement.get_many(tx, anna, [f"{n}.ics" for n in range(0, 1300, 2)])}

        assert found == {f"{n}.ics" for n in range(0, 620, 2)}

    def test_a_calendar_shows_only_its_own(self, desk: Desk) -> None:
        anna, room = desk.calendar("anna"), desk.calendar("room-1")
        desk.put(anna, "x.ics", appointment())

        assert desk.get(room, "x.ics") is None
        assert desk.summaries(room) == {}

    @pytest.mark.parametrize(
        ("hours", "length", "rule", "found"),
        [
            (0, 1, "", True),
            (-1, 1, "", True),
            (-2, 1, "", False),
            (1, 1, "", False),
            (-24 * 30, 24 * 31, "", True),
            (-24 * 400, 24 * 500, "", True),
            (-24 * 365, 1, "FREQ=WEEKLY", True),
            (-24 * 365, 1, "FREQ=WEEKLY;COUNT=2", False),
            (24 * 365, 1, "FREQ=WEEKLY", False),
        ],
        ids=[
            "in it",
            "ends as it begins",
            "ends before",
            "begins as it ends",
            "a month long",
            "over a year long",
            "an endless series",
            "a series that ended",
            "a series that begins later",
        ],
    )
    def test_a_range_finds_what_touches_it(self, desk: Desk, hours: int, length: int, rule: str, found: bool) -> None:  # noqa: FBT001 -- a parameter of the test
        anna = desk.calendar()
        new = appointment(start=START + timedelta(hours=hours), length=timedelta(hours=length), rule=rule)
        desk.put(anna, "x.ics", new)

        with desk.database.reading() as tx:
            touching = list(placement.touching(tx, anna, START, START + timedelta(hours=1)))

        assert [stored.href for stored in touching] == (["x.ics"] if found else [])

    def test_a_task_without_any_time_touches_every_range(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", task())

        with desk.database.reading() as tx:
            assert len(list(placement.touching(tx, anna, START, START + timedelta(hours=1)))) == 1
