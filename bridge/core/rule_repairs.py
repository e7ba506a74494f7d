"""What producers get wrong within a recurrence rule is repaired, in its line or once it is read."""

from __future__ import annotations

import copy
import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from icalendar.prop import vBroken

from bridge.core.component_repairs import ComponentRepair, props_of, sound_time
from bridge.core.rule_cost import check_cost
from bridge.core.rules import expandable, last_counted, until_of
from bridge.core.temporal import instant
from bridge.core.text_repairs import TextRepair
from bridge.errors import TooManyInstances

if TYPE_CHECKING:
    from datetime import tzinfo

    from icalendar.cal import Component

    from bridge.core.component_repairs import Around

_NAMES = ("RRULE", "EXRULE")
_RULE = re.compile(r"^((?:RRULE|EXRULE)(?:;[^:\n]*)?:)(.*)$", re.MULTILINE | re.IGNORECASE)
_HEAD = r"^(?:RRULE|EXRULE)(?:;[^:\n]*)?:(?:.*;)?[ \t]*"
_EMPTY_PART = re.compile(_HEAD + r"[A-Z-]+=(?:[^;\n]*,)?[ \t]*(?:[,;]|$)", re.MULTILINE | re.IGNORECASE)
_START_PART = re.compile(_HEAD + "DTSTART=", re.MULTILINE | re.IGNORECASE)
_EXDATE_PART = re.compile(_HEAD + "EXDATE=", re.MULTILINE | re.IGNORECASE)
_BYTE_PART = re.compile(
    _HEAD + r"BYDAY=(?:[^;\n]*,)?25[1-5](?:SU|MO|TU|WE|TH|FR|SA)[ \t]*(?:[,;]|$)", re.MULTILINE | re.IGNORECASE
)
_BYTE = re.compile(r"(?<=[=,])25([1-5])(?=SU|MO|TU|WE|TH|FR|SA)", re.IGNORECASE)
# No limit of instances is set higher, so what costs more is refused in any case.
_MOST_INSTANCES = 1_000_000
_BORDERS_OF_A_DAY = (time(0), time(23, 59, 59))


def _parts(rule: str) -> list[tuple[str, str]]:
    """Name and value of each part of a rule; what has no name is left out."""
    split = (part.partition("=") for part in rule.split(";"))
    return [(name.strip(), value.strip()) for name, _, value in split if name.strip()]


def _joined(parts: list[tuple[str, str]]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts)


def _without_empty_parts(text: str) -> str:
    def line(match: re.Match[str]) -> str:
        full = [(name, ",".join(filter(str.strip, value.split(",")))) for name, value in _parts(match[2])]
        return match[1] + _joined([(name, value) for name, value in full if value])

    return _RULE.sub(line, text)


def _without_start(text: str) -> str:
    def line(match: re.Match[str]) -> str:
        return match[1] + _joined([part for part in _parts(match[2]) if part[0].upper() != "DTSTART"])

    return _RULE.sub(line, text)


def _with_exdates_beside(text: str) -> str:
    def line(match: re.Match[str]) -> str:
        parts = _parts(match[2])
        rule = match[1] + _joined([part for part in parts if part[0].upper() != "EXDATE"])
        return "\n".join([rule, *(f"EXDATE:{value}" for name, value in parts if name.upper() == "EXDATE" and value)])

    return _RULE.sub(line, text)


def _with_signs(text: str) -> str:
    def line(match: re.Match[str]) -> str:
        return match[1] + _BYTE.sub(lambda found: f"-{6 - int(found[1])}", match[2])

    return _RULE.sub(line, text)


def _sound_rules(component: Component) -> list[Any]:
    return [rule for rule in props_of(component, *_NAMES) if not isinstance(rule, vBroken)]


def _start(component: Component) -> Any:
    """When a series begins: a to-do may have no other time than the one at which it is due."""
    start = sound_time(component, "DTSTART")
    return sound_time(component, "DUE") if start is None else start


def _empty_rule(component: Component, _: Around) -> bool:
    return any(not rule.get("FREQ") for rule in _sound_rules(component))


def _drop_empty_rules(component: Component, _: Around) -> None:
    for name in _NAMES:
        rules = [rule for rule in props_of(component, name) if isinstance(rule, vBroken) or rule.get("FREQ")]
        component.pop(name, None)
        if rules:
            component[name] = rules if len(rules) > 1 else rules[0]


def _count_below_one(component: Component, _: Around) -> bool:
    return any(_has_no_count(rule) for rule in _sound_rules(component))


def _has_no_count(rule: Any) -> bool:
    return any(count < 1 for count in rule.get("COUNT") or ())


def _drop_count(component: Component, _: Around) -> None:
    for rule in _sound_rules(component):
        if _has_no_count(rule):
            del rule["COUNT"]


def _has_two_bounds(rule: Any) -> bool:
    return bool(rule.get("COUNT")) and bool(rule.get("UNTIL"))


def _two_bounds(component: Component, _: Around) -> bool:
    return isinstance(_start(component), date) and any(map(_has_two_bounds, _sound_rules(component)))


def _keep_nearer_bound(component: Component, around: Around) -> None:
    for rule in _sound_rules(component):
        if _has_two_bounds(rule):
            del rule["UNTIL" if _ends_by_count(rule, _start(component), around.zone) else "COUNT"]


def _ends_by_count(rule: Any, start: date | datetime, zone: tzinfo) -> bool:
    counted = copy.copy(rule)
    del counted["UNTIL"]
    try:
        check_cost(counted, start, until=None, zone=zone, max_instances=_MOST_INSTANCES)
    except TooManyInstances:
        return True
    found, until = expandable(counted, start, zone), until_of(rule, zone)
    if found is None or until is None:
        return True
    last = last_counted(found[1], start)
    return last is not None and instant(last, zone) <= until


def _until_of_other_form(component: Component, around: Around) -> bool:
    start = _start(component)
    return isinstance(start, date) and any(_better_until(rule, start, around.zone) for rule in _sound_rules(component))


def _better_until(rule: Any, start: date | datetime, zone: tzinfo) -> date | datetime | None:
    """UNTIL in the form that RFC 5545 section 3.3.10 wants beside this DTSTART, or `None` where it has it."""
    until = next(iter(rule.get("UNTIL") or ()), None)
    if not isinstance(until, date):
        return None
    if not isinstance(start, datetime):
        return _last_day(until, zone) if isinstance(until, datetime) else None
    if not isinstance(until, datetime):
        # Producers that give a day mean that its instance is the last one.
        last = datetime.combine(until, time(23, 59, 59), start.tzinfo)
        return instant(last, start.tzinfo) if start.tzinfo else last
    if until.tzinfo is None and start.tzinfo is not None:
        return instant(until, start.tzinfo)
    return None


def _last_day(until: datetime, zone: tzinfo) -> date:
    """The day that an instant means beside a DTSTART that is a date.

    Exchange writes the local midnight of the last day in UTC, which mostly lies in the day before. Others write the
    bounds of the day itself as if they were in UTC.
    """
    if until.tzinfo is None or until.time() in _BORDERS_OF_A_DAY:
        return until.date()
    return instant(until, zone).astimezone(zone).date()


def _correct_until(component: Component, around: Around) -> None:
    start = _start(component)
    for rule in _sound_rules(component):
        until = _better_until(rule, start, around.zone)
        if until is not None:
            rule["UNTIL"] = [until]


# These concern the text with LF line ends and without folds.
RULE_LINE_REPAIRS = (
    TextRepair(
        "empty-part-in-rule",
        "Rule builders of booking plug-ins and web forms",
        "One part without a value (BYDAY=) makes a rule unreadable as a whole, and a series one appointment.",
        lambda text: _EMPTY_PART.search(text) is not None,
        _without_empty_parts,
    ),
    TextRepair(
        "start-in-rule",
        "rrule.js",
        "DTSTART is no part of a rule (RFC 5545 section 3.3.10); the property beside it says the same.",
        lambda text: _START_PART.search(text) is not None,
        _without_start,
    ),
    TextRepair(
        "exdate-in-rule",
        "Add-to-calendar buttons",
        "EXDATE is no part of a rule but a property beside it; else the series would be lost, or its exclusions.",
        lambda text: _EXDATE_PART.search(text) is not None,
        _with_exdates_beside,
    ),
    TextRepair(
        "weekday-without-sign",
        "Novell GroupWise",
        "BYDAY=255SU is -1SU, a byte that lost its sign; no month has 255 Sundays.",
        lambda text: _BYTE_PART.search(text) is not None,
        _with_signs,
    ),
)

RULE_REPAIRS = (
    ComponentRepair(
        "empty-rule",
        "Exchange, Zimbra, web forms",
        "An RRULE without FREQ is no recurrence.",
        _empty_rule,
        _drop_empty_rules,
    ),
    ComponentRepair(
        "count-below-one",
        "jtx Board, Simple Calendar, Tasks.org, Apple Calendar",
        "COUNT=-1 and COUNT=0 say that a series has no such bound.",
        _count_below_one,
        _drop_count,
    ),
    ComponentRepair(
        "count-beside-until",
        "CalDav Synchronizer, Nextcloud",
        "Only one of both may bound a rule (RFC 5545 section 3.3.10), and readers take either; the nearer one counts.",
        _two_bounds,
        _keep_nearer_bound,
    ),
    ComponentRepair(
        "until-of-other-form",
        "Exchange Online, Google (old), Apple, many booking systems",
        "UNTIL is a date beside a date, in UTC beside a zone (RFC 5545 section 3.3.10); the last instance would go.",
        _until_of_other_form,
        _correct_until,
    ),
)
