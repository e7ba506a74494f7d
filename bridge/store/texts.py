"""Texts are kept once each, under the hash of their bytes, for as long as anything points at them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, exists, false, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.schema import body, calendar_object, conflict, journal, link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.database import Transaction

_BATCH = 500
_DIGITS = 32

_insert = postgresql.insert(body)
_INSERT = {
    "sqlite": sqlite.insert(body).on_conflict_do_nothing(),
    # Changes nothing, but locks the text that is there, so that `forget_unused` does not delete it meanwhile.
    "postgresql": _insert.on_conflict_do_update(
        index_elements=["etag"], set_={"etag": _insert.excluded.etag}, where=false()
    ),
}


def etag_of(raw: bytes) -> str:
    """The etag under which `raw` is kept; that of a calendar object with these bytes."""
    return sha256(raw).hexdigest()[:_DIGITS]


def keep(tx: Transaction, texts: Iterable[tuple[str, bytes]]) -> None:
    """Keeps texts, given with their etags, each once; something must point at each before the transaction ends."""
    # In one order, so that two who store the same texts never wait for each other.
    rows = [{"etag": etag, "raw": raw} for etag, raw in sorted(texts)]
    tx.connection.execute(_INSERT[tx.connection.dialect.name], rows)


_LOCK = (
    select(body.c.etag)
    .where(body.c.etag.in_(bindparam("etags", expanding=True)))
    .order_by(body.c.etag)
    .with_for_update(skip_locked=True)
)
_DELETE_UNUSED = delete(body).where(
    body.c.etag.in_(bindparam("etags", expanding=True)),
    ~or_(
        *(
            exists().where(pointer == body.c.etag)
            for pointer in (
                calendar_object.c.etag,
                journal.c.before,
                journal.c.after,
                link.c.base_here,
                link.c.base_there,
                conflict.c.lost,
                conflict.c.kept,
            )
        )
    ),
)


def forget_unused(tx: Transaction, etags: Iterable[str | None]) -> None:
    """Deletes those of these texts that nothing points at any more."""
    # Only these can have become useless: looking at every text there is would take far longer.
    candidates = sorted({etag for etag in etags if etag is not None})
    for start in range(0, len(candidates), _BATCH):
        # A text that somebody is storing again just now is skipped: it is about to be used.
        locked = tx.connection.execute(_LOCK, {"etags": candidates[start : start + _BATCH]}).scalars().all()
        tx.connection.execute(_DELETE_UNUSED, {"etags": locked})
