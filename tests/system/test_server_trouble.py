"""Starts and runs the server where something is wrong around it: it says what, and nothing is lost."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.postgresql import running_postgresql
from tests.repository import TOP
from tests.system.process import CALENDAR, PASSWORD, Client, Server, event, eventually, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgresql import PostgreSQL

REFUSED_CONFIGURATION, REFUSED_DATABASE, FAILED = 3, 4, 1


def serve(server: Server) -> tuple[int, str]:
    """Types `calbridge serve` where it cannot work; gives its exit status and what it said."""
    typed = subprocess.run(
        [sys.executable, "-m", "bridge", "serve", "--config", server.path],
        cwd=TOP,
        env={**os.environ, "ANNAS_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in typed.stderr
    return typed.returncode, typed.stderr


@pytest.fixture
def stopped(tmp_path: Path) -> Server:
    """A server that has been running, and has one appointment."""
    with running(tmp_path) as server:
        assert server.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
        server.stop()
    return server


def test_a_database_of_a_newer_version_is_left_alone(stopped: Server) -> None:
    with closing(sqlite3.connect(stopped.database_file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    before = stopped.database_file.read_bytes()

    status, said = serve(stopped)
    assert status == REFUSED_DATABASE
    assert "A newer Calbridge made this database" in said
    assert "Start the newer version again" in said
    assert stopped.database_file.read_bytes() == before


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with running(tmp_path / "first") as first:
        second = Server(tmp_path / "second", {**settings(), "server": first.configuration["server"]})
        (second.folder / "data").mkdir()
        (second.folder / "data" / "secret.key").write_bytes((first.folder / "data" / "secret.key").read_bytes())

        status, said = serve(second)
        assert status == FAILED
        assert f"Another program listens on 127.0.0.1:{first.port} already." in said
        assert first.ask("GET", "/healthz").status == 200


def test_a_missing_database_folder_is_said(stopped: Server) -> None:
    configuration = {**stopped.configuration, "database": "sqlite:///elsewhere/calbridge.sqlite3"}
    stopped.write(configuration)

    status, said = serve(stopped)
    assert status == REFUSED_DATABASE
    assert "The database did not answer in time or is out of reach" in said


def test_a_lost_key_file_is_said_and_never_replaced_in_silence(stopped: Server) -> None:
    key_file = stopped.folder / "data" / "secret.key"
    key_file.unlink()

    status, said = serve(stopped)
    assert status == REFUSED_CONFIGURATION
    assert f"there is no file '{key_file}'" in said
    assert not key_file.exists()


def test_an_address_that_this_machine_does_not_have_is_said(stopped: Server) -> None:
    stopped.write({**stopped.configuration, "server": {"listen": "192.0.2.77:5232"}})

    status, said = serve(stopped)
    assert status == FAILED
    assert "Connections cannot be taken on 192.0.2.77:5232" in said


def test_a_configuration_with_faults_is_not_served(stopped: Server) -> None:
    stopped.write({**stopped.configuration, "feeds": {"x": {"of": "salon/nobody"}}, "limits": {"max_body": "7"}})

    status, said = serve(stopped)
    assert status == REFUSED_CONFIGURATION
    assert "has 2 faults" in said
    assert f"{stopped.path}:" in said


def test_a_database_that_takes_nothing_more_still_answers(stopped: Server) -> None:
    with closing(sqlite3.connect(stopped.database_file)) as database:
        # Half way through each write the database refuses, as it does when the disk is full.
        refusal = "SELECT RAISE(ABORT, 'database or disk is full');"
        database.execute(f"CREATE TRIGGER full BEFORE INSERT ON journal BEGIN {refusal} END")
        database.commit()
    stopped.start(initialise=False)
    try:
        refused = stopped.ask("PUT", f"{CALENDAR}2.ics", event("2"))
        assert refused.status in {503, 507}
        assert stopped.ask("GET", f"{CALENDAR}1.ics").body == event("1")
        assert stopped.ask("GET", f"{CALENDAR}2.ics").status == 404
    finally:
        stopped.kill()


def test_the_database_is_nobody_elses_business(stopped: Server) -> None:
    for name in ("calbridge.sqlite3", "secret.key"):
        assert stat.S_IMODE((stopped.folder / "data" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"PROPFIND /dav/ HTTP/1.0\r\nAuthorization: Basic !!!\r\n\r\n",
        b"PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YW5uYQ==\r\nConnection: close\r\n\r\n",
        b"PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YQ\r\nConnection: close\r\n\r\n",
        b"PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic //79OnA=\r\nConnection: close\r\n\r\n",
        b"PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /%E2%82%AC/%FF HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /dav/%E2%82%AC/%FF HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /feed/%FF/%E2%82%AC.ics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/dav/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /?%FF=%FF HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"MADEUP /dav/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 600_000 + b"\r\n\r\n",
        b"PUT /dav/anna/salon.anna/1.ics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT /dav/anna/salon.anna/1.ics HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ],
    ids=lambda octets: octets[:40].decode("latin-1"),
)
def test_octets_that_no_program_sends_get_no_server_error(shared: Server, octets: bytes) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection, suppress(OSError):
        # The server may hang up before it has heard everything.
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        while received := connection.recv(65536):
            answer += received

    assert not answer.partition(b" ")[2].startswith(b"5"), answer
    assert shared.ask("GET", "/healthz").status == 200


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as started:
        yield started


@pytest.fixture
def on_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Server]:
    configuration: dict[str, Any] = settings(database="${DATABASE}")
    configuration["server"]["workers"] = 2
    name = postgresql.make_database()
    with running(tmp_path, configuration, environ={"DATABASE": postgresql.url(name)}) as server:
        yield server


def test_calendars_and_feeds_live_on_postgresql(on_postgresql: Server) -> None:
    server = on_postgresql
    with closing(server.client()) as client:
        token, _ = client.sync()
        assert client.ask("PUT", f"{CALENDAR}1.ics", event("1"), If_None_Match="*").status == 201
        assert client.ask("PUT", f"{CALENDAR}1.ics", event("1"), If_None_Match="*").status == 412
        assert client.ask("GET", f"{CALENDAR}1.ics").body == event("1")
        assert list(client.sync(token)[1]) == [f"{CALENDAR}1.ics"]
        feed = client.ask("GET", server.feed_path())
        assert "SUMMARY:Haircut" in feed.text
        assert client.ask("GET", server.feed_path(), If_None_Match=feed.headers["etag"]).status == 304
    assert server.ask("GET", "/readyz").status == 200


@pytest.fixture
def without_database(on_postgresql: Server, postgresql: PostgreSQL) -> Iterator[Server]:
    """A server that has an appointment and has answered, and whose database has stopped since."""
    assert on_postgresql.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
    postgresql.stop()
    yield on_postgresql
    postgresql.start()


PROPERTIES = b'<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>'


def test_calendar_programs_are_asked_to_wait_for_a_database_that_has_stopped(without_database: Server) -> None:
    for method, path, body in (
        ("PUT", f"{CALENDAR}2.ics", event("2")),
        ("GET", f"{CALENDAR}1.ics", None),
        ("PROPFIND", CALENDAR, PROPERTIES),
    ):
        answer = without_database.ask(method, path, body)
        assert (answer.status, "retry-after" in answer.headers) == (503, True), (method, path, answer.text)


def test_the_server_outlives_a_database_that_stops_and_comes_back(
    without_database: Server, postgresql: PostgreSQL
) -> None:
    server = without_database
    workers = server.workers()
    # The secret in the path does not matter: nobody can tell whether it is right.
    for path in ("/feed/x/anna.ics", "/readyz"):
        answer = server.ask("GET", path)
        assert (answer.status, "retry-after" in answer.headers) == (503, True), (path, answer.text)
    assert server.ask("GET", "/healthz").status == 200
    # A worker that is replaced meanwhile does not end the server.
    server.send(signal.SIGHUP)
    eventually(lambda: not set(workers) & set(server.workers()), "the workers are fresh")
    assert server.ask("GET", "/readyz").status == 503
    postgresql.start()

    eventually(lambda: server.ask("GET", "/readyz").status == 200, "the server is ready again")
    assert server.ask("GET", f"{CALENDAR}1.ics").body == event("1")
    assert server.ask("PUT", f"{CALENDAR}2.ics", event("2")).status == 201


def test_a_user_with_a_wrong_password_is_told_so_and_waits_longer_each_time(shared: Server) -> None:
    with closing(Client(shared.port, password="wrong")) as client:
        assert client.ask("PROPFIND", "/dav/anna/").status == 401
    assert shared.events("login_refused")[0]["address"] == "127.0.0.1"
    assert shared.ask("OPTIONS", "/dav/anna/").status == 200
