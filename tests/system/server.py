"""Runs the real server: a process of its own, on loopback, with a folder of its own."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.repository import TOP, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SALON = """
server: {{listen: "127.0.0.1:{port}"{server}}}
database: {database}
secret_key_file: secret.key
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {{kind: employee, name: Anna de Vries, email: anna@example.org, color: "#3367d6"}}
      room-1: {{kind: location, name: Room 1, color: "#f4511e"}}
      laser: {{kind: instrument, name: Laser & <Light>, color: "#8e24aa"}}
      bob: {{kind: employee, name: Bob Jansen}}
users:
  demo:
    password: "${{DEMO_PASSWORD}}"
    personal_calendars: true
    grants: {{salon/anna: write, salon/room-1: write, salon/laser: read}}
  boss:
    password: "${{BOSS_PASSWORD}}"
    grants: {{salon: write}}
  tina:
    password: "${{TINA_PASSWORD}}"
    grants: {{salon/room-1: read, salon/anna: write}}
  nobody:
    password: "${{NOBODY_PASSWORD}}"
feeds:
  anna: {{of: salon/anna}}
{more}
"""
PASSWORDS = {"demo": "demo-Passwort-ä:1", "boss": "boss-password", "tina": "tina-password", "nobody": "nobody-password"}
_PREPARE_AND_SERVE = (
    "import sys; from pathlib import Path; from bridge import bootstrap; path = Path(sys.argv[1]);"
    "bootstrap.log_to_stderr(); bootstrap.initialise(path).database.close(); bootstrap.serve(path)"
)
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered.

    Attributes:
        headers: By lower-case name; of several with one name the last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def xml(self) -> ET.Element:
        """The body as XML."""
        return ET.fromstring(self.body)  # noqa: S314 -- our own server


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests as one user, byte for byte as they are given, over a connection of its own each.

    Attributes:
        port: Of the server, on loopback.
        user: Who logs in; empty sends no credentials.
        password: Of the user.
        agent: The User-Agent header.
    """

    port: int
    user: str = "demo"
    password: str = PASSWORDS["demo"]
    agent: str = "tests"

    def __call__(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request and reads the answer to its end."""
        raw = body.encode() if isinstance(body, str) else body
        sent = {"User-Agent": self.agent, **self.credentials(), **(headers or {})}
        if raw is not None:
            sent.setdefault("Content-Length", str(len(raw)))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            if raw is not None:
                connection.send(raw)
            return _read(connection)
        finally:
            connection.close()

    def credentials(self) -> dict[str, str]:
        """The header that logs the user in."""
        if not self.user:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()}

    def raw(self, head: bytes, body: bytes = b"") -> Answer:
        """Sends octets as they are, with the credentials put below the first line, and reads one answer."""
        first, _, rest = head.partition(b"\r\n")
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.credentials().items()).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_SECONDS) as link:
            link.sendall(first + b"\r\nHost: localhost\r\n" + lines + rest + body)
            response = http.client.HTTPResponse(link)
            response.begin()
            return Answer(response.status, _headers(response), response.read())


def _read(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    return Answer(response.status, _headers(response), response.read())


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        port: On loopback.
        config: Its YAML file.
        log: The file that its events go to.
        process: Its first process.
    """

    port: int
    config: Path
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        """Its address, with a slash at the end."""
        return f"http://127.0.0.1:{self.port}/"

    def client(self, user: str = "demo", *, password: str | None = None, agent: str = "tests") -> Client:
        """Sends requests as `user`, with the right password unless another is given."""
        return Client(self.port, user, PASSWORDS.get(user, "") if password is None else password, agent)

    def events(self, name: str) -> list[dict[str, object]]:
        """What it logged under `name`, each event as its fields."""
        lines = (line for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [event for event in map(json.loads, lines) if event.get("event") == name]

    def stop(self) -> None:
        """Stops it, as a service manager does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_PATIENCE_SECONDS)


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    folder: Path,
    *,
    database: str = "sqlite:///calbridge.sqlite3",
    server: str = "",
    more: str = "",
    document: str = SALON,
) -> Iterator[Server]:
    """Serves a salon with four resources and three users until the block ends.

    Args:
        folder: Empty; takes the configuration, the database and the log.
        database: Address of the database.
        server: More settings of the section `server`, each after a comma.
        more: More sections of the file.
        document: The file, with places for the other arguments.
    """
    port = free_port()
    config = folder / "bridge.yaml"
    config.write_text(document.format(port=port, database=database, server=server, more=more))
    log = folder / "log"
    environ = {**unmeasured(), **{f"{user.upper()}_PASSWORD": word for user, word in PASSWORDS.items()}}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _PREPARE_AND_SERVE, config], cwd=TOP, env=environ, stdout=output, stderr=output
        )
    running = Server(port, config, log, process)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        if process.poll() is None:
            running.stop()


def _wait_until_ready(server: Server) -> None:
    for _ in range(_PATIENCE_SECONDS * 20):
        try:
            if Client(server.port, user="")("GET", "/readyz").status == http.client.OK:
                return
        except OSError:
            pass
        try:
            server.process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"The server did not start:\n{server.log.read_text()}")
