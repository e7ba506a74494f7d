from __future__ import annotations

import base64
import http.client
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bridge.core.canonical import digest
from bridge.errors import CalendarGone, CursorExpired, LoginRefused, RemoteChanged, RemoteRefused, UidTaken
from bridge.upstream.protocol import Found, Gone, Unreadable
from tests.repository import TOP, unmeasured
from tests.upstream.caldav.connecting import connected, event, listed, read, request_id, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 60.0
_RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
[storage]
filesystem_folder = {folder}/collections
"""


@contextmanager
def radicale(folder: Path) -> Iterator[str]:
    port = _unused_port()
    (folder / "users").write_text("alice:secret\n")
    (folder / "config").write_text(_RADICALE.format(port=port, folder=folder))
    with _running([sys.executable, "-m", "radicale", "--config", str(folder / "config")], port, folder):
        _ask(port, "MKCALENDAR", "/alice/work/")
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def xandikos(folder: Path) -> Iterator[str]:
    port = _unused_port()
    command = [sys.executable, "-m", "xandikos", "serve", "--defaults", "--current-user-principal", "/alice/"]
    command += ["--directory", str(folder / "collections"), "--state-dir", str(folder / "state")]
    command += ["--no-detect-systemd", "--listen-address", "127.0.0.1", "--port", str(port)]
    with _running(command, port, folder):
        yield f"http://127.0.0.1:{port}/"


SERVERS = {"radicale": radicale, "xandikos": xandikos}


@pytest.fixture(scope="module", params=SERVERS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as url:
        yield url


def _unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
    return port


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=TOP, env=unmeasured(), stdout=log, stderr=log)
        try:
            _until_it_listens(process, port)
            yield
        finally:
            process.kill()
            process.wait(_PATIENCE)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _PATIENCE
    pause = threading.Event()
    while time.monotonic() < until:
        assert process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        pause.wait(0.02)
    raise AssertionError("the server takes no connections")


def _ask(port: int, method: str, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    with closing(connection):
        connection.request(
            method, path, headers={"Authorization": "Basic " + base64.b64encode(b"alice:secret").decode()}
        )
        assert connection.getresponse().status in {200, 201, 204}


def test_an_appointment_goes_through_its_whole_life(address: str) -> None:
    with connected(address) as upstream:
        calendar = upstream.calendars()[0].id
        before, _, cursor = listed(upstream, calendar)
        assert cursor.startswith("sync:")
        uid = "life@example.org"

        stored = upstream.create(calendar, event(uid), request_id(uid))
        assert upstream.create(calendar, event(uid), request_id(uid)) == stored
        changed, gone, cursor = listed(upstream, calendar, cursor)
        assert (changed, gone) == ({stored.remote_id: stored.etag}, set())

        later = upstream.replace(calendar, stored.remote_id, event(uid, "Zoë & <Co>"), if_match=stored.etag)
        assert not isinstance(later.object, Unreadable)
        assert digest(later.object) == digest(event(uid, "Zoë & <Co>"))
        assert later.etag != stored.etag
        for asked in (
            lambda: upstream.replace(calendar, stored.remote_id, event(uid, "stale"), if_match=stored.etag),
            lambda: upstream.remove(calendar, stored.remote_id, if_match=stored.etag),
        ):
            with pytest.raises(RemoteChanged):
                asked()
        missing = stored.remote_id.replace(".ics", "x.ics")
        there, away = upstream.fetch(calendar, [stored.remote_id, missing])
        assert isinstance(there, Found)
        assert (there.etag, there.object) == (later.etag, later.object)
        assert away == Gone(missing)

        upstream.remove(calendar, stored.remote_id, if_match=later.etag)
        upstream.remove(calendar, stored.remote_id, if_match=later.etag)
        assert listed(upstream, calendar, cursor)[:2] == ({}, {stored.remote_id})
        assert listed(upstream, calendar)[0] == before


def test_a_series_with_a_moved_and_a_cancelled_instance_stays_what_it_is(address: str) -> None:
    raw = text("series@example.org", "Daily", "RRULE:FREQ=DAILY;COUNT=9", "EXDATE:20270107T090000Z").replace(
        b"END:VCALENDAR",
        b"BEGIN:VEVENT\r\nUID:series@example.org\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20270106T090000Z\r\n"
        b"DTSTART:20270106T110000Z\r\nDTEND:20270106T120000Z\r\nSUMMARY:Moved\r\nEND:VEVENT\r\nEND:VCALENDAR",
    )
    with connected(address) as upstream:
        calendar = upstream.calendars()[0].id
        stored = upstream.create(calendar, read(raw), request_id("series"))

        assert not isinstance(stored.object, Unreadable)
        assert digest(stored.object) == digest(read(raw))


def test_a_uid_that_stands_elsewhere_is_taken(address: str) -> None:
    with connected(address) as upstream:
        calendar = upstream.calendars()[0].id
        upstream.create(calendar, event("taken@example.org"), request_id("one"))

        with pytest.raises(UidTaken):
            upstream.create(calendar, event("taken@example.org", "Another"), request_id("two"))


def test_an_object_that_no_calendar_takes_is_refused_for_good(address: str) -> None:
    bad = replace(event("bad@example.org"), raw=b"no calendar at all")
    with connected(address) as upstream:
        calendar = upstream.calendars()[0].id
        before = listed(upstream, calendar)[0]
        with pytest.raises(RemoteRefused):
            upstream.create(calendar, bad, request_id("bad"))
        assert listed(upstream, calendar)[0] == before


def test_a_made_up_cursor_is_expired(address: str) -> None:
    with connected(address) as upstream:
        calendar = upstream.calendars()[0].id
        for cursor in ("sync:nonsense", "sync:0123456789012345678901234567890123456789"):
            with pytest.raises(CursorExpired):
                listed(upstream, calendar, cursor)


def test_a_calendar_that_does_not_exist_is_gone(address: str) -> None:
    with connected(address) as upstream:
        nowhere = upstream.calendars()[0].id.rstrip("/") + "-not/"
        with pytest.raises(CalendarGone):
            listed(upstream, nowhere)
        with pytest.raises(CalendarGone):
            list(upstream.fetch(nowhere, [f"{urlsplit(nowhere).path}a.ics"]))
        with pytest.raises(CalendarGone):
            upstream.create(nowhere, event("a"), request_id("a"))


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    with radicale(tmp_path) as url, connected(url, password="wrong") as upstream, pytest.raises(LoginRefused):
        upstream.calendars()
