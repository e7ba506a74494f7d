"""Copies are recognised: what stands in the remote calendar a second time, as after an import of a feed of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.core.sides import Side
from bridge.core.view import hidden_uid
from bridge.store import parked, placement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bridge.core.model import CalendarObject
    from bridge.sync.assignment import Assignment

# A busy feed gives an override that stands alone there a name of its own.
_VEILED = re.compile(r"([0-9a-f]{64})(?:-[0-9a-f]{16})?@calbridge")


class Copies:
    """What is known of copies in one remote calendar.

    Args:
        a: The rule.
    """

    def __init__(self, a: Assignment) -> None:
        self._a = a
        self._veiled: dict[str, str] = {}
        self._known: frozenset[str] | None = None

    def learn(self, found: Iterable[CalendarObject]) -> dict[str, str]:
        """Reads which remote objects are what a busy feed shows of ours; gives their UIDs with those of ours."""
        names = {obj.uid: f"{match[1]}@calbridge" for obj in found if (match := _VEILED.fullmatch(obj.uid))}
        if names:
            with self._a.database.reading() as tx:
                ours = placement.etags_by_uid(tx, self._a.rule.collection_id)
            behind = {hidden_uid(uid): uid for uid in ours}
            self._veiled = {name: behind[veil] for name, veil in names.items() if veil in behind}
        return self._veiled

    def is_veiled(self, uid: str) -> bool:
        """Whether a remote object is what a busy feed shows of one of ours: no text of it is ever to count here."""
        return uid in self._veiled

    def is_known(self, remote_id: str) -> bool:
        """Whether a remote object was found to be a copy earlier."""
        if self._known is None:
            with self._a.database.reading() as tx:
                aside = parked.every(tx, self._a.rule.id)
            self._known = frozenset(
                each.key for each in aside if each.side is Side.THERE and each.property == parked.COPY
            )
        return remote_id in self._known


def set_aside(a: Assignment) -> Collection[str]:
    """The remote objects that are set aside: no link knows them, and yet it counts when they are gone."""
    with a.database.reading() as tx:
        found = parked.every(tx, a.rule.id)
    return {each.key for each in found if each.side is Side.THERE and not parked.is_shortened(each.key)}
