"""Hundreds of appointments each way come through, whatever the time that it takes."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bridge.store import collection
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from bridge.store.journal import Author
from bridge.store.put_many import put_many
from tests.store.appointments import parse
from tests.system.elsewhere import PASSWORDS, Elsewhere, elsewhere, ruled
from tests.system.process import Server, event, eventually, settings
from tests.system.ruling import adopted, rule, texts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.elsewhere import RemoteCalendar

MANY = 400
PATIENCE = 300.0


def components(raw: bytes) -> bytes:
    """The components of an object, without the calendar around them."""
    found = re.search(rb"BEGIN:VEVENT.*END:VEVENT\r\n", raw, re.DOTALL)
    assert found
    return found[0]


def theirs(other: Elsewhere) -> RemoteCalendar:
    made = b"".join(components(event(f"theirs-{number}", f"Theirs {number}")) for number in range(MANY))
    return other.filled_calendar("Work", made)


def fill(server: Server) -> None:
    """Stores ours, while nothing runs."""
    with closing(Database(f"sqlite:///{server.database_file}", clock=lambda: datetime.now(UTC))) as database:
        new = [(f"ours-{number}.ics", parse(event(f"ours-{number}", f"Ours {number}"))) for number in range(MANY)]
        with database.writing() as tx:
            here = collection.get(tx, Address(Kind.RESOURCE, "salon", "anna"))
            outcomes = put_many(tx, here.id, new, author=Author("cli", "test"))
        assert not any(isinstance(outcome, Exception) for outcome in outcomes)


def test_hundreds_of_appointments_come_through_both_ways(tmp_path: Path) -> None:
    meant = {f"{whose}-{number}" for whose in ("ours", "theirs") for number in range(MANY)}
    with elsewhere(tmp_path / "elsewhere") as other:
        work = theirs(other)
        configuration = settings(**ruled(work))
        configuration["connections"]["elsewhere"]["rate"] = 60_000
        server = Server(tmp_path, {**configuration, "rules": {}}, environ=PASSWORDS)
        try:
            server.start()
            fill(server)
            server.write(configuration)

            eventually(lambda: adopted(server), "the first pass is done", within=PATIENCE)
            eventually(lambda: len(work.hrefs()) == 2 * MANY, "everything is there", within=PATIENCE)
            assert set(texts(server)) == meant
            assert rule(server).problem is None
            assert {uid for uid, _ in uids_there(work)} == meant
            (done,) = server.events("pass_done")
            assert done["moves"] == {"create here": MANY, "create there": MANY}
        finally:
            server.kill()


def uids_there(work: RemoteCalendar) -> list[tuple[str, str]]:
    """UID and title of each object there, all in one request."""
    body = work.elsewhere.server.ask("GET", work.path).body.decode()
    found = []
    for each in re.findall(r"BEGIN:VEVENT.*?END:VEVENT", body, re.DOTALL):
        uid, title = re.search(r"(?m)^UID:(.*?)\r?$", each), re.search(r"(?m)^SUMMARY:(.*?)\r?$", each)
        assert uid
        assert title
        found.append((uid[1], title[1]))
    assert len(found) == 2 * MANY
    return found
