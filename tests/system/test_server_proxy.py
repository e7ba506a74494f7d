"""Puts a real nginx in front of the server, which passes /cal/ on to it."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.system.process import Client, Server, event, eventually, running, settings, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.debian("nginx", "nginx-light")

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /.well-known/caldav {{ return 301 /cal/dav/; }}
    location /cal/ {{
      proxy_pass http://127.0.0.1:{upstream}{below};
      {headers}
    }}
  }}
}}
"""
SAYS_ALL = """
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Host cal.example.org;
      proxy_set_header X-Forwarded-Prefix /cal;
      proxy_set_header X-Remote-User "";
"""


@contextmanager
def nginx(folder: Path, server: Server, *, headers: str, below: str) -> Iterator[int]:
    """Runs nginx until the block ends, and gives its port; `below` is what /cal/ becomes for the server."""
    port = unused_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, upstream=server.port, headers=headers, below=below))
    running_proxy = subprocess.Popen(
        ["nginx", "-e", folder / "error.log", "-p", folder, "-c", configuration], stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        assert running_proxy.poll() is None, (folder / "error.log").read_text()
        try:
            with closing(Client(port, user="")) as client:
                return client.ask("GET", "/cal/healthz").status == 200
        except OSError:
            return False

    try:
        eventually(answers, "nginx passes requests on")
        yield port
    finally:
        running_proxy.terminate()
        running_proxy.wait(30)


@pytest.fixture(scope="module", params=["stripped by nginx, said in a header", "passed on, said in the file"])
def behind_nginx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int]]:
    folder = tmp_path_factory.mktemp("proxy")
    configuration = settings()
    configuration["server"]["trusted_proxies"] = ["127.0.0.1"]
    headers, below = SAYS_ALL, "/"
    if request.param.startswith("passed"):
        configuration["server"]["path_prefix"] = "/cal"
        headers = re.sub(r".*X-Forwarded-Prefix.*\n", "", SAYS_ALL)
        below = ""
    with running(folder, configuration) as server, nginx(folder, server, headers=headers, below=below) as port:
        yield server, port


@pytest.fixture
def client(behind_nginx: tuple[Server, int]) -> Iterator[Client]:
    with closing(Client(behind_nginx[1])) as made:
        yield made


HOME = "/cal/dav/anna/"
PRINCIPAL = b'<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'


def test_discovery_leads_below_the_prefix(client: Client) -> None:
    assert client.ask("PROPFIND", "/.well-known/caldav", PRINCIPAL).headers["location"].endswith("/cal/dav/")
    assert client.ask("GET", "/cal/.well-known/caldav").headers["location"].endswith("/cal/dav/")
    assert client.ask("PROPFIND", "/cal/", PRINCIPAL, Depth="0").headers["location"].endswith("/cal/dav/")
    answer = client.ask("PROPFIND", "/cal/dav/", PRINCIPAL, Depth="0")
    assert f"<href>{HOME}</href>" in re.sub(r"<(/?)\w+:", r"<\1", answer.text)


def test_every_address_in_an_answer_carries_the_prefix(client: Client) -> None:
    calendar = f"{HOME}salon.anna/"
    assert client.ask("PUT", f"{calendar}1.ics", event("1")).status in {201, 204}
    token, changes = client.sync(calendar=calendar)
    assert token
    assert list(changes) == [f"{calendar}1.ics"]
    body = b'<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
    listed = client.ask("PROPFIND", HOME, body, Depth="1").text
    hrefs = re.findall(r"<(?:\w+:)?href>(.*?)<", listed)
    assert calendar in hrefs
    assert [href for href in hrefs if not href.startswith(HOME)] == []


def test_an_appointment_is_moved_by_the_address_that_the_client_knows(client: Client) -> None:
    calendar = f"{HOME}salon.anna/"
    assert client.ask("PUT", f"{calendar}move.ics", event("move")).status in {201, 204}
    moved = client.ask(
        "MOVE", f"{calendar}move.ics", Destination=f"https://cal.example.org{HOME}salon.room/moved.ics", Overwrite="T"
    )
    assert moved.status in {201, 204}, moved.text
    assert client.ask("GET", f"{HOME}salon.room/moved.ics").body == event("move")


def test_the_start_page_shows_the_address_that_people_use(client: Client) -> None:
    page = client.ask("GET", "/cal/")

    assert "https://cal.example.org/cal/dav/" in page.text
    missing = client.ask("GET", "/cal/nothing")
    assert missing.status == 404
    assert 'href="/cal/"' in missing.text


def test_a_failed_login_is_logged_with_the_address_of_the_client(behind_nginx: tuple[Server, int]) -> None:
    server, port = behind_nginx
    with closing(Client(port, password="wrong")) as client:
        answer = client.ask("PROPFIND", HOME, PRINCIPAL, X_Forwarded_For="10.9.9.9, 203.0.113.77")
        assert answer.status == 401
    said = server.events("login_refused")[-1]

    # nginx adds the address that it sees, here that of another trusted proxy; what a client wrote does not count.
    assert said["address"] == "203.0.113.77"


def test_a_user_name_in_a_header_logs_nobody_in(behind_nginx: tuple[Server, int]) -> None:
    _, port = behind_nginx
    with closing(Client(port, user="")) as client:
        assert client.ask("PROPFIND", HOME, PRINCIPAL, X_Remote_User="anna").status == 401


def test_a_proxy_that_logs_people_in_is_believed_and_nobody_else(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    (tmp_path / "proxy-secret").write_text(secret)
    configuration = settings(auth={"type": "http_x_remote_user", "proxy_secret_file": f"{tmp_path}/proxy-secret"})
    configuration["server"]["trusted_proxies"] = ["127.0.0.1"]
    headers = SAYS_ALL.replace('X-Remote-User ""', f'X-Remote-User "{secret}:anna"')
    with running(tmp_path, configuration) as server:
        with nginx(tmp_path, server, headers=headers, below="/") as port, closing(Client(port, user="")) as client:
            forged = client.ask("PROPFIND", HOME, PRINCIPAL, **{"X-Remote-User": "boss"})
            assert "/cal/dav/anna/" in forged.text
        # Straight to the server, and not from the proxy's address.
        configuration["server"]["trusted_proxies"] = ["192.0.2.1"]
        server.write(configuration)
        eventually(lambda: bool(server.events("configuration_taken_up")), "the proxy is trusted no more")
        with closing(server.client(user="")) as client:
            assert client.ask("PROPFIND", "/dav/anna/", PRINCIPAL, X_Remote_User="anna").status in {401, 403}
