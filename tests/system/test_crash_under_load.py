"""Kills the whole server again and again while clients write: what was answered is there, and tokens tell the truth."""

from __future__ import annotations

import http.client
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.system.process import CALENDAR, Server, event, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.process import Client

TIMES = int(os.environ.get("CALBRIDGE_KILLS", "50"))
WRITERS = 4
ANSWERS_BEFORE_A_KILL = 24

_CUT_OFF = (OSError, http.client.HTTPException)


@dataclass
class Writer:
    """Puts new appointments and edits them, and remembers what it was told.

    Attributes:
        name: Begins the hrefs of its appointments; no other writer touches them.
        answered: The bytes that the server said it has, and their etag, by href.
        asked: What was sent last for an href, whether it was answered or not.
    """

    name: str
    answered: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: dict[str, bytes] = field(default_factory=dict)
    count: int = 0

    def write(self, client: Client) -> None:
        """Makes one change: every third is a new appointment, the others edit one that is there."""
        self.count += 1
        known = list(self.answered)
        if self.count % 3 == 1 or not known:
            href, condition = f"{CALENDAR}{self.name}-{self.count}.ics", {"If_None_Match": "*"}
        else:
            href = known[-1 - self.count % min(len(known), 5)]
            condition = {"If_Match": self.answered[href][1]}
        body = event(href.rpartition("/")[2], f"Change {self.count}")
        self.asked[href] = body
        answer = client.ask("PUT", href, body, **condition)
        assert answer.status in {201, 204}, (href, answer.status, answer.text)
        self.answered[href] = (body, answer.headers["etag"])

    def settle(self, client: Client, listing: dict[str, str | None]) -> None:
        """Checks what was answered, and learns what became of a change that was cut off."""
        for href, sent in self.asked.items():
            known = self.answered.get(href)
            if known is not None and known[0] == sent:
                # Equal bytes have equal etags, so that the listing tells without a request for each.
                assert listing.get(href) == known[1], f"{href} was answered, and is not as it was answered"
                continue
            answer = client.ask("GET", href)
            allowed = [sent] if known is None else [sent, known[0]]
            assert (answer.status, answer.body) in [(200, each) for each in allowed] or (
                known is None and answer.status == 404
            ), f"{href} is neither as before nor as asked"
            if answer.status == 200:
                self.answered[href] = (answer.body, answer.headers["etag"])
        self.asked.clear()


class Reader:
    """Keeps in step by sync tokens, as calendar programs do, and remembers what it knew at each token."""

    def __init__(self) -> None:
        self.token = ""
        self.listing: dict[str, str | None] = {}
        self.states: list[tuple[str, dict[str, str | None]]] = []

    def read(self, client: Client) -> None:
        self.token, changes = client.sync(self.token)
        self.listing = _applied(self.listing, changes)
        self.states.append((self.token, self.listing))


def _applied(listing: dict[str, str | None], changes: dict[str, str | None]) -> dict[str, str | None]:
    return {href: etag for href, etag in {**listing, **changes}.items() if etag is not None}


def _load(server: Server, writers: list[Writer], reader: Reader) -> list[AssertionError]:
    """Kills the server while all of them are at work; gives what they found wrong."""
    wrong: list[AssertionError] = []
    busy = threading.Semaphore(0)

    def work(step: Writer | Reader) -> None:
        with closing(server.client()) as client:
            try:
                while True:
                    step.write(client) if isinstance(step, Writer) else step.read(client)
                    busy.release()
            except AssertionError as error:
                wrong.append(error)
            except _CUT_OFF:
                pass

    threads = [threading.Thread(target=work, args=(each,)) for each in (*writers, reader)]
    for thread in threads:
        thread.start()
    for _ in range(ANSWERS_BEFORE_A_KILL):
        assert busy.acquire(timeout=30) or wrong, "the server answers"
    server.kill()
    for thread in threads:
        thread.join(30)
    return wrong


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.kill()


def test_every_answered_change_survives_a_kill_in_the_middle_of_writing(server: Server) -> None:
    writers = [Writer(f"writer{number}") for number in range(WRITERS)]
    reader = Reader()
    server.start()
    for _ in range(TIMES):
        assert _load(server, writers, reader) == []
        with closing(sqlite3.connect(server.database_file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        server.start(initialise=False)
        with closing(server.client()) as client:
            token, listing = client.sync()
            for writer in writers:
                writer.settle(client, listing)
            # Tokens of this round, and the very first ones.
            for old, known in (*reader.states[:2], *reader.states[-4:]):
                now, changes = client.sync(old)
                assert now == token
                assert _applied(known, changes) == listing
    with closing(server.client()) as client:
        for writer in writers:
            for href, (body, etag) in writer.answered.items():
                answer = client.ask("GET", href)
                assert (answer.status, answer.body, answer.headers["etag"]) == (200, body, etag)
    _check_revisions(server.database_file)


def _check_revisions(file: Path) -> None:
    """Each change raised the revision of its calendar by one, and left one entry in the journal."""
    with closing(sqlite3.connect(file)) as database:
        for owner, key, revision in database.execute("SELECT owner, key, revision FROM collection").fetchall():
            rows = database.execute(
                "SELECT revision FROM journal WHERE owner = ? AND key = ? ORDER BY revision", (owner, key)
            )
            assert [row[0] for row in rows] == list(range(1, revision + 1))


def test_a_server_whose_main_process_alone_is_killed_leaves_nobody_on_its_port(server: Server) -> None:
    server.start()
    main = server.pid
    os.kill(main, 9)

    eventually(lambda: not _answers(server), "the workers that were left alone end")


def _answers(server: Server) -> bool:
    try:
        return server.ask("GET", "/healthz").status == 200
    except _CUT_OFF:
        return False
