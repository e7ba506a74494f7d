"""Alarms are reminders at Google: so many minutes before the start, on the screen or by mail, at most five of them.

No alarm here is Google's default there. That none shall ring at all is said here as Apple's programs say it: by one
alarm with ACTION:NONE at a moment of 1976.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from icalendar.prop import vBroken

from bridge.core.content import Line
from bridge.core.fold import folded
from bridge.core.temporal import instant
from bridge.upstream.google.mapping.row import Said, Seen, Source, emulated, left_out, word_of
from bridge.upstream.google.mapping.times import start_and_end
from bridge.upstream.google.mapping.zone_names import zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from icalendar.cal import Component

    from bridge.upstream.google.mapping.whole import Event, Note

MOST: Final = 5
"""How many reminders an event can have (Calendar API, Event.reminders.overrides)."""

LONGEST: Final = 40_320
"""How many minutes before the start the earliest can be: four weeks (Calendar API, EventReminder.minutes)."""

_METHODS: Final = {"DISPLAY": "popup", "AUDIO": "popup", "EMAIL": "email"}
_MINUTE = timedelta(minutes=1)
_TEXT: Final = "Reminder"
_NEVER: Final = ("BEGIN:VALARM", "ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z", "END:VALARM")


def alarms_to(source: Source) -> Said:
    """The reminders."""
    alarms = [inner for inner in source.component.subcomponents if inner.name == "VALARM"]
    if not alarms:
        return Said({"reminders": {"useDefault": True}})
    found: dict[tuple[int, str], None] = {}
    notes: list[Note] = []
    for alarm in alarms:
        if word_of(alarm, "ACTION") == "NONE":
            continue
        reminder, note = _reminder(alarm, source)
        if reminder is not None:
            found[reminder] = None
        if note is not None:
            notes.append(note)
    if len(found) > MOST:
        notes.append(left_out("VALARM", f"Google takes {MOST} reminders; those nearest to the start go there."))
    overrides = [{"method": method, "minutes": minutes} for minutes, method in sorted(found)[:MOST]]
    return Said({"reminders": {"useDefault": False, "overrides": overrides}}, notes=tuple(dict.fromkeys(notes)))


def _reminder(alarm: Component, source: Source) -> tuple[tuple[int, str] | None, Note | None]:
    method = _METHODS.get(word_of(alarm, "ACTION") or "DISPLAY")
    if method is None:
        return None, left_out("VALARM", "Google reminds on the screen or by mail only.")
    before, plain = _before_start(alarm, source)
    if before is None:
        return None, left_out("VALARM", "Google has no reminder that is not tied to the start of its event.")
    minutes, rest = divmod(before, _MINUTE)
    if not 0 <= minutes <= LONGEST:
        return None, left_out("VALARM", "Google reminds at the start or up to four weeks before it.")
    note = emulated(
        "VALARM", "Google counts whole minutes before the start; the reminder comes at the same time there."
    )
    return (minutes, method), None if plain and not rest else note


def _before_start(alarm: Component, source: Source) -> tuple[timedelta | None, bool]:
    """How long before the start an alarm goes off, and whether it says so itself."""
    prop: Any = dict.get(alarm, "TRIGGER")
    value = None if isinstance(prop, vBroken) else getattr(prop, "dt", None)
    start, end = start_and_end(source.component, source.zone)
    home = zone_of(None, source.zone)
    if isinstance(value, timedelta):
        if str(prop.params.get("RELATED", "")).upper() == "END":
            return instant(start, home) - (instant(end, home) + value), False
        return -value, True
    if isinstance(value, datetime) and not source.recurs:
        return instant(start, home) - instant(value, home), False
    return None, False


def alarms_here(seen: Seen) -> list[Line]:
    """One alarm for each reminder of the event's own; none where the calendar's default applies."""
    reminders: Mapping[str, Any] = seen.event.get("reminders") or {"useDefault": True}
    if reminders.get("useDefault"):
        return []
    found = sorted({(int(one.get("minutes") or 0), str(one.get("method"))) for one in reminders.get("overrides") or ()})
    blocks = [_block(minutes, method, seen.event) for minutes, method in found]
    return blocks or [_alarm(_NEVER)]


def _block(minutes: int, method: str, event: Event) -> Line:
    trigger = f"TRIGGER:-PT{minutes}M" if minutes else "TRIGGER:PT0S"
    lines = ["BEGIN:VALARM", f"ACTION:{'EMAIL' if method == 'email' else 'DISPLAY'}", trigger, f"DESCRIPTION:{_TEXT}"]
    if method == "email":
        lines.append(f"SUMMARY:{_TEXT}")
        lines += [f"ATTENDEE:mailto:{address}" for address in [_owner(event)] if address]
    return _alarm((*lines, "END:VALARM"))


def _alarm(lines: tuple[str, ...]) -> Line:
    return Line("BEGIN:VALARM", b"".join(map(folded, lines)))


def _owner(event: Event) -> str:
    """The address of the person whose calendar it is, to whom Google writes, as far as the event tells it."""
    people = [*(event.get("attendees") or ()), event.get("organizer") or {}, event.get("creator") or {}]
    return next((str(person["email"]) for person in people if person.get("self") and person.get("email")), "")
