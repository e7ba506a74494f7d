"""Several worker processes answer as one: what one has stored, the other tells at once."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.system.process import CALENDAR, Client, Server, event, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 200
CTAG = (
    b'<propfind xmlns="DAV:" xmlns:c="http://calendarserver.org/ns/"><prop><c:getctag/><sync-token/></prop></propfind>'
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    configuration = settings()
    configuration["server"]["workers"] = 2
    with running(tmp_path, configuration) as started:
        yield started


def worker_of(server: Server, client: Client) -> int:
    """The process that has the other end of an open connection."""
    here: int = client.connection.sock.getsockname()[1]
    table = Path("/proc/net/tcp").read_text()
    line = re.search(rf"0100007F:{server.port:04X} 0100007F:{here:04X} (.*)", table)
    assert line
    inode = f"socket:[{line[1].split()[6]}]"
    for worker in server.workers():
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            if descriptor.is_symlink() and str(descriptor.readlink()) == inode:
                return worker
    pytest.fail("no worker has the connection")


@pytest.fixture
def one_of_each(server: Server) -> Iterator[list[Client]]:
    """Open connections, one to each worker."""
    found: dict[int, Client] = {}
    with ExitStack() as stack:
        for _ in range(200):
            client = stack.enter_context(closing(server.client()))
            assert client.ask("GET", "/healthz").status == 200
            found.setdefault(worker_of(server, client), client)
            if len(found) == 2:
                break
        assert sorted(found) == sorted(server.workers())
        yield list(found.values())


def tags(client: Client) -> list[str]:
    answer = client.ask("PROPFIND", CALENDAR, CTAG, Depth="0")
    assert answer.status == 207
    return re.findall(r"<(?:\w+:)?(?:getctag|sync-token)>(.*?)<", answer.text)


def test_what_one_worker_stored_the_other_tells_at_once(server: Server, one_of_each: list[Client]) -> None:
    path = server.feed_path()
    etags, seen, token = set(), set(), ""
    for number in range(TIMES):
        writer, reader = one_of_each[:: 1 if number % 2 else -1]
        href = f"{CALENDAR}{number}.ics"
        assert writer.ask("PUT", href, event(str(number), f"Title {number}")).status == 201
        feed = reader.ask("GET", path)
        assert f"SUMMARY:Title {number}\r\n" in feed.text
        etags.add(feed.headers["etag"])
        assert writer.ask("GET", path, If_None_Match=feed.headers["etag"]).status == 304
        assert tags(reader) == tags(writer)
        seen.update(tags(reader))
        token, changes = reader.sync(token)
        assert list(changes) == [href]

    # Each change had an ETag, a CTag and a sync token of its own.
    assert (len(etags), len(seen)) == (TIMES, 2 * TIMES)


def test_the_numbers_of_all_workers_are_added_up(one_of_each: list[Client]) -> None:
    for client in one_of_each:
        for number in range(5):
            client.ask("PUT", f"{CALENDAR}{number}.ics", event(str(number)))
    for client in one_of_each:
        answer = client.ask("GET", "/metrics")
        counted = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

        assert counted["calbridge_requests_total", "dav", "PUT", "201"] == 5
        assert counted["calbridge_requests_total", "dav", "PUT", "204"] == 5
