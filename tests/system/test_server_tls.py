"""Serves https by certificate files, as a server without a proxy does."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.system.certificates import write_certificate
from tests.system.process import CALENDAR, Server, event, eventually, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_certificate(tmp_path)
    configuration = settings()
    configuration["server"]["tls"] = {"certificate": "loopback.crt", "key": "loopback.key"}
    with running(tmp_path, configuration) as started:
        yield started


def trusting(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.folder / "loopback.crt"))


def test_calendars_are_read_and_written_over_https(server: Server) -> None:
    with closing(server.client(tls=trusting(server))) as client:
        assert client.ask("PUT", f"{CALENDAR}1.ics", event("1")).status == 201
        assert client.ask("GET", f"{CALENDAR}1.ics").body == event("1")
        assert client.ask("GET", "/.well-known/caldav").headers["location"] == "/dav/"
        assert f"https://127.0.0.1:{server.port}/dav/" in client.ask("GET", "/").text


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_old_and_new_programs_find_a_version_that_they_speak(server: Server, version: ssl.TLSVersion) -> None:
    context = trusting(server)
    context.minimum_version = context.maximum_version = version
    with closing(server.client(tls=context)) as client:
        assert client.ask("GET", "/healthz").status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_versions_that_are_no_longer_safe_are_refused(server: Server) -> None:
    context = trusting(server)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with closing(server.client(tls=context)) as client, pytest.raises(ssl.SSLError):
        client.ask("GET", "/healthz")


def test_plain_http_on_the_https_port_ends_cleanly(server: Server) -> None:
    with closing(server.client()) as client, pytest.raises((http.client.HTTPException, OSError)):
        client.ask("GET", "/healthz")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent:
        silent.sendall(b"\0" * 100)

    with closing(server.client(tls=trusting(server))) as client:
        assert client.ask("GET", "/healthz").status == 200
    assert "Traceback" not in server.log


def test_a_renewed_certificate_is_served_without_a_restart(server: Server) -> None:
    main = server.pid
    write_certificate(server.folder)

    def is_served() -> bool:
        try:
            with closing(server.client(tls=trusting(server))) as client:
                return client.ask("GET", "/healthz").status == 200
        except OSError:
            return False

    eventually(is_served, "the new certificate is served")
    assert server.pid == main
    assert server.stop() == 0


def test_a_certificate_whose_key_is_still_the_old_one_is_said_and_not_served(server: Server) -> None:
    old = trusting(server)
    key = (server.folder / "loopback.key").read_bytes()
    write_certificate(server.folder)
    (server.folder / "loopback.key").write_bytes(key)

    eventually(lambda: bool(server.events("configuration_refused")), "the fault is said")
    assert "is not the key of the certificate" in server.events("configuration_refused")[0]["reason"]
    with closing(server.client(tls=old)) as client:
        assert client.ask("GET", "/healthz").status == 200
