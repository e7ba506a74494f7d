"""The requests of macOS and iOS: account setup, the listing of the home, properties of their own, sync."""

# ruff: noqa: E501 -- requests stand as the client sends them
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.system.multistatus import clark, code, parts, token
from tests.system.samples import event

if TYPE_CHECKING:
    from tests.system.server import Client, Server

AGENT = "iOS/18.1 (22B83) dataaccessd/1.0"
XML = {
    "Content-Type": "text/xml",
    "Brief": "t",
    "Prefer": "return=minimal",
    "Accept": "*/*",
    "Accept-Language": "nl-NL",
}
PRINCIPAL = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><A:current-user-principal/><A:principal-URL/><A:resourcetype/></A:prop></A:propfind>"""
ACCOUNT = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><B:calendar-home-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<B:calendar-user-address-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:current-user-principal/><A:displayname/>
<C:dropbox-home-URL xmlns:C="http://calendarserver.org/ns/"/><C:email-address-set xmlns:C="http://calendarserver.org/ns/"/>
<C:notification-URL xmlns:C="http://calendarserver.org/ns/"/><A:principal-collection-set/><A:principal-URL/><A:resource-id/>
<B:schedule-inbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/><B:schedule-outbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<A:supported-report-set/></A:prop></A:propfind>"""
HOME = """<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:"><A:prop><A:add-member/>
<C:allowed-sharing-modes xmlns:C="http://calendarserver.org/ns/"/><D:autoprovisioned xmlns:D="http://apple.com/ns/ical/"/>
<E:bulk-requests xmlns:E="http://me.com/_namespace/"/><B:calendar-alarm xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<D:calendar-color xmlns:D="http://apple.com/ns/ical/"/><B:calendar-description xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<B:calendar-free-busy-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><D:calendar-order xmlns:D="http://apple.com/ns/ical/"/>
<B:calendar-timezone xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:current-user-privilege-set/>
<B:default-alarm-vevent-date xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<B:default-alarm-vevent-datetime xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:displayname/>
<C:getctag xmlns:C="http://calendarserver.org/ns/"/><D:language-code xmlns:D="http://apple.com/ns/ical/"/>
<D:location-code xmlns:D="http://apple.com/ns/ical/"/><A:owner/><C:pre-publish-url xmlns:C="http://calendarserver.org/ns/"/>
<C:publish-url xmlns:C="http://calendarserver.org/ns/"/><C:push-transports xmlns:C="http://calendarserver.org/ns/"/>
<C:pushkey xmlns:C="http://calendarserver.org/ns/"/><A:quota-available-bytes/><A:quota-used-bytes/>
<D:refreshrate xmlns:D="http://apple.com/ns/ical/"/><A:resource-id/><A:resourcetype/>
<B:schedule-calendar-transp xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<B:schedule-default-calendar-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/><C:source xmlns:C="http://calendarserver.org/ns/"/>
<C:subscribed-strip-alarms xmlns:C="http://calendarserver.org/ns/"/>
<B:supported-calendar-component-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>
<B:supported-calendar-component-sets xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:supported-report-set/><A:sync-token/>
<D:xmpp-uri xmlns:D="http://apple.com/ns/ical/"/></A:prop></A:propfind>"""
COLOUR = """<?xml version="1.0" encoding="UTF-8"?>
<A:propertyupdate xmlns:A="DAV:"><A:set><A:prop>
<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="red">#FF2968FF</D:calendar-color>
<D:calendar-order xmlns:D="http://apple.com/ns/ical/">7</D:calendar-order></A:prop></A:set></A:propertyupdate>"""
NAME = """<?xml version="1.0" encoding="UTF-8"?>
<A:propertyupdate xmlns:A="DAV:"><A:set><A:prop><A:displayname>Ännas Räume &amp; mehr</A:displayname></A:prop></A:set>
</A:propertyupdate>"""
MAKE = """<?xml version="1.0" encoding="UTF-8"?>
<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav"><A:set xmlns:A="DAV:"><A:prop>
<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="blue">#1BADF8FF</D:calendar-color>
<D:calendar-order xmlns:D="http://apple.com/ns/ical/">2</D:calendar-order><A:displayname>Thuis</A:displayname>
<B:supported-calendar-component-set><B:comp name="VEVENT"/></B:supported-calendar-component-set>
<B:calendar-timezone>BEGIN:VCALENDAR&#13;
VERSION:2.0&#13;
BEGIN:VTIMEZONE&#13;
TZID:Europe/Amsterdam&#13;
END:VTIMEZONE&#13;
END:VCALENDAR&#13;
</B:calendar-timezone></A:prop></A:set></B:mkcalendar>"""
SYNC = """<?xml version="1.0" encoding="UTF-8"?>
<A:sync-collection xmlns:A="DAV:"><A:sync-token>{token}</A:sync-token><A:sync-level>1</A:sync-level>
<A:prop><A:getetag/><C:created-by xmlns:C="http://calendarserver.org/ns/"/></A:prop></A:sync-collection>"""
MULTIGET = """<?xml version="1.0" encoding="UTF-8"?>
<B:calendar-multiget xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><B:calendar-data/>
<B:schedule-tag/><C:created-by xmlns:C="http://calendarserver.org/ns/"/></A:prop>
<A:href xmlns:A="DAV:">{href}</A:href></B:calendar-multiget>"""
ALARMS = """<?xml version="1.0" encoding="UTF-8"?>
<B:calendar-query xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/></A:prop><B:filter>
<B:comp-filter name="VCALENDAR"><B:comp-filter name="VEVENT"><B:comp-filter name="VALARM">
<B:time-range start="{start}" end="{end}"/></B:comp-filter></B:comp-filter></B:comp-filter></B:filter></B:calendar-query>"""
WINDOW = """<?xml version="1.0" encoding="UTF-8"?>
<B:calendar-query xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><A:getcontenttype/></A:prop>
<B:filter><B:comp-filter name="VCALENDAR"><B:comp-filter name="VEVENT"><B:time-range start="20261221T000000Z"/>
</B:comp-filter></B:comp-filter></B:filter></B:calendar-query>"""
PROXIES = """<?xml version="1.0" encoding="UTF-8"?>
<A:expand-property xmlns:A="DAV:"><A:property name="calendar-proxy-read-for" namespace="http://calendarserver.org/ns/">
<A:property name="displayname" namespace="DAV:"/></A:property>
<A:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/"/></A:expand-property>"""
SEARCH_SET = """<?xml version="1.0" encoding="UTF-8"?><A:principal-search-property-set xmlns:A="DAV:"/>"""
SEARCH = """<?xml version="1.0" encoding="UTF-8"?>
<A:principal-property-search xmlns:A="DAV:" test="anyof"><A:property-search><A:prop><A:displayname/></A:prop>
<A:match>anna</A:match></A:property-search><A:prop><A:displayname/></A:prop></A:principal-property-search>"""


@pytest.fixture
def phone(server: Server) -> Client:
    return server.client(agent=AGENT)


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/"])
def test_account_setup_is_led_to_the_principal(server: Server, phone: Client, path: str) -> None:
    redirect = phone("PROPFIND", path, PRINCIPAL, {**XML, "Depth": "0"})
    assert redirect.status == 301
    options = server.client("", agent=AGENT)("OPTIONS", "/dav/")
    assert "calendar-access" in options.headers["dav"]
    assert "addressbook" not in options.headers["dav"]
    found = parts(phone("PROPFIND", redirect.headers["location"], PRINCIPAL, {**XML, "Depth": "0"}))
    principal = found["/dav/"].href("D:current-user-principal")
    account = parts(phone("PROPFIND", principal, ACCOUNT, {**XML, "Depth": "0"}))[principal]
    assert account.href("C:calendar-home-set") == "/dav/demo/"
    assert account.href("D:principal-URL") == "/dav/demo/"
    assert clark("C:schedule-outbox-URL") in account.missing


def test_the_home_is_listed_with_everything_that_it_asks_for(phone: Client) -> None:
    listed = parts(phone("PROPFIND", "/dav/demo/", HOME, {**XML, "Depth": "1"}))
    anna = listed["/dav/demo/salon.anna/"]
    assert anna.text("D:displayname") == "Anna de Vries"
    assert anna.text("A:calendar-color") == "#3367d6"
    assert {each.get("name") for each in anna.found[clark("C:supported-calendar-component-set")]} == {"VEVENT", "VTODO"}
    assert "BEGIN:VTIMEZONE" in anna.text("C:calendar-timezone")
    assert "TZID:Europe/Amsterdam" in anna.text("C:calendar-timezone")
    assert anna.href("D:owner") == "/dav/demo/"
    assert anna.text("D:sync-token").startswith("urn:")


def test_the_colour_order_and_name_that_a_person_chooses_stay(server: Server) -> None:
    phone, path = server.client("tina", agent=AGENT), "/dav/tina/salon.anna/"
    for body in (COLOUR, NAME):
        outcome = phone("PROPPATCH", path, body, XML)
        assert outcome.status == 207
        assert {code(each.text) for each in outcome.xml().iter("{DAV:}status")} == {200}
    anna = parts(phone("PROPFIND", path, HOME, {**XML, "Depth": "0"}))[path]
    assert anna.text("A:calendar-color") == "#FF2968FF"
    assert anna.text("A:calendar-order") == "7"
    assert anna.text("D:displayname") == "Ännas Räume & mehr"
    other = parts(server.client("boss")("PROPFIND", "/dav/boss/salon.anna/", HOME, {"Depth": "0"}))
    assert other["/dav/boss/salon.anna/"].text("D:displayname") == "Anna de Vries"


def test_a_read_only_calendar_can_be_recoloured_too(server: Server) -> None:
    phone, path = server.client("tina", agent=AGENT), "/dav/tina/salon.room-1/"
    assert phone("PROPPATCH", path, COLOUR, XML).status == 207
    assert parts(phone("PROPFIND", path, HOME, {**XML, "Depth": "0"}))[path].text("A:calendar-color") == "#FF2968FF"


def test_what_only_the_server_knows_cannot_be_set(phone: Client, calendar: str) -> None:
    body = COLOUR.replace("<D:calendar-order", "<A:getetag>forged</A:getetag><D:calendar-order")
    outcome = parts(phone("PROPPATCH", calendar, body, XML))[calendar]
    assert outcome.missing == {clark("D:getetag"), clark("A:calendar-color"), clark("A:calendar-order")}
    after = parts(phone("PROPFIND", calendar, HOME, {**XML, "Depth": "0"}))[calendar]
    assert clark("A:calendar-color") in after.missing


def test_a_calendar_made_on_the_phone_has_its_name_colour_and_zone(phone: Client) -> None:
    path = f"/dav/demo/{str(uuid.uuid4()).upper()}/"
    assert phone("MKCALENDAR", path, MAKE, XML).status == 201
    made = parts(phone("PROPFIND", path, HOME, {**XML, "Depth": "0"}))[path]
    assert made.text("D:displayname") == "Thuis"
    assert made.text("A:calendar-color") == "#1BADF8FF"
    assert {each.get("name") for each in made.found[clark("C:supported-calendar-component-set")]} == {"VEVENT"}
    assert phone("MKCALENDAR", path, MAKE, XML).status in {403, 405, 409}
    assert phone("DELETE", path).status in {200, 204}


def test_sync_and_multiget_bring_an_appointment_and_say_what_they_do_not_know(phone: Client, calendar: str) -> None:
    first = phone("REPORT", calendar, SYNC.format(token=""), XML)
    path = f"{calendar}{str(uuid.uuid4()).upper()}.ics"
    headers = {"Content-Type": "text/calendar", "If-None-Match": "*"}
    assert phone("PUT", path, event("phone"), headers).status == 201
    news = parts(phone("REPORT", calendar, SYNC.format(token=token(first)), XML))
    assert clark("CS:created-by") in news[path].missing
    got = parts(phone("REPORT", calendar, MULTIGET.format(href=path), XML))[path]
    assert got.text("C:calendar-data") == event("phone").decode()
    assert got.missing == {clark("C:schedule-tag"), clark("CS:created-by")}
    assert set(parts(phone("REPORT", calendar, WINDOW, {**XML, "Depth": "1"}))) == {path}


def test_alarms_are_found_by_when_they_ring(phone: Client, calendar: str) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT30M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
    phone("PUT", f"{calendar}loud.ics", event("loud", "20270104T090000Z", lines=alarm))
    phone("PUT", f"{calendar}mute.ics", event("mute", "20270104T090000Z"))
    rings = ALARMS.format(start="20270104T080000Z", end="20270104T084500Z")
    assert set(parts(phone("REPORT", calendar, rings, {**XML, "Depth": "1"}))) == {f"{calendar}loud.ics"}
    later = ALARMS.format(start="20270104T084500Z", end="20270104T100000Z")
    assert parts(phone("REPORT", calendar, later, {**XML, "Depth": "1"})) == {}


@pytest.mark.parametrize("body", [PROXIES, SEARCH_SET, SEARCH])
@pytest.mark.parametrize("path", ["/dav/", "/dav/demo/", "/dav/demo/salon.anna/"])
def test_searches_for_people_and_proxies_are_answered_with_nothing(phone: Client, path: str, body: str) -> None:
    assert parts(phone("REPORT", path, body, {**XML, "Depth": "0"})) == {}
