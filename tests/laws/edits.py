"""What people do to an appointment in their calendars, as a table of edits of its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bridge.core.content import MASTER, Content, Line, Part, made

Edit = Callable[[Content, int], Content]
_LOCAL = "%Y%m%dT%H%M%S"
_DATE = "%Y%m%d"


@dataclass(frozen=True, slots=True)
class Kind:
    """An edit, and what it touches; edits that touch nothing in common are independent."""

    edit: Edit
    touches: frozenset[str]


def _main(content: Content) -> str:
    return next(iter(content.parts))


def _with(content: Content, key: str, lines: list[Line]) -> Content:
    part = replace(content.parts[key], content=tuple(lines))
    return replace(content, parts={**content.parts, key: part})


def _set(content: Content, key: str, name: str, *new: Line) -> Content:
    """Puts lines in the place of all of a property, at the front, where it does not matter."""
    return _with(content, key, [*new, *(line for line in content.parts[key].content if line.name != name)])


def _add(content: Content, key: str, line: Line) -> Content:
    return _with(content, key, [line, *content.parts[key].content])


def _replaced(name: str, *values: str) -> Edit:
    def edit(content: Content, number: int) -> Content:
        return _set(content, _main(content), name, made(name, values[number % len(values)]))

    return edit


def _removed(name: str) -> Edit:
    def edit(content: Content, number: int) -> Content:
        part = content.parts[_main(content)]
        found = part.named(name)
        gone = found[number % len(found)] if found else None
        return _with(content, part.key, [line for line in part.content if line is not gone])

    return edit


def _added(name: str, params: str, *values: str) -> Edit:
    def edit(content: Content, number: int) -> Content:
        return _add(content, _main(content), made(name, values[number % len(values)], params))

    return edit


def _answered(content: Content, number: int) -> Content:
    part = content.parts[_main(content)]
    found = part.named("ATTENDEE")
    if not found:
        return content
    answer = made("ATTENDEE", found[0].value, f";PARTSTAT={('ACCEPTED', 'DECLINED')[number % 2]}")
    return _with(content, part.key, [answer if line is found[0] else line for line in part.content])


def _alarm(number: int) -> Line:
    minutes = 5 + number % 3
    block = f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n"
    return Line("BEGIN:VALARM", block.encode())


def _alarmed(content: Content, number: int) -> Content:
    part = content.parts[_main(content)]
    return _with(content, part.key, [*part.content, _alarm(number)])


def _times(part: Part) -> tuple[str, datetime] | None:
    """The parameters and the wall time of DTSTART, where it has a time of day."""
    found = part.named("DTSTART")
    value = found[0].value if found else ""
    if len(value.removesuffix("Z")) != len("20260101T000000"):
        return None
    params = found[0].flat.removesuffix(":" + value)[len("DTSTART") :]
    return params, datetime.strptime(value.removesuffix("Z"), _LOCAL).replace(tzinfo=UTC)


def _zulu(part: Part) -> str:
    return "Z" if part.named("DTSTART")[0].value.endswith("Z") else ""


def _when(part: Part, start: datetime, minutes: int) -> list[Line]:
    found = _times(part)
    assert found is not None
    end = start + timedelta(minutes=minutes)
    return [
        made("DTSTART", start.strftime(_LOCAL) + _zulu(part), found[0]),
        made("DTEND" if part.component == "VEVENT" else "DUE", end.strftime(_LOCAL) + _zulu(part), found[0]),
    ]


_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "DURATION"})


def _moved(content: Content, number: int) -> Content:
    part = content.parts[_main(content)]
    found = _times(part)
    if found is None:
        return content
    start = found[1] + timedelta(minutes=15 * (1 + number % 5))
    kept = [line for line in part.content if line.name not in _TIMES]
    return _with(content, part.key, [*_when(part, start, 30 + number % 2), *kept])


def _made_all_day(content: Content, number: int) -> Content:
    part = content.parts[_main(content)]
    found = _times(part)
    if found is None or part.named("RRULE") or part.key != MASTER or len(content.parts) > 1:
        return content
    day = (found[1] + timedelta(days=number % 3)).strftime(_DATE)
    kept = [line for line in part.content if line.name not in _TIMES]
    return _with(content, part.key, [made("DTSTART", day, ";VALUE=DATE"), *kept])


def _of_rule(*parts: str) -> Edit:
    def edit(content: Content, number: int) -> Content:
        if MASTER not in content.parts or _times(content.parts[MASTER]) is None:
            return content
        return _set(content, MASTER, "RRULE", made("RRULE", f"FREQ=DAILY;{parts[number % len(parts)]}"))

    return edit


def _instance(content: Content, number: int) -> tuple[Part, str, datetime] | None:
    """The master, the parameters and the start of one of its instances; of a series with a time of day only."""
    master = content.parts.get(MASTER)
    found = _times(master) if master and master.named("RRULE") and not master.named("RECURRENCE-ID") else None
    if master is None or found is None:
        return None
    return master, found[0], found[1] + timedelta(days=1 + number % 3)


def _key(content: Content, name: Line) -> str | None:
    return next((key for key, part in content.parts.items() if part.named(name.name) == (name,)), None)


def _named(master: Part, params: str, start: datetime) -> Line:
    return made("RECURRENCE-ID", start.strftime(_LOCAL) + _zulu(master), params)


def _without_override(content: Content, key: str | None) -> Content:
    return replace(content, parts={name: part for name, part in content.parts.items() if name != key})


def _cancelled(content: Content, number: int) -> Content:
    found = _instance(content, number)
    if found is None:
        return content
    master, params, start = found
    line = made("EXDATE", start.strftime(_LOCAL) + _zulu(master), params)
    if line in master.named("EXDATE"):
        return content
    return _add(_without_override(content, _key(content, _named(*found))), MASTER, line)


def _override(content: Content, number: int) -> tuple[Content, str] | None:
    """The content with an override of an instance, and its key; one that is there stays as it is."""
    found = _instance(content, number)
    if found is None:
        return None
    master, params, start = found
    name = _named(*found)
    key = _key(content, name)
    if key is not None:
        return content, key
    out = _TIMES | {"RRULE", "RDATE", "EXDATE", "EXRULE"}
    kept = [line for line in master.content if line.name not in out]
    instance = start.strftime(_LOCAL) + _zulu(master)
    excluded = [line for line in master.content if line != made("EXDATE", instance, params)]
    part = replace(master, key="new", content=(name, *_when(master, start, 45), *kept))
    parts = {**_with(content, MASTER, excluded).parts, "new": part}
    return replace(content, parts=parts), "new"


def _override_titled(content: Content, number: int) -> Content:
    found = _override(content, number)
    return content if found is None else _set(*found, "SUMMARY", made("SUMMARY", f"Instance {number % 2}"))


def _override_moved(content: Content, number: int) -> Content:
    found = _override(content, number)
    if found is None:
        return content
    part = found[0].parts[found[1]]
    times = _times(part)
    if times is None:
        return content
    kept = [line for line in part.content if line.name not in _TIMES]
    return _with(*found, [*_when(part, times[1] + timedelta(minutes=20 + number % 2), 45), *kept])


def _override_cancelled(content: Content, number: int) -> Content:
    found = _override(content, number)
    return content if found is None else _set(*found, "STATUS", made("STATUS", "CANCELLED"))


def _override_reverted(content: Content, number: int) -> Content:
    found = _instance(content, number)
    return content if found is None else _without_override(content, _key(content, _named(*found)))


def _master_removed(content: Content, _: int) -> Content:
    return _without_override(content, MASTER) if len(content.parts) > 1 else content


EVERYTHING = (
    *("SUMMARY", "LOCATION", "DESCRIPTION", "TRANSP", "STATUS", "X-APPLE-COLOR", "ATTENDEE", "CATEGORIES", "COMMENT"),
    *("RELATED-TO", "BEGIN:VALARM", "SEQUENCE", "X-CALBRIDGE-ORIGIN", "series"),
)

EDITS: dict[str, Kind] = {
    name: Kind(edit, frozenset(touches))
    for name, edit, *touches in (
        ("title", _replaced("SUMMARY", "One", "Two", "Zwölf, dreizehn\\, vierzehn " + "ü" * 60), "SUMMARY"),
        ("untitled", _removed("SUMMARY"), "SUMMARY"),
        ("place", _replaced("LOCATION", "Room 1", "Room 2"), "LOCATION"),
        ("note", _replaced("DESCRIPTION", "a\\nb", "c"), "DESCRIPTION"),
        ("free", _replaced("TRANSP", "TRANSPARENT", "OPAQUE"), "TRANSP"),
        ("status", _replaced("STATUS", "CONFIRMED", "TENTATIVE"), "STATUS"),
        ("colour", _replaced("X-APPLE-COLOR", "red", "blue"), "X-APPLE-COLOR"),
        ("invite", _added("ATTENDEE", ";CN=New", "mailto:new-a@example.org", "mailto:new-b@example.org"), "ATTENDEE"),
        ("uninvite", _removed("ATTENDEE"), "ATTENDEE"),
        ("answer", _answered, "ATTENDEE"),
        ("categorise", _added("CATEGORIES", "", "A new one", "B,C"), "CATEGORIES"),
        ("comment", _added("COMMENT", "", "ja", "nein"), "COMMENT"),
        ("relate", _added("RELATED-TO", "", "other@example.org"), "RELATED-TO"),
        ("remind", _alarmed, "BEGIN:VALARM"),
        ("do not remind", _removed("BEGIN:VALARM"), "BEGIN:VALARM"),
        ("save again", _replaced("SEQUENCE", "7", "8"), "SEQUENCE"),
        ("mark", _replaced("X-CALBRIDGE-ORIGIN", "0123.4567", "89ab.cdef"), "X-CALBRIDGE-ORIGIN"),
        ("move", _moved, "series"),
        ("all day", _made_all_day, "series"),
        ("rule", _of_rule("COUNT=9", "INTERVAL=2;COUNT=5", "UNTIL=20261231T000000Z"), "series"),
        ("cancel an instance", _cancelled, "series"),
        ("title of an instance", _override_titled, "series"),
        ("move an instance", _override_moved, "series"),
        ("cancel an instance by its status", _override_cancelled, "series"),
        ("revert an instance", _override_reverted, "series"),
        ("remove the master", _master_removed, *EVERYTHING),
    )
}
