"""The rules of the configuration are made known to the store; those that have left it are stopped and left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.config import rule_target
from bridge.store import collection
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.sync.terms import fingerprint, origin_of, terms_of

if TYPE_CHECKING:
    from bridge.config import Configuration
    from bridge.store.database import Database


def declare(database: Database, configuration: Configuration, *, secret: bytes) -> None:
    """Makes the store know just the rules of `configuration`.

    Args:
        database: The store.
        configuration: As it is from now on.
        secret: The site's, from which the marks of the rules are made.

    Raises:
        StoreError: The database cannot be written.
    """
    with database.reading() as tx:
        known = bool(rules.every(tx))
    if not known and not configuration.rules:
        return
    with database.writing() as tx:
        keep = []
        for key, settings in configuration.rules.items():
            scope = settings.resource
            here = collection.ensure(tx, Address(Kind.RESOURCE, scope.account, scope.resource))
            terms = terms_of(configuration, key)
            target = rule_target(configuration, key)
            declared = rules.declare(
                tx,
                key=key,
                target=target,
                origin=str(origin_of(secret, key, target)),
                collection_id=here.id,
                pushes=settings.direction.pushes,
                fingerprint=fingerprint(terms),
            )
            if declared.due_at > tx.now + settings.poll:
                # Who wants to be asked more often does not wait for the end of the old interval.
                rules.make_due(tx, declared.id, tx.now + settings.poll)
            keep.append(declared.id)
        rules.leave_over(tx, keep=keep)
