"""In a sentence whether the other side tells a rule of changes, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli import screen

if TYPE_CHECKING:
    from datetime import tzinfo

    from bridge.store.status import RuleStatus


def notifications(status: RuleStatus, zone: tzinfo) -> str:
    """Whether the other side tells of changes, in `zone`'s time; empty where it never does so for this rule."""
    watch, problem = status.watch, status.watch_problem
    if watch is None:
        return "" if problem is None else f"off: {problem.sentence}"
    heard = "nothing heard yet"
    if watch.heard_at is not None:
        heard = f"last heard {screen.how_long(status.read_at - watch.heard_at)} ago"
    if problem is not None:
        return f"on, {heard}, ends {screen.when(watch.expires_at, zone)} unless it can be renewed: {problem.sentence}"
    return f"on, {heard}, renewed {screen.when(watch.renews_at, zone)}"


def as_document(status: RuleStatus) -> dict[str, object] | None:
    """The same for programs; None where the other side never tells of changes for this rule."""
    watch, problem = status.watch, status.watch_problem
    if watch is None and problem is None:
        return None
    return {
        "on": watch is not None,
        "last_heard": None if watch is None else watch.heard_at,
        "renewed": None if watch is None else watch.renews_at,
        "ends": None if watch is None else watch.expires_at,
        "problem": None
        if problem is None
        else {
            "code": problem.code,
            "sentence": problem.sentence,
            "remedy": problem.remedy,
            "since": problem.since,
            "failures": problem.failures,
            "tried_again": problem.not_before,
        },
    }
