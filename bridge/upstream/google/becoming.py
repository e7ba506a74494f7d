"""An appointment at Google becomes what it is to be, by the fewest changes, each under the condition of what was read.

Instances are written after their master: Google lets them follow it, and may drop some. So the series is read again in
between. What is written together ends with a look at what stands there; where that is not what the answers said,
somebody else was at it meanwhile, and the answers count: the next delta then tells the difference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.errors import RemoteChanged, RemoteRefused
from bridge.upstream.google.guests import sparing_hidden_guests
from bridge.upstream.google.instances import Step, Target, key_of, steps
from bridge.upstream.google.mapping import changed, generated, marks, to_google
from bridge.upstream.google.ownership import as_change, as_instance
from bridge.upstream.google.reading import with_exceptions
from bridge.upstream.google.standing import CANCELLED, Standing, is_cancelled
from bridge.upstream.protocol import Unreadable

if TYPE_CHECKING:
    from bridge.upstream.google.mapping import Body, Event, Whole
    from bridge.upstream.google.place import Place

_SPLIT = re.compile(r"_R\d{8}(T\d{6})?Z?$")
"""At the end of the id of a master that 'this and following' made; its instances are named without it."""

_PASSING = frozenset({"etag", "updated", "sequence"})


def become(place: Place, standing: Standing, target: Target) -> Standing:
    """What stands there after it was made into what it is to be.

    Raises:
        RemoteChanged: Somebody else changed it meanwhile.
        RemoteRefused: Google does not take it.
    """
    now = now_of(place, standing)
    master = standing.master
    if master is None:
        return _instances_alone(place, standing, now, target.whole)
    wanted = target.whole
    patch = changed(wanted.master, now.master)
    if "recurrence" not in wanted.master and any(not is_cancelled(each) for each in standing.exceptions):
        return _made_single(place, standing, patch)
    todo = list(steps(standing, now, target, zone=place.zone))
    if todo and not standing.exceptions and all(step.only_cancels for step in todo):
        # Where nobody has changed an instance, none is lost when the rules are written anew: one request does it.
        patch = {**patch, "recurrence": wanted.master["recurrence"]}
    if "recurrence" in patch:
        todo = [step for step in todo if not step.only_cancels]
    has_instances = bool(standing.exceptions) or any(body is not None for body in wanted.overrides.values())
    if standing.unfinished or len(todo) > 1 or (patch and (todo or has_instances)):
        if patch or not standing.unfinished:
            standing = _begun(place, standing, patch)
        return finish(place, standing, target, known_to_us_alone=False)
    if patch:
        return Standing(_patched_master(place, master, as_change(patch, master)))
    if todo:
        written = _write(place, standing, todo[0], known_to_us_alone=False)
        return _with(standing, {} if written is None else {str(written["id"]): written})
    return standing


def finish(place: Place, standing: Standing, target: Target, *, known_to_us_alone: bool) -> Standing:
    """Writes the instances of a series whose master is as it is to be, and takes its mark away.

    Args:
        place: The calendar.
        standing: The series, marked as unfinished.
        target: What it is to be.
        known_to_us_alone: Whether it was just created, so that nobody can have changed an instance of it yet.
    """
    now = now_of(place, standing)
    written: dict[str, Event] = {}
    for step in steps(standing, now, target, zone=place.zone):
        event = _write(place, standing, step, known_to_us_alone=known_to_us_alone)
        if event is not None:
            written[str(event["id"])] = event
    before = _master(standing)
    # No condition: this takes away nothing but a mark of ours.
    master = place.patch(standing.remote_id, as_change({}, before, unfinished=False))
    if master is None:
        raise _overtaken()
    if _content(master) != _content(before):
        # The mark is gone, and what somebody made of the master meanwhile is read like any other change.
        raise _overtaken()
    expected = Standing(master, _with(standing, written).exceptions)
    there = with_exceptions(place, master)
    return there if there is not None and _contents(there) == _contents(expected) else expected


def now_of(place: Place, standing: Standing) -> Whole:
    """What stands there, as the mapping would write it.

    Raises:
        RemoteRefused: It cannot be read, so nobody knows what to change.
    """
    read = place.read(standing)
    if isinstance(read, Unreadable):
        raise RemoteRefused(
            f"The appointment at Google cannot be read, so it is not changed: {read.reason}",
            remedy="Mend or delete it in Google Calendar.",
        )
    return to_google(read, zone=place.zone)


def _begun(place: Place, standing: Standing, patch: Body) -> Standing:
    """The series after the first of several requests: its master is as it is to be, and marked."""
    master = _master(standing)
    event = _patched_master(place, master, as_change(patch, master, unfinished=True))
    there = with_exceptions(place, event)
    if there is None:
        raise _overtaken()
    return there


def _made_single(place: Place, standing: Standing, patch: Body) -> Standing:
    """A series that becomes a single event: its changed instances go first, so that none is left without a series."""
    standing = _begun(place, standing, {})
    for each in standing.exceptions:
        if not is_cancelled(each):
            _patched(place, each, {"status": CANCELLED})
    there = with_exceptions(place, _master(standing))
    if there is None or there.master is None:
        raise _overtaken()
    return Standing(_patched_master(place, there.master, as_change(patch, there.master, unfinished=False)))


def _patched_master(place: Place, master: Event, body: Body) -> Event:
    event = _patched(place, master, body)
    if event is None:
        raise _overtaken()
    return event


def _patched(place: Place, event: Event, body: Body) -> Event | None:
    """An event after a change, under the condition that it is as it was read; None where it is there no more."""
    return place.patch(str(event["id"]), sparing_hidden_guests(body, event), if_match=str(event.get("etag", "")))


def _write(place: Place, standing: Standing, step: Step, *, known_to_us_alone: bool) -> Event | None:
    """An instance after it was written; None where there is none to be restored any more."""
    body = as_instance(step.body) if standing.unfinished else step.body
    if step.known is not None:
        event = _patched(place, step.known, body)
        if event is None and not is_cancelled(step.known):
            raise _overtaken()
        return event
    series = standing.remote_id
    if known_to_us_alone:
        event = place.patch(f"{series}_{step.key}", body)
    else:
        there = _generated(place, standing, step.key)
        event = None if there is None else _patched(place, there, body)
    if event is None:
        if place.get(series) is None:
            raise _overtaken()
        raise RemoteRefused(
            f"Google has no instance of the series at {step.key}, which is to be another there.",
            property_name="RECURRENCE-ID",
            remedy="Move or delete that changed instance, so that the series can be sent.",
        )
    return event


def _generated(place: Place, standing: Standing, key: str) -> Event | None:
    """The instance that the rule gives, which nobody has changed.

    Raises:
        RemoteChanged: Somebody has changed it meanwhile.
    """
    series = standing.remote_id
    event = place.get(f"{series}_{key}")
    if event is None and _SPLIT.search(series):
        event = place.get(f"{_SPLIT.sub('', series)}_{key}")
    if event is not None and _is_changed(now_of(place, Standing(standing.master, (event,))), key, place.zone):
        raise _overtaken()
    return event


def _is_changed(now: Whole, key: str, zone: str) -> bool:
    """Whether an instance is not as its master says, or is cancelled."""
    if key not in now.overrides:
        return False
    there = now.overrides[key]
    return there is None or bool(changed(there, generated(now.master, key, zone=zone)))


def _instances_alone(place: Place, standing: Standing, now: Whole, wanted: Whole) -> Standing:
    """Instances whose series is not here: each is changed, or declined, by itself."""
    keys = {key_of(each): each for each in standing.exceptions}
    strange = sorted(wanted.overrides.keys() - keys.keys())
    if strange:
        raise RemoteRefused(
            f"This calendar was invited to some instances of a series; there is none at {strange[0]}.",
            property_name="RECURRENCE-ID",
            remedy="Make an appointment of its own for that time.",
        )
    written: dict[str, Event] = {}
    for key, known in keys.items():
        override = wanted.overrides.get(key)
        body = {"status": CANCELLED} if override is None else changed(override, now.overrides.get(key) or {})
        event = _patched(place, known, body) if body else known
        if event is None:
            raise _overtaken()
        written[str(known["id"])] = event
    live = tuple(event for event in written.values() if not is_cancelled(event))
    return Standing(None, live or standing.exceptions)


def _with(standing: Standing, written: dict[str, Event]) -> Standing:
    events = {str(each["id"]): each for each in standing.exceptions} | written
    return Standing(standing.master, tuple(events[name] for name in sorted(events)))


def _master(standing: Standing) -> Event:
    if standing.master is None:
        raise ValueError("instances without a master are written one by one")
    return standing.master


def _contents(standing: Standing) -> dict[str, object]:
    events = (_master(standing), *standing.exceptions)
    return {str(each["id"]): "" if is_cancelled(each) else _content(each) for each in events}


def _content(event: Event) -> dict[str, object]:
    """What an event says, without what changes by itself and without the mark of what is unfinished."""
    private = {name: text for name, text in marks.private(event).items() if name != marks.UNFINISHED}
    extended = {**(event.get("extendedProperties") or {}), "private": private}
    kept = {name: value for name, value in event.items() if name not in _PASSING}
    return {**kept, "extendedProperties": extended}


def _overtaken() -> RemoteChanged:
    return RemoteChanged("The appointment at Google was changed while it was being written.")
