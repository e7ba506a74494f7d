"""Tests of sealed secrets and of the file that holds their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import ConfigurationError, SealBroken
from bridge.store import sealed
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "secret.key"
    KeyFile.make(path)
    return path


def keep(database: Database, keys: KeyFile, secret: bytes = b"hunter2") -> None:
    with database.writing() as tx:
        sealed.keep(tx, keys, "google", secret)


def recall(database: Database, keys: KeyFile) -> bytes | None:
    with database.reading() as tx:
        return sealed.recall(tx, keys, "google")


def test_a_secret_comes_back_and_can_be_replaced_and_forgotten(database: Database, path: Path) -> None:
    keys = KeyFile(path)
    assert recall(database, keys) is None

    keep(database, keys, b"hunter2")
    keep(database, keys, b"hunter3")
    assert recall(database, keys) == b"hunter3"

    with database.writing() as tx:
        sealed.forget(tx, "google")
    assert recall(database, keys) is None


def test_the_database_does_not_hold_the_secret(database: Database, path: Path) -> None:
    keep(database, KeyFile(path))

    with database.reading() as tx:
        assert "hunter2" not in str(tx.connection.exec_driver_sql("SELECT * FROM sealed").one())


def test_after_a_rotation_old_secrets_open_and_feed_addresses_stay(database: Database, path: Path) -> None:
    before = KeyFile(path)
    keep(database, before)

    KeyFile.rotate(path)

    after = KeyFile(path)
    assert recall(database, after) == b"hunter2"
    assert after.derive("feed") == before.derive("feed")
    assert after.derive("feed") != after.derive("other")


def test_after_sealing_anew_the_older_key_may_go(database: Database, path: Path) -> None:
    keep(database, KeyFile(path))
    KeyFile.rotate(path)
    with database.writing() as tx:
        assert sealed.reseal_all(tx, KeyFile(path)) == 1

    path.write_text(path.read_text().splitlines()[0])

    assert recall(database, KeyFile(path)) == b"hunter2"


def test_a_secret_of_a_lost_key_says_what_to_do(database: Database, path: Path, tmp_path: Path) -> None:
    keep(database, KeyFile(path))
    KeyFile.make(tmp_path / "other.key")
    other = KeyFile(tmp_path / "other.key")

    with pytest.raises(SealBroken, match="Restore the key file"):
        recall(database, other)
    with pytest.raises(SealBroken, match="Restore the key file"), database.writing() as tx:
        sealed.reseal_all(tx, other)


def test_a_key_file_is_for_its_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600

    KeyFile.rotate(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 2
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="is there already"):
        KeyFile.make(path)

    assert path.read_bytes() == before


def test_a_key_file_that_cannot_be_made_says_so(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be made"):
        KeyFile.make(path / "in-a-file.key")


def test_a_key_file_that_cannot_be_replaced_stays_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    path.with_name("secret.key.new").mkdir()

    with pytest.raises(ConfigurationError, match="cannot be replaced"):
        KeyFile.rotate(path)

    assert path.read_bytes() == before


def test_a_rotation_goes_on_where_an_earlier_one_was_killed(path: Path) -> None:
    path.with_name("secret.key.new").write_text("half a k")

    KeyFile.rotate(path)

    assert len(path.read_text().splitlines()) == 2
    KeyFile(path)


def test_a_key_file_that_does_not_exist_cannot_be_rotated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="calbridge init"):
        KeyFile.rotate(tmp_path / "secret.key")


def test_a_key_file_without_a_key_is_not_rotated(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("no key\n")

    with pytest.raises(ConfigurationError, match="cannot be read as keys"):
        KeyFile.rotate(tmp_path / "secret.key")

    assert (tmp_path / "secret.key").read_text() == "no key\n"


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="calbridge init"):
        KeyFile(tmp_path / "secret.key")


@pytest.mark.parametrize("text", ["", "\n", "short", "é" * 44, "A" * 43 + "=\nbroken"])
def test_a_key_file_that_is_none_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text)

    with pytest.raises(ConfigurationError, match=r"secret\.key' cannot be read as keys .*Restore it from a backup"):
        KeyFile(tmp_path / "secret.key")


def test_a_folder_in_place_of_a_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read as keys"):
        KeyFile(tmp_path)
