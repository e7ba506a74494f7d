"""Changes the files of a running server: what is right is taken up, what is wrong is said and left out."""

from __future__ import annotations

import copy
import os
import re
import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.process import CALENDAR, Server, event, eventually, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOON = 5.0
"""Seconds; the server looks once a second, and a busy machine is slower."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as started:
        yield started


def changed(server: Server) -> dict[str, Any]:
    """A copy of the configuration, to be changed."""
    return copy.deepcopy(server.configuration)


def calendars(server: Server) -> set[str]:
    """The calendars in the home of the user."""
    body = b'<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>'
    answer = server.ask("PROPFIND", "/dav/anna/", body, Depth="1")
    return set(re.findall(r"href>(/dav/anna/[^<]+/)<", answer.text))


def test_a_new_resource_is_a_calendar_soon(server: Server) -> None:
    fresh = changed(server)
    fresh["accounts"]["salon"]["resources"]["laser"] = {"kind": "instrument", "name": "Laser"}
    server.write(fresh)

    eventually(lambda: "/dav/anna/salon.laser/" in calendars(server), "the calendar is there", within=SOON)
    assert server.ask("PUT", "/dav/anna/salon.laser/1.ics", event("1")).status == 201
    (said,) = server.events("configuration_taken_up")
    assert said["file"] == str(server.path)


def test_a_grant_that_is_taken_away_ends_soon(server: Server) -> None:
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
    fresh = changed(server)
    fresh["users"]["anna"]["grants"] = {"salon": "read"}
    server.write(fresh)

    eventually(lambda: server.ask("PUT", f"{CALENDAR}2.ics", event("2")).status == 403, "no writes", within=SOON)
    assert server.ask("GET", f"{CALENDAR}1.ics").status == 200


def test_a_feeds_new_window_shows_soon(server: Server) -> None:
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
    path = server.feed_path()
    assert b"Haircut" in server.ask("GET", path).body
    fresh = changed(server)
    fresh["feeds"]["anna"]["future"] = "1d"
    server.write(fresh)

    eventually(lambda: b"Haircut" not in server.ask("GET", path).body, "the window has shrunk", within=SOON)


def test_a_new_password_holds_soon_and_the_old_one_no_longer(tmp_path: Path) -> None:
    secret = tmp_path / "anna"
    secret.write_text("first\n")
    users = {"anna": {"password_file": "anna", "grants": {"salon": "write"}}}
    with running(tmp_path, settings(users=users)) as server:

        def logs_in(password: str) -> bool:
            with closing(server.client(password=password)) as client:
                return client.ask("OPTIONS", "/dav/anna/").status == 200

        assert logs_in("first")
        secret.write_text("second\n")

        eventually(lambda: logs_in("second"), "the new password holds", within=SOON)
        assert not logs_in("first")


@pytest.mark.parametrize("by_signal", [False, True])
def test_a_wrong_file_is_said_with_its_line_and_the_server_goes_on(server: Server, *, by_signal: bool) -> None:
    fresh = changed(server)
    fresh["feeds"]["anna"]["detail"] = "everything"
    server.write(fresh)
    if by_signal:
        server.send(signal.SIGHUP)
    line = server.path.read_text().splitlines().index('   "detail": "everything"') + 1

    eventually(lambda: bool(server.events("configuration_refused")), "the fault is said", within=SOON)
    said = server.events("configuration_refused")[0]
    assert (
        said["problems"]
        == [f"{server.path}:{line}: feeds.anna.detail: found everything; allowed: full, titles or busy"]
        or f"{server.path}:{line}: feeds.anna.detail" in said["problems"][0]
    )
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
    eventually(
        lambda: 'calbridge_reloads_total{outcome="refused"} 1.0' in server.ask("GET", "/metrics").text,
        "the fault is counted, once",
        within=SOON,
    )
    server.write(server.configuration)
    eventually(lambda: bool(server.events("configuration_taken_up")), "the file is right again", within=SOON)
    # One line from the workers, and one as the answer to the signal.
    assert len(server.events("configuration_refused")) in ({1, 2} if by_signal else {1})


def test_settings_that_need_a_restart_are_named(server: Server) -> None:
    fresh = changed(server)
    fresh["server"] = {"listen": "127.0.0.1:9", "workers": 3}
    fresh["database"] = "sqlite:///data/other.sqlite3"
    server.write(fresh)

    eventually(lambda: bool(server.events("restart_needed")), "the settings are named", within=SOON)
    (said,) = server.events("restart_needed")
    assert said["settings"] == ["server.listen", "server.workers", "database"]
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
    server.send(signal.SIGHUP)
    before = server.workers()
    eventually(lambda: not set(before) & set(server.workers()), "the workers are fresh")
    # The next workers stay with the database that the server started with.
    assert server.ask("GET", f"{CALENDAR}1.ics").status == 200


def test_settings_that_a_worker_reads_once_bring_fresh_workers(server: Server) -> None:
    before = server.workers()
    fresh = changed(server)
    fresh["limits"] = {"max_object": "2KB"}
    server.write(fresh)

    eventually(lambda: not set(before) & set(server.workers()), "the workers are fresh")
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1", "x" * 3000)).status == 413
    assert server.events("restart_needed") == []


def test_a_worker_that_is_killed_while_the_file_is_wrong_comes_back_with_the_last_right_one(server: Server) -> None:
    server.write("accounts: [")
    eventually(lambda: bool(server.events("configuration_refused")), "the fault is said", within=SOON)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)

    eventually(lambda: server.workers() not in ([], [worker]), "there is another worker")
    eventually(lambda: _is_healthy(server), "the server answers")
    assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201


def _is_healthy(server: Server) -> bool:
    try:
        return server.ask("GET", "/healthz").status == 200
    except OSError:
        return False


def test_requests_are_answered_while_workers_are_replaced(server: Server) -> None:
    before = server.workers()
    server.send(signal.SIGHUP)
    asked = 0
    while set(before) & set(server.workers()):
        # A connection of its own each time: an open one may be closed between two requests.
        assert server.ask("PUT", f"{CALENDAR}{asked}.ics", event(str(asked))).status == 201
        asked += 1

    assert asked
    with closing(server.client()) as client:
        assert len(client.sync()[1]) == asked
