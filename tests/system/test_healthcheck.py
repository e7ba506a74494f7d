"""Tests the container image's healthcheck against servers on loopback that are well, ill, or not there."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and a certificate for a name that is not loopback's."""
    path = tmp_path / "cal.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=cal.example.org", "-days", "1", "-keyout", path, "-out", tmp_path / "public.pem"),
        ],
        capture_output=True,
        check=True,
    )
    path.write_bytes(path.read_bytes() + (tmp_path / "public.pem").read_bytes())
    return path


@contextmanager
def server(status: HTTPStatus | None, body: str, *, certificate: Path | None = None) -> Iterator[str]:
    """Serves one answer on loopback for each request; without a status it hangs up instead."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Answer) as listening:
        scheme = "http"
        if certificate:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{listening.server_port}/healthz"
        finally:
            listening.shutdown()
            thread.join()


def healthcheck(url: str) -> subprocess.CompletedProcess[str]:
    """Runs the image's healthcheck as the image does, with a proxy around that must not be asked."""
    return subprocess.run(
        [sys.executable, "-I", TOP / "docker" / "healthcheck"],
        env={"CALBRIDGE_HEALTH_URL": url, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_server_that_answers_is_healthy() -> None:
    with server(HTTPStatus.OK, "ok") as url:
        answer = healthcheck(url)

    assert (answer.returncode, answer.stdout) == (0, f"The server at {url} answers 200.\n")


def test_a_server_that_is_not_ready_is_unhealthy_and_its_reason_is_shown() -> None:
    with server(HTTPStatus.SERVICE_UNAVAILABLE, "The database is locked.\nMore.") as url:
        answer = healthcheck(url)

    assert (answer.returncode, answer.stdout) == (1, f"The server at {url} answers 503: The database is locked.\n")


def test_a_port_where_nobody_listens_is_unhealthy() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    answer = healthcheck(f"http://127.0.0.1:{port}/healthz")

    assert answer.returncode == 1
    assert answer.stdout.startswith(f"Nothing answers at http://127.0.0.1:{port}/healthz: ")
    assert "refused" in answer.stdout


def test_a_server_that_hangs_up_is_unhealthy() -> None:
    with server(None, "") as url:
        answer = healthcheck(url)

    assert answer.returncode == 1
    assert answer.stdout.startswith(f"Nothing answers at {url}: ")


@pytest.mark.debian("openssl", "openssl")
def test_a_server_with_a_certificate_for_its_public_name_is_healthy(certificate: Path) -> None:
    with server(HTTPStatus.OK, "ok", certificate=certificate) as url:
        answer = healthcheck(url)

    assert (answer.returncode, answer.stdout) == (0, f"The server at {url} answers 200.\n")


def test_an_address_that_is_no_web_address_is_named() -> None:
    answer = healthcheck("file:///etc/hostname")

    assert answer.returncode == 1
    assert answer.stdout.startswith("CALBRIDGE_HEALTH_URL is 'file:///etc/hostname'")
