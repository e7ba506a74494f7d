"""What a list of several rules' affairs has in common: which rule is meant, and how its name and times are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.cli import screen
from bridge.cli.rule_state import not_taken_up, zone_of
from bridge.core import ics
from bridge.store import rule as rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo

    from bridge.bootstrap import Site
    from bridge.core.model import CalendarObject
    from bridge.store.database import Transaction
    from bridge.store.rule import Rule


@dataclass(frozen=True, slots=True)
class Names:
    """The rules of the store by their numbers.

    Attributes:
        site: The installation.
        rules: By number.
    """

    site: Site
    rules: Mapping[int, Rule]

    @classmethod
    def read(cls, site: Site, tx: Transaction) -> Names:
        """Reads them."""
        return cls(site, {each.id: each for each in rules.every(tx)})

    def key(self, rule_id: int) -> str:
        """The name of a rule in the configuration."""
        return self.rules[rule_id].key

    def when(self, rule_id: int, moment: datetime) -> str:
        """An instant in the zone of a rule's resource."""
        return screen.when(moment, self.zone(rule_id))

    def zone(self, rule_id: int) -> tzinfo:
        """The zone of a rule's resource."""
        return zone_of(self.site, self.rules[rule_id])

    def parser(self, rule_id: int) -> Callable[[bytes], CalendarObject]:
        """Reads objects as they are meant in the calendar of a rule's resource, also where that has left the file."""
        zone, limit = self.zone(rule_id), self.site.configuration.limits.max_instances
        return lambda raw: ics.parse(raw, zone=zone, max_instances=limit)

    def called(self, key: str) -> set[int]:
        """The numbers of the rules of this name: the one in the configuration, and those that are left over.

        Raises:
            NotFound: There is none.
        """
        found = {each.id for each in self.rules.values() if each.key == key}
        if not found:
            raise not_taken_up(self.site, key)
        return found
