"""A calendar object becomes what Google keeps of it (`Whole`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.core.content import MASTER, read
from bridge.core.model import ComponentType
from bridge.core.recurrence import held_components
from bridge.errors import RemoteRefused
from bridge.upstream.google.mapping import kept, marks
from bridge.upstream.google.mapping.changes import changed
from bridge.upstream.google.mapping.entries import ordered, time_lines
from bridge.upstream.google.mapping.instance import generated
from bridge.upstream.google.mapping.pattern import by_original_start, pattern, recurs
from bridge.upstream.google.mapping.row import Said, Source, emulated, word_of
from bridge.upstream.google.mapping.rows import said
from bridge.upstream.google.mapping.times import in_zone_of, original_start
from bridge.upstream.google.mapping.times import read as read_moment
from bridge.upstream.google.mapping.whole import Body, Note, Whole

if TYPE_CHECKING:
    from icalendar.cal import Component

    from bridge.core.model import CalendarObject

_CANCELLED: Final = "CANCELLED"


def to_google(obj: CalendarObject, *, zone: str) -> Whole:
    """What Google is to keep of an object.

    Args:
        obj: The object.
        zone: What floating times mean; an IANA name.

    Raises:
        RemoteRefused: Google cannot hold it, and nothing can stand for it there.
    """
    if obj.component is not ComponentType.VEVENT:
        raise RemoteRefused(
            f"Google Calendar holds events only, and this is a {obj.component}.",
            property_name=str(obj.component),
            remedy="Leave its kind out of `components` in the rule.",
        )
    components = held_components(obj.calendar)
    master = next((one for one in components if "RECURRENCE-ID" not in one), None)
    overrides = [one for one in components if one is not master]
    if any(_reaches_on(one) for one in overrides):
        raise RemoteRefused(
            "Google has no change of one instance that goes for all that follow (RANGE=THISANDFUTURE).",
            property_name="RECURRENCE-ID",
            remedy="End the series before that instance, and begin a new one with it.",
        )
    if master is None:
        return _masterless(overrides, zone)
    if not recurs(obj, master):
        body, notes = _body(said(Source(master, zone)))
        return Whole(body, {}, notes)
    return _series(obj, master, overrides, zone)


def _reaches_on(component: Component) -> bool:
    return str(component["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE"


def _series(obj: CalendarObject, master: Component, overrides: list[Component], zone: str) -> Whole:
    named = by_original_start(overrides, master, zone)
    gone = {key for key, one in named.items() if word_of(one, "STATUS") == _CANCELLED}
    when = pattern(master, zone=zone, overridden=named.keys(), cancelled=gone)
    text = said(Source(master, zone, recurs=True))
    body, notes = _body(text, recurrence=list(when.recurrence))
    if when.differs:
        content = read(obj)
        body["extendedProperties"]["private"] |= kept.remember(
            content.parts[MASTER], content, body, zone, added=when.added
        )
    bodies: dict[str, Body | None] = dict.fromkeys(when.cancelled)
    bodies |= {key: generated(body, key, zone=zone, end=end) for key, end in when.ends.items() if key not in bodies}
    found: list[Note] = [*notes, *when.notes]
    for key, one in named.items():
        if key not in gone:
            instance, more = _body(said(Source(one, zone)))
            found += more
            if key in when.ends or changed(instance, generated(body, key, zone=zone)):
                bodies[key] = instance
    return Whole(body, dict(sorted(bodies.items())), tuple(dict.fromkeys(found)))


def _body(text: Said, **more: Any) -> tuple[dict[str, Any], tuple[Note, ...]]:
    body: dict[str, Any] = {**text.fields, **more, "extendedProperties": {"private": dict(text.private)}}
    return body, text.notes


def _masterless(overrides: list[Component], zone: str) -> Whole:
    """Overrides whose master nobody has: a series of just these dates stands for it, marked as made up."""
    named = by_original_start(overrides, None, zone)
    keys = sorted(named)
    if len({len(key) for key in keys}) > 1:
        raise RemoteRefused(
            "The changed instances are of whole days and of times, and so of no one series.",
            property_name="RECURRENCE-ID",
            remedy="Make each an appointment of its own.",
        )
    gone = [key for key in keys if word_of(named[key], "STATUS") == _CANCELLED]
    live = next((key for key in keys if key not in gone), None)
    if live is None:
        raise RemoteRefused(
            "All changed instances of the series are cancelled, and there is no series.",
            property_name="STATUS",
            remedy="Delete the appointment.",
        )
    body, notes = _body(said(Source(named[live], zone, recurs=True)))
    body = generated(body, keys[0], zone=zone)
    body["recurrence"] = [*_dates("RDATE", keys, body, zone), *_dates("EXDATE", gone, body, zone)]
    body["extendedProperties"]["private"][marks.MASTERLESS] = "1"
    sentence = "There are changed instances, but no series; a series of just these dates stands there."
    found = [*notes, emulated("RECURRENCE-ID", sentence)]
    bodies: dict[str, Body | None] = {}
    for key in keys:
        instance, more = _body(said(Source(named[key], zone)))
        bodies[key] = None if key in gone else instance
        found += more
    return Whole(body, bodies, tuple(dict.fromkeys(found)))


def _dates(name: str, keys: list[str], body: Body, zone: str) -> list[str]:
    """RDATE or EXDATE lines for instances by their names."""
    start = read_moment(body["start"], zone, keeps_zone=True)
    return time_lines(name, ordered(in_zone_of(original_start(key), start) for key in keys))
