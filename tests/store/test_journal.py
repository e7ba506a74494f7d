"""Tests of the journal: who changed what, when, before and after; and how long it is remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from bridge.errors import NotFound, NothingToUndo
from bridge.store import calendar_object, collection, journal, rewind
from bridge.store.collection import Address, Kind
from bridge.store.journal import Action, Author
from bridge.store.schema import body
from tests.store.appointments import appointment, parse
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from tests.store.desk import Desk


def test_each_change_has_an_entry_that_tells_everything(desk: Desk) -> None:
    anna = desk.calendar()
    desk.put(anna, "x.ics", appointment(summary="Cut"))
    desk.clock.go_on(timedelta(minutes=5))
    desk.put(anna, "x.ics", appointment(summary="Colour"))
    desk.remove(anna, "x.ics")

    removed, replaced, created = desk.history("anna")

    cut, colour = appointment(summary="Cut").etag, appointment(summary="Colour").etag
    assert [(entry.action, entry.before, entry.after) for entry in (created, replaced, removed)] == [
        (Action.CREATE, None, cut),
        (Action.REPLACE, cut, colour),
        (Action.REMOVE, colour, None),
    ]
    assert [entry.revision for entry in (created, replaced, removed)] == [1, 2, 3]
    assert [entry.summary for entry in (created, replaced, removed)] == ["Cut", "Colour", "Colour"]
    assert replaced.at - created.at == timedelta(minutes=5)
    assert replaced.author == Author("user:anna", "Thunderbird/128")
    assert (replaced.href, replaced.uid) == ("x.ics", "haircut")
    assert replaced.address == Address(Kind.RESOURCE, "salon", "anna")


def test_a_client_with_an_endless_name_is_noted_all_the_same(desk: Desk) -> None:
    anna = desk.calendar()
    with desk.database.writing() as tx:
        calendar_object.put(tx, anna, "x.ics", appointment(), author=Author("user:anna", "é" * 100_000))

    assert desk.history()[0].author.via == "é" * 200


def test_history_is_of_one_calendar_of_one_uid_or_of_both(desk: Desk) -> None:
    anna, bert = desk.calendar("anna"), desk.calendar("bert")
    desk.put(anna, "x.ics", appointment("x"))
    desk.put(bert, "x.ics", appointment("x"))
    desk.put(bert, "y.ics", appointment("y"))

    assert [entry.address.key for entry in desk.history()] == ["bert", "bert", "anna"]
    assert [entry.uid for entry in desk.history("bert")] == ["y", "x"]
    assert [entry.address.key for entry in desk.history(uid="x")] == ["bert", "anna"]
    assert [entry.uid for entry in desk.history("bert", uid="x")] == ["x"]
    with desk.database.reading() as tx:
        assert len(journal.history(tx, limit=2)) == 2
        assert journal.get(tx, desk.history()[0].id) == desk.history()[0]


def test_an_entry_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="calbridge history"), desk.database.reading() as tx:
        journal.get(tx, 4711)


def test_a_text_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="calbridge history"), desk.database.reading() as tx:
        journal.raw(tx, "0" * 32)


def test_the_journal_of_a_deleted_calendar_stays(desk: Desk) -> None:
    anna = desk.calendar()
    desk.put(anna, "x.ics", appointment())
    desk.remove(anna, "x.ics")
    with desk.database.writing() as tx:
        collection.remove(tx, anna)

    assert [entry.action for entry in desk.history("anna")] == [Action.REMOVE, Action.CREATE]


def test_expiry_forgets_old_entries_and_only_the_texts_that_nothing_needs(desk: Desk) -> None:
    anna, bert = desk.calendar("anna"), desk.calendar("bert")
    old, kept, gone = appointment("a", "Old"), appointment("a", "Kept"), appointment("b", "Gone")
    desk.put(anna, "a.ics", old)
    desk.put(bert, "b.ics", gone)
    desk.remove(bert, "b.ics")
    desk.put(anna, "a.ics", kept)
    desk.clock.go_on(timedelta(days=100))
    desk.put(bert, "a.ics", appointment("a", "New"))
    desk.remove(bert, "a.ics")

    with desk.database.writing() as tx:
        assert journal.expire(tx, tx.now - timedelta(days=50)) == 4

    assert desk.raw(anna, "a.ics") == kept.raw
    assert [entry.summary for entry in desk.history()] == ["New", "New"]
    with desk.database.reading() as tx:
        assert journal.raw(tx, appointment("a", "New").etag)
        assert tx.connection.execute(select(func.count()).select_from(body)).scalar_one() == 2
        with pytest.raises(NotFound):
            journal.raw(tx, old.etag)
    check_integrity(desk.database, expired=True)


def test_expiry_of_many_entries_forgets_all_their_texts(desk: Desk) -> None:
    anna = desk.calendar()
    with desk.database.writing() as tx:
        for number in range(620):
            calendar_object.put(tx, anna, "x.ics", appointment(summary=str(number)), author=desk.author)
    desk.clock.go_on(timedelta(days=1))

    with desk.database.writing() as tx:
        assert journal.expire(tx, tx.now) == 620

    assert desk.summaries(anna) == {"x.ics": "619"}
    check_integrity(desk.database, expired=True)


def test_no_calendar_goes_further_back_than_the_journal(desk: Desk) -> None:
    anna, begin = desk.calendar(), desk.clock.now - timedelta(days=1)
    for title in ("One", "Two"):
        desk.put(anna, "a.ics", appointment("a", title))
        desk.clock.go_on(timedelta(days=1))
    with desk.database.writing() as tx:
        journal.expire(tx, tx.now - timedelta(days=1))
    here = Address(Kind.RESOURCE, "salon", "anna")

    with pytest.raises(NothingToUndo, match="begins only at 2026-11-22"), desk.database.writing() as tx:
        rewind.rewind(tx, here, begin, author=Author("undo"), parse=parse)

    assert desk.summaries(anna) == {"a.ics": "Two"}
