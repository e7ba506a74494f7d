"""The fake Google Calendar as a test holds it.

::

    with fake_google(clock=clock) as google:
        google.add_user("anna@example.org", zone="Europe/Amsterdam")
        calendar = google.calendar("anna@example.org")  # what Anna does by hand at Google's own page
        made = calendar.put({"summary": "Haircut", "start": ..., "end": ...})
        service = build("calendar", "v3", http=google.http("anna@example.org"))  # without a socket
        ...  # or, over a socket: google.api is the address, google.token("anna@example.org") a token

Nothing here knows the bridge. What each behaviour follows stands in BEHAVIOUR.md.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.google import recurring, series
from tests.fakes.google.api import BASE, Answered, Api, Asked, Caller
from tests.fakes.google.refusal import Refused
from tests.fakes.google.showing import show
from tests.fakes.google.state import Role, World
from tests.fakes.google.times import read_when
from tests.fakes.google.transport import Http, Lost, make_app, served
from tests.fakes.google.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.fakes.google.api import Recorded
    from tests.fakes.google.state import Event, Person
    from tests.fakes.google.times import When

    Go = Callable[[Asked], Answered]
    Fault = Callable[[Asked, Go], Answered]

ALL_SCOPES = frozenset({"https://www.googleapis.com/auth/calendar"})


def refuse(reason: str, message: str = "") -> Fault:
    """Refuses in place of doing what is asked, as Google words it."""

    def done(_asked: Asked, _go: Go) -> Answered:
        refused = Refused(reason, message)
        return Answered(refused.status, {"Content-Type": "application/json; charset=UTF-8"}, refused.body())

    return done


def lose_answer() -> Fault:
    """Does what is asked, and ends the connection."""

    def done(asked: Asked, go: Go) -> Answered:
        go(asked)
        raise Lost

    return done


def lose_request() -> Fault:
    """Ends the connection before anything is done."""

    def done(_asked: Asked, _go: Go) -> Answered:
        raise Lost

    return done


def first(what: Callable[[], object]) -> Fault:
    """Does something else before: what another person does just in time."""

    def done(asked: Asked, go: Go) -> Answered:
        what()
        return go(asked)

    return done


def after(what: Callable[[], object]) -> Fault:
    """Does something else before the answer is out."""

    def done(asked: Asked, go: Go) -> Answered:
        answered = go(asked)
        what()
        return answered

    return done


@dataclass(slots=True)
class _Script:
    fault: Fault
    when: Callable[[Asked], bool]
    times: int | None


def call_of(method: str, part: str = "") -> Callable[[Asked], bool]:
    """Whether a request is of this HTTP method, and has this in its path."""
    return lambda asked: asked.method == method and part in asked.path


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


class FakeGoogle:
    """The fake with everything that a test sets, sees and breaks.

    Attributes:
        port: Of the server; 0 where there is none.
        world: What Google keeps.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.world = World(clock or (lambda: datetime.now(UTC)))
        self.tokens: dict[str, Caller] = {}
        self._api = Api(self.world, self._who)
        self.port = 0
        self._scripts: list[_Script] = []
        self.app = make_app(self.answer)

    @property
    def host(self) -> str:
        """The address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """The address of the interface, for `client_options.api_endpoint`."""
        return self.host + BASE

    @property
    def requests(self) -> list[Recorded]:
        """Every request to the interface since the beginning."""
        return self._api.requests

    @property
    def misuses(self) -> list[str]:
        """Every unknown parameter and field that was sent."""
        return self._api.misuses

    @property
    def quota(self) -> Any:
        """How many requests are taken in a minute."""
        return self._api.quota

    @property
    def pages(self) -> Any:
        """How listings are cut: `google.pages.most = 3`, `google.pages.odd = 1`."""
        return self._api.pages

    def add_user(self, email: str, *, name: str = "", zone: str = "UTC", workspace: str = "") -> Person:
        """A user with a primary calendar in this time zone."""
        with self.world.lock:
            return self.world.add_person(email, name=name, zone=zone, workspace=workspace)

    def add_calendar(self, owner: str, calendar_id: str, summary: str = "", *, zone: str = "UTC") -> ByHand:
        """A secondary calendar."""
        with self.world.lock:
            self.world.add_calendar(owner, calendar_id, summary or calendar_id, zone=zone)
            return ByHand(self.world, owner, calendar_id)

    def calendar(self, user: str, calendar_id: str = "primary") -> ByHand:
        """A calendar as this user edits it by hand."""
        return ByHand(self.world, user, calendar_id)

    def token(self, user: str, *, scopes: frozenset[str] = ALL_SCOPES) -> str:
        """An access token that works for ever, without any consent."""
        token = f"ya29.{self.world.new_id(40)}"
        self.tokens[token] = Caller(user, scopes)
        return token

    def http(self, user: str = "") -> Http:
        """What the client library takes for `http`, within this process; without a user, it sends what it is given."""
        if not user:
            return Http(self.answer, self.app, None)
        token = self.token(user)
        return Http(self.answer, self.app, lambda: token)

    def answer(self, asked: Asked) -> Answered:
        """Answers as the interface, or as a script wants it."""
        for script in self._scripts:
            if script.times != 0 and script.when(asked):
                if script.times is not None:
                    script.times -= 1
                return script.fault(asked, self._api.answer)
        return self._api.answer(asked)

    def script(self, fault: Fault, *, when: Callable[[Asked], bool] = lambda _: True, times: int | None = 1) -> None:
        """Has a fault happen to the next requests that fit; `times=None`: to all of them."""
        self._scripts.append(_Script(fault, when, times))

    def behave(self) -> None:
        """Forgets every script."""
        self._scripts.clear()

    def forget(self) -> None:
        """Forgets the requests so far."""
        self._api.requests.clear()

    def expire_sync_tokens(self) -> None:
        """Every sync token so far is answered with 410."""
        with self.world.lock:
            for calendar in self.world.calendars.values():
                calendar.number += 1
                calendar.floor = calendar.number

    def purge(self) -> None:
        """Forgets deleted events altogether, as Google does after a while."""
        with self.world.lock:
            self.expire_sync_tokens()
            for calendar in self.world.calendars.values():
                for event in [each for each in calendar.events.values() if each.cancelled]:
                    if event.lost or not event.series:
                        self.world.drop(calendar, event)

    def _who(self, token: str) -> Caller | None:
        return self.tokens.get(token)


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


@contextmanager
def fake_google(
    *, clock: Callable[[], datetime] | None = None, serve: bool = True, port: int = 0
) -> Iterator[FakeGoogle]:
    """A fake of its own, with a server on loopback.

    Args:
        clock: Tells the time, in UTC; without one, the system's.
        serve: False: it is only asked within this process.
        port: 0: any that is free.
    """
    google = FakeGoogle(clock)
    with ExitStack() as stack:
        if serve:
            google.port = stack.enter_context(served(google.app, port))
        yield google
