"""A calendar as a person at Google's own page edits it."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.google import recurring, series
from tests.fakes.google.refusal import Refused
from tests.fakes.google.showing import show
from tests.fakes.google.times import read_when, zone_of
from tests.fakes.google.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.fakes.google.state import Event, Role, World
    from tests.fakes.google.times import When

_COPIED = frozenset({
    "summary", "description", "location", "colorId", "transparency", "visibility", "attendees", "extendedProperties",
    "reminders", "conferenceData", "source",
})  # fmt: skip


def _read(body: Mapping[str, str], zone: str) -> When:
    return read_when(body, "originalStartTime", zone=zone, series=False)


def _rule_until(master: Event, original: When) -> list[str]:
    """The recurrence of a master that ends before an instance."""
    return [_with(line, until=original) if line.startswith("RRULE") else line for line in master.recurrence]


def _rule_from(master: Event, original: When) -> list[str]:
    """The recurrence of the new master: what is left of COUNT counts."""
    passed = sum(1 for _ in recurring.starts(master.recurrence, master.start, original.at))
    return [_with(line, passed=passed) if line.startswith("RRULE") else line for line in master.recurrence]


def _with(line: str, *, until: When | None = None, passed: int = 0) -> str:
    parts = dict(part.split("=", 1) for part in line.removeprefix("RRULE:").split(";"))
    if until is not None:
        parts.pop("COUNT", None)
        back = until.shifted(-timedelta(days=1) if until.day else -timedelta(seconds=1))
        parts["UNTIL"] = back.stamp
    elif "COUNT" in parts:
        parts["COUNT"] = str(int(parts["COUNT"]) - passed)
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items())


class ByHand:
    """A calendar as a person at Google's own page edits it: no quota, and no record among the requests.

    Every method takes and gives Event resources.
    """

    def __init__(self, world: World, user: str, calendar_id: str) -> None:
        self._world = world
        self._user = user
        self._calendar = world.seen_by(user, calendar_id)
        self.id = self._calendar.id

    def put(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds an event; with an iCalUID and no id, as an import does."""
        with self._world.lock:
            writer = self._writer()
            kind = body.get("eventType")
            if kind == "fromGmail":
                event = writer.insert(self._calendar, {**body, "eventType": "default"})
                event.kind = "fromGmail"
            else:
                event = writer.insert(self._calendar, body)
            return self._show(event)

    def import_(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds an event that carries an iCalUID of its own, as the page does with a file."""
        with self._world.lock:
            return self._show(self._writer().import_(self._calendar, body))

    def edit(self, event_id: str, patch: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Edits an event, a whole series, or one instance by its id."""
        with self._world.lock:
            return self._show(self._writer().patch(self._calendar, event_id, {**(patch or {}), **fields}))

    def delete(self, event_id: str) -> None:
        """Deletes an event, a whole series, or one instance by its id."""
        with self._world.lock:
            self._writer().delete(self._calendar, event_id)

    def get(self, event_id: str) -> dict[str, Any]:
        """An event, a deleted one too, or an instance."""
        with self._world.lock:
            return self._show(series.find(self._calendar, event_id))

    def orphan(self, master_id: str, original: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds an exception whose master stands elsewhere, as an invitation to one instance does."""
        with self._world.lock:
            whole = {"start": original, "end": original, **body}
            event = deepcopy(self._writer().insert(self._calendar, whole))
            self._calendar.events.pop(event.id)
            start = _read(original, self._calendar.zone)
            event.id, event.uid = f"{master_id}_{start.stamp}", str(body.get("iCalUID", f"{master_id}@google.com"))
            event.series, event.original = master_id, start
            self._world.touch(self._calendar, event)
            return self._show(event)

    def show_lines(self, master_id: str, *lines: str) -> dict[str, Any]:
        """Shows lines as the recurrence of a series that nobody could write, as Google at times does."""
        with self._world.lock:
            master = self._calendar.events[master_id]
            master.lines = lines
            self._world.touch(self._calendar, master)
            return self._show(master)

    def split(self, instance_id: str, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Changes this and the following instances, as the page does: the old master ends, a new one begins.

        Returns:
            The old master and the new one.
        """
        with self._world.lock:
            instance = series.find(self._calendar, instance_id)
            master = self._calendar.events[instance.series]
            if instance.original is None:
                raise Refused("badRequest")
            old = self._show(master)
            rest = _rule_from(master, instance.original)
            new = {name: old[name] for name in old if name in _COPIED}
            length = master.end.at - master.start.at
            new["start"] = instance.original.show(instance.original.zone or "UTC")
            new["end"] = instance.original.shifted(length).show(instance.original.zone or "UTC")
            new["recurrence"] = rest
            new["id"] = f"{master.id}_r{instance.original.stamp.lower()}".replace("_", "0").replace("z", "")
            ended = _rule_until(master, instance.original)
            self._writer().patch(self._calendar, master.id, {"recurrence": ended})
            made = self._writer().insert(self._calendar, {**new, **fields})
            return self.get(master.id), self._show(made)

    def cut(self, instance_id: str) -> dict[str, Any]:
        """Deletes this and the following instances, as the page does: the master ends before them."""
        with self._world.lock:
            instance = series.find(self._calendar, instance_id)
            if instance.original is None:
                raise Refused("badRequest")
            master = self._calendar.events[instance.series]
            ended = {"recurrence": _rule_until(master, instance.original)}
            return self._show(self._writer().patch(self._calendar, master.id, ended))

    def between(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """What a person sees in the grid between two instants, by start; whole days in the calendar's zone."""
        zone = zone_of(self._calendar.zone)
        with self._world.lock:
            found = []
            for event in list(self._calendar.events.values()):
                if event.recurrence and not event.cancelled:
                    found += list(series.instances(self._calendar, event, until + timedelta(days=1)))
                elif not event.series or event.series not in self._calendar.events:
                    found.append(event)
            seen = [
                each
                for each in found
                if not each.cancelled and each.start.begins(zone) < until and each.end.begins(zone) > since
            ]
            return [self._show(each) for each in sorted(seen, key=lambda each: each.start.at)]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything that is there: singles, masters, exceptions and cancelled instances."""
        with self._world.lock:
            every = sorted(self._calendar.events.values(), key=lambda each: each.born)
            return [self._show(each) for each in every if not each.cancelled or (each.series and not each.lost)]

    @property
    def instances(self) -> list[dict[str, Any]]:
        """Every instance that a person sees in the grid, by start; of an endless series the first two years."""
        with self._world.lock:
            found: list[Event] = []
            for event in list(self._calendar.events.values()):
                if event.recurrence and not event.cancelled:
                    found += series.instances(self._calendar, event)
                elif not event.series:
                    found.append(event)
            return [self._show(each) for each in sorted(found, key=lambda each: each.start.at) if not each.cancelled]

    def share(self, user: str, role: Role, *, listed: bool = True) -> None:
        """Lets another user see it, with this role; the user finds it in the list of calendars."""
        with self._world.lock:
            self._calendar.acl[user] = role
            if listed:
                self._world.people[user].listed.setdefault(self._calendar.id, {})

    def unshare(self, user: str) -> None:
        """Takes it away from another user."""
        with self._world.lock:
            self._calendar.acl.pop(user, None)
            self._world.people[user].listed.pop(self._calendar.id, None)

    def _writer(self) -> Writer:
        return Writer(self._world, self._user, conference=True, attachments=True)

    def _show(self, event: Event) -> dict[str, Any]:
        return show(event, self._calendar, self._user)
