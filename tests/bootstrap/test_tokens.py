"""The tokens of a connection are sealed, survive another process, and are renewed by one at a time."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.bootstrap.tokens import SealedTokens, TriedTokens, tokens_name
from bridge.errors import SealBroken, StoreUnavailable
from bridge.store import claim, sealed
from bridge.store.database import Database
from bridge.store.sealed import KeyFile
from bridge.upstream.oauth.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = Tokens(
    access="sesame-access",
    refresh="sesame-refresh",
    expires_at=NOW + timedelta(hours=1),
    scopes=frozenset({"events"}),
    granted_at=NOW,
    renewed_at=NOW,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'x.sqlite3'}", clock=lambda: NOW)) as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    KeyFile.make(tmp_path / "secret.key")
    return KeyFile(tmp_path / "secret.key")


def test_what_is_kept_is_read_by_another_process_and_stands_nowhere_in_the_clear(
    database: Database, keys: KeyFile, tmp_path: Path
) -> None:
    assert SealedTokens(database, keys, "anna").read() is None
    SealedTokens(database, keys, "anna").keep(TOKENS)
    assert SealedTokens(database, keys, "anna").read() == TOKENS
    assert SealedTokens(database, keys, "bob").read() is None
    with closing(Database(f"sqlite:///{tmp_path / 'x.sqlite3'}", clock=lambda: NOW)) as another:
        assert SealedTokens(another, keys, "anna").read() == TOKENS
    assert not any(b"sesame" in file.read_bytes() for file in tmp_path.glob("x.sqlite3*"))


def test_what_is_forgotten_is_gone(database: Database, keys: KeyFile) -> None:
    keeper = SealedTokens(database, keys, "anna")
    keeper.keep(TOKENS)
    keeper.forget()
    keeper.forget()
    assert keeper.read() is None


def test_a_lost_key_is_said_and_not_taken_for_no_login(database: Database, keys: KeyFile, tmp_path: Path) -> None:
    SealedTokens(database, keys, "anna").keep(TOKENS)
    KeyFile.make(tmp_path / "another.key")
    with pytest.raises(SealBroken):
        SealedTokens(database, KeyFile(tmp_path / "another.key"), "anna").read()


def test_a_rotated_key_opens_what_was_kept(database: Database, keys: KeyFile, tmp_path: Path) -> None:
    SealedTokens(database, keys, "anna").keep(TOKENS)
    KeyFile.rotate(tmp_path / "secret.key")
    with database.writing() as tx:
        sealed.reseal_all(tx, KeyFile(tmp_path / "secret.key"))
    assert SealedTokens(database, KeyFile(tmp_path / "secret.key"), "anna").read() == TOKENS


def test_one_at_a_time_is_within_the_claim(database: Database, keys: KeyFile) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def renew() -> None:
        nonlocal inside, most
        with SealedTokens(database, keys, "anna", wait=lambda _: None).claimed():
            with lock:
                inside += 1
                most = max(most, inside)
            SealedTokens(database, keys, "anna").keep(TOKENS)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=renew) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_two_connections_do_not_wait_for_each_other(database: Database, keys: KeyFile) -> None:
    with SealedTokens(database, keys, "anna").claimed(), SealedTokens(database, keys, "bob").claimed():
        pass


def test_a_claim_that_ends_in_an_error_is_let_go(database: Database, keys: KeyFile) -> None:
    keeper = SealedTokens(database, keys, "anna", wait=lambda _: pytest.fail("the claim is still held"))
    with pytest.raises(RuntimeError), keeper.claimed():
        raise RuntimeError
    with keeper.claimed():
        pass


def test_whoever_waits_too_long_says_so(database: Database, keys: KeyFile) -> None:
    with database.writing() as tx:
        assert claim.take(tx, tokens_name("anna"), "somebody else", NOW + timedelta(days=1))
    waited = 0.0

    def wait(seconds: float) -> None:
        nonlocal waited
        waited += seconds * 100

    keeper = SealedTokens(database, keys, "anna", wait=wait, clock=lambda: waited)
    with pytest.raises(StoreUnavailable, match="comes to no end"), keeper.claimed():
        pytest.fail("nobody let go of it")
    assert waited > timedelta(minutes=3).total_seconds()


def test_tokens_that_are_tried_are_kept_by_nobody(database: Database, keys: KeyFile) -> None:
    tried = TriedTokens(TOKENS)
    with tried.claimed():
        assert tried.read() == TOKENS
    tried.forget()
    assert tried.read() is None
    assert SealedTokens(database, keys, "anna").read() is None
