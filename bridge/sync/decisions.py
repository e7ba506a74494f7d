"""What a person decides about a rule is carried out: held deletions, parked objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.core.precondition import ANY, Precondition
from bridge.core.sides import Side
from bridge.errors import Conflict, NotFound
from bridge.store import calendar_object as objects
from bridge.store import collection as collections
from bridge.store import held as holds
from bridge.store import journal, outbox, placement
from bridge.store import link as links
from bridge.store import parked as parking
from bridge.store import rule as rules
from bridge.sync.pull import href_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.held import Held
    from bridge.store.journal import Author
    from bridge.store.link import Link
    from bridge.store.parked import Parked
    from bridge.store.rule import Rule


def left_over(rule: Rule) -> Conflict:
    """The error that nothing can be decided for a rule which is left over."""
    return Conflict(
        f"The rule {rule.key!r} is left over: it does not stand in the configuration as it was, does nothing, and "
        "nothing can be decided for it.",
        remedy=f"Write it into the file again, or remove it with `calbridge rule remove {rule.key}`.",
    )


def _check_that_it_runs(tx: Transaction, held_id: int) -> None:
    rule = rules.get(tx, holds.get(tx, held_id).rule_id)
    if not rule.active:
        raise left_over(rule)


def approve(tx: Transaction, held_id: int, *, by: str) -> Held:
    """Lets a rule delete what it held back: its next pass, which is due now, does so.

    What was edited on either side meanwhile is not deleted.

    Raises:
        NotFound: There is no such hold any more.
        Conflict: It was decided already, or its rule is left over.
    """
    _check_that_it_runs(tx, held_id)
    decided = holds.approve(tx, held_id, by=by)
    items = holds.items(tx, held_id)
    outbox.bring_back(tx, decided.rule_id, Side.HERE, [each.uid for each in items])
    outbox.bring_back(tx, decided.rule_id, Side.THERE, [each.remote_id for each in items if each.remote_id])
    rules.ask_now(tx, decided.rule_id)
    return decided


def refuse(
    tx: Transaction, held_id: int, *, by: str, author: Author, parse: Callable[[bytes], CalendarObject]
) -> tuple[Held, int]:
    """Has everything that a rule would have deleted stand on both sides again.

    What is gone here is put back as it was, now; what is gone there is created there anew by the next pass.

    Args:
        tx: A writing transaction.
        held_id: The hold.
        by: Who decides.
        author: For the journal.
        parse: Reads the bytes of one object.

    Returns:
        The hold, and how many objects come back.

    Raises:
        NotFound: There is no such hold any more.
        Conflict: It was decided already, or its rule is left over.
    """
    _check_that_it_runs(tx, held_id)
    decided = holds.refuse(tx, held_id, by=by)
    rule = rules.get(tx, decided.rule_id)
    uids = [each.uid for each in holds.items(tx, held_id)]
    known = links.by_uids(tx, rule.id, uids)
    if decided.side is Side.THERE:
        count = sum(_put_back(tx, rule, link, author=author, parse=parse) for link in known.values())
    else:
        count = sum(_separate(tx, rule, link) for link in known.values())
    outbox.bring_back(tx, rule.id, Side.HERE, uids)
    holds.take_out(tx, rule.id, decided.side, uids)
    rules.ask_now(tx, rule.id)
    return decided, count


def _put_back(
    tx: Transaction, rule: Rule, link: Link, *, author: Author, parse: Callable[[bytes], CalendarObject]
) -> bool:
    """Puts back here what stood here when both sides last agreed; gives whether it was missing."""
    if link.base_here is None or _stands(tx, rule, link.uid):
        return False
    was = parse(journal.raw(tx, link.base_here))
    try:
        with tx.savepoint():
            objects.put(
                tx,
                rule.collection_id,
                _old_href(tx, rule, link.uid),
                was,
                author=author,
                precondition=Precondition(if_none_match=ANY),
            )
    except Conflict:
        objects.put(tx, rule.collection_id, href_for(link.uid), was, author=author)
    return True


def _stands(tx: Transaction, rule: Rule, uid: str) -> bool:
    return any(True for _ in placement.by_uids(tx, rule.collection_id, [uid]))


def _old_href(tx: Transaction, rule: Rule, uid: str) -> str:
    """The name under which an object stood here, so that programs that know it find it again."""
    here = collections.with_id(tx, rule.collection_id)
    if here is None:
        raise NotFound(f"The calendar of rule {rule.key!r} does not exist any more.")
    last = journal.history(tx, address=here.address, uid=uid, limit=1)
    return last[0].href if last else href_for(uid)


def _separate(tx: Transaction, rule: Rule, link: Link) -> bool:
    """Unties an object from the remote one that is gone, so that it is created there anew under another request."""
    if not _stands(tx, rule, link.uid):
        return False
    alone = replace(
        link,
        remote_id=None,
        remote_etag=None,
        base_here=None,
        base_there=None,
        generation=link.generation + 1,
    )
    links.put(tx, alone)
    return True


def retry(tx: Transaction, parked: Iterable[Parked]) -> int:
    """Has objects that were set aside be looked at again, now; gives how many."""
    count = 0
    for each in parked:
        parking.unpark(tx, each.rule_id, each.side, each.key)
        outbox.bring_back(tx, each.rule_id, each.side, [each.key])
        link = links.get(tx, each.rule_id, each.uid) if each.uid else None
        if link is not None:
            # What was written before does not count against it any more.
            links.put(tx, replace(link, streak=0, wrote=""))
        rules.ask_now(tx, each.rule_id)
        count += 1
    return count
