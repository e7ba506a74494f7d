"""A time without a zone means the zone of the calendar that it is seen in, now, and is found at that hour."""

from __future__ import annotations

import copy
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.system.process import CALENDAR, Client, Server, event, eventually, running, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOATING = event("noon").replace(b"0900", b"1200").replace(b"T120000Z", b"T120000").replace(b"T100000Z", b"T130000")
ROOM = "/dav/anna/salon.room/"


def query(client: Client, calendar: str, start: str, end: str) -> bool:
    """Whether a query for the range on 5 January 2027, in UTC, finds the appointment."""
    body = (
        '<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter>'
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f'<C:time-range start="{start}" end="{end}"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
    )
    answer = client.ask("REPORT", calendar, body.encode(), Depth="1")
    assert answer.status == 207, answer.text
    return "noon.ics" in answer.text


def busy(client: Client, calendar: str, start: str, end: str) -> bool:
    """Whether the calendar is busy within the range."""
    body = (
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f'<C:time-range start="{start}" end="{end}"/></C:free-busy-query>'
    )
    return "FREEBUSY;" in client.ask("REPORT", calendar, body.encode(), Depth="1").text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    configuration = copy.deepcopy(settings())
    configuration["accounts"]["salon"]["resources"]["room"]["time_zone"] = "Asia/Tokyo"
    with running(tmp_path, configuration) as started:
        yield started


def test_noon_moves_with_the_zone_of_the_calendar(server: Server) -> None:
    with closing(server.client()) as client:
        assert client.ask("PUT", f"{CALENDAR}noon.ics", FLOATING).status == 201
        in_amsterdam = ("20270105T110000Z", "20270105T113000Z")
        in_new_york = ("20270105T170000Z", "20270105T173000Z")
        assert query(client, CALENDAR, *in_amsterdam)
        assert busy(client, CALENDAR, *in_amsterdam)
        assert not query(client, CALENDAR, *in_new_york)

        moved = copy.deepcopy(server.configuration)
        moved["accounts"]["salon"]["resources"]["anna"]["time_zone"] = "America/New_York"
        server.write(moved)
        eventually(lambda: busy(client, CALENDAR, *in_new_york), "the calendar is busy at noon in New York")

        assert query(client, CALENDAR, *in_new_york)
        assert not query(client, CALENDAR, *in_amsterdam)
        assert not busy(client, CALENDAR, *in_amsterdam)


def test_a_shared_noon_is_noon_in_each_calendar(server: Server) -> None:
    with closing(server.client()) as client:
        for calendar in (CALENDAR, ROOM):
            assert client.ask("PUT", f"{calendar}noon.ics", FLOATING).status == 201
        changed = FLOATING.replace(b"Haircut", b"Colour")
        assert client.ask("PUT", f"{ROOM}noon.ics", changed).status == 204
        assert client.ask("GET", f"{CALENDAR}noon.ics").body == changed
        for calendar, start, end in (
            (CALENDAR, "20270105T110000Z", "20270105T113000Z"),
            (ROOM, "20270105T030000Z", "20270105T033000Z"),
        ):
            assert query(client, calendar, start, end)
            assert busy(client, calendar, start, end)
        assert not query(client, CALENDAR, "20270105T030000Z", "20270105T033000Z")
