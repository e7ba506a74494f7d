"""A subscriber fetches a feed: what it is told, what it is spared, and what it may not see."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import icalendar
import pytest

from bridge import config
from bridge.core import ics
from bridge.feed.url import FeedTokens
from bridge.feed.views import FeedView
from bridge.store import calendar_object, collection, feed_record
from bridge.store.collection import Address, Kind
from bridge.store.database import Database
from bridge.store.journal import Author
from bridge.store.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.config import Configuration

YAML = """
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {kind: employee, name: Anna de Vries}
      room-1: {kind: location, name: Room 1}
feeds:
  anna: {of: salon/anna}
  short: {of: salon/anna, past: 1d, future: 1d}
  salon: {of: salon}
  salon-busy: {of: salon, detail: busy}
"""
ANNA, ROOM = Address(Kind.RESOURCE, "salon", "anna"), Address(Kind.RESOURCE, "salon", "room-1")
AUTHOR = Author("user:anna")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Subscriber:
    """A feed face over a store of its own, with a clock that stands until it is moved."""

    def __init__(self, configuration: Configuration, database: Database) -> None:
        self.configuration = configuration
        self.database = database
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        self.tokens = FeedTokens(b"k" * 32)
        self.view = FeedView(
            database,
            pulse=Pulse(database),
            configuration=lambda: self.configuration,
            tokens=self.tokens,
            clock=lambda: self.now,
        )

    def path(self, name: str, generation: int = 0) -> str:
        return self.tokens.path(name, generation)

    def fetch(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        started: list[Any] = []
        body = b"".join(self.view(environ, lambda *args: started.extend(args)))
        return Answer(int(started[0][:3]), dict(started[1]), body)

    def put(self, raw: bytes, *places: Address, href: str = "x.ics") -> None:
        zone = self.configuration.accounts["salon"].time_zone
        new = ics.parse(raw, zone=zone, max_instances=10_000)
        with self.database.writing() as tx:
            ids = [collection.get(tx, place).id for place in places]
            for each in ids:
                calendar_object.put(tx, each, href, new, author=AUTHOR, joinable=ids)


@pytest.fixture
def subscriber(tmp_path: Path) -> Iterator[Subscriber]:
    file = tmp_path / "bridge.yaml"
    file.write_text(YAML)
    clock_of: list[Subscriber] = []
    database = Database(
        f"sqlite:///{tmp_path / 'store.sqlite3'}",
        clock=lambda: clock_of[0].now if clock_of else datetime(2026, 11, 20, tzinfo=UTC),
    )
    database.migrate()
    with database.writing() as tx:
        collection.create(tx, ANNA)
        collection.create(tx, ROOM)
    made = Subscriber(config.load(file, environ={}), database)
    clock_of.append(made)
    yield made
    database.close()


def event(uid: str = "a", *, day: str = "20261123", title: str = "Cut", extra: str = "") -> bytes:
    lines = f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Amsterdam:{day}T090000
DTEND;TZID=Europe/Amsterdam:{day}T093000
SUMMARY:{title}
{extra}END:VEVENT
END:VCALENDAR
"""
    return lines.replace("\n", "\r\n").encode()


def titles(answer: Answer) -> list[str]:
    calendar = icalendar.Calendar.from_ical(answer.body)
    return sorted(str(each["SUMMARY"]) for each in calendar.walk("VEVENT"))


def test_the_first_fetch_shows_everything_in_the_window_also_what_was_booked_before(subscriber: Subscriber) -> None:
    subscriber.put(event("a", title="Cut"), ANNA, href="a.ics")
    subscriber.put(event("b", day="20261120", title="Dye"), ANNA, href="b.ics")
    subscriber.put(event("c", day="20301120", title="Far away"), ANNA, href="c.ics")
    answer = subscriber.fetch(subscriber.path("anna"))
    assert answer.status == 200
    assert titles(answer) == ["Cut", "Dye"]
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(answer.body))


def test_an_unchanged_feed_is_not_sent_again(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA)
    first = subscriber.fetch(subscriber.path("anna"))
    subscriber.now += timedelta(hours=3)
    again = subscriber.fetch(subscriber.path("anna"), if_none_match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    by_date = subscriber.fetch(subscriber.path("anna"), if_modified_since=first.headers["Last-Modified"])
    assert by_date.status == 304


def test_an_edit_is_in_the_very_next_answer(subscriber: Subscriber) -> None:
    subscriber.put(event(title="Cut"), ANNA)
    first = subscriber.fetch(subscriber.path("anna"))
    subscriber.now += timedelta(seconds=1)
    subscriber.put(event(title="Dye"), ANNA)
    second = subscriber.fetch(subscriber.path("anna"), if_none_match=first.headers["ETag"])
    assert (second.status, titles(second)) == (200, ["Dye"])
    assert second.headers["ETag"] != first.headers["ETag"]


def test_a_change_of_another_resource_does_not_change_the_feed(subscriber: Subscriber) -> None:
    subscriber.put(event("a"), ANNA)
    first = subscriber.fetch(subscriber.path("anna"))
    subscriber.put(event("b"), ROOM)
    assert subscriber.fetch(subscriber.path("anna"), if_none_match=first.headers["ETag"]).status == 304


def test_midnight_moves_the_window_and_renews_the_feed(subscriber: Subscriber) -> None:
    subscriber.put(event("a", day="20261123"), ANNA)
    before = subscriber.fetch(subscriber.path("short"))
    assert titles(before) == []
    subscriber.now += timedelta(days=1)
    after = subscriber.fetch(
        subscriber.path("short"),
        if_none_match=before.headers["ETag"],
        if_modified_since=before.headers["Last-Modified"],
    )
    assert (after.status, titles(after)) == (200, ["Cut"])
    assert after.headers["Last-Modified"] != before.headers["Last-Modified"]


def test_a_changed_setting_renews_the_feed(subscriber: Subscriber, tmp_path: Path) -> None:
    subscriber.put(event(title="Cut"), ANNA)
    first = subscriber.fetch(subscriber.path("anna"))
    file = tmp_path / "other.yaml"
    file.write_text(YAML.replace("anna: {of: salon/anna}", "anna: {of: salon/anna, detail: busy}"))
    subscriber.configuration = config.load(file, environ={})
    second = subscriber.fetch(subscriber.path("anna"), if_none_match=first.headers["ETag"])
    assert second.status == 200
    assert b"Cut" not in second.body


@pytest.mark.parametrize(
    "path",
    [
        "/feed/",
        "/feed/x",
        "/feed/wrong/anna.ics",
        "/feed/{anna}/salon.ics",
        "/feed/{anna}/nothing.ics",
        "/feed/{anna}/anna",
        "/feed/{anna}/anna.txt",
        "/feed/{anna}é/anna.ics",
        "/feed/{anna}/anna.ics/more",
        "/feed//anna.ics",
    ],
)
def test_a_wrong_address_is_not_found_whatever_is_wrong_about_it(subscriber: Subscriber, path: str) -> None:
    token = subscriber.tokens.token("anna", 0)
    answer = subscriber.fetch(path.replace("{anna}", token))
    assert answer.status == 404
    assert b"There is no such feed" in answer.body


def test_rotating_a_feed_kills_the_old_address_at_once(subscriber: Subscriber) -> None:
    old = subscriber.path("anna")
    assert subscriber.fetch(old).status == 200
    with subscriber.database.writing() as tx:
        generation = feed_record.rotate(tx, "anna")
    assert subscriber.fetch(old).status == 404
    assert subscriber.fetch(subscriber.path("anna", generation)).status == 200
    assert subscriber.fetch(subscriber.path("salon")).status == 200


def test_an_appointment_of_two_resources_stands_once_in_the_feed_of_the_account(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA, ROOM)
    assert titles(subscriber.fetch(subscriber.path("salon"))) == ["Cut"]


def test_busy_times_say_nothing_but_when(subscriber: Subscriber) -> None:
    subscriber.put(event("private@doctor.example", title="Root canal", extra="LOCATION:Dentist\r\n"), ANNA)
    body = subscriber.fetch(subscriber.path("salon-busy")).body
    assert b"20261123T090000" in body
    for secret in (b"Root", b"Dentist", b"doctor"):
        assert secret not in body


def test_the_ending_ifb_gives_free_busy_times(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA)
    answer = subscriber.fetch(subscriber.path("salon-busy").replace(".ics", ".ifb"))
    (free_busy,) = icalendar.Calendar.from_ical(answer.body).walk("VFREEBUSY")
    assert free_busy["FREEBUSY"].to_ical() == b"20261123T080000Z/20261123T083000Z"
    again = subscriber.fetch(
        subscriber.path("salon-busy").replace(".ics", ".ifb"), if_none_match=answer.headers["ETag"]
    )
    assert again.status == 304


def test_a_client_that_asks_for_gzip_gets_the_same_packed_and_outlook_gets_it_plain(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA)
    path = subscriber.path("anna")
    plain = subscriber.fetch(path)
    packed = subscriber.fetch(path, accept_encoding="gzip, deflate", user_agent="Thunderbird/128")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert subscriber.fetch(path, accept_encoding="gzip", if_none_match=packed.headers["ETag"]).status == 304
    outlook = subscriber.fetch(
        path, accept_encoding="gzip", user_agent="Microsoft Office/16.0 (Microsoft Outlook 16.0)"
    )
    assert "Content-Encoding" not in outlook.headers
    assert outlook.body == plain.body


def test_head_tells_the_length_and_sends_nothing(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA)
    whole = subscriber.fetch(subscriber.path("anna"))
    head = subscriber.fetch(subscriber.path("anna"), method="HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)


def test_a_feed_can_only_be_read(subscriber: Subscriber) -> None:
    answer = subscriber.fetch(subscriber.path("anna"), method="PUT")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_last_modified_never_goes_back(subscriber: Subscriber) -> None:
    stamps = []
    for hours in (0, 5, 20, 24, 49):
        subscriber.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC) + timedelta(hours=hours)
        if hours == 20:
            subscriber.put(event(), ANNA)
        stamp = subscriber.fetch(subscriber.path("anna")).headers["Last-Modified"]
        stamps.append(datetime.strptime(stamp, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC))
        assert stamps[-1] <= subscriber.now
    assert stamps == sorted(stamps)


def test_the_last_fetch_of_each_kind_of_client_is_remembered(subscriber: Subscriber) -> None:
    path = subscriber.path("anna")
    for minutes, agent in (
        (0, "Google-Calendar-Importer"),
        (1, "iOS/17.0 dataaccessd/1.0"),
        (480, "Google-Calendar-Importer"),
    ):
        subscriber.now = datetime(2026, 11, 21, 4, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        subscriber.fetch(path, user_agent=agent)
        subscriber.fetch(path, user_agent=agent)
    with subscriber.database.reading() as tx:
        known = {each.client: each for each in feed_record.fetches(tx, "anna")}
    assert known["Google Calendar"].count == 2
    assert known["Google Calendar"].interval == timedelta(minutes=480)
    assert known["Apple Calendar"].interval is None


def test_a_feed_is_read_also_while_the_database_cannot_be_written(subscriber: Subscriber) -> None:
    subscriber.put(event(), ANNA)
    with subscriber.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.rollback()
        connection.detach()
    with subscriber.database.writing() as tx:
        tx.connection.exec_driver_sql("PRAGMA query_only = ON")
    try:
        assert titles(subscriber.fetch(subscriber.path("anna"))) == ["Cut"]
    finally:
        subscriber.database.close()
