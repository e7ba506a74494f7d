"""What cannot be dealt with is set aside by itself, visibly, while the rest goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.core import content
from bridge.core.difference import difference
from bridge.core.sides import Side
from bridge.errors import RemoteRefused
from bridge.store import outbox, parked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.errors import CalbridgeError
    from bridge.store.database import Transaction
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.sync.pairing import Aside

_REMEDY = "Change it on either side, or run `calbridge parked retry` when the cause is gone."
_COPY_REMEDY = "Delete the copy there: changes of it come to nobody."
_RESTLESS = "It was written again and again, and each time somebody changed it back"
_LATER = timedelta(minutes=5)


def park(a: Assignment, verdict: Verdict, error: CalbridgeError) -> None:
    """Sets one object aside after a refusal for good; it comes back when it changes, or when a person says so."""
    pair = verdict.pair
    with a.writing() as tx:
        parked.park(
            tx,
            a.rule.id,
            Side.THERE if pair.here is None else Side.HERE,
            pair.uid if pair.here is not None else pair.remote_id or pair.uid,
            uid=pair.uid,
            summary=verdict.step.summary,
            reason=error.message,
            remedy=error.remedy or _REMEDY,
            property=error.property_name if isinstance(error, RemoteRefused) else "",
        )
        for intent in pair.intents:
            outbox.settle(tx, intent)


def park_restless(a: Assignment, verdict: Verdict) -> None:
    """Sets aside what does not come to rest, with the properties that are changed back each time."""
    names = ", ".join(_moving(a, verdict)) or "its text"
    park(
        a,
        verdict,
        RemoteRefused(
            f"{_RESTLESS}: {names}.",
            property_name=names,
            remedy="Find out which other program writes this calendar, then run `calbridge parked retry`.",
        ),
    )


def _moving(a: Assignment, verdict: Verdict) -> list[str]:
    """The properties that were changed on either side since both last agreed."""
    known, pair = verdict.bases, verdict.pair
    names: set[str] = set()
    for before, now in (
        (known.here, None if pair.here is None else a.parse(pair.here.raw)),
        (known.there, pair.remote),
    ):
        if before is not None and now is not None:
            names |= {slot.group for slot in difference(content.read(before), content.read(now)).changes}
    return sorted(names)


def park_aside(a: Assignment, aside: Sequence[Aside]) -> None:
    """Parks what stands there and cannot be read; what the upstream did not tell of is asked for again later."""
    if not aside:
        return
    with a.writing() as tx:
        for each in aside:
            if each.lasting:
                parked.park(
                    tx,
                    a.rule.id,
                    Side.THERE,
                    each.remote_id,
                    uid=each.uid,
                    summary=each.summary,
                    reason=each.reason,
                    remedy=_COPY_REMEDY if each.is_copy else _REMEDY,
                    property=parked.COPY if each.is_copy else "",
                )
                if each.intent is not None:
                    outbox.settle(tx, each.intent)
            elif each.intent is not None:
                outbox.postpone(tx, each.intent, tx.now + _LATER)


def unpark(tx: Transaction, a: Assignment, verdicts: Sequence[Verdict]) -> None:
    """Takes what was done after all off the list of what is parked."""
    aside = {(each.side, each.key) for each in parked.every(tx, a.rule.id)}
    for verdict in verdicts:
        pair = verdict.pair
        for side, key in ((Side.HERE, pair.uid), (Side.THERE, pair.remote_id)):
            if key is not None and (side, key) in aside:
                parked.unpark(tx, a.rule.id, side, key)
