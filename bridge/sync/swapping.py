"""The version that lost a conflict is shown beside the one that was kept, and takes its place where one wants that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.difference import COMPONENT, difference
from bridge.core.merge import INSTANCE, OBJECT, SERIES
from bridge.core.precondition import ANY, Precondition
from bridge.core.sides import Side
from bridge.errors import Conflict
from bridge.store import calendar_object as objects
from bridge.store import conflict as conflicts
from bridge.store import journal, placement
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.conflict import State
from bridge.sync.pull import href_for
from bridge.sync.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.core.difference import Change, Difference
    from bridge.core.meaning import Member, Slot
    from bridge.core.model import CalendarObject
    from bridge.store.conflict import ConflictRecord
    from bridge.store.database import Transaction
    from bridge.store.journal import Author

    Parse = Callable[[bytes], CalendarObject]

_WHOLE = {SERIES, INSTANCE, OBJECT}


@dataclass(frozen=True, slots=True)
class Differing:
    """One thing in which two versions differ.

    Attributes:
        instance: Of which instance of a series, or empty.
        property: Its name.
        kept: What the version says that was kept; empty where it says nothing.
        lost: What the version says that lost.
    """

    instance: str
    property: str
    kept: str = field(repr=False)
    lost: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Versions:
    """Both versions of a conflict, as far as they pass under the rule.

    Attributes:
        kept: The one that was kept.
        lost: The one that lost.
        change: What leads from the first to the second; None where they are not of one type.
    """

    kept: CalendarObject
    lost: CalendarObject
    change: Difference | None

    @property
    def differing(self) -> tuple[Differing, ...]:
        """In what they differ."""
        changes = {} if self.change is None else self.change.changes
        return tuple(_differing(slot, change) for slot, change in changes.items())


def versions(tx: Transaction, record: ConflictRecord, *, parse: Parse) -> Versions:
    """Reads both versions of a conflict."""
    views = _views(tx, record)
    kept, lost = (parse(journal.raw(tx, etag)) for etag in (record.kept, record.lost))
    ours = lost if record.lost_side is Side.HERE else kept

    def passed(obj: CalendarObject) -> CalendarObject:
        """The part of a version that passes, so that what one side cannot hold is no difference."""
        if views is None:
            return obj
        return views.shown(obj, parse=parse) if obj is ours else views.taken(obj, ours, parse=parse)

    kept, lost = passed(kept), passed(lost)
    alike = kept.component is lost.component
    return Versions(kept, lost, difference(content.read(kept), content.read(lost)) if alike else None)


def swap(tx: Transaction, conflict_id: int, *, author: Author, parse: Parse) -> ConflictRecord:
    """Makes what clashed be as the version says that lost, as a change here; it goes to the upstream by itself.

    What else was changed since, or on one side alone, stays as it is.

    Args:
        tx: A writing transaction.
        conflict_id: The conflict.
        author: For the journal.
        parse: Reads the bytes of one object.

    Raises:
        NotFound: There is no such conflict any more.
        Conflict: It was swapped already.
        ObjectRefused: The result cannot be kept.
    """
    record = conflicts.get(tx, conflict_id)
    if record.state is State.SWAPPED:
        raise Conflict(
            f"The conflict {conflict_id} was swapped already.",
            remedy="`calbridge history --uid` shows the versions; `calbridge undo` takes a change back.",
        )
    rule = rules.get(tx, record.rule_id)
    both = versions(tx, record, parse=parse)
    stands = next(iter(placement.by_uids(tx, rule.collection_id, [record.uid])), None)
    if stands is None:
        href, precondition = href_for(record.uid), Precondition(if_none_match=ANY)
    else:
        href, precondition = stands.href, Precondition(if_match=frozenset({stands.etag}))
    if stands is None or both.change is None:
        whole = content.with_uid(origin.unmarked(content.read(both.lost)), record.uid)
        new = parse(content.write(whole))
    else:
        clashed = _clashed(both.change, record)
        new = parse(content.write(apply(clashed, content.read(parse(stands.raw)))))
    if stands is None or new.etag != stands.etag:
        objects.put(tx, rule.collection_id, href, new, author=author, precondition=precondition)
    conflicts.set_state(tx, conflict_id, State.SWAPPED)
    return record


def _clashed(change: Difference, record: ConflictRecord) -> Difference:
    """The part of a difference that the conflict was about."""
    names = {name.strip() for name in record.properties.split(",")}
    if names & _WHOLE:
        return change
    only = change.only(lambda slot: slot.group in names)
    return only or change


def _views(tx: Transaction, record: ConflictRecord) -> Views | None:
    link = links.get(tx, record.rule_id, record.uid)
    return Views.read(link.view) if link is not None and link.view else None


def _differing(slot: Slot, change: Change) -> Differing:
    name = "appointment" if slot.group == COMPONENT else slot.group
    return Differing(slot.part, name, _text(slot, change.old), _text(slot, change.new))


def _text(slot: Slot, member: Member | None) -> str:
    if member is None:
        return ""
    if slot.group == COMPONENT:
        return "stands"
    return "\n".join(line.flat.removeprefix(f"{slot.group}:") for line in member.lines)
