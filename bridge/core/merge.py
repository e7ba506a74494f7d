"""Two sides that have both changed are brought together, property by property and instance by instance.

Each side has a base of its own: what it was when both last agreed. What changed there is done here and the other way
round, so that what one side cannot hold stays on the other. Where both changed the same thing differently there is a
clash: the preferred side wins, the change of the other is undone, and the clash is told.

The laws (`tests/laws/test_merge_laws.py`): what did not change stays byte for byte; the change of one side alone goes
over in full; changes that are alike make no clash; changes of different things both survive; sides and preference
exchanged, the results are exchanged; a result merged again changes nothing; from equal bases both sides become equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from bridge.core.applying import apply, follow
from bridge.core.content import MASTER, ORIGIN, Content, flat, read, with_uid, without, write
from bridge.core.difference import (
    COMPONENT,
    INSTANCE_ONLY,
    Change,
    Difference,
    difference,
    instance_of,
    is_cancelled,
    repeated_in,
)
from bridge.core.meaning import PATTERN, Slot
from bridge.core.sides import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.core.model import CalendarObject

SERIES = "series"
"""The property of a clash between the pattern of a series and its instances, or between two patterns."""

INSTANCE = "instance"
"""The property of a clash about whether an instance, or the master, is there at all."""

OBJECT = "object"
"""The property of a clash that concerns everything."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Both sides changed the same thing, each in its way.

    Attributes:
        part: The instance, or an empty text for the master.
        property: The name of the property, `when`, `SERIES`, `INSTANCE`, `OBJECT`, or `BEGIN:VALARM`.
        here: What our side says, as content lines; empty where it has nothing.
        there: What the remote side says.
    """

    part: str
    property: str
    here: str = field(repr=False)
    there: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides as they are to be.

    Attributes:
        here: Our object; the same bytes as before where nothing is to change.
        there: The remote object; the same.
        clashes: What could not be had both ways, in the order in which it was found.
    """

    here: bytes = field(repr=False)
    there: bytes = field(repr=False)
    clashes: tuple[Clash, ...]


def merge(
    *, base_here: CalendarObject, here: CalendarObject, base_there: CalendarObject, there: CalendarObject, prefer: Side
) -> Merged:
    """Brings together what has changed on both sides since they last agreed.

    A change of the pattern of a series (when its master is, RRULE, EXRULE, RDATE) on one side and of the pattern or of
    any instance on the other is one clash about the series. An edit of an instance beats its removal, whichever side
    is preferred, and so does one of the master; that, too, is told as a clash. An object that changed its component
    type goes over as a whole.

    Args:
        base_here: Our object when both sides last agreed.
        here: Our object now.
        base_there: The remote object when both sides last agreed, as the upstream gave it back.
        there: The remote object now.
        prefer: Whose change stays where both changed the same thing.

    Returns:
        Both sides, each under its own UID.
    """
    sides = {Side.HERE: (base_here, here), Side.THERE: (base_there, there)}
    if len({obj.component for pair in sides.values() for obj in pair}) > 1:
        return _merged_whole(sides, prefer)
    contents = {side: (read(old), read(new)) for side, (old, new) in sides.items()}
    repeated = repeated_in(content for pair in contents.values() for content in pair)
    settlement = _Settlement({side: difference(*pair, repeated=repeated) for side, pair in contents.items()}, prefer)
    settlement.settle()
    results = {side: settlement.result(side) for side in Side}
    if not all(result.parts for result in results.values()):
        # Each side removed what the other kept.
        return _merged_whole(sides, prefer)
    done = {
        side: new.raw if results[side] == contents[side][1] else write(results[side])
        for side, (_, new) in sides.items()
    }
    return Merged(done[Side.HERE], done[Side.THERE], tuple(settlement.clashes))


def _merged_whole(sides: Mapping[Side, tuple[CalendarObject, CalendarObject]], prefer: Side) -> Merged:
    """Both sides as the one that changed, or as the preferred one where both did."""
    contents = {side: (read(old), read(new)) for side, (old, new) in sides.items()}
    changed = [
        side for side, (old, new) in sides.items() if old.component != new.component or difference(*contents[side])
    ]
    done = {side: new.raw for side, (_, new) in sides.items()}
    if not changed:
        return Merged(done[Side.HERE], done[Side.THERE], ())
    winner = prefer if prefer in changed else changed[0]
    loser, stays = winner.other, contents[winner][1]
    done[loser] = write(with_uid(without(stays, {ORIGIN}), contents[loser][1].uid))
    texts = {side: "\n".join(flat(part.raw) for part in contents[side][1].parts.values()) for side in Side}
    clash = Clash(MASTER, OBJECT, texts[Side.HERE], texts[Side.THERE])
    return Merged(done[Side.HERE], done[Side.THERE], (clash,) if len(changed) > 1 else ())


class _Settlement:
    """Decides what of each side's changes goes over to the other, and what is undone.

    Args:
        differences: What each side has changed.
        prefer: Whose change stays where both changed the same thing.
    """

    def __init__(self, differences: Mapping[Side, Difference], prefer: Side) -> None:
        self._all = differences
        self._prefer = prefer
        self._open = {side: dict(found.changes) for side, found in differences.items()}
        self._lost: dict[Side, set[Slot]] = {side: set() for side in Side}
        self.clashes: list[Clash] = []

    def settle(self) -> None:
        """Goes from what is alike over the series and its instances to single properties."""
        self._drop_alike()
        self._settle_series()
        self._settle_instances()
        self._settle_master()
        for slot in self._shared():
            self._won(self._prefer, slot.part, slot.group, {slot})

    def result(self, side: Side) -> Content:
        """What becomes of a side."""
        found, lost = self._all[side], self._lost[side]
        content = found.new
        if lost:
            back = difference(found.new, found.old, repeated=found.repeated)
            kept = {slot.part for slot in found.changes if slot not in lost} - {MASTER}
            content = apply(
                back.only(
                    lambda slot: slot in lost or (Slot(slot.part, COMPONENT) in lost and instance_of(slot) not in kept)
                ),
                content,
            )
        coming, goes = self._all[side.other], self._open[side.other]
        content = apply(coming.only(lambda slot: slot in goes), content, inherit=found.old)
        for adding in Side:
            followers = self._followers(adding)
            if followers:
                content = follow(content, followers, self._all[adding.other].new, repeated=found.repeated)
        return content

    def _shared(self) -> list[Slot]:
        return [slot for slot in self._open[Side.HERE] if slot in self._open[Side.THERE]]

    def _drop(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self._open[Side.HERE].pop(slot, None)
            self._open[Side.THERE].pop(slot, None)

    def _drop_alike(self) -> None:
        """Forgets what both sides changed in the same way: each keeps its own form of it."""
        here, there = self._open[Side.HERE], self._open[Side.THERE]
        alike = [slot for slot in self._shared() if here[slot].new == there[slot].new]
        self._drop([slot for slot in alike if not self._differs(instance_of(slot))])
        for key in self._touched_twice():
            if not self._differs(key) and not all(key in found.new.parts for found in self._all.values()):
                self._drop([slot for slot in (*here, *there) if instance_of(slot) == key])

    def _differs(self, key: str | None) -> bool:
        """Whether an instance is something else on either side, though both may have removed its override."""
        return key is not None and self._state(Side.HERE, key) is not self._state(Side.THERE, key)

    def _touched_twice(self) -> list[str]:
        """The instances that both sides changed."""
        here, there = ([instance_of(slot) for slot in self._open[side]] for side in Side)
        return [key for key in dict.fromkeys(here) if key is not None and key in there]

    def _state(self, side: Side, key: str) -> _State:
        content = self._all[side].new
        if is_cancelled(content, key):
            return _State.CANCELLED
        return _State.EDITED if key in content.parts else _State.PLAIN

    def _settle_series(self) -> None:
        """Lets one side have the whole series where patterns, or a pattern and instances, changed apart."""
        if not any(_is_series(content) for found in self._all.values() for content in (found.old, found.new)):
            return
        pattern = {side: any(_is_pattern(slot) for slot in self._open[side]) for side in Side}
        concerned = {side: any(_is_of_series(slot) for slot in self._open[side]) for side in Side}
        if all(concerned.values()) and any(pattern.values()):
            self._won(self._prefer, MASTER, SERIES, {slot for slot in self._everything() if _is_of_series(slot)})

    def _everything(self) -> Iterable[Slot]:
        return (slot for found in self._all.values() for slot in found.changes)

    def _settle_instances(self) -> None:
        """Lets an edit of an instance beat its removal, and one removal the other kind of it."""
        for key in self._touched_twice():
            if self._differs(key):
                winner = next((side for side in Side if self._state(side, key) is _State.EDITED), self._prefer)
                self._won(winner, key, INSTANCE, {slot for slot in self._everything() if instance_of(slot) == key})

    def _settle_master(self) -> None:
        """Lets an edit of the master beat its removal."""
        slot = Slot(MASTER, COMPONENT)
        for side in Side:
            gone = self._open[side].get(slot)
            edits = {found for found in self._open[side.other] if found.part == MASTER}
            if gone and gone.new is None and edits:
                self._won(side.other, MASTER, INSTANCE, {slot, *edits})

    def _won(self, winner: Side, part: str, name: str, slots: set[Slot]) -> None:
        """Gives slots to one side: its changes of them go over, those of the other are undone; tells the clash."""
        changes = {side: [slot for slot in self._all[side].changes if slot in slots] for side in Side}
        for slot in changes[winner]:
            self._open[winner][slot] = self._all[winner].changes[slot]
        for slot in changes[winner.other]:
            self._open[winner.other].pop(slot, None)
            self._lost[winner.other].add(slot)
        here, there = (_told(self._all[side], changes[side]) for side in Side)
        self.clashes.append(Clash(part, name, here, there))

    def _followers(self, side: Side) -> Mapping[str, Mapping[Slot, Change]]:
        """What the overrides that are new on one side take over from what the other side changed in the master.

        For the other side they are instances like all others; they have a mind of their own only in what their
        overrides change.
        """
        own, other = self._all[side], self._all[side.other]
        known = {instance_of(slot) for slot in other.changes} | other.new.parts.keys()
        general = {
            slot: change
            for slot, change in self._open[side.other].items()
            if slot.part == MASTER and slot.group not in INSTANCE_ONLY | {COMPONENT}
        }
        new = [slot.part for slot in self._open[side] if slot.group == COMPONENT and MASTER in own.old.parts]
        return {
            key: {
                follower: change
                for slot, change in general.items()
                if (follower := slot._replace(part=key)) not in own.changes
            }
            for key in new
            if general and key in own.new.parts and key not in known
        }


class _State(Enum):
    """What an instance is."""

    PLAIN = "as the master says"
    EDITED = "as its override says"
    CANCELLED = "cancelled"


def _is_series(content: Content) -> bool:
    """Whether an object has a rule, more dates, or overrides."""
    return any(part.key != MASTER or part.named("RRULE") or part.named("RDATE") for part in content.parts.values())


def _is_pattern(slot: Slot) -> bool:
    return slot.part == MASTER and slot.group in PATTERN


def _is_of_series(slot: Slot) -> bool:
    return _is_pattern(slot) or instance_of(slot) is not None


def _told(found: Difference, slots: Iterable[Slot]) -> str:
    """The content lines that changes bring."""
    changes = (found.changes[slot] for slot in slots)
    return "\n".join(dict.fromkeys(line.flat for change in changes if change.new for line in change.new.lines))
