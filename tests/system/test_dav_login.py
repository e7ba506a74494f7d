"""Who may log in, by which password, and how soon a change of that counts."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.store import account
from bridge.store.database import Database
from tests.system.multistatus import parts
from tests.system.samples import propfind
from tests.system.server import SALON, Client, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.system.server import Server

BY_FILE = SALON.replace('demo:\n    password: "${{DEMO_PASSWORD}}"', "demo:\n    password_file: password")


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose user demo has a password in a file."""
    folder = tmp_path_factory.mktemp("filed")
    (folder / "password").write_text("the first password\n")
    with serving(folder, document=BY_FILE) as running:
        yield running


def status(client: Client) -> int:
    return client("PROPFIND", "/dav/", propfind("D:current-user-principal")).status


def eventually(check: Callable[[], bool]) -> bool:
    """Whether `check` passes within half a minute: a running server takes up a changed file in about a second."""
    pause = threading.Event()
    return any(check() or pause.wait(0.1) for _ in range(300))


def test_a_wrong_password_is_refused_and_logged_once_with_the_address(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for _ in range(3):
            answer = server.client(password="Kennwort-7")("PROPFIND", "/dav/demo/")
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
        assert status(server.client()) == 207
        refused = server.events("login_refused")
        assert [(each["user"], each["address"]) for each in refused] == [("demo", "127.0.0.1")]
        assert "Kennwort" not in server.log.read_text()


def test_after_ten_wrong_passwords_even_the_right_one_waits_but_not_for_others(tmp_path: Path) -> None:
    with serving(tmp_path, more="limits: {{login_failures: 3}}".format()) as server:
        for number in range(3):
            assert status(server.client(password=f"wrong {number}")) == 401
        assert status(server.client()) == 401
        assert status(server.client("boss")) == 207
        assert len(server.events("logins_blocked")) == 1


def test_an_app_password_logs_in_until_it_is_revoked(server: Server) -> None:
    database = Database(f"sqlite:///{server.config.parent}/calbridge.sqlite3", clock=lambda: datetime.now(UTC))
    try:
        with database.writing() as tx:
            phone = account.make_app_password(tx, "demo", "phone")
        client = server.client(password=phone)
        assert [status(client) for _ in range(3)] == [207] * 3
        with database.writing() as tx:
            account.revoke_app_passwords(tx, "demo", "phone")
        assert status(client) == 401
        assert status(server.client()) == 207
    finally:
        database.close()


def test_a_changed_password_ends_the_logins_with_the_old_one(filed: Server) -> None:
    old, new = filed.client(password="the first password"), filed.client(password="another one")
    assert status(old) == 207
    (filed.config.parent / "password").write_text("another one\n")
    assert eventually(lambda: status(new) == 207)
    assert status(old) == 401
    (filed.config.parent / "password").write_text("the first password\n")
    assert eventually(lambda: status(old) == 207)


def test_a_user_who_is_taken_out_of_the_file_is_out(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        tina = server.client("tina")
        assert status(tina) == 207
        server.config.write_text(re.sub(r"  tina:\n(?:    .*\n)+", "", server.config.read_text()))
        assert eventually(lambda: status(tina) == 401)


def test_a_grant_that_is_taken_away_closes_the_calendar(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        demo = server.client()
        assert demo("PROPFIND", "/dav/demo/salon.laser/").status == 207
        server.config.write_text(server.config.read_text().replace(", salon/laser: read", ""))
        assert eventually(lambda: demo("GET", "/dav/demo/salon.laser/").status == 403)
        assert "/dav/demo/salon.laser/" not in parts(
            demo("PROPFIND", "/dav/demo/", propfind("D:getetag"), {"Depth": "1"})
        )


SECRET = "0123456789abcdef0123456789abcdef"
PROXIED = "auth: {type: http_x_remote_user, proxy_secret_file: proxy}"


def test_the_user_that_a_trusted_proxy_names_is_logged_in(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text(SECRET)
    with serving(tmp_path, server=", trusted_proxies: [127.0.0.1]", more=PROXIED) as server:
        stranger = server.client("")
        named = {"X-Remote-User": f"{SECRET}:demo"}
        answer = stranger("PROPFIND", "/dav/", propfind("D:current-user-principal"), named)
        assert parts(answer)["/dav/"].href("D:current-user-principal") == "/dav/demo/"
        assert stranger("PROPFIND", "/dav/", None, {"X-Remote-User": f"{SECRET}:no-such"}).status in {401, 403}
        for spelling in ("X-Remote-User", "X_Remote_User"):
            assert stranger("PROPFIND", "/dav/demo/", None, {spelling: "demo"}).status in {401, 403}
        spoofed = stranger("PROPFIND", "/dav/tina/", None, {**named, "X_Remote_User": "tina"})
        assert spoofed.status in {401, 403}
        assert stranger("PROPFIND", "/dav/").status in {401, 403}
        assert server.client()("PROPFIND", "/dav/demo/").status in {401, 403}


def test_nobody_else_can_name_a_user(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text(SECRET)
    with serving(tmp_path, server=", trusted_proxies: [192.0.2.0/24]", more=PROXIED) as server:
        stranger = server.client("")
        for header in ("X-Remote-User", "X_Remote_User", "Remote-User", "X-Forwarded-User"):
            assert stranger("PROPFIND", "/dav/demo/", None, {header: f"{SECRET}:demo"}).status in {401, 403}, header


def test_the_address_that_a_trusted_proxy_tells_is_logged(tmp_path: Path) -> None:
    with serving(tmp_path, server=", trusted_proxies: [127.0.0.1]") as server:
        told = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        assert server.client(password="wrong")("PROPFIND", "/dav/", None, told).status == 401
        assert [each["address"] for each in server.events("login_refused")] == ["198.51.100.7"]


def test_users_of_an_htpasswd_file_log_in_and_others_do_not(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("demo:from-htpasswd\nstranger:known-there-only\n")
    options = "options: {{htpasswd_filename: users, htpasswd_encryption: plain}}"
    with serving(tmp_path, more=f"auth: {{{{type: htpasswd, {options}}}}}".format()) as server:
        assert status(server.client(password="from-htpasswd")) == 207
        assert status(server.client()) == 401
        assert status(server.client("stranger", password="known-there-only")) == 401
