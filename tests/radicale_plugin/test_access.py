"""A verified login costs one hash in minutes; wrong passwords wait longer each time, and only where they come from."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from radicale import config as radicale_config

from bridge.radicale_plugin.access import Auth, Logins
from bridge.store import account
from tests.radicale_plugin.calling import DOCUMENT, backed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.radicale_plugin.backing import Backing

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
HASHED = DOCUMENT.replace('password: "${DEMO_PASSWORD}"', f'password_hash: "{CHEAP}"')
OFFICE, OTHER = "192.0.2.1", "198.51.100.1"


class Watched(Logins):
    """Logins whose clock stands still until it is moved, that never waits, and that counts what it verifies."""

    def __init__(self, backing: Backing) -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self.verified = 0
        super().__init__(backing, monotonic=lambda: self.now, wait=self.waited.append)

    def _primary(self, user: str, password: str, address: str) -> bool:
        self.verified += 1
        return super()._primary(user, password, address)


@pytest.fixture
def backing(tmp_path: Path) -> Iterator[Backing]:
    with backed(tmp_path, HASHED) as backing:
        yield backing


@pytest.fixture
def logins(backing: Backing) -> Watched:
    return Watched(backing)


def test_fifty_requests_cost_one_hash(logins: Watched) -> None:
    assert all(logins.verify("demo", "secret", address=OFFICE) for _ in range(50))
    assert logins.verified == 1


def test_after_some_minutes_the_password_is_verified_again(logins: Watched) -> None:
    logins.verify("demo", "secret", address=OFFICE)
    logins.now += 301
    assert logins.verify("demo", "secret", address=OFFICE)
    assert logins.verified == 2


def test_two_devices_with_passwords_of_their_own_do_not_forget_each_other(logins: Watched, backing: Backing) -> None:
    with backing.database.writing() as tx:
        phone = account.make_app_password(tx, "demo", "phone")
    for _ in range(5):
        assert logins.verify("demo", "secret", address=OFFICE)
        assert logins.verify("demo", phone, address=OFFICE)
    assert logins.verified == 1


def test_a_wrong_password_is_wrong_also_while_the_right_one_is_remembered(logins: Watched) -> None:
    logins.verify("demo", "secret", address=OFFICE)
    assert not logins.verify("demo", "Secret", address=OFFICE)
    assert not logins.verify("demo", "", address=OFFICE)
    assert not logins.verify("demo\0secret", "", address=OFFICE)
    assert not logins.verify("anna", "secret", address=OFFICE)


def test_a_revoked_app_password_stops_at_once(logins: Watched, backing: Backing) -> None:
    with backing.database.writing() as tx:
        phone = account.make_app_password(tx, "demo", "phone")
    assert logins.verify("demo", phone, address=OFFICE)
    with backing.database.writing() as tx:
        account.revoke_app_passwords(tx, "demo", "phone")
    assert not logins.verify("demo", phone, address=OFFICE)


def test_an_app_password_logs_in_only_its_own_user(logins: Watched, backing: Backing) -> None:
    with backing.database.writing() as tx:
        phone = account.make_app_password(tx, "gone", "phone")
    assert not logins.verify("demo", phone, address=OFFICE)
    assert not logins.verify("gone", phone, address=OFFICE)


def test_each_wrong_password_waits_longer_but_never_without_end(logins: Watched) -> None:
    for _ in range(4):
        logins.verify("demo", "wrong", address=OFFICE)
    assert logins.waited == sorted(logins.waited)
    assert logins.waited[0] > 0
    assert max(logins.waited) <= 2


def test_after_too_many_wrong_passwords_the_right_one_has_to_wait_too(logins: Watched) -> None:
    for _ in range(5):
        logins.verify("demo", "wrong", address=OFFICE)
    assert not logins.verify("demo", "secret", address=OFFICE)
    assert logins.verify("demo", "secret", address=OTHER)
    logins.now += 601
    assert logins.verify("demo", "secret", address=OFFICE)


def test_a_device_that_is_logged_in_is_not_locked_out_by_another(logins: Watched) -> None:
    logins.verify("demo", "secret", address=OFFICE)
    for _ in range(20):
        logins.verify("demo", "wrong", address=OFFICE)
    assert logins.verify("demo", "secret", address=OFFICE)


def test_an_unknown_user_costs_a_hash_as_a_known_one_does(logins: Watched) -> None:
    assert not logins.verify("no-such-user", "secret", address=OFFICE)
    assert logins.verified == 1


def test_a_long_row_of_failures_waits_as_long_as_a_short_one(tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    patient = HASHED.replace("login_failures: 5", "login_failures: 10000")
    with backed(folder, patient) as backing:
        logins = Watched(backing)
        for _ in range(1100):
            assert not logins.verify("demo", "wrong", address=OFFICE)
    assert logins.waited[-1] == max(logins.waited) == 2


def test_guessing_from_many_addresses_of_one_ipv6_line_is_guessing_from_one(logins: Watched) -> None:
    for host in range(5):
        logins.verify("demo", "wrong", address=f"2001:db8:0:7::{host:x}")
    assert not logins.verify("demo", "secret", address="2001:db8:0:7:ffff:ffff:ffff:ffff")
    assert logins.verify("demo", "secret", address="2001:db8:0:8::1")


def test_ipv4_addresses_inside_ipv6_are_told_apart(logins: Watched) -> None:
    for _ in range(5):
        logins.verify("demo", "wrong", address=f"::ffff:{OFFICE}")
    assert not logins.verify("demo", "secret", address=OFFICE)
    assert logins.verify("demo", "secret", address=f"::ffff:{OTHER}")


def test_who_still_guesses_is_remembered_longer_than_who_has_stopped(
    logins: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.radicale_plugin.access._MOST_REMEMBERED", 6)
    for host in range(5):
        logins.verify("demo", "wrong", address=OFFICE)
        logins.verify("demo", "wrong", address=f"198.51.100.{host}")
    assert not logins.verify("demo", "secret", address=OFFICE)
    assert logins.verify("demo", "secret", address="198.51.100.0")


SECRET = "0123456789abcdef0123456789abcdef"
PROXIED = f"""{DOCUMENT}
auth: {{type: http_x_remote_user, proxy_secret_file: proxy}}
"""


@pytest.mark.parametrize(
    ("said", "user"),
    [
        (f"{SECRET}:demo", "demo"),
        (f"{SECRET}:", ""),
        (SECRET, ""),
        # What a client sends as X_Remote_User arrives in place of what the proxy says, or beside it.
        ("demo", ""),
        (":demo", ""),
        (f"demo,{SECRET}:demo", ""),
        (f"{SECRET}:demo,anna", "demo,anna"),
        (f"{SECRET.upper()}:demo", ""),
        (f"{SECRET}x:demo", ""),
        (f"\u00e9\udcff{SECRET}:demo", ""),
        ("", ""),
    ],
)
def test_only_who_knows_the_secret_of_the_proxy_can_name_a_user(tmp_path: Path, said: str, user: str) -> None:
    (tmp_path / "proxy").write_text(f"{SECRET}\n")
    with backed(tmp_path, PROXIED) as backing:
        auth = Auth(radicale_config.load(), backing=backing, logins=Watched(backing))
        environ = {"HTTP_X_REMOTE_USER": said, "calbridge.proxy_trusted": True}
        assert auth.get_external_login(environ) == (user, "")
        del environ["calbridge.proxy_trusted"]
        assert auth.get_external_login(environ) == ("", "")


@pytest.mark.parametrize("document", [HASHED, DOCUMENT], ids=["hash", "environment"])
@pytest.mark.parametrize("user", ["demo", "no-such-user"])
@pytest.mark.parametrize("password", ["wrong", "aaaa-bbbb-cccc-dddd-eeee"])
def test_a_wrong_password_costs_one_hash_whoever_is_named_and_however_many_devices_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str, user: str, password: str
) -> None:
    compared: list[str] = []

    def compare(_: str, password_hash: str) -> bool:
        compared.append(password_hash)
        return False

    with backed(tmp_path, document) as backing:
        with backing.database.writing() as tx:
            for label in ("phone", "laptop", "tablet"):
                account.make_app_password(tx, "demo", label)
        logins = Watched(backing)
        monkeypatch.setattr(account, "verify_password", compare)
        assert not logins.verify(user, password, address=OFFICE)
    assert len(compared) == 1


def test_no_more_than_four_passwords_are_hashed_at_once(logins: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    four = threading.Barrier(4, timeout=5)
    hashing: list[int] = []
    lock = threading.Lock()
    most = 0

    def compare(*_: str) -> bool:
        nonlocal most
        with lock:
            hashing.append(1)
            most = max(most, len(hashing))
        four.wait()
        with lock:
            hashing.pop()
        return False

    monkeypatch.setattr(account, "verify_password", compare)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(logins.verify, f"user-{each}", "wrong", address=OFFICE) for each in range(8)]
        assert not any(each.result() for each in asked)
    assert most == 4
