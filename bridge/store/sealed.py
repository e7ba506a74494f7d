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
                f"secret_key_file: there is no file {str(path)!r}.",
                remedy="Restore it from a backup: with a new one every feed URL changes. "
                "Where there is no database yet, `calbridge init` makes one.",
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"secret_key_file: {str(path)!r} cannot be read as keys ({error}).",
                remedy="Restore it from a backup: without it the sealed secrets are lost and every feed URL changes.",
            ) from error
        self._oldest = lines[-1].encode()

    @staticmethod
    def make(path: Path) -> None:
        """Writes a new key file that only its owner may read; never overwrites one.

        Raises:
            ConfigurationError: There is one already, or it cannot be written.
        """
        if path.exists():
            raise ConfigurationError(f"secret_key_file: {str(path)!r} is there already, and is kept.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_for_owner(path, Fernet.generate_key() + b"\n")
        except OSError as error:
            raise ConfigurationError(f"secret_key_file: {str(path)!r} cannot be made ({error.strerror}).") from error

    @staticmethod
    def rotate(path: Path) -> None:
        """Puts a new key on top of the file; the older ones stay, so that everything can still be opened.

        Raises:
            ConfigurationError: The file is missing, holds no valid key, or cannot be replaced.
        """
        KeyFile(path)
        fresh = path.with_name(path.name + ".new")
        try:
            # One is left where an earlier rotation was killed; it was never in use.
            fresh.unlink(missing_ok=True)
            _write_for_owner(fresh, Fernet.generate_key() + b"\n" + path.read_bytes())
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                # An administrator may rotate the keys of a server that runs as another user.
                os.chown(fresh, owner.st_uid, owner.st_gid)
            fresh.replace(path)
        except OSError as error:
            raise ConfigurationError(
                f"secret_key_file: {str(path)!r} cannot be replaced ({error.strerror})."
            ) from error

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
            raise _broken() from error

    def reseal(self, token: bytes) -> bytes:
        """The same secret, sealed with the newest key.

        Raises:
            SealBroken: No key in the file opens it.
        """
        try:
            return self._seals.rotate(token)
        except InvalidToken as error:
            raise _broken() from error

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, the same for as long as the oldest key is in the file."""
        return hmac.digest(self._oldest, purpose.encode(), hashlib.sha256)


def _broken() -> SealBroken:
    return SealBroken(
        "A stored secret cannot be opened with the keys in secret_key_file.",
        remedy="Restore the key file that was in use when the secret was stored, or enter the secret again.",
    )


def _write_for_owner(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        # A key that is lost in a power cut takes every sealed secret with it.
        os.fsync(file.fileno())


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
    """Seals every secret anew with the newest key, so that older keys may leave the file; gives how many.

    Raises:
        SealBroken: One was sealed with a key that is gone.
    """
    rows = tx.connection.execute(select(sealed.c.name, sealed.c.token)).all()
    for row in rows:
        tx.connection.execute(
            update(sealed).where(sealed.c.name == row.name).values(token=keys.reseal(bytes(row.token))),
        )
    return len(rows)
