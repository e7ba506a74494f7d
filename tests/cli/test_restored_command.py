"""`restored`: a database from a backup, and calendar programs that have seen a later one."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from bridge.core import ics
from bridge.errors import SyncTokenRefused
from bridge.store import calendar_object, collection, placement
from bridge.store.collection import Address, Kind
from bridge.store.journal import Author
from tests.cli.conftest import calendar, event

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from tests.cli.conftest import Installation

ANNA = Address(Kind.RESOURCE, "salon", "anna")
OWN = Address(Kind.PERSONAL, "boss", "private")


def put(site: Site, address: Address, uid: str) -> str:
    """Stores one appointment; gives the sync token that a program is told then."""
    with site.database.writing() as tx:
        here = collection.ensure(tx, address)
        new = ics.parse(calendar(event(uid)).encode(), zone=site.zone(address), max_instances=1000)
        calendar_object.put(tx, here.id, f"{uid}.ics", new, author=Author("user:boss"))
        return collection.get(tx, address).sync_token


def hrefs_after(site: Site, address: Address, token: str) -> list[str]:
    """What a program hears that sends this sync token."""
    with site.database.reading() as tx:
        here = collection.get(tx, address)
        return [change.href for change in collection.changes_since(tx, here, token).changes]


def copy(source: Path, target: Path) -> None:
    """What `.backup` in sqlite3 does."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def test_what_programs_were_told_after_the_backup_is_refused_and_nothing_is_lost(
    installation: Installation, site: Site, tmp_path: Path
) -> None:
    database, backup = installation.config.parent / "data/calbridge.sqlite3", tmp_path / "backup.sqlite3"
    before = put(site, ANNA, "kept")
    own = put(site, OWN, "own")
    copy(database, backup)
    later = put(site, ANNA, "lost with the disk")
    site.database.close()
    copy(backup, database)
    put(site, ANNA, "the same revision, but another appointment")
    assert hrefs_after(site, ANNA, later) == [], "without the command, a program would miss this appointment"

    answer = installation.run("restored", "--yes")

    assert (answer.code, answer.stderr) == (0, "")
    assert "3 calendars" in answer.stdout
    for address, token in ((ANNA, before), (ANNA, later), (OWN, own)):
        with pytest.raises(SyncTokenRefused):
            hrefs_after(site, address, token)
    assert hrefs_after(site, ANNA, "") == ["kept.ics", "the same revision, but another appointment.ics"]
    with site.database.reading() as tx:
        here = collection.get(tx, ANNA)
        assert len(list(placement.get_all(tx, here.id))) == 2
        token = here.sync_token
    put(site, ANNA, "new")
    assert hrefs_after(site, ANNA, token) == ["new.ics"]


def test_it_asks_first_and_leaves_all_as_it_is_when_told_no(installation: Installation, site: Site) -> None:
    token = put(site, ANNA, "kept")

    answer = installation.run("restored", typed="n\n")

    assert answer.code == 130
    assert hrefs_after(site, ANNA, token) == []


def test_it_names_the_calendars_to_a_program(installation: Installation) -> None:
    assert installation.run("restored", "--yes", "--json").json == {"calendars": ["salon/anna", "salon/room-1"]}
