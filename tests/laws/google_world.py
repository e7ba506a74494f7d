"""The small world of the sync machine with Google Calendar at the other end of every rule: the adapter on the fake.

What is known of Google is looked at as a person sees it there, in the grid, besides what the adapter reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from bridge.core.recurrence import expand
from bridge.core.temporal import AllDay
from bridge.sync.views import Views
from tests.fakes.google.listing import Pages
from tests.laws.google_desk import GoogleDesk, new_google
from tests.laws.google_people import FIRST, LAST, GooglePeople
from tests.laws.sync_edits import bare
from tests.laws.sync_places import HERE, RULES, THERE
from tests.laws.sync_world import NO_GUARD
from tests.store.appointments import AMSTERDAM, parse
from tests.sync.stage import Stage
from tests.upstream.google.google_answers import there_and_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.model import CalendarObject
    from tests.fakes.google.by_hand import ByHand

OWNERS = {"full": "anna@example.org", "next": "anna@example.org", "weak": "boss@example.org"}
"""Whose calendar it is: two are Anna's, one is somebody else's."""

_GUESTS = re.compile(rb"\\n\\nGuests:(?:\\n- [^\\]+)+")
Seen = tuple[object, object, str, str]


@dataclass
class GoogleWorld(GooglePeople):
    """Two resources and three calendars at Google, a rule between each pair; made by `open_google_world`."""

    # Fate.

    def odd_pages(self, most: int) -> None:
        """From now on listings come in short pages, some of them empty, in another order."""
        self.google.pages.most, self.google.pages.odd = most, self.number

    def deliver(self, *, times: int, keep: int) -> None:
        """What Google has to tell arrives, out of order, or more than once; the rest of it is lost."""
        held, self.google.channels.held = self.google.channels.held, []
        for message in reversed(held[keep:]):
            for _ in range(times):
                self._desk.door.send(message.headers)

    def forge(self) -> int:
        """Somebody else sends what looks like a notification."""
        channels = self.google.channels.live
        name = channels[0].id if channels else "0" * 32
        return self._desk.door.notify(name, Channel_Token="guessed")

    def rest(self) -> None:
        self.google.pages.most, self.google.pages.odd = Pages().most, None
        super().rest()
        assert self.google.misuses == []

    # What must be true.

    def check_rule(self, key: str, resource: str, remote: str) -> None:
        """Both sides of a rule hold the same, as far as Google can hold it, and the grid there shows it."""
        ours, theirs = self.objects(resource), self.objects(remote)
        assert set(ours) == set(theirs), f"{key}: {sorted(ours)} here and {sorted(theirs)} there"
        links = self.desk.links(key)
        assert set(links) == set(ours), f"{key}: links {sorted(links)}"
        grid = seen_at(self.page(remote))
        for uid, here in ours.items():
            shown = Views.read(links[uid].view).shown(here, parse=parse)
            there = theirs[uid]
            name = (links[uid].remote_id or "").removesuffix("~")
            told = f"{key}: {uid} differs:\n{shown.raw.decode()}\n{there.raw.decode()}"
            assert meaning(shown) == meaning(there), told
            assert instances(here) == grid[name], told

    @property
    def _desk(self) -> GoogleDesk:
        assert isinstance(self.desk, GoogleDesk)
        return self.desk


def meaning(obj: CalendarObject) -> str:
    """The meaning of an object as far as Google can hold it.

    Two bridges that share a calendar each put a list of their guests behind the description; the order of these lists
    is nobody's.
    """
    text = there_and_back(obj).raw.replace(b"\r\n ", b"")
    lines = [_GUESTS.sub(b"", line) + b"".join(sorted(_GUESTS.findall(line))) for line in text.split(b"\r\n")]
    return bare(parse(b"\r\n".join(lines)))


def instances(obj: CalendarObject) -> list[Seen]:
    """What a person sees of an object in the grid."""
    seen: list[Seen] = []
    for each in expand(obj, FIRST, LAST, zone=AMSTERDAM, limit=1000):
        times = (each.start.day, each.end.day) if isinstance(each.start, AllDay) else (each.first, each.last)  # type: ignore[union-attr]
        seen.append((*times, str(each.component.get("SUMMARY", "")), str(each.component.get("LOCATION", ""))))
    return sorted(seen, key=str)


def seen_at(page: ByHand) -> dict[str, list[Seen]]:
    """What a person sees in the grid at Google, by the id of the event or of its series."""
    seen: dict[str, list[Seen]] = {}
    for each in page.between(FIRST, LAST):
        name = each.get("recurringEventId", each["id"])
        times = _moment(each["start"]), _moment(each["end"])
        seen.setdefault(name, []).append((*times, each.get("summary", ""), each.get("location", "")))
    return {name: sorted(found, key=str) for name, found in seen.items()}


def _moment(said: Mapping[str, str]) -> date:
    if "date" in said:
        return date.fromisoformat(said["date"])
    return datetime.fromisoformat(said["dateTime"]).astimezone(UTC)


_stages: list[Stage] = []


def open_google_world() -> GoogleWorld:
    """A world in which nothing has happened yet; the one before it ends."""
    if not _stages:
        _stages.append(Stage())
    stage = _stages[0]
    known = stage.clear()
    google = new_google(stage.clock)
    desk = GoogleDesk(stage.database, stage.clock, google=google)
    for key in HERE:
        desk.resource(key)
    for key in THERE:
        desk.google_remote(key, OWNERS[key])
    for key, (resource, remote) in RULES.items():
        desk.by_key[key] = desk.settings(resource, remote, guard=NO_GUARD)
    if not known:
        desk.reload()
        stage.keep()
    return GoogleWorld(desk, google=google)
