"""How the rules are doing, for Prometheus: read from the store when it asks, so that every worker says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bridge.errors import StoreError
from bridge.store import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bridge.store.database import Database
    from bridge.store.status import RuleStatus

_GAUGES: Final[Mapping[str, tuple[str, Callable[[RuleStatus], float]]]] = {
    "calbridge_rule_lag_seconds": (
        "For how long the change that has waited longest has waited, by rule",
        lambda each: each.lag.total_seconds() if each.lag else 0.0,
    ),
    "calbridge_rule_problem": (
        "1 where a rule does not get on, else 0",
        lambda each: float(each.rule.problem is not None),
    ),
    "calbridge_held": ("Deletions that wait for approval, by rule", lambda each: each.held),
    "calbridge_parked": ("Objects that are set aside, by rule", lambda each: each.parked),
    "calbridge_watch": (
        "1 where the upstream tells a rule of changes, 0 where the rule only asks",
        lambda each: float(each.watch is not None),
    ),
    "calbridge_conflicts": ("Conflicts that nobody has looked at, by rule", lambda each: each.conflicts),
}


class RuleMetrics(Collector):
    """The gauges of all rules that stand in the configuration.

    Args:
        database: The store; where it cannot be read, there are no gauges.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values."""
        return iter(empty_gauges())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they stand now."""
        try:
            with self._database.reading() as tx:
                found = [each for each in status.read(tx) if each.rule.active]
        except StoreError:
            return
        for gauge, (_, value) in zip(empty_gauges(), _GAUGES.values(), strict=True):
            for each in found:
                gauge.add_metric([each.rule.key], value(each))
            yield gauge


def empty_gauges() -> list[GaugeMetricFamily]:
    """The gauges without values."""
    return [GaugeMetricFamily(name, said, labels=["rule"]) for name, (said, _) in _GAUGES.items()]
