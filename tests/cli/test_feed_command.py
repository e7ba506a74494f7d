"""Tests `feed`: the secret addresses, who fetches them, and how an old one dies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.cli import screen
from bridge.cli.outcome import Exit
from bridge.store import feed_record
from bridge.store.database import Database

if TYPE_CHECKING:
    from tests.cli.conftest import Installation


def note_fetches(installation: Installation, client: str, *moments: datetime) -> None:
    site = installation.open()
    site.database.close()
    for moment in moments:
        database = Database(site.configuration.database.url, clock=lambda: moment)  # noqa: B023 -- used at once
        with database.writing() as tx:
            feed_record.note_fetch(tx, "anna", client)
        database.close()


def test_feeds_are_listed_with_address_and_readers(installation: Installation) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    note_fetches(installation, "Outlook", noon - timedelta(hours=3), noon)
    feeds = installation.run("feed", "list", "--json").json["feeds"]

    assert [feed["name"] for feed in feeds] == ["anna", "busy"]
    assert feeds[0].pop("url").startswith("http://127.0.0.1:5232/feed/")
    assert feeds[0] == {
        "name": "anna",
        "of": "salon/anna",
        "detail": "full",
        "past": "90d",
        "future": "2y",
        "fetches": [{"client": "Outlook", "at": "2026-11-20T12:00:00+00:00", "interval_seconds": 10800.0, "count": 2}],
    }


def test_a_person_reads_times_in_the_accounts_zone(installation: Installation) -> None:
    note_fetches(installation, "Outlook", datetime(2026, 11, 20, 12, tzinfo=UTC))
    shown = installation.run("feed", "list").stdout

    assert "Outlook  last fetched 2026-11-20 13:00  once so far" in shown
    assert "busy: salon, busy, from 90d back to 2y ahead\n" in shown
    assert "  never fetched yet\n" in shown


def test_the_address_alone_is_printed_for_scripts(installation: Installation) -> None:
    listed = installation.run("feed", "list", "--json").json["feeds"]

    assert installation.run("feed", "url", "anna").stdout == f"{listed[0]['url']}\n"


def test_a_rotated_feed_has_a_new_address_and_no_readers(installation: Installation) -> None:
    note_fetches(installation, "Outlook", datetime(2026, 11, 20, 12, tzinfo=UTC))
    before = installation.run("feed", "url", "anna").stdout
    answer = installation.run("feed", "rotate", "anna", "--yes", "--json")
    after = installation.run("feed", "list", "--json").json["feeds"][0]

    assert answer.json == {"name": "anna", "url": after["url"]}
    assert f"{after['url']}\n" != before
    assert after["fetches"] == []


def test_a_rotation_is_asked_for_first(installation: Installation) -> None:
    before = installation.run("feed", "url", "anna").stdout

    assert installation.run("feed", "rotate", "anna", typed="n\n").code == Exit.INTERRUPTED
    assert installation.run("feed", "rotate", "anna").code == Exit.INTERRUPTED
    assert installation.run("feed", "url", "anna").stdout == before
    assert "The old address is dead." in installation.run("feed", "rotate", "anna", typed="y\n").stdout
    assert installation.run("feed", "url", "anna").stdout != before


def test_a_configuration_without_feeds_says_how_to_add_one(installation: Installation) -> None:
    text = installation.config.read_text()
    installation.config.write_text(text[: text.index("feeds:")])

    assert "no feeds yet" in installation.run("feed", "list").stdout


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (timedelta(seconds=4), "more than once a minute"),
        (timedelta(minutes=61), "about every hour"),
        (timedelta(hours=3), "about every 3 hours"),
        (timedelta(days=2), "about every 2 days"),
    ],
)
def test_an_interval_is_said_in_its_largest_unit(interval: timedelta, words: str) -> None:
    assert screen.how_often(interval) == words
