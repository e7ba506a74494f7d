"""What stands on both sides is brought together in the terms of our object, and told the upstream in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.core import content, origin
from bridge.core.applying import apply
from bridge.core.common import common, contradictions
from bridge.core.difference import difference
from bridge.core.merge import merge
from bridge.core.sides import Side

if TYPE_CHECKING:
    from bridge.core.merge import Merged
    from bridge.core.model import CalendarObject
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict


class Meeting:
    """What stands on both sides, both in the terms of our object: with what the upstream cannot see of it.

    Args:
        a: The rule.
        verdict: About what stands on both sides.
    """

    def __init__(self, a: Assignment, verdict: Verdict) -> None:
        self._a = a
        self._known = known = verdict.bases
        self._views = verdict.views
        self._agreed = known.here is not None and known.there is not None
        self._was = verdict.views.earlier(verdict.pair.linked.view) if self._agreed else verdict.views
        self._here = a.parse(verdict.pair.ours.raw)
        self._there = verdict.pair.their_object
        self._seen = a.taken(self._there, known.here or self._here, self._views.since(self._was))

    def merged(self, prefer: Side) -> Merged:
        """Both brought together."""
        if not self._agreed:
            # Nothing is known of how they came to differ.
            older = _common(self._a, self._here, self._seen, prefer)
            return merge(base_here=older, here=self._here, base_there=older, there=self._seen, prefer=prefer)
        known = self._known
        return merge(
            base_here=known.of_here,
            here=self._here,
            base_there=self._a.taken(known.of_there, known.of_here, self._was),
            there=self._seen,
            prefer=prefer,
        )

    def contradictions(self) -> set[str]:
        """In what they contradict each other where nothing is known of them: one of them gives way."""
        if self._agreed or self._here.component != self._seen.component:
            return set()
        found = difference(content.read(self._here), content.read(self._seen))
        return {slot.group for slot in contradictions(found)}

    def outgoing(self, wanted: CalendarObject) -> CalendarObject:
        """The remote object as it becomes where `wanted` is what it is to be in our terms."""
        a = self._a
        if self._seen.component != wanted.component:
            return self._marked_alike(a.shown(wanted, self._views))
        # What never was agreed on has nothing of ours in it yet, not even the list of our guests.
        seen = self._seen if self._agreed else a.taken(self._there, None, self._views)
        before, after = a.shown(seen, self._was), a.shown(wanted, self._views)
        changes = difference(content.read(before), content.read(after))
        return a.parse(content.write(apply(changes, content.read(self._there)))) if changes else self._there

    def _marked_alike(self, obj: CalendarObject) -> CalendarObject:
        if origin.marks(self._there) is None:
            return obj
        return self._a.parse(content.write(origin.mark(content.read(obj), self._a.origin)))


def _common(a: Assignment, here: CalendarObject, seen: CalendarObject, prefer: Side) -> CalendarObject:
    """What both have in common; where that is nothing, the version of the loser."""
    if here.component == seen.component:
        both = common(content.read(here), content.read(seen), prefer=prefer)
        if both.parts:
            return a.parse(content.write(both))
    return seen if prefer is Side.HERE else here
