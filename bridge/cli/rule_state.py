"""In one word how a rule is doing, and in sentences what a person should do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge import errors
from bridge.cli import screen
from bridge.config import read_target
from bridge.errors import NotFound
from bridge.store import rule as rules
from bridge.sync.watches import NO_PUBLIC_ADDRESS

if TYPE_CHECKING:
    from datetime import tzinfo

    from bridge.bootstrap import Site
    from bridge.store.rule import Problem, Rule
    from bridge.store.status import RuleStatus

_OVERDUE = timedelta(minutes=10)
_LONG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something about a rule that a person should know.

    Attributes:
        sentence: What it is.
        remedy: What to do now; may be empty.
        needs_person: Whether it stays so until somebody does something.
    """

    sentence: str
    remedy: str
    needs_person: bool


def configured_rule(site: Site, key: str) -> Rule:
    """The rule that stands in the configuration under `key`; it is made known to the store where it is new.

    Raises:
        NotFound: There is no such rule.
    """
    site.configuration.rule(key)
    site.ensure_collections()
    site.declare_rules()
    with site.database.reading() as tx:
        found = rules.find(tx, key)
    if found is None:
        raise NotFound(f"The rule {key!r} was taken out of the configuration just now.")
    return found


def not_taken_up(site: Site, key: str) -> NotFound:
    """The error that the store does not know a rule yet which stands in the configuration.

    Raises:
        NotFound: It does not stand there either.
    """
    site.configuration.rule(key)
    return NotFound(
        f"The rule {key!r} was not taken up yet.", remedy="A running server takes the configuration up within seconds."
    )


def word(status: RuleStatus) -> str:
    """How a rule is doing."""
    rule = status.rule
    words = (
        (not rule.active, "left over"),
        (rule.paused, "paused"),
        (rule.problem is not None, "in trouble"),
        (status.held > 0, "needs approval"),
        (status.running, "running"),
        (is_overdue(status), "nobody works"),
        (rule.adopted_at is None, "new"),
    )
    return next((said for holds, said in words if holds), "ok")


def is_overdue(status: RuleStatus) -> bool:
    """Whether its pass should have begun long ago, so that nobody seems to run rules at all."""
    due = status.next_pass
    return due is not None and not status.running and status.read_at - due > _OVERDUE


def concerns(status: RuleStatus) -> list[Concern]:
    """What a person should know of a rule, the most pressing first."""
    rule, found = status.rule, []
    if not rule.active:
        return [
            Concern(
                "It stands in the configuration no more, and does nothing.",
                f"`calbridge rule remove {rule.key}` removes it, with or without what it wrote.",
                needs_person=False,
            )
        ]
    if rule.paused:
        remedy = f"`calbridge rule resume {rule.key}` lets it go on."
        found.append(Concern("Somebody has paused it.", remedy, needs_person=False))
    if rule.problem is not None:
        found.append(Concern(rule.problem.sentence, rule.problem.remedy, _needs_person(status, rule.problem)))
    if status.held:
        found.append(
            Concern(
                f"Deletions that wait for approval: {status.held}.",
                "`calbridge held list` shows them, `calbridge held approve` and `calbridge held refuse` decide.",
                needs_person=True,
            )
        )
    if status.copies:
        found.append(
            Concern(
                f"Imported or copied into the remote calendar a second time, and left alone there: {status.copies}.",
                "Delete the copies there: changes of them come to nobody. `calbridge parked list` names them.",
                needs_person=True,
            )
        )
    if status.parked > status.copies:
        found.append(
            Concern(
                f"Set aside, as they cannot be brought across: {status.parked - status.copies}.",
                "`calbridge parked list` says why.",
                needs_person=True,
            )
        )
    if status.conflicts:
        found.append(
            Concern(
                f"Changed on both sides, so that one version lost: {status.conflicts}.",
                "`calbridge conflicts list` shows them; the other version can be swapped back, or be dismissed.",
                needs_person=False,
            )
        )
    if status.watch_problem is not None and status.watch_problem.code != NO_PUBLIC_ADDRESS:
        missing = "There is no watch" if status.watch is None else "The watch cannot be renewed"
        sentence = f"{missing}, so changes there arrive only as often as `poll` says: {status.watch_problem.sentence}"
        found.append(Concern(sentence, status.watch_problem.remedy, needs_person=False))
    if is_overdue(status) and status.next_pass is not None:
        found.append(
            Concern(
                f"Its pass is due for {screen.how_long(status.read_at - status.next_pass)}, and nobody does it.",
                "Start `calbridge serve` (with `server.sync: true`) or `calbridge worker`.",
                needs_person=True,
            )
        )
    return found


def _needs_person(status: RuleStatus, problem: Problem) -> bool:
    """What passes by itself needs nobody, unless it does not pass."""
    kind = getattr(errors, problem.code, errors.CalbridgeError)
    retries: bool = kind.turn is errors.Turn.RETRY
    return not retries or status.read_at - problem.since > _LONG


def zone_of(site: Site, rule: Rule) -> tzinfo:
    """In which zone the times of a rule are shown."""
    try:
        return site.configuration.resource(read_target(rule.target).resource).time_zone
    except NotFound:
        return site.configuration.usual_zone
