"""Eight people write and forty read at once: nobody's change is lost, and nobody is told that the server failed."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import running_postgresql
from tests.system.process import CALENDAR, Server, event, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITERS, READERS, APPOINTMENTS, CHANGES = 8, 40, 3, 12


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    configuration = settings()
    configuration["server"]["workers"] = 2
    if request.param == "sqlite":
        with running(tmp_path, configuration) as started:
            yield started
        return
    with running_postgresql() as postgresql:
        name = postgresql.make_database()
        configuration["database"] = "${DATABASE}"
        with running(tmp_path, configuration, environ={"DATABASE": postgresql.url(name)}) as started:
            yield started


def test_eight_writers_and_forty_readers_at_once(server: Server) -> None:
    feed = server.feed_path()
    with closing(server.client()) as first:
        for number in range(APPOINTMENTS):
            assert first.ask("PUT", f"{CALENDAR}{number}.ics", event(str(number), "0")).status == 201
        began, _ = first.sync()
    done = threading.Event()

    def write(writer: int) -> int:
        """Counts an appointment's title up by one, again and again, each time from what stands there."""
        path = f"{CALENDAR}{writer % APPOINTMENTS}.ics"
        counted = 0
        with closing(server.client()) as client:
            while counted < CHANGES:
                read = client.ask("GET", path)
                assert read.status == 200
                title = re.search(rb"SUMMARY:(\d+)", read.body)
                assert title
                counted_up = event(str(writer % APPOINTMENTS), str(int(title[1]) + 1))
                status = client.ask("PUT", path, counted_up, If_Match=read.headers["etag"]).status
                assert status in {204, 412}
                counted += status == 204
        return counted

    def read(reader: int) -> dict[str, str | None]:
        """Follows the calendar by its sync tokens until nobody writes any more, as calendar programs do."""
        with closing(server.client()) as client:
            token, seen = client.sync()
            while True:
                is_last = done.is_set()
                if reader % 4 == 0:
                    assert client.ask("GET", feed).status == 200
                token, changes = client.sync(token)
                seen |= changes
                if is_last:
                    return seen

    with ThreadPoolExecutor(WRITERS + READERS) as crowd:
        readers = [crowd.submit(read, number) for number in range(READERS)]
        writers = [crowd.submit(write, number) for number in range(WRITERS)]
        try:
            successes = sum(writer.result() for writer in writers)
        finally:
            done.set()
        followed = [reader.result() for reader in readers]

    with closing(server.client()) as last:
        ended, listing = last.sync()
        titles = [last.ask("GET", f"{CALENDAR}{number}.ics").text for number in range(APPOINTMENTS)]
    counts = [int(re.findall(r"SUMMARY:(\d+)", title)[0]) for title in titles]
    assert successes == WRITERS * CHANGES
    assert sum(counts) == successes, "a change was overwritten"
    assert int(ended.rpartition(":")[2]) - int(began.rpartition(":")[2]) == successes, "revisions have gaps"
    assert all(seen == listing for seen in followed), "a reader who followed the tokens has something else"
