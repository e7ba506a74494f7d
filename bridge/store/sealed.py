"""Secrets are sealed before they are stored, with keys from a file: a stolen database gives none of them away."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import delete, select, update

from bridge.errors import ConfigurationError, SealBroken
from bridge.store.database import microseconds
from bridge.store.schema import sealed
from bridge.store.upsert import insert_or_change

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Transaction


class KeyFile:
    """The keys of one installation, newest first, one a line.

    The newest key seals; all of them open. The feed tokens are derived from the *last* line, so that rotating the
    keys (a new first line) leaves the feeds' URLs as they are.

    Args:
        path: The file; its lines are Fernet keys (32 bytes in URL-safe base64).

    Raises:
        ConfigurationError: The file is missing, unreadable, or holds no valid key.
    """

    def __init__(self, path: Path) -> None:
        try:
            lines = path.read_text("ascii").split()
            self._seals = MultiFernet([Fernet(line) for line in lines])
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"secret_key_file: there is no file {str(path)!r}.", remedy="`calbridge init` makes one."
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"secret_key_file: {str(path)!r} cannot be read as keys ({error}).",
                remedy="Restore it from a backup: without it the sealed secrets are lost and every feed URL changes.",
            ) from error
        self._oldest = lines[-1].encode()

    @staticmethod
    def make(path: Path) -> None:
        """Writes a new key file that only its owner may read; never overwrites one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")

    @staticmethod
    def rotate(path: Path) -> None:
        """Puts a new key on top of the file; the older ones stay, so that everything can still be opened."""
        keys = Fernet.generate_key() + b"\n" + path.read_bytes()
        fresh = path.with_name(path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(keys)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def seal(self, secret: bytes) -> bytes:
        """Encrypts and authenticates `secret` with the newest key."""
        return self._seals.encrypt(secret)

    def open(self, token: bytes) -> bytes:
        """The secret in `token`.

        Raises:
            SealBroken: No key in the file opens it.
        """
        try:
            return self._seals.decrypt(token)
        except InvalidToken as error:
            raise SealBroken(
                "A stored secret cannot be opened with the keys in secret_key_file.",
                remedy="Restore the key file that was in use when the secret was stored, or enter the secret again.",
            ) from error

    def reseal(self, token: bytes) -> bytes:
        """The same secret, sealed with the newest key."""
        try:
            return self._seals.rotate(token)
        except InvalidToken as error:
            raise SealBroken("A stored secret cannot be opened with the keys in secret_key_file.") from error

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, the same for as long as the oldest key is in the file."""
        return hmac.digest(self._oldest, purpose.encode(), hashlib.sha256)


def keep(tx: Transaction, keys: KeyFile, name: str, secret: bytes) -> None:
    """Stores `secret` under `name`, sealed; replaces what was there."""
    values = {"token": keys.seal(secret), "changed_at": microseconds(tx.now)}
    insert_or_change(tx, sealed, {"name": name}, values, values)


def recall(tx: Transaction, keys: KeyFile, name: str) -> bytes | None:
    """The secret under `name`, or None.

    Raises:
        SealBroken: It was sealed with a key that is gone.
    """
    token = tx.connection.execute(select(sealed.c.token).where(sealed.c.name == name)).scalar_one_or_none()
    return None if token is None else keys.open(bytes(token))


def forget(tx: Transaction, name: str) -> None:
    """Deletes the secret under `name`."""
    tx.connection.execute(delete(sealed).where(sealed.c.name == name))


def reseal_all(tx: Transaction, keys: KeyFile) -> int:
    """Seals every secret anew with the newest key, so that older keys may leave the file; gives how many."""
    rows = tx.connection.execute(select(sealed.c.name, sealed.c.token)).all()
    for row in rows:
        tx.connection.execute(
            update(sealed).where(sealed.c.name == row.name).values(token=keys.reseal(bytes(row.token))),
        )
    return len(rows)
