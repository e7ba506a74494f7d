"""Tests `import`: every item is accounted for, and the same command goes on after anything."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.cli.intake import BATCH, href_for
from bridge.cli.outcome import Exit
from bridge.store import calendar_object, collection, journal, placement
from bridge.store.collection import Address, Kind
from tests.cli.conftest import calendar, event, run
from tests.repository import TOP, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.database import Database
    from tests.cli.conftest import Answer, Installation

ANNA = Address(Kind.RESOURCE, "salon", "anna")
MANY = 3000


def into_anna(installation: Installation, *words: str | Path, typed: str = "") -> Answer:
    return installation.run("import", *words, "--into", "salon/anna", typed=typed)


def file(folder: Path, *components: str, name: str = "old.ics") -> Path:
    path = folder / name
    path.write_bytes(calendar(*components).encode())
    return path


def hrefs(site: Site, address: Address = ANNA) -> list[str]:
    with site.database.reading() as tx:
        return [href for href, _ in placement.etags(tx, collection.get(tx, address).id)]


def test_every_item_of_a_file_is_reported(installation: Installation, tmp_path: Path, site: Site) -> None:
    broken = event("no-time").replace("DTSTART;TZID=Europe/Amsterdam:20261123T090000\r\n", "")
    path = file(tmp_path, event("a", "Cut"), event("b c", "Colour"), broken)
    answer = into_anna(installation, path, "--json")

    assert answer.code == Exit.PART
    assert answer.json["counts"] == {"created": 2, "replaced": 0, "unchanged": 0, "refused": 1}
    assert answer.json["items"][0] == {
        "file": str(path),
        "uid": "a",
        "title": "Cut",
        "href": "a.ics",
        "outcome": "created",
        "reason": "",
    }
    assert answer.json["items"][2]["uid"] == "no-time"
    assert "no DTSTART" in answer.json["items"][2]["reason"]
    assert hrefs(site) == sorted(["a.ics", href_for("b c")])


def test_a_person_sees_the_counts_and_what_was_refused(installation: Installation, tmp_path: Path) -> None:
    twice = event("a", "Again")
    answer = into_anna(
        installation, file(tmp_path, event("a"), "END:VCALENDAR\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\n", twice)
    )

    assert answer.code == Exit.PART
    assert answer.stdout.endswith("salon/anna: 1 created, 0 replaced, 0 unchanged, 1 refused.\n")
    assert "Again" in answer.stdout
    assert "The file has another appointment with this UID before it." in answer.stdout


def test_verbose_lists_what_went_well_too(installation: Installation, tmp_path: Path) -> None:
    path = file(tmp_path, event("a", "Cut"))

    assert "Cut" not in into_anna(installation, path).stdout
    assert "unchanged  Cut" in into_anna(installation, path, "--verbose").stdout


def test_a_second_import_changes_nothing(installation: Installation, tmp_path: Path, site: Site) -> None:
    path = file(tmp_path, event("a"), event("b"))
    into_anna(installation, path)
    with site.database.reading() as tx:
        before = collection.get(tx, ANNA)
    answer = into_anna(installation, path, "--json")

    assert answer.json["counts"] == {"created": 0, "replaced": 0, "unchanged": 2, "refused": 0}
    with site.database.reading() as tx:
        assert collection.get(tx, ANNA) == before


def test_an_appointment_that_differs_is_replaced_where_it_stands(
    installation: Installation, tmp_path: Path, site: Site
) -> None:
    into_anna(installation, file(tmp_path, event("a", "Cut"), event("b")))
    answer = into_anna(installation, file(tmp_path, event("a", "Colour"), event("b")), "--json")

    assert answer.json["counts"] == {"created": 0, "replaced": 1, "unchanged": 1, "refused": 0}
    assert hrefs(site) == ["a.ics", "b.ics"]
    with site.database.reading() as tx:
        assert journal.history(tx, limit=1)[0].summary == "Colour"


def test_a_later_file_of_the_same_command_goes_before_an_earlier_one(
    installation: Installation, tmp_path: Path, site: Site
) -> None:
    old = file(tmp_path, event("a", "Old"), name="old.ics")
    new = file(tmp_path, event("a", "New"), name="new.ics")
    answer = into_anna(installation, old, new, "--json")

    assert answer.json["counts"] == {"created": 1, "replaced": 1, "unchanged": 0, "refused": 0}
    with site.database.reading() as tx:
        assert journal.history(tx, limit=1)[0].summary == "New"


def test_appointments_without_uid_are_found_again(installation: Installation, tmp_path: Path) -> None:
    path = file(tmp_path, event("x", "Cut").replace("UID:x\r\n", ""), event("x", "Colour").replace("UID:x\r\n", ""))

    assert into_anna(installation, path, "--json").json["counts"]["created"] == 2
    assert into_anna(installation, path, "--json").json["counts"]["unchanged"] == 2


def test_a_name_that_another_appointment_has_is_not_taken_from_it(
    installation: Installation, tmp_path: Path, site: Site
) -> None:
    into_anna(installation, file(tmp_path, event("a")))
    with site.database.writing() as tx:
        # As a client does that names objects by numbers of its own.
        collection_id = collection.get(tx, ANNA).id
        stored = placement.get(tx, collection_id, "a.ics")
        assert stored is not None
        other = site.parse(stored.raw.replace(b"UID:a", b"UID:other"), ANNA)
        calendar_object.put(tx, collection_id, "b.ics", other, author=journal.Author("user:boss"))
    answer = into_anna(installation, file(tmp_path, event("b")), "--json")

    assert answer.json["counts"]["created"] == 1
    assert hrefs(site) == sorted(["a.ics", "b.ics", href_for("b", plain=False)])
    assert into_anna(installation, file(tmp_path, event("b")), "--json").json["counts"]["unchanged"] == 1


def test_a_calendar_that_holds_no_tasks_refuses_them(installation: Installation, tmp_path: Path) -> None:
    path = file(tmp_path, "BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20261101T080000Z\r\nSUMMARY:Order\r\nEND:VTODO\r\n")
    refused = installation.run("import", path, "--into", "salon/room-1", "--json").json["items"][0]

    assert (refused["outcome"], refused["reason"]) == (
        "refused",
        "This calendar does not hold components of type VTODO.",
    )
    assert into_anna(installation, path).code == 0


def test_a_dry_run_says_the_same_and_stores_nothing(installation: Installation, tmp_path: Path, site: Site) -> None:
    into_anna(installation, file(tmp_path, event("a"), event("b")))
    path = file(tmp_path, event("a", "Colour"), event("b"), event("c"))
    planned = into_anna(installation, path, "--dry-run", "--json").json

    assert planned["dry_run"] is True
    assert hrefs(site) == ["a.ics", "b.ics"]
    assert {**into_anna(installation, path, "--json").json, "dry_run": True} == planned


def test_a_stream_comes_from_a_pipe(installation: Installation, site: Site) -> None:
    assert into_anna(installation, "-", typed=calendar(event("a"))).code == 0
    assert hrefs(site) == ["a.ics"]


def test_what_is_no_calendar_is_said_to_be_none(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "note.ics").write_text("Dear Anna")

    assert into_anna(installation, tmp_path / "note.ics").code == Exit.FAILED
    assert "cannot be read" in into_anna(installation, tmp_path / "nowhere.ics").stderr


def test_a_calendar_that_is_not_there_is_refused(installation: Installation, tmp_path: Path) -> None:
    answer = installation.run("import", file(tmp_path, event("a")), "--into", "salon/ana")

    assert answer.code == Exit.FAILED
    assert "Did you mean 'salon/anna'?" in answer.stderr


def test_one_appointment_of_two_resources_is_shared(installation: Installation, tmp_path: Path, site: Site) -> None:
    path = file(tmp_path, event("a"))
    into_anna(installation, path)
    installation.run("import", path, "--into", "salon/room-1")

    with site.database.reading() as tx:
        rooms = collection.get(tx, Address(Kind.RESOURCE, "salon", "room-1"))
        here, there = (placement.get(tx, each.id, "a.ics") for each in (collection.get(tx, ANNA), rooms))
    assert here is not None
    assert there is not None
    assert here.object_id == there.object_id


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_was_cut_off_goes_on_where_it_ended(
    installation: Installation, tmp_path: Path, site: Site, how: signal.Signals
) -> None:
    path = file(tmp_path, *(event(f"many-{number}") for number in range(MANY)))
    with site.database.reading() as tx:
        collection_id = collection.get(tx, ANNA).id
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "import", path, "--into", "salon/anna", "--config", installation.config],
        cwd=TOP,
        env=unmeasured(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as importing:
        while not count(site.database, collection_id):
            assert importing.poll() is None
        importing.send_signal(how)
        _, complaints = importing.communicate(timeout=60)

    done = count(site.database, collection_id)
    assert 0 < done < MANY
    assert done % BATCH == 0
    if how is signal.SIGINT:
        assert importing.returncode == Exit.INTERRUPTED
        assert "Give the same command again to go on" in complaints
    counts = into_anna(installation, path, "--json").json["counts"]
    assert counts == {"created": MANY - done, "replaced": 0, "unchanged": done, "refused": 0}


def count(database: Database, collection_id: int) -> int:
    with database.reading() as tx:
        return placement.count(tx, collection_id)


@pytest.mark.parametrize(
    ("uid", "href"),
    [
        ("a@example.org", "a@example.org.ics"),
        ("A-1_b.c", "A-1_b.c.ics"),
    ],
)
def test_a_uid_that_can_be_a_files_name_becomes_one(uid: str, href: str) -> None:
    assert href_for(uid) == href


@pytest.mark.parametrize("uid", ["../x", "a/b", ".hidden", "a b", "ü", "x" * 500, "a%2Fb", "a?b", "a#b"])
def test_any_other_uid_becomes_a_hash(uid: str) -> None:
    assert len(href_for(uid)) == len("0123456789abcdef0123456789abcdef.ics")


def test_the_command_wants_a_file_and_a_calendar() -> None:
    assert run("import", "--into", "salon/anna").code == Exit.USAGE
    assert run("import", "x.ics").code == Exit.USAGE
