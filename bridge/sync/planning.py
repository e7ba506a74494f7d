"""What a rule would do is worked out before anything is done, also for a rule that the store does not know yet."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.config import rule_target
from bridge.errors import NotFound
from bridge.store import collection
from bridge.store import rule as rules
from bridge.store.collection import Address, Kind
from bridge.store.rule import Rule
from bridge.sync.assigning import pick
from bridge.sync.engine import Pass
from bridge.sync.terms import fingerprint, origin_of, terms_of

if TYPE_CHECKING:
    from bridge.core.plan import Plan
    from bridge.store.database import Transaction
    from bridge.sync.assigning import Office

_NOT_YET = 0
_NOBODY = "plan"


def plan_for(office: Office, key: str, *, secret: bytes) -> Plan:
    """What the next pass over the rule `key` would do, as the configuration stands; nothing is written anywhere.

    Args:
        office: What assignments are made from.
        key: Of the rule in the configuration.
        secret: The site's, from which the marks of the rules are made.

    Raises:
        NotFound: There is no such rule, or the calendar of its resource was not made yet.
        UpstreamError: The upstream cannot be read.
    """
    with office.database.reading() as tx:
        rule = _as_configured(office, tx, key, secret)
    if rule.calendar is None:
        configuration = office.configuration()
        settings = configuration.rule(key)
        zone = configuration.resource(str(settings.resource)).time_zone
        with closing(office.connect(settings.connection, office.parser(str(settings.resource)), zone)) as upstream:
            rule = replace(rule, calendar=pick(upstream.calendars(), settings.calendar).id)
    with office.assignment(rule, _NOBODY) as assignment:
        return Pass(assignment).plan()


def _as_configured(office: Office, tx: Transaction, key: str, secret: bytes) -> Rule:
    """The rule as the store will have it once it takes the configuration up."""
    configuration = office.configuration()
    settings = configuration.rule(key)
    target = rule_target(configuration, key)
    mark = fingerprint(terms_of(configuration, key))
    known = next((each for each in rules.every(tx) if each.key == key and each.target == target), None)
    if known is not None:
        changed = known.fingerprint != mark or not known.active
        return replace(known, last_full_at=None) if changed else known
    scope = settings.resource
    here = collection.find(tx, Address(Kind.RESOURCE, scope.account, scope.resource))
    if here is None:
        raise NotFound(
            f"The calendar of {scope} was not made yet.",
            remedy="`calbridge init` makes it, and so does a server that takes the configuration up.",
        )
    return Rule(
        id=_NOT_YET,
        key=key,
        target=target,
        origin=str(origin_of(secret, key, target)),
        calendar=None,
        collection_id=here.id,
        pushes=settings.direction.pushes,
        active=True,
        left_over_at=None,
        paused=False,
        cursor=None,
        fingerprint=mark,
        adopted_at=None,
        due_at=tx.now,
        not_before=None,
        failures=0,
        problem=None,
        last_started_at=None,
        last_succeeded_at=None,
        last_full_at=None,
        lease_owner=None,
        lease_until=None,
    )
