"""python-caldav finds the calendars by itself, and reads, writes, searches and syncs them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from caldav.davclient import DAVClient
from caldav.elements.dav import DisplayName
from caldav.lib import error

from tests.system.multistatus import parts, sentence
from tests.system.samples import event, propfind, todo
from tests.system.server import PASSWORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.server import Client, Server


def connected(server: Server, user: str) -> Any:
    """A client that knows nothing but the bare address, the user and the password."""
    return DAVClient(url=server.url, username=user, password=PASSWORDS[user])


@pytest.fixture
def principal(server: Server) -> Iterator[Any]:
    with connected(server, "demo") as client:
        yield client.principal()


@pytest.fixture
def own(principal: Any) -> Iterator[Any]:
    """A calendar of the user's own."""
    calendar = principal.make_calendar(name="Mine", cal_id=uuid.uuid4().hex)
    yield calendar
    calendar.delete()


def uids(found: list[Any]) -> set[str]:
    return {str(each.icalendar_component["UID"]) for each in found}


def test_the_bare_address_of_the_server_leads_to_the_calendars_with_their_names(principal: Any) -> None:
    names = {calendar.get_display_name() for calendar in principal.calendars()}
    assert {"Anna de Vries", "Room 1", "Laser & <Light>"} <= names
    assert "Bob Jansen" not in names


def test_a_user_of_the_whole_account_sees_every_resource_in_the_order_of_the_file(server: Server) -> None:
    with connected(server, "boss") as client:
        names = [calendar.get_display_name() for calendar in client.principal().calendars()]
    assert names == ["Anna de Vries", "Room 1", "Laser & <Light>", "Bob Jansen"]


def test_a_user_without_grants_has_an_empty_home(server: Server) -> None:
    with connected(server, "nobody") as client:
        assert client.principal().calendars() == []


def test_calendars_show_their_colour_order_and_whether_they_can_be_written(dav: Client) -> None:
    names = ("A:calendar-color", "A:calendar-order", "D:current-user-privilege-set")
    found = parts(dav("PROPFIND", "/dav/demo/", propfind(*names), {"Depth": "1"}))
    anna, laser = found["/dav/demo/salon.anna/"], found["/dav/demo/salon.laser/"]
    assert anna.text("A:calendar-color") == "#3367d6"
    assert anna.text("A:calendar-order") == "1"
    assert laser.text("A:calendar-order") == "3"
    assert "write-content" in anna.names_in("D:current-user-privilege-set")
    assert laser.names_in("D:current-user-privilege-set") == {"privilege", "read", "read-free-busy"}


def test_a_put_into_a_calendar_that_can_only_be_read_is_refused_with_a_sentence(dav: Client) -> None:
    refused = dav("PUT", "/dav/demo/salon.laser/x.ics", event("read-only"))
    assert refused.status == 403
    assert "can only be read" in sentence(refused)
    assert refused.xml().find("{DAV:}need-privileges") is not None
    assert dav("GET", "/dav/demo/salon.laser/x.ics").status == 404


def test_an_event_is_put_read_changed_and_deleted(own: Any) -> None:
    made = own.save_event(
        dtstart=datetime(2027, 1, 4, 9, tzinfo=UTC), dtend=datetime(2027, 1, 4, 10, tzinfo=UTC), summary="Cut"
    )
    found = own.event_by_uid(made.icalendar_component["UID"])
    assert str(found.icalendar_component["SUMMARY"]) == "Cut"
    found.icalendar_component["SUMMARY"] = "Cut and colour"
    found.save()
    assert [str(each.icalendar_component["SUMMARY"]) for each in own.events()] == ["Cut and colour"]
    found.delete()
    assert own.events() == []


def test_a_search_finds_what_touches_its_time_range_and_nothing_else(own: Any) -> None:
    own.save_event(event("before", "20270104T080000Z").decode())
    own.save_event(event("within", "20270105T080000Z").decode())
    own.save_event(event("series", "20270101T080000Z", lines="RRULE:FREQ=DAILY;COUNT=10\r\n").decode())
    own.save_event(event("ended", "20261201T080000Z", lines="RRULE:FREQ=DAILY;COUNT=10\r\n").decode())
    found = own.search(start=datetime(2027, 1, 5, tzinfo=UTC), end=datetime(2027, 1, 6, tzinfo=UTC), event=True)
    assert uids(found) == {"within", "series"}


def test_a_search_with_expansion_gives_one_event_for_each_instance(own: Any) -> None:
    own.save_event(event("series", "20270101T080000Z", lines="RRULE:FREQ=DAILY;COUNT=10\r\n").decode())
    found = own.search(
        start=datetime(2027, 1, 3, tzinfo=UTC), end=datetime(2027, 1, 6, tzinfo=UTC), event=True, server_expand=True
    )
    starts = sorted(component.start for each in found for component in each.icalendar_instance.walk("VEVENT"))
    # This client asks for a day more on both sides, and leaves the rest to its caller.
    assert starts == [datetime(2027, 1, day, 8, tzinfo=UTC) for day in (2, 3, 4, 5, 6)]


def test_tasks_are_listed_apart_from_events_and_vanish_when_done(own: Any) -> None:
    own.save_event(event("an-event").decode())
    own.save_todo(todo("a-task").decode())
    own.save_todo(todo("a-done-task", lines="STATUS:COMPLETED\r\nCOMPLETED:20260102T000000Z\r\n").decode())
    assert uids(own.todos()) == {"a-task"}
    assert uids(own.todos(include_completed=True)) == {"a-task", "a-done-task"}
    assert uids(own.events()) == {"an-event"}
    own.todos()[0].complete()
    assert own.todos() == []


def test_a_free_busy_query_gives_the_busy_times_and_no_titles(own: Any) -> None:
    own.save_event(event("busy", "20270104T090000Z").decode())
    own.save_event(event("free", "20270104T120000Z", lines="TRANSP:TRANSPARENT\r\n").decode())
    answer = own.freebusy_request(datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC))
    text = answer.data
    assert "20270104T090000Z/" in text
    assert "20270104T120000Z/" not in text
    assert "Haircut" not in text


def test_a_sync_token_brings_exactly_what_changed_since(own: Any) -> None:
    own.save_event(event("stays").decode())
    gone = own.save_event(event("goes").decode())
    known = own.objects_by_sync_token(load_objects=True)
    assert len(list(known)) == 2
    gone.delete()
    own.save_event(event("comes").decode())
    changed = own.objects_by_sync_token(sync_token=known.sync_token)
    hrefs = {str(each.url).rsplit("/", 1)[1] for each in changed}
    assert hrefs == {"goes.ics", "comes.ics"}
    assert list(own.objects_by_sync_token(sync_token=changed.sync_token)) == []


def test_an_own_calendar_is_made_renamed_and_deleted(principal: Any) -> None:
    made = principal.make_calendar(name="Holidays", cal_id=uuid.uuid4().hex)
    assert made.get_display_name() == "Holidays"
    made.set_properties([DisplayName("Days off")])
    assert "Days off" in {calendar.get_display_name() for calendar in principal.calendars()}
    made.delete()
    assert "Days off" not in {calendar.get_display_name() for calendar in principal.calendars()}


def test_a_user_without_the_right_to_make_calendars_is_told_so(server: Server) -> None:
    refused = server.client("boss")("MKCALENDAR", "/dav/boss/mine/")
    assert refused.status == 403
    assert "personal_calendars" in sentence(refused)
    with (
        connected(server, "boss") as client,
        pytest.raises(error.AuthorizationError),
    ):
        client.principal().make_calendar(name="Mine", cal_id="mine")


@pytest.mark.parametrize("resource", ["salon.anna", "salon.laser"])
def test_the_calendar_of_a_resource_cannot_be_made_moved_or_deleted(dav: Client, resource: str) -> None:
    path = f"/dav/demo/{resource}/"
    assert dav("MKCALENDAR", path).status in {403, 405, 409}
    assert dav("MKCOL", path).status in {403, 405, 409}
    assert dav("MOVE", path, headers={"Destination": "/dav/demo/other/"}).status == 403
    refused = dav("DELETE", path)
    assert refused.status == 403
    assert sentence(refused)
    assert parts(dav("PROPFIND", path, propfind("D:displayname")))[path].text("D:displayname")


def test_nobody_takes_the_name_of_a_resource_that_they_are_not_granted(dav: Client) -> None:
    assert dav("MKCALENDAR", "/dav/demo/salon.bob/").status == 403


def test_a_new_name_of_a_resource_is_the_users_own(server: Server) -> None:
    path = "/dav/tina/salon.room-1/"
    with connected(server, "tina") as client:
        room = client.calendar(url=server.url.rstrip("/") + path)
        room.set_properties([DisplayName("My room")])
        assert room.get_display_name() == "My room"
    boss = server.client("boss")
    seen = parts(boss("PROPFIND", "/dav/boss/salon.room-1/", propfind("D:displayname")))
    assert seen["/dav/boss/salon.room-1/"].text("D:displayname") == "Room 1"
    tina = server.client("tina")
    assert parts(tina("PROPFIND", path, propfind("D:displayname")))[path].text("D:displayname") == "My room"


def test_a_move_between_two_resources_takes_the_appointment_along(server: Server, dav: Client) -> None:
    uid = uuid.uuid4().hex
    body = event(uid)
    source, target = f"/dav/demo/salon.anna/{uid}.ics", f"/dav/demo/salon.room-1/{uid}.ics"
    etag = dav("PUT", source, body).headers["etag"]
    moved = dav("MOVE", source, headers={"Destination": server.url.rstrip("/") + target, "Overwrite": "F"})
    assert moved.status == 201
    assert dav("GET", source).status == 404
    there = dav("GET", target)
    assert (there.body, there.headers["etag"]) == (body, etag)
    assert dav("MOVE", target, headers={"Destination": "/dav/demo/salon.laser/x.ics"}).status == 403
    assert dav("GET", target).status == 200
