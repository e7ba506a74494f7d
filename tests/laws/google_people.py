"""What people do at Google's own page in the small world of the sync machine; they know nothing of the bridge."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bridge.core.content import MASTER, read, write
from bridge.core.content import made as content_line
from bridge.core.recurrence import expand
from bridge.core.temporal import Zoned
from bridge.upstream.google.mapping import marks
from tests.laws.google_line import GoogleRemote
from tests.laws.sync_edits import DAYS, Kind, Slot
from tests.laws.sync_places import HERE, Deed
from tests.laws.sync_world import World
from tests.store.appointments import AMSTERDAM, parse
from tests.sync.appointments import HOUR, START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.content import Part
    from bridge.core.model import CalendarObject
    from tests.fakes.google.by_hand import ByHand
    from tests.fakes.google.fake import FakeGoogle

MOST = 6
"""So many appointments in a calendar are enough."""

FEWEST = 2
"""A series of fewer instances is left as it is, so that one remains."""

SPRING = datetime(2027, 3, 26, 9, 0, tzinfo=AMSTERDAM)
"""When a series begins that goes by the clock on the wall, which is put forward on its third day."""

DECORATIONS: tuple[dict[str, Any], ...] = (
    {"colorId": "5"},
    {"transparency": "transparent"},
    {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]}},
    {"reminders": {"useDefault": False, "overrides": []}},
    {"reminders": {"useDefault": True, "overrides": None}},
)
"""What somebody changes besides."""

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
"""Between them lies everything."""


class GoingOn(StrEnum):
    """What somebody does at Google's page with what we were just writing there."""

    RENAME = "rename"
    CANCEL = "cancel"
    DELETE = "delete"
    SHIFT = "shift"
    CUT = "cut"
    SPLIT = "split"
    DECORATE = "decorate"


_DAY = timedelta(days=1)
_SHOWN = ("summary", "description", "location", "start", "end", "recurrence", "extendedProperties")
_OF_INSTANCES = frozenset({Slot.INSTANCE, Slot.MOVED, Slot.CANCELLED})


@dataclass
class GooglePeople(World):
    """A world with people at Google's page."""

    google: FakeGoogle = field(kw_only=True)

    # Appointments come.

    def put_new(self, place: str, uid: str, kind: Kind = Kind.SINGLE) -> None:
        if place in HERE:
            super().put_new(place, uid, kind)
        elif self.find(place, uid) is None:
            word = self.word()
            self._note(uid, Deed("put", place, Slot.TITLE, word))
            self.page(place).import_({"iCalUID": uid, **made(kind, word)})

    def put_native(self, place: str, kind: Kind, *, start: datetime = START) -> None:
        """Somebody makes an appointment at Google's page, which gives it a UID of its own."""
        if len(self.objects(place)) < MOST:
            word = self.word()
            self._note_native(place, self.page(place).put(made(kind, word, start=start)), word)

    def copy(self, place: str, uid: str) -> None:
        """Somebody duplicates an appointment at Google's page, and calls it something else."""
        event = self._event(place, uid)
        if event is None or len(self.objects(place)) >= MOST:
            return
        word = self.word()
        body = {name: event[name] for name in _SHOWN if name in event}
        copied = self.page(place).put({**body, "summary": word, "description": f"made {word}"})
        self._note_native(place, copied, word)

    def restore(self, place: str, which: int) -> None:
        """Somebody takes an appointment back out of the bin."""
        calendar = self.google.world.calendars[self.page(place).id]
        binned = [each.id for each in calendar.events.values() if each.cancelled and not each.series]
        if not binned:
            return
        event = self.page(place).get(binned[which % len(binned)])
        uid = marks.uid(event)
        if uid in self.uids and self.find(place, uid) is None:
            self._note(uid, Deed("put", place, "restore"))
            self.page(place).edit(event["id"], status="confirmed")

    def invite(self, place: str) -> None:
        """Somebody else invites the owner to one instance of a series that stands elsewhere."""
        if len(self.objects(place)) < MOST:
            word = self.word()
            body = {"summary": word, "description": f"made {word}", **_hour(START + HOUR)}
            self._note_native(place, self.page(place).orphan(f"{word}elsewhere", _at(START), body), word)

    # They are changed.

    def edit(self, place: str, uid: str, slot: Slot, day: int = 1) -> None:
        old = self.find(place, uid)
        if old is None:
            return
        if place in HERE:
            named = START + timedelta(days=day % DAYS)
            if slot not in _OF_INSTANCES or (
                is_in_utc(old) and named in self.starts(old) and len(self.starts(old)) >= FEWEST
            ):
                super().edit(place, uid, slot, day)
            return
        event = self._event(place, uid)
        if event is not None and slot in _OF_INSTANCES:
            self._edit_instance(place, uid, slot, event, day)
        elif event is not None and slot is not Slot.GUEST and (slot is not Slot.TIME or "recurrence" not in event):
            self._edit_whole(place, uid, slot, event)

    def _edit_whole(self, place: str, uid: str, slot: Slot, event: Mapping[str, Any]) -> None:
        word = self.word()
        self._note(uid, Deed("edit", place, slot, word))
        days = _days(START.date() + timedelta(days=self.number))
        times = days if "date" in event["start"] else _hour(START + timedelta(minutes=5 * self.number))
        fields = {Slot.TITLE: {"summary": word}, Slot.PLACE: {"location": word}, Slot.TIME: times}
        self.page(place).edit(self._seen_of(place, event), fields[slot])

    def _seen_of(self, place: str, event: Mapping[str, Any]) -> str:
        """The id of what people see of an event: of one that stands in for a series elsewhere, its only instance."""
        if marks.MASTERLESS not in marks.private(event):
            return str(event["id"])
        events = self.google.world.calendars[self.page(place).id].events.values()
        instances = (each.id for each in events if each.series == event["id"] and not each.cancelled)
        return next(instances, str(event["id"]))

    def _edit_instance(self, place: str, uid: str, slot: Slot, event: Mapping[str, Any], day: int) -> None:
        starts = self._starts_there(place, uid)
        if "recurrence" not in event or len(starts) < FEWEST:
            return
        word, start = self.word(), starts[day % len(starts)]
        self._note(uid, Deed("edit", place, slot, word))
        instance = instance_id(event, start)
        if slot is Slot.CANCELLED:
            self.page(place).delete(instance)
        else:
            later = _hour(start + timedelta(minutes=5 * (1 + self.number % 100)))
            self.page(place).edit(instance, later if slot is Slot.MOVED else {"summary": word})

    def split(self, place: str, uid: str, day: int) -> None:
        """Somebody changes this and the following instances at Google's page."""
        later = self._later_instance(place, uid, day)
        if later is not None and len(self.objects(place)) < MOST:
            word = self.word()
            self._note(uid, Deed("put", place, "split"))
            # The same series may be cut there a second time, when the first cut was undone.
            fresh = self.google.world.new_id()
            _, second = self.page(place).split(later, id=fresh, summary=word, description=f"made {word}")
            self._note_native(place, second, word)

    def cut(self, place: str, uid: str, day: int) -> None:
        """Somebody deletes this and the following instances at Google's page."""
        later = self._later_instance(place, uid, day)
        if later is not None:
            self._note(uid, Deed("put", place, "cut"))
            self.page(place).cut(later)

    def shift(self, place: str, uid: str) -> None:
        """Somebody moves a whole series by a day, with which whatever was changed of an instance may go."""
        old, event = self.find(place, uid), None if place in HERE else self._event(place, uid)
        if old is None or not is_in_utc(old) or b"RRULE:FREQ=DAILY;COUNT=" not in old.raw:
            return
        if place in HERE:
            self._note(uid, Deed("put", place, "shift"))
            self._write(place, uid, shifted(old))
        elif event is not None:
            self._note(uid, Deed("put", place, "shift"))
            start = datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC)
            self.page(place).edit(event["id"], **_hour(start + _DAY))

    def decorate(self, place: str, uid: str, which: int) -> None:
        """Somebody changes what hardly anything but Google knows."""
        event = self._event(place, uid)
        if event is not None:
            self._note(uid, Deed("decorate", place))
            self.page(place).edit(event["id"], DECORATIONS[which % len(DECORATIONS)])

    def go_on(self, place: str, uid: str, going_on: GoingOn, day: int) -> None:
        """Somebody at Google's page goes on with an appointment, where it is there."""
        match going_on:
            case GoingOn.RENAME:
                self.edit(place, uid, Slot.TITLE, day)
            case GoingOn.CANCEL:
                self.edit(place, uid, Slot.CANCELLED, day)
            case GoingOn.DELETE:
                self.delete(place, uid)
            case GoingOn.SHIFT:
                self.shift(place, uid)
            case GoingOn.CUT:
                self.cut(place, uid, day)
            case GoingOn.SPLIT:
                self.split(place, uid, day)
            case GoingOn.DECORATE:
                self.decorate(place, uid, day)

    def rename(self, place: str, uid: str) -> None:
        """Google gives an event no other id."""

    # What there is.

    def page(self, place: str) -> ByHand:
        """The calendar of a place as somebody at Google's page has it."""
        remote = self.remote(place)
        assert isinstance(remote, GoogleRemote)
        return remote.page

    @staticmethod
    def starts(obj: CalendarObject) -> list[datetime]:
        """The original starts of all instances, as instants."""
        found = expand(obj, FIRST, LAST, zone=AMSTERDAM, limit=1000)
        named = (each.recurrence_id for each in found)
        return sorted(each.wall.replace(tzinfo=each.zone).astimezone(UTC) for each in named if isinstance(each, Zoned))

    def _starts_there(self, place: str, uid: str) -> list[datetime]:
        return self.starts(self.objects(place)[uid])

    def _event(self, place: str, uid: str) -> Mapping[str, Any] | None:
        """The single event or the master; None where there is none."""
        remote_id = self.remote_id(place, uid)
        if remote_id is None or remote_id.endswith("~"):
            return None
        return self.page(place).get(remote_id)

    def _later_instance(self, place: str, uid: str, day: int) -> str | None:
        """The id of an instance that is not the first one; None where there is none."""
        event = self._event(place, uid)
        if event is None or "recurrence" not in event:
            return None
        later = self._starts_there(place, uid)[1:]
        return instance_id(event, later[day % len(later)]) if later else None

    def _note_native(self, place: str, event: Mapping[str, Any], word: str) -> None:
        uid = event["iCalUID"]
        self.uids.append(uid)
        self._note(uid, Deed("put", place, Slot.TITLE, word))


def instance_id(master: Mapping[str, Any], start: datetime) -> str:
    """The id of the instance of an original start."""
    return f"{master['id']}_{start:%Y%m%dT%H%M%SZ}"


def made(kind: Kind, word: str, *, start: datetime = START) -> dict[str, Any]:
    """What somebody makes at Google's page."""
    body = {"summary": word, "description": f"made {word}"}
    match kind:
        case Kind.SINGLE:
            return body | _hour(start)
        case Kind.SERIES:
            return body | _hour(start) | {"recurrence": [f"RRULE:FREQ=DAILY;COUNT={DAYS}"]}
        case Kind.ALL_DAY:
            return body | _days(start.date())


def is_in_utc(obj: CalendarObject) -> bool:
    """Whether an object has a master, and its times stand in UTC."""
    master = read(obj).parts.get(MASTER)
    return master is not None and master.named("DTSTART")[0].value.endswith("Z")


def shifted(obj: CalendarObject) -> CalendarObject:
    """A series in UTC that takes place a day later, without its overrides, as some clients leave it."""
    content = read(obj)
    master = content.parts[MASTER]
    moved = {name: f"{each + _DAY:%Y%m%dT%H%M%SZ}" for name, each in _times(master).items()}
    lines = [content_line(each.name, moved[each.name]) if each.name in moved else each for each in master.content]
    kept = tuple(line for line in lines if line.name not in {"EXDATE", "RDATE"})
    return parse(write(replace(content, parts={MASTER: replace(master, content=kept)})))


def _times(master: Part) -> dict[str, datetime]:
    lines = {name: master.named(name)[0].value for name in ("DTSTART", "DTEND")}
    return {name: datetime.strptime(f"{text}+0000", "%Y%m%dT%H%M%SZ%z") for name, text in lines.items()}


def _hour(start: datetime) -> dict[str, Any]:
    return {"start": _at(start), "end": _at(start + HOUR)}


def _at(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.isoformat(), "timeZone": str(moment.tzinfo)}


def _days(first: date) -> dict[str, Any]:
    return {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=1)).isoformat()}}
