"""The small world of the sync machine with Google Calendar at the other end of every rule: the adapter on the fake.

What is known of Google is looked at as a person sees it there, in the grid, besides what the adapter reads.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bridge.config import Server
from bridge.core.content import MASTER, read, write
from bridge.core.content import made as content_line
from bridge.core.recurrence import expand
from bridge.core.temporal import AllDay, Zoned
from bridge.sync.declaring import declare
from bridge.sync.views import Views
from bridge.upstream.google.mapping import marks
from tests.fakes.google.channels import Mishap
from tests.fakes.google.fake import FakeGoogle
from tests.fakes.google.listing import Pages
from tests.fakes.google.refusal import Refused
from tests.laws.google_line import GoogleRemote
from tests.laws.sync_edits import DAYS, Kind, Slot, bare
from tests.laws.sync_world import HERE, NO_GUARD, RULES, THERE, Deed, World
from tests.store.appointments import AMSTERDAM, parse
from tests.sync.appointments import HOUR, START
from tests.sync.desk import SECRET, SyncDesk
from tests.sync.stage import Stage
from tests.upstream.google.google_answers import there_and_back
from tests.web.notifying import CHANNELS, Door

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from bridge.config import Configuration
    from bridge.core.content import Part
    from bridge.core.model import CalendarObject
    from bridge.sync.assigning import Office
    from bridge.upstream.protocol import Upstream
    from tests.fakes.google.by_hand import ByHand

OWNERS = {"full": "anna@example.org", "next": "anna@example.org", "weak": "boss@example.org"}
"""Whose calendar it is: two are Anna's, one is somebody else's."""

MOST = 6
"""So many appointments in a calendar are enough."""

DECORATIONS: tuple[dict[str, Any], ...] = (
    {"colorId": "5"},
    {"visibility": "private"},
    {"transparency": "transparent"},
    {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 15}]}},
    {"reminders": {"useDefault": False, "overrides": []}},
    {"reminders": {"useDefault": True}},
)
"""What somebody changes besides."""

HTTPS = "https://cal.example.org"
_FIRST, _LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SHOWN = ("summary", "description", "location", "start", "end", "recurrence", "extendedProperties")

Seen = tuple[object, object, str, str]


@dataclass
class GoogleDesk(SyncDesk):
    """Rules to calendars at Google, which tells of changes where it is heard.

    Attributes:
        google: Google.
        secret: The key of the installation.
    """

    google: FakeGoogle = field(kw_only=True)
    secret: bytes = SECRET

    def __post_init__(self) -> None:
        self.door = Door(self.database)

    def reload(self) -> None:
        declare(self.database, self.configuration(), secret=self.secret)

    def google_remote(self, key: str, user: str) -> GoogleRemote:
        """A calendar of a user, made where it is not there yet."""
        if user not in self.google.world.people:
            self.google.add_user(user, zone=str(AMSTERDAM))
        self.google.add_calendar(user, calendar_id(key), "Shelf", zone=str(AMSTERDAM))
        return self.google_visit(key, user)

    def google_visit(self, key: str, user: str) -> GoogleRemote:
        """A calendar that stands there already."""
        made = GoogleRemote.of(self.google, key, user, calendar_id(key))
        self.remotes[key] = made
        return made

    def google_event(self, uid: str, key: str = "shelf") -> dict[str, Any]:
        """What stands at Google for an object of ours."""
        remote = self.remotes[key]
        assert isinstance(remote, GoogleRemote)
        return remote.page.get(remote.id_of(uid))

    @staticmethod
    def settings(resource: str, remote: str, **options: Any) -> dict[str, Any]:
        return SyncDesk.settings(resource, remote, **options) | {"calendar": calendar_id(remote)}

    def rest(self) -> None:
        super().rest()
        while any(self.rule_now(key).failures for key in self.by_key):
            # A rule that was refused often is left alone for longer than a round of passes.
            self.wait(timedelta(hours=1))
            super().rest()

    def configuration(self) -> Configuration:
        return super().configuration().model_copy(update={"server": Server(public_url=HTTPS)})

    def office(self) -> Office:
        def connect(key: str, parse_: Callable[[bytes], CalendarObject], zone: tzinfo) -> Upstream:
            remote = self.remotes[key]
            assert isinstance(remote, GoogleRemote)
            return remote.connect(parse_, zone)

        return replace(super().office(), connect=connect, channels=CHANNELS)


def calendar_id(key: str) -> str:
    """The id of the calendar that a remote of this key is."""
    return f"{key}@group.calendar.google.com"


def new_google(clock: Callable[[], datetime]) -> FakeGoogle:
    """A Google that waits with its notifications until somebody delivers them."""
    google = FakeGoogle(clock)
    google.channels.mishaps = _Held()
    return google


class _Held(deque[Mishap]):
    """Holds every message back."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Mishap:
        return Mishap.HELD


@dataclass
class GoogleWorld(World):
    """Two resources and three calendars at Google, a rule between each pair; made by `open_google_world`."""

    google: FakeGoogle = field(kw_only=True)

    # People.

    def put_new(self, place: str, uid: str, kind: Kind = Kind.SINGLE) -> None:
        if place in HERE:
            super().put_new(place, uid, kind)
        elif self.find(place, uid) is None:
            word = self.word()
            self._note(uid, Deed("put", place, Slot.TITLE, word))
            self.page(place).import_({"iCalUID": uid, **made(kind, word)})

    def put_native(self, place: str, kind: Kind) -> None:
        """Somebody makes an appointment at Google's page, which gives it a UID of its own."""
        if len(self.objects(place)) < MOST:
            word = self.word()
            self._note_native(place, self.page(place).put(made(kind, word)), word)

    def copy(self, place: str, uid: str) -> None:
        """Somebody duplicates an appointment at Google's page, and calls it something else."""
        event = self._event(place, uid)
        if event is None or len(self.objects(place)) >= MOST:
            return
        word = self.word()
        body = {name: event[name] for name in _SHOWN if name in event}
        copied = self.page(place).put({**body, "summary": word, "description": f"made {word}"})
        self._note_native(place, copied, word)

    def split(self, place: str, uid: str, day: int) -> None:
        """Somebody changes this and the following instances at Google's page."""
        event = self._event(place, uid)
        if event is None or not self._recurs(place, uid) or len(self.objects(place)) >= MOST:
            return
        stamp = self._instance(place, uid, 1 + day % (DAYS - 1))
        starts = sorted(self.starts(self.objects(place)[uid]))
        if stamp is None or START + timedelta(days=1 + day % (DAYS - 1)) == starts[0]:
            return
        word = self.word()
        self._note(uid, Deed("put", place, "split"))
        _, second = self.page(place).split(stamp, summary=word, description=f"made {word}")
        self._note_native(place, second, word)

    def cut(self, place: str, uid: str, day: int) -> None:
        """Somebody deletes this and the following instances at Google's page."""
        stamp = self._instance(place, uid, 1 + day % (DAYS - 1))
        if stamp is None or START + timedelta(days=1 + day % (DAYS - 1)) <= min(self.starts(self.objects(place)[uid])):
            return
        self._note(uid, Deed("put", place, "cut"))
        self.page(place).cut(stamp)

    def shift(self, place: str, uid: str) -> None:
        """Somebody moves a whole series by a day, with which whatever was changed of an instance may go."""
        old = self.find(place, uid)
        if old is None or not old.recurring:
            return
        if place in HERE:
            master = read(old).parts.get(MASTER)
            if master is None:
                return
            moved = {name: f"{each + _DAY:%Y%m%dT%H%M%SZ}" for name, each in _times(master).items()}
            lines = [content_line(line.name, moved.get(line.name, line.value)) for line in master.content]
            kept = tuple(line for line in lines if line.name not in {"EXDATE", "RDATE"})
            content = read(old)
            new = parse(write(replace(content, parts={MASTER: replace(master, content=kept)})))
            self._note(uid, Deed("put", place, "shift"))
            self._write(place, uid, new)
            return
        event = self._event(place, uid)
        if event is not None:
            self._note(uid, Deed("put", place, "shift"))
            start = datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC)
            self.page(place).edit(event["id"], **_hour(start + _DAY))

    def decorate(self, place: str, uid: str, which: int) -> None:
        """Somebody changes what hardly anything but Google knows."""
        event = self._event(place, uid)
        if event is not None:
            self._note(uid, Deed("decorate", place))
            self.page(place).edit(event["id"], DECORATIONS[which % len(DECORATIONS)])

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
        if len(self.objects(place)) >= MOST:
            return
        word = self.word()
        body = {"summary": word, "description": f"made {word}", **_hour(START + HOUR)}
        self._note_native(place, self.page(place).orphan(f"{word}elsewhere", _at(START), body), word)

    def edit(self, place: str, uid: str, slot: Slot, day: int = 1) -> None:
        old = self.find(place, uid)
        if old is None:
            return
        if slot in {Slot.INSTANCE, Slot.MOVED, Slot.CANCELLED}:
            starts = self.starts(old)
            named = START + timedelta(days=day % DAYS)
            if not old.recurring or named not in starts or (slot is Slot.CANCELLED and len(starts) == 1):
                return
        if place in HERE:
            super().edit(place, uid, slot, day)
        else:
            self._edit_there(place, uid, slot, day)

    def _edit_there(self, place: str, uid: str, slot: Slot, day: int) -> None:
        page, event = self.page(place), self._event(place, uid)
        if event is None or slot is Slot.GUEST or (slot is Slot.TIME and "recurrence" in event):
            return
        word = self.word()
        self._note(uid, Deed("edit", place, slot, word))
        number, instance = self.number, self._instance(place, uid, day)
        match slot:
            case Slot.TITLE:
                page.edit(event["id"], summary=word)
            case Slot.PLACE:
                page.edit(event["id"], location=word)
            case Slot.TIME if "date" in event["start"]:
                page.edit(event["id"], **_days(START.date() + timedelta(days=number)))
            case Slot.TIME:
                page.edit(event["id"], **_hour(START + timedelta(minutes=5 * number)))
            case Slot.INSTANCE if instance is not None:
                page.edit(instance, summary=word)
            case Slot.MOVED if instance is not None:
                at = START + timedelta(days=day % DAYS, minutes=5 * (1 + number % 100))
                page.edit(instance, **_hour(at))
            case Slot.CANCELLED if instance is not None:
                page.delete(instance)

    def rename(self, place: str, uid: str) -> None:
        """Google gives an event no other id."""

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

    def _check_equal(self, key: str, resource: str, remote: str) -> None:
        self.check_rule(key, resource, remote)

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
            assert bare(there_and_back(shown)) == bare(there_and_back(there)), told
            assert instances(here) == grid[name], told

    # What there is.

    @property
    def _desk(self) -> GoogleDesk:
        assert isinstance(self.desk, GoogleDesk)
        return self.desk

    def page(self, place: str) -> Any:
        """The calendar of a place as somebody at Google's page has it."""
        remote = self.remote(place)
        assert isinstance(remote, GoogleRemote)
        return remote.page

    @staticmethod
    def starts(obj: CalendarObject) -> set[datetime]:
        """The original starts of all instances, as instants."""
        found = expand(obj, _FIRST, _LAST, zone=AMSTERDAM, limit=1000)
        named = (each.recurrence_id for each in found)
        return {each.wall.replace(tzinfo=each.zone).astimezone(UTC) for each in named if isinstance(each, Zoned)}

    def _event(self, place: str, uid: str) -> Mapping[str, Any] | None:
        remote_id = self.remote_id(place, uid)
        if remote_id is None or remote_id.endswith("~"):
            return None
        found: Mapping[str, Any] = self.page(place).get(remote_id)
        return found

    def _recurs(self, place: str, uid: str) -> bool:
        return self.objects(place)[uid].recurring

    def _instance(self, place: str, uid: str, day: int) -> str | None:
        """The id of the instance of a day, unless it is cancelled or none."""
        name = f"{self.remote_id(place, uid)}_{START + timedelta(days=day % DAYS):%Y%m%dT%H%M%SZ}"
        try:
            return None if self.page(place).get(name)["status"] == "cancelled" else name
        except Refused:
            return None

    def _note_native(self, place: str, event: Mapping[str, Any], word: str) -> None:
        uid = event["iCalUID"]
        self.uids.append(uid)
        self._note(uid, Deed("put", place, Slot.TITLE, word))


def _times(master: Part) -> dict[str, datetime]:
    lines = {name: master.named(name)[0].value for name in ("DTSTART", "DTEND")}
    return {name: datetime.strptime(f"{text}+0000", "%Y%m%dT%H%M%SZ%z") for name, text in lines.items()}


def made(kind: Kind, word: str) -> dict[str, Any]:
    """What somebody makes at Google's page."""
    body = {"summary": word, "description": f"made {word}"}
    match kind:
        case Kind.SINGLE:
            return body | _hour(START)
        case Kind.SERIES:
            return body | _hour(START) | {"recurrence": [f"RRULE:FREQ=DAILY;COUNT={DAYS}"]}
        case Kind.ALL_DAY:
            return body | _days(START.date())


def instances(obj: CalendarObject) -> list[Seen]:
    """What a person sees of an object in the grid."""
    seen: list[Seen] = []
    for each in expand(obj, _FIRST, _LAST, zone=AMSTERDAM, limit=1000):
        times = (each.start.day, each.end.day) if isinstance(each.start, AllDay) else (each.first, each.last)  # type: ignore[union-attr]
        seen.append((*times, str(each.component.get("SUMMARY", "")), str(each.component.get("LOCATION", ""))))
    return sorted(seen, key=str)


def seen_at(page: ByHand) -> dict[str, list[Seen]]:
    """What a person sees in the grid at Google, by the id of the event or of its series."""
    seen: dict[str, list[Seen]] = {}
    for each in page.between(_FIRST, _LAST):
        name = each.get("recurringEventId", each["id"])
        times = _moment(each["start"]), _moment(each["end"])
        seen.setdefault(name, []).append((*times, each.get("summary", ""), each.get("location", "")))
    return {name: sorted(found, key=str) for name, found in seen.items()}


def _moment(said: Mapping[str, str]) -> date:
    if "date" in said:
        return date.fromisoformat(said["date"])
    return datetime.fromisoformat(said["dateTime"]).astimezone(UTC)


def _hour(start: datetime) -> dict[str, Any]:
    return {"start": _at(start), "end": _at(start + HOUR)}


def _at(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.isoformat(), "timeZone": "UTC"}


def _days(first: date) -> dict[str, Any]:
    return {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=1)).isoformat()}}


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
