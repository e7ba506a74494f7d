"""What has changed between two versions of an object travels to a third one, member by member.

An override that is new is compared with the instance that the master describes, so that only what makes it different
travels; the copy that it meets fills in the rest. DTSTAMP, SEQUENCE, LAST-MODIFIED and CREATED never make a difference;
neither does the header, nor what stands beside the object's own components.

A cancelled instance can be written as an EXDATE of the master, or as an override with STATUS:CANCELLED; servers turn
one into the other (Zimbra does), and a reader sees the same. They are one thing here, where that is sound: there must
be a master, and the override must not reach into the future (RANGE=THISANDFUTURE), since it cancels more then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.core.content import MASTER, Content, text
from bridge.core.meaning import PATTERN, WHEN, Member, Slot, instance_when, members, repeating, zones_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.core.content import Part

COMPONENT = "component"
"""The group of a slot that says whether a part is there at all."""

INSTANCE_ONLY = PATTERN | {"EXDATE", "RECURRENCE-ID"}
"""What an override does not take over from its master."""


@dataclass(frozen=True, slots=True)
class Change:
    """What stood in a slot, and what stands there now; None: nothing."""

    old: Member | None
    new: Member | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What has changed between two versions of an object; empty (false) where nothing has.

    Attributes:
        changes: What has changed, by slot. A part that comes or goes has a slot of the group `COMPONENT`; beside it
            stand, of a part that comes, the slots in which it differs from what the master says of the instance.
        old: The version before.
        new: The version after.
        repeated: The properties whose lines are members of their own.
    """

    changes: Mapping[Slot, Change]
    old: Content = field(repr=False)
    new: Content = field(repr=False)
    repeated: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def only(self, wanted: Callable[[Slot], bool]) -> Difference:
        """The part of it whose slots are wanted."""
        changes = {slot: change for slot, change in self.changes.items() if wanted(slot)}
        return Difference(changes, self.old, self.new, self.repeated)


def repeated_in(contents: Iterable[Content]) -> frozenset[str]:
    """The properties outside of the RFCs that stand in a part of any of some versions more than once."""
    return repeating(part for content in contents for part in content.parts.values())


def difference(old: Content, new: Content, *, repeated: frozenset[str] | None = None) -> Difference:
    """What has changed from one version to another.

    Both are of one component type.

    Args:
        old: The version before.
        new: The version after.
        repeated: The properties whose lines are members of their own, where more versions than these two are to be
            compared (`repeated_in`).
    """
    if repeated is None:
        repeated = repeated_in((old, new))
    changes: dict[Slot, Change] = {}
    for key, before in old.parts.items():
        after = new.parts.get(key)
        if after is None:
            changes[Slot(key, COMPONENT)] = Change(Member("", before.content), None)
        else:
            changes.update(_changed(before, old, after, new, repeated))
    for key in (key for key in new.parts if key not in old.parts):
        changes[Slot(key, COMPONENT)] = Change(None, Member("", new.parts[key].content))
        changes.update(_added(new.parts[key], old, new, repeated))
    rewritten = _rewritten(old, new, changes)
    changes = {slot: change for slot, change in changes.items() if instance_of(slot) not in rewritten}
    return Difference(changes, old, new, repeated)


def _changed(before: Part, old: Content, after: Part, new: Content, repeated: frozenset[str]) -> Mapping[Slot, Change]:
    if before == after and zones_for(before, old.zones) == zones_for(after, new.zones):
        return {}
    return _compared(members(before, old.zones, repeated), members(after, new.zones, repeated))


def _added(part: Part, old: Content, new: Content, repeated: frozenset[str]) -> Mapping[Slot, Change]:
    after = {
        slot: member for slot, member in members(part, new.zones, repeated).items() if slot.group != "RECURRENCE-ID"
    }
    master = old.parts.get(MASTER)
    if master is None or part.key == MASTER:
        return _compared({}, after)
    before = {
        slot._replace(part=part.key): member
        for slot, member in members(master, old.zones, repeated).items()
        if slot.group not in INSTANCE_ONLY
    }
    before[Slot(part.key, WHEN)] = Member(instance_when(master, part, old.zones, new.zones), ())
    return _compared(before, after)


def _compared(before: Mapping[Slot, Member], after: Mapping[Slot, Member]) -> Mapping[Slot, Change]:
    slots = (*before, *(slot for slot in after if slot not in before))
    pairs = ((slot, Change(before.get(slot), after.get(slot))) for slot in slots)
    return {slot: change for slot, change in pairs if change.old != change.new}


def instance_of(slot: Slot) -> str | None:
    """The instance that a slot is about: that of its override, or the one that an EXDATE takes out; None: neither."""
    if slot.part != MASTER:
        return slot.part
    return slot.member if slot.group == "EXDATE" else None


def excluded(content: Content) -> frozenset[str]:
    """The instances that the EXDATEs of the master take out, named as overrides are."""
    master = content.parts.get(MASTER)
    found = members(master, content.zones, frozenset()) if master and master.named("EXDATE") else ()
    return frozenset(slot.member for slot in found if slot.group == "EXDATE")


def cancels(part: Part) -> bool:
    """Whether an override says that its instance does not take place, and says it of no other."""
    status = (text(part, "STATUS") or "").strip().upper()
    ranges = any("RANGE=" in line.flat.upper() for line in part.named("RECURRENCE-ID"))
    return part.key != MASTER and status == "CANCELLED" and not ranges


def is_cancelled(content: Content, key: str) -> bool:
    """Whether an instance of a series does not take place, however that is written."""
    part = content.parts.get(key)
    return key in excluded(content) if part is None else MASTER in content.parts and cancels(part)


def _rewritten(old: Content, new: Content, changes: Iterable[Slot]) -> frozenset[str]:
    """The instances that are cancelled before and after, only written in another way."""
    keys = {slot.part for slot in changes if slot.group == COMPONENT}
    return frozenset(key for key in keys if is_cancelled(old, key) and is_cancelled(new, key))
