"""A series and its instances: found by id, made into exceptions, and dropped where the rule no longer has them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.google import recurring
from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.fakes.google.state import Calendar, Event, World
    from tests.fakes.google.times import When


def find(calendar: Calendar, event_id: str) -> Event:
    """The event of an id: one that is kept, or an instance as its master makes it.

    Raises:
        Refused: There is none.
    """
    event = calendar.events.get(event_id)
    if event is not None and (not event.lost or event.series == ""):
        return event
    name, _, stamp = event_id.rpartition("_")
    master = calendar.events.get(name)
    if master is None or not master.recurrence:
        raise Refused("notFound")
    original = recurring.find(master.recurrence, master.start, stamp)
    if original is None or master.cancelled:
        if event is not None:
            return event
        raise Refused("notFound")
    return generated(master, original)


def generated(master: Event, original: When) -> Event:
    """The instance that starts at `original`, as nobody has edited it."""
    return replace(
        master,
        id=f"{master.id}_{original.stamp}",
        series=master.id,
        original=original,
        start=original,
        end=_end(master, original),
        fields=deepcopy(master.fields),
        reminders=deepcopy(master.reminders),
        organizer=dict(master.organizer),
        born=0,
        recurrence=(),
        lines=(),
    )


def instances(calendar: Calendar, master: Event, until: datetime | None = None) -> Iterator[Event]:
    """Every instance of a series, edited and cancelled ones in their place."""
    kept = {event.id: event for event in calendar.exceptions(master.id) if not event.lost}
    for original in recurring.starts(master.recurrence, master.start, until):
        event = generated(master, original)
        yield kept.pop(event.id, event)
    yield from kept.values()


def settle(world: World, calendar: Calendar, before: Event, after: Event) -> list[Event]:
    """Brings the exceptions of a series in line with its edited master.

    Returns:
        The exceptions that were touched.
    """
    touched = []
    for event in calendar.exceptions(after.id):
        if event.lost or event.original is None:
            continue
        found = recurring.find(after.recurrence, after.start, event.original.stamp) if after.recurrence else None
        if found is None and not world.quirks.exceptions_stay:
            event.status, event.lost = "cancelled", True
            touched.append(event)
        elif found is not None and not event.cancelled and world.quirks.exceptions_follow_master:
            was = generated(before, event.original) if before.recurrence else None
            if was is not None and _followed(event, was, generated(after, found)):
                touched.append(event)
    return touched


def _followed(event: Event, was: Event, now: Event) -> bool:
    """Takes over what the master says anew where the exception said what the master had said."""
    followed = False
    for name in was.fields.keys() | now.fields.keys():
        old, new = was.fields.get(name), now.fields.get(name)
        if old != new and event.fields.get(name) == old:
            followed = True
            if new is None:
                event.fields.pop(name, None)
            else:
                event.fields[name] = deepcopy(new)
    if event.start == was.start and event.end == was.end and now.end != was.end:
        event.end = now.end
        followed = True
    return followed


def _end(master: Event, original: When) -> When:
    if original.day is not None:
        return original.shifted(master.end.at - master.start.at)
    return replace(original.shifted(master.end.at - master.start.at), zone=master.end.zone)
