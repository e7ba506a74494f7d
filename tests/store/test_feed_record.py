"""Tests of what is remembered of feeds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.store import feed_record

if TYPE_CHECKING:
    from bridge.store.database import Database
    from tests.store.desk import Clock


def test_rotating_a_feed_raises_its_generation_alone(database: Database) -> None:
    with database.writing() as tx:
        assert feed_record.generations(tx) == {}
        assert feed_record.rotate(tx, "phone") == 1
        assert feed_record.rotate(tx, "phone") == 2
        assert feed_record.rotate(tx, "salon") == 1

    with database.reading() as tx:
        assert feed_record.generations(tx) == {"phone": 2, "salon": 1}


def test_fetches_tell_who_came_when_and_after_how_long(database: Database, clock: Clock) -> None:
    first = clock.now
    with database.writing() as tx:
        feed_record.note_fetch(tx, "phone", "Outlook")
    with database.reading() as tx:
        (fetch,) = feed_record.fetches(tx)
    assert (fetch.at, fetch.interval, fetch.count) == (first, None, 1)

    clock.go_on(timedelta(hours=3))
    with database.writing() as tx:
        feed_record.note_fetch(tx, "phone", "Outlook")
    clock.go_on(timedelta(hours=1))
    with database.writing() as tx:
        feed_record.note_fetch(tx, "phone", "Google Calendar")
        feed_record.note_fetch(tx, "salon", "Outlook")

    with database.reading() as tx:
        google, outlook = feed_record.fetches(tx, "phone")
        assert len(feed_record.fetches(tx)) == 3
    assert (google.client, google.at) == ("Google Calendar", clock.now)
    assert (outlook.client, outlook.interval, outlook.count) == ("Outlook", timedelta(hours=3), 2)


def test_fetches_of_a_feed_can_be_forgotten(database: Database) -> None:
    with database.writing() as tx:
        feed_record.note_fetch(tx, "phone", "Outlook")
        feed_record.note_fetch(tx, "salon", "Outlook")
        feed_record.forget(tx, "phone")

    with database.reading() as tx:
        assert [fetch.feed for fetch in feed_record.fetches(tx)] == ["salon"]
