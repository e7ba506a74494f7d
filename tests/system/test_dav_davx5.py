"""DAVx5's requests: service detection, refresh of the collections, sync by ctag or token, upload, conflict."""

# ruff: noqa: E501 -- requests stand as the client sends them
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.system.multistatus import parts, token
from tests.system.samples import event, todo

if TYPE_CHECKING:
    from tests.system.server import Client, Server

AGENT = "DAVx5/4.4.5-ose (dav4jvm; okhttp/4.12.0) Android/14"
XML = {"Content-Type": "application/xml; charset=utf-8"}
ICS = {"Content-Type": "text/calendar; charset=utf-8"}
DETECT = (
    "<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns=\"DAV:\" xmlns:CAL=\"urn:ietf:params:xml:ns:caldav\" "
    'xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname /><CAL:calendar-description />'
    "<CAL:calendar-home-set /><current-user-principal /></prop></propfind>"
)
HOME = (
    "<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns=\"DAV:\" xmlns:CAL=\"urn:ietf:params:xml:ns:caldav\" "
    'xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><current-user-privilege-set /><displayname /><owner />'
    '<CARD:addressbook-description /><CAL:calendar-description /><n0:calendar-color xmlns:n0="http://apple.com/ns/ical/" />'
    "<CAL:calendar-timezone /><CAL:calendar-timezone-id /><CAL:supported-calendar-component-set />"
    '<n1:source xmlns:n1="http://calendarserver.org/ns/" /><n2:push-transports xmlns:n2="https://bitfire.at/webdav-push" />'
    "</prop></propfind>"
)
CAPABILITIES = (
    "<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns=\"DAV:\" xmlns:CAL=\"urn:ietf:params:xml:ns:caldav\">"
    '<prop><CAL:max-resource-size /><supported-report-set /><n0:getctag xmlns:n0="http://calendarserver.org/ns/" />'
    "<sync-token /></prop></propfind>"
)
SYNC = (
    "<?xml version='1.0' encoding='UTF-8' ?><sync-collection xmlns=\"DAV:\">{token}<sync-level>1</sync-level>{limit}"
    "<prop><getetag /></prop></sync-collection>"
)
QUERY = (
    "<?xml version='1.0' encoding='UTF-8' ?><CAL:calendar-query xmlns=\"DAV:\" xmlns:CAL=\"urn:ietf:params:xml:ns:caldav\">"
    '<prop><getetag /></prop><CAL:filter><CAL:comp-filter name="VCALENDAR"><CAL:comp-filter name="{component}">{time}'
    "</CAL:comp-filter></CAL:comp-filter></CAL:filter></CAL:calendar-query>"
)
MULTIGET = (
    "<?xml version='1.0' encoding='UTF-8' ?><CAL:calendar-multiget xmlns=\"DAV:\" "
    'xmlns:CAL="urn:ietf:params:xml:ns:caldav"><prop><getcontenttype /><getetag /><CAL:schedule-tag />'
    '<CAL:calendar-data content-type="text/calendar" version="2.0" /></prop>{hrefs}</CAL:calendar-multiget>'
)


@pytest.fixture
def app(server: Server) -> Client:
    return server.client(agent=AGENT)


def sync(known: str = "", limit: int | None = None) -> str:
    return SYNC.format(
        token=f"<sync-token>{known}</sync-token>" if known else "<sync-token />",
        limit="" if limit is None else f"<limit><nresults>{limit}</nresults></limit>",
    )


def test_it_detects_the_service_and_lists_the_calendars_with_what_it_may_do(server: Server, app: Client) -> None:
    stranger = server.client("", agent=AGENT)("PROPFIND", "/dav/", DETECT, {**XML, "Depth": "0"})
    assert stranger.status == 401
    principal = parts(app("PROPFIND", "/dav/", DETECT, {**XML, "Depth": "0"}))["/dav/"].href("D:current-user-principal")
    options = app("OPTIONS", principal)
    assert "calendar-access" in options.headers["dav"]
    assert {"PROPFIND", "REPORT", "PUT", "DELETE"} <= set(options.headers["allow"].split(", "))
    home = parts(app("PROPFIND", principal, DETECT, {**XML, "Depth": "0"}))[principal].href("C:calendar-home-set")
    listed = parts(app("PROPFIND", home, HOME, {**XML, "Depth": "1"}))
    assert "write-content" in listed["/dav/demo/salon.anna/"].names_in("D:current-user-privilege-set")
    assert "write-content" not in listed["/dav/demo/salon.laser/"].names_in("D:current-user-privilege-set")
    assert listed["/dav/demo/salon.room-1/"].text("A:calendar-color") == "#f4511e"


def test_ctag_and_token_stay_while_nothing_changes_and_move_with_each_change(app: Client, calendar: str) -> None:
    def state() -> tuple[str, str]:
        part = parts(app("PROPFIND", calendar, CAPABILITIES, {**XML, "Depth": "0"}))[calendar]
        assert int(part.text("C:max-resource-size")) > 100_000
        return part.text("CS:getctag"), part.text("D:sync-token")

    path = f"{calendar}{uuid.uuid4()}.ics"
    seen = [state()]
    assert state() == seen[0]
    for method, body in (("PUT", event("ctag")), ("PUT", event("ctag", summary="Other")), ("DELETE", None)):
        assert app(method, path, body, ICS).status in {201, 204}
        assert state() not in seen
        seen.append(state())
    assert app("PUT", path, b"nonsense", ICS).status == 400
    assert state() == seen[-1]


def test_a_first_sync_in_pages_lists_each_appointment_once_and_ends(app: Client, calendar: str) -> None:
    for number in range(7):
        app("PUT", f"{calendar}{number}.ics", event(f"page-{number}"), ICS)
    app("DELETE", f"{calendar}0.ics")
    listed: list[str] = []
    known, pages = "", 0
    while True:
        answer = app("REPORT", calendar, sync(known, limit=2), {**XML, "Depth": "0"})
        found = parts(answer)
        more = found.pop(calendar, None)
        listed += found
        known = token(answer)
        pages += 1
        if more is None:
            break
        assert more.status == 507
    assert listed == [f"{calendar}{number}.ics" for number in range(1, 7)]
    assert pages == 3
    assert parts(app("REPORT", calendar, sync(known), {**XML, "Depth": "0"})) == {}


def test_a_token_of_another_calendar_is_refused_so_that_it_reads_anew(app: Client, calendar: str) -> None:
    other = parts(app("PROPFIND", "/dav/demo/salon.room-1/", CAPABILITIES, {**XML, "Depth": "0"}))
    foreign = other["/dav/demo/salon.room-1/"].text("D:sync-token")
    for wrong in (foreign, "nonsense", f"{foreign}0", "urn:calbridge:sync:0000000000000000:1"):
        refused = app("REPORT", calendar, sync(wrong), {**XML, "Depth": "0"})
        assert refused.status == 403
        assert refused.xml().find("{DAV:}valid-sync-token") is not None


def test_events_and_tasks_are_queried_apart(app: Client, calendar: str) -> None:
    app("PUT", f"{calendar}event.ics", event("event"), ICS)
    app("PUT", f"{calendar}task.ics", todo("task"), ICS)
    app("PUT", f"{calendar}old.ics", event("old", "20200101T090000Z"), ICS)
    past = '<CAL:time-range start="20260823T000000Z" />'
    events = app("REPORT", calendar, QUERY.format(component="VEVENT", time=past), {**XML, "Depth": "1"})
    tasks = app("REPORT", calendar, QUERY.format(component="VTODO", time=""), {**XML, "Depth": "1"})
    assert set(parts(events)) == {f"{calendar}event.ics"}
    assert set(parts(tasks)) == {f"{calendar}task.ics"}


def test_a_multiget_tells_what_is_gone(app: Client, calendar: str) -> None:
    path = f"{calendar}there.ics"
    app("PUT", path, event("there"), ICS)
    hrefs = f"<href>{path}</href><href>{calendar}gone.ics</href>"
    found = parts(app("REPORT", calendar, MULTIGET.format(hrefs=hrefs), XML))
    assert found[path].text("C:calendar-data") == event("there").decode()
    assert found[path].text("D:getcontenttype").startswith("text/calendar")
    assert found[f"{calendar}gone.ics"].status == 404


def test_a_conflict_keeps_what_the_server_has(app: Client, calendar: str) -> None:
    path = f"{calendar}{uuid.uuid4()}.ics"
    first = app("PUT", path, event("conflict"), {**ICS, "If-None-Match": "*"}).headers["etag"]
    app("PUT", path, event("conflict", summary="By another"), ICS)
    assert app("PUT", path, event("conflict", summary="Mine"), {**ICS, "If-Match": first}).status == 412
    assert app("DELETE", path, headers={"If-Match": first}).status == 412
    assert b"By another" in app("GET", path).body
    app("DELETE", path)
    # Deleted here, changed there: the upload must not bring it back unseen.
    assert app("PUT", path, event("conflict", summary="Mine"), {**ICS, "If-Match": first}).status == 412
    assert app("DELETE", path, headers={"If-Match": first}).status == 412
    assert app("DELETE", path).status == 404
