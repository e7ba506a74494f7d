"""Starts the real server as a process group of its own, and talks to it over real sockets."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.repository import TOP, unmeasured

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

PATIENCE = 30.0
"""Seconds after which a test gives up; a machine under load is slow, and no fault of the server."""

CALENDAR = "/dav/anna/salon.anna/"
PASSWORD = "correct horse"

_INITIALISE = "from bridge import bootstrap; site = bootstrap.initialise(Path(sys.argv[1])); site.database.close(); "
_SERVE = "import sys; from pathlib import Path; {}from bridge.bootstrap import serve; serve(Path(sys.argv[1]))"


def settings(**changed: Any) -> dict[str, Any]:
    """A configuration with one account, two resources, one user who may write, and one feed."""
    return {
        "server": {"listen": f"127.0.0.1:{unused_port()}"},
        "database": "sqlite:///data/calbridge.sqlite3",
        "secret_key_file": "data/secret.key",
        "accounts": {
            "salon": {
                "name": "Salon Anna",
                "time_zone": "Europe/Amsterdam",
                "resources": {
                    "anna": {"kind": "employee", "name": "Anna"},
                    "room": {"kind": "location", "name": "Room"},
                },
            }
        },
        "users": {"anna": {"password": "${ANNAS_PASSWORD}", "grants": {"salon": "write"}}},
        "feeds": {"anna": {"of": "salon/anna"}},
        **changed,
    }


def unused_port() -> int:
    """A port on loopback on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
    return port


def eventually(happened: Callable[[], bool], what: str, *, within: float = PATIENCE) -> float:
    """Waits until `happened`, and gives the seconds that it took; fails with `what` after `within` seconds."""
    began = time.monotonic()
    pause = threading.Event()
    while not happened():
        assert time.monotonic() - began < within, f"not within {within} s: {what}"
        pause.wait(0.01)
    return time.monotonic() - began


def event(uid: str, title: str = "Haircut") -> bytes:
    """The bytes of one appointment, as a client sends them."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T000000Z", "DTSTART:20270105T090000Z", "DTEND:20270105T100000Z", f"SUMMARY:{title}",
        "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def sync_report(token: str) -> bytes:
    """The body of a sync-collection request (RFC 6578 section 3.2)."""
    return (
        '<?xml version="1.0"?><sync-collection xmlns="DAV:">'
        f"<sync-token>{token}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    ).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """One connection that stays open, as calendar programs keep theirs.

    Args:
        port: Of the server, on loopback.
        user: Who logs in; empty for nobody.
        password: With which.
        tls: How https is spoken; None is plain http.
    """

    def __init__(
        self, port: int, *, user: str = "anna", password: str = PASSWORD, tls: ssl.SSLContext | None = None
    ) -> None:
        self.connection: http.client.HTTPConnection = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            if tls is None
            else http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=tls)
        )
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.always = {"Authorization": f"Basic {login}"} if user else {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Asks once; `If_Match` among `headers` is sent as If-Match."""
        sent = {**self.always, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def sync(self, token: str = "", calendar: str = CALENDAR) -> tuple[str, dict[str, str | None]]:
        """The new token, and each changed href with its etag, or with None where it was deleted."""
        answer = self.ask("REPORT", calendar, sync_report(token), Content_Type="application/xml")
        assert answer.status == 207, answer.text
        changes: dict[str, str | None] = {}
        for response in re.findall(r"<(?:\w+:)?response>(.*?)</(?:\w+:)?response>", answer.text, re.DOTALL):
            href = re.search(r"<(?:\w+:)?href>(.*?)<", response)
            etag = re.search(r"<(?:\w+:)?getetag>(.*?)<", response)
            assert href
            changes[href[1]] = etag[1].replace("&quot;", '"') if etag else None
        new = re.search(r"<(?:\w+:)?sync-token>(.*?)<", answer.text)
        assert new, answer.text
        return new[1], changes

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


class Server:
    """The real server in a folder of its own; it leads a process group, as a service manager starts it.

    Args:
        folder: For its configuration, its database and its log.
        configuration: What stands in the file.
        environ: Added to the environment.
    """

    def __init__(
        self, folder: Path, configuration: dict[str, Any] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.path = folder / "bridge.yaml"
        self.log_path = folder / "server.log"
        self.configuration = settings() if configuration is None else configuration
        self._environ = dict(environ or {})
        self._running: subprocess.Popen[bytes] | None = None
        self.write(self.configuration)

    @property
    def port(self) -> int:
        return int(self.configuration["server"]["listen"].rpartition(":")[2])

    @property
    def database_file(self) -> Path:
        return self.folder / "data" / "calbridge.sqlite3"

    @property
    def pid(self) -> int:
        assert self._running
        return self._running.pid

    def write(self, configuration: dict[str, Any] | str) -> None:
        """Replaces the configuration file in one step, as an editor does."""
        fresh = self.path.with_suffix(".new")
        # JSON is YAML too, and has one setting a line.
        text = configuration if isinstance(configuration, str) else json.dumps(configuration, indent=1)
        fresh.write_text(text)
        fresh.replace(self.path)

    def launch(self, *, initialise: bool = True) -> None:
        """Starts the server without waiting for it; `initialise` makes the key and the database first."""
        assert self._running is None
        with self.log_path.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-c", _SERVE.format(_INITIALISE if initialise else ""), self.path],
                cwd=TOP,
                env={**unmeasured(), "ANNAS_PASSWORD": PASSWORD, **self._environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, *, initialise: bool = True) -> None:
        """Starts the server, and comes back when it takes connections."""
        self.launch(initialise=initialise)
        eventually(self.takes_connections, "the server takes connections")

    def takes_connections(self) -> bool:
        assert self._running
        assert self._running.poll() is None, self.log
        return _takes_connections(self.port)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the main process, as a service manager does."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends every process of the server in the middle of whatever it does."""
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait(PATIENCE)
            # A worker that is dying can still have the port for a moment.
            eventually(lambda: not _takes_connections(self.port), "the port is free")
            self._running = None

    def wait(self) -> int:
        """Waits until the main process has ended, and gives its exit status."""
        assert self._running
        status = self._running.wait(PATIENCE)
        self.kill()
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks the server to stop, and gives its exit status."""
        self.send(number)
        return self.wait()

    def client(self, **login: Any) -> Client:
        """A new connection."""
        return Client(self.port, **login)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Asks once, over a connection of its own."""
        with closing(self.client()) as client:
            return client.ask(method, path, body, **headers)

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self.log_path.read_text()

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """The events in the log, all or those of one name."""
        found = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [each for each in found if not name or each["event"] == name]

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(each) for each in children.split()]

    def feed_path(self, name: str = "anna") -> str:
        """The secret path of a feed."""
        script = "import sys; from pathlib import Path; from bridge.bootstrap import open_site; "
        printed = subprocess.run(
            [
                sys.executable,
                "-c",
                script + "print(open_site(Path(sys.argv[1])).feed_url(sys.argv[2]))",
                self.path,
                name,
            ],
            cwd=TOP,
            env={**os.environ, "ANNAS_PASSWORD": PASSWORD, **self._environ},
            capture_output=True,
            text=True,
            check=True,
        )
        return "/feed/" + printed.stdout.strip().partition("/feed/")[2]


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(folder: Path, configuration: dict[str, Any] | None = None, **options: Any) -> Iterator[Server]:
    """A server that runs until the block ends."""
    server = Server(folder, configuration, **options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
