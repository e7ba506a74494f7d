"""Thunderbird's requests, in its order and with its bodies: finding the calendars, reading, changing, deleting."""

# ruff: noqa: E501 -- requests stand as the client sends them
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.system.multistatus import parts, token
from tests.system.samples import event

if TYPE_CHECKING:
    from tests.system.server import Answer, Client, Server

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"
HEADERS = {"Accept": "text/xml", "Accept-Language": "en-US,en;q=0.5", "Accept-Encoding": "gzip, deflate"}
XML = {**HEADERS, "Content-Type": "text/xml; charset=utf-8"}
ICS = {**HEADERS, "Content-Type": "text/calendar; charset=utf-8"}
PRINCIPAL = """<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/><D:current-user-privilege-set/>
<A:calendar-color xmlns:A="http://apple.com/ns/ical/"/><C:calendar-home-set/></D:prop></D:propfind>"""
HOME_SET = """<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-home-set/></D:prop>
</D:propfind>"""
CHECK = """<?xml version="1.0" encoding="UTF-8"?>
<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>
<D:resourcetype/><D:owner/><D:current-user-principal/><D:current-user-privilege-set/><D:supported-report-set/>
<C:supported-calendar-component-set/><CS:getctag/><D:sync-token/></D:prop></D:propfind>"""
SYNC = """<?xml version="1.0" encoding="UTF-8"?>
<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>
<prop><getcontenttype/><getetag/></prop></sync-collection>"""
MULTIGET = """<?xml version="1.0" encoding="UTF-8"?>
<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>
{hrefs}</C:calendar-multiget>"""


def thunderbird(server: Server) -> Client:
    return server.client(agent=AGENT)


def sync(client: Client, path: str, known: str = "") -> Answer:
    return client("REPORT", path, SYNC.format(token=known), {**XML, "Depth": "1"})


def read(client: Client, path: str, *hrefs: str) -> Answer:
    inner = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return client("REPORT", path, MULTIGET.format(hrefs=inner), {**XML, "Depth": "1"})


def test_it_finds_the_calendars_from_the_bare_address(server: Server) -> None:
    client = thunderbird(server)
    redirect = server.client("", agent=AGENT)("PROPFIND", "/.well-known/caldav", PRINCIPAL, {**XML, "Depth": "0"})
    assert redirect.status == 301
    root = redirect.headers["location"]
    assert root == "/dav/"
    stranger = server.client("", agent=AGENT)("PROPFIND", root, PRINCIPAL, {**XML, "Depth": "0"})
    assert stranger.status == 401
    assert stranger.headers["www-authenticate"].startswith("Basic ")
    first = parts(client("PROPFIND", root, PRINCIPAL, {**HEADERS, "Accept-Encoding": "identity", "Depth": "0"}))
    principal = first[root].href("D:current-user-principal")
    assert principal == "/dav/demo/"
    plain = {**XML, "Accept-Encoding": "identity"}
    home = parts(client("PROPFIND", principal, HOME_SET, {**plain, "Depth": "0"}))[principal].href(
        "C:calendar-home-set"
    )
    listed = parts(client("PROPFIND", home, PRINCIPAL, {**plain, "Depth": "1"}))
    calendars = {
        href: part.text("D:displayname")
        for href, part in listed.items()
        if "calendar" in part.names_in("D:resourcetype") and "salon" in href
    }
    assert calendars == {
        "/dav/demo/salon.anna/": "Anna de Vries",
        "/dav/demo/salon.room-1/": "Room 1",
        "/dav/demo/salon.laser/": "Laser & <Light>",
    }


def test_it_takes_a_calendar_for_read_only_exactly_where_it_is(server: Server) -> None:
    client = thunderbird(server)
    for path, writable in (("/dav/demo/salon.anna/", True), ("/dav/demo/salon.laser/", False)):
        headers = {**XML, "Accept-Encoding": "identity", "Depth": "0"}
        part = parts(client("PROPFIND", path, CHECK, headers))[path]
        assert ("write" in part.names_in("D:current-user-privilege-set")) is writable
        assert "sync-collection" in part.names_in("D:supported-report-set")
        assert part.names_in("C:supported-calendar-component-set") == {"comp"}
        assert part.text("D:sync-token")
        assert part.text("CS:getctag")


def test_an_appointment_made_changed_and_deleted_there_is_so_for_everybody(server: Server, calendar: str) -> None:
    client = thunderbird(server)
    client = type(client)(client.port, client.user, client.password, AGENT)
    empty = sync(client, calendar)
    path = f"{calendar}{uuid.uuid4()}.ics"
    made = client("PUT", path, event("made"), {**ICS, "If-None-Match": "*"})
    assert made.status == 201
    again = client("PUT", path, event("made"), {**ICS, "If-None-Match": "*"})
    assert again.status == 412
    etag = made.headers["etag"]
    changed = client("PUT", path, event("made", summary="Later"), {**ICS, "If-Match": etag})
    assert changed.status == 204
    stale = client("PUT", path, event("made", summary="Stale"), {**ICS, "If-Match": etag})
    assert stale.status == 412
    plain = {"Accept-Encoding": "identity"}
    assert b"Later" in client("GET", path, headers=plain).body
    after = sync(client, calendar, token(empty))
    assert parts(after)[path].text("D:getetag") == changed.headers["etag"]
    assert parts(read(client, calendar, path))[path].text("C:calendar-data") == event("made", summary="Later").decode()
    assert client("DELETE", path, headers={**HEADERS, "If-Match": etag}).status == 412
    assert client("DELETE", path, headers={**HEADERS, "If-Match": changed.headers["etag"]}).status == 204
    gone = sync(client, calendar, token(after))
    assert parts(gone)[path].status == 404
    assert parts(sync(client, calendar, token(gone))) == {}


def test_a_moved_instance_of_a_series_with_a_duration_is_kept(server: Server, calendar: str) -> None:
    """Thunderbird writes DTEND beside DURATION into the override; others answer 400 and the move is lost."""
    client = thunderbird(server)
    override = (
        "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20270105T090000Z\r\n"
        "DTSTART:20270105T130000Z\r\nDTEND:20270105T140000Z\r\nDURATION:PT1H\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n"
    )
    body = event("series", lines="RRULE:FREQ=DAILY;COUNT=5\r\n").replace(
        b"END:VCALENDAR", override.encode() + b"END:VCALENDAR"
    )
    path = f"{calendar}series.ics"
    assert client("PUT", path, body, ICS).status == 201
    assert client("GET", path).body == body
    window = '<C:time-range start="20270105T123000Z" end="20270105T150000Z"/>'
    found = client(
        "REPORT",
        calendar,
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop><C:filter>'
        f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{window}</C:comp-filter></C:comp-filter></C:filter>'
        "</C:calendar-query>",
        {"Depth": "1"},
    )
    assert set(parts(found)) == {path}


def test_the_first_sync_lists_no_deleted_appointments(server: Server, calendar: str) -> None:
    client = thunderbird(server)
    for name in ("stays", "goes"):
        client("PUT", f"{calendar}{name}.ics", event(name), ICS)
    client("DELETE", f"{calendar}goes.ics")
    assert set(parts(sync(client, calendar))) == {f"{calendar}stays.ics"}


def test_a_large_answer_comes_packed_and_says_so(server: Server, calendar: str) -> None:
    client = thunderbird(server)
    client("PUT", f"{calendar}long.ics", event("long", summary="x" * 5000), ICS)
    packed = client("GET", f"{calendar}long.ics", headers=HEADERS)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert len(packed.body) == int(packed.headers["content-length"]) < 1000
    unwanted = client("GET", f"{calendar}long.ics", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in unwanted.headers
