"""App passwords: one for each device, shown once, kept as Argon2 hashes, revoked one by one.

The first of its five groups is kept in the clear: it finds the one hash to compare with, so that a wrong password does
not cost a hash for each device. The other four are 80 random bits.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.errors import Conflict
from bridge.store.database import instant, microseconds
from bridge.store.schema import app_password

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.store.database import Transaction

# Letters and digits that nobody mistakes for one another when typing them on a phone.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 5, 4
_FORM = re.compile(f"([{_ALPHABET}]{{{_GROUP_LENGTH}}})(?:-[{_ALPHABET}]{{{_GROUP_LENGTH}}}){{{_GROUPS - 1}}}")

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class AppPassword:
    """An app password as a list shows it; the password itself is not kept.

    Attributes:
        user: Who it logs in.
        label: What it is for, unique for the user.
        created_at: When it was made, UTC.
        used_at: When it last logged in (to about an hour), UTC, or None.
    """

    user: str
    label: str
    created_at: datetime
    used_at: datetime | None


def hash_password(password: str) -> str:
    """An Argon2id hash of `password`, for the YAML file or the store."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str) -> bool:
    """Whether `password` is the one that was hashed; takes as long either way."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def make_app_password(tx: Transaction, user: str, label: str) -> str:
    """Makes an app password of 100 random bits for `user` and gives it; it can never be shown again.

    Raises:
        Conflict: The user has one with this label.
    """
    password = _unlike(set(tx.connection.execute(_BEGINNINGS, {"name": user}).scalars()))
    try:
        with tx.savepoint():
            tx.connection.execute(
                insert(app_password),
                {
                    "user": user,
                    "label": label,
                    "beginning": password[:_GROUP_LENGTH],
                    "hash": hash_password(password),
                    "created_at": microseconds(tx.now),
                },
            )
    except IntegrityError as error:
        raise Conflict(
            f"User {user!r} already has an app password {label!r}.",
            remedy="Choose another label, or revoke that one first.",
        ) from error
    return password


def _unlike(taken: set[str]) -> str:
    """A password that begins like none of the user's others."""
    while True:
        groups = ["".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)]
        if groups[0] not in taken:
            return "-".join(groups)


def app_passwords(tx: Transaction, user: str | None = None) -> list[AppPassword]:
    """The app passwords of `user`, or of everybody, by user and label."""
    query = select(app_password).order_by(app_password.c.user, app_password.c.label)
    if user is not None:
        query = query.where(app_password.c.user == user)
    return [
        AppPassword(row.user, row.label, instant(row.created_at), None if row.used_at is None else instant(row.used_at))
        for row in tx.connection.execute(query)
    ]


_BEGINNINGS = select(app_password.c.beginning).where(app_password.c.user == bindparam("name"))
_ONE = select(app_password.c.id, app_password.c.hash).where(
    app_password.c.user == bindparam("name"), app_password.c.beginning == bindparam("beginning")
)


def app_password_to_compare(tx: Transaction, user: str, password: str) -> tuple[int, str] | None:
    """Number and hash of the only app password of `user` that `password` can be; comparing needs no transaction."""
    form = _FORM.fullmatch(password)
    if form is None:
        return None
    row = tx.connection.execute(_ONE, {"name": user, "beginning": form[1]}).one_or_none()
    return None if row is None else (int(row.id), str(row.hash))


def app_password_exists(tx: Transaction, app_password_id: int) -> bool:
    """Whether an app password that logged in earlier has not been revoked since."""
    query = select(app_password.c.id).where(app_password.c.id == app_password_id)
    return tx.connection.execute(query).first() is not None


def note_use(tx: Transaction, app_password_id: int) -> None:
    """Notes that an app password logged in now."""
    tx.connection.execute(
        update(app_password).where(app_password.c.id == app_password_id).values(used_at=microseconds(tx.now)),
    )


def revoke_app_passwords(tx: Transaction, user: str, label: str | None = None) -> int:
    """Revokes one app password of `user`, or all of them, and gives how many there were."""
    query = delete(app_password).where(app_password.c.user == user)
    if label is not None:
        query = query.where(app_password.c.label == label)
    return tx.connection.execute(query).rowcount
