"""Our fast answers say what Radicale's own code says over the same storage, but for what is listed here."""

# ruff: noqa: E501 -- filters read best in one line
from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
import radicale.app
from radicale import storage as radicale_storage

from bridge.radicale_plugin import hosting, storage
from bridge.radicale_plugin.collection import CalendarCollection
from tests.radicale_plugin.calling import Called, backed, call
from tests.system.samples import event, multiget, propfind, query, sync, todo, xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.radicale_plugin.application import Application

HOME = "/demo/salon.anna/"
ALARM = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
OBJECTS = {
    "plain.ics": event("plain"),
    "odd & <name> ü.ics": event("odd", summary="Über & <unter> \U0001f389"),
    "later.ics": event("later", "20270201T090000Z", lines="CATEGORIES:Colour,Cut\r\nLOCATION:Room 1\r\n"),
    "series.ics": event("series", "20261201T090000Z", lines="RRULE:FREQ=WEEKLY;COUNT=20\r\nEXDATE:20270105T090000Z\r\n"),
    "endless.ics": event("endless", "20260101T090000Z", lines="RRULE:FREQ=MONTHLY\r\n"),
    "moved.ics": event("moved", "20270104T080000Z", lines="RRULE:FREQ=DAILY;COUNT=3\r\n").replace(
        b"END:VCALENDAR",
        b"BEGIN:VEVENT\r\nUID:moved\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20270105T080000Z\r\n"
        b"DTSTART:20270301T080000Z\r\nDURATION:PT1H\r\nSUMMARY:Moved\r\nEND:VEVENT\r\nEND:VCALENDAR",
    ),
    "all-day.ics": event("all-day").replace(
        b"DTSTART:20270104T090000Z\r\nDURATION:PT1H", b"DTSTART;VALUE=DATE:20270104\r\nDTEND;VALUE=DATE:20270106"
    ),
    "alarm.ics": event("alarm", "20270104T120000Z", lines=ALARM),
    "attendee.ics": event(
        "attendee", "20270110T090000Z",
        lines="ATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:bob@example.org\r\nORGANIZER:mailto:anna@example.org\r\nX-OWN:1\r\n",
    ),
    "instant.ics": event("instant").replace(b"DURATION:PT1H\r\n", b""),
    "long.ics": event("long", "20261220T000000Z").replace(b"DURATION:PT1H", b"DURATION:P60D"),
    "task.ics": todo("task", lines="DUE:20270105T090000Z\r\n"),
    "task-open.ics": todo("task-open"),
    "task-done.ics": todo("task-done", lines="STATUS:COMPLETED\r\nCOMPLETED:20270104T090000Z\r\n"),
    "task-started.ics": todo("task-started", lines="DTSTART:20270104T080000Z\r\nDURATION:PT2H\r\nPRIORITY:1\r\n"),
}  # fmt: skip


def within(start: str, end: str, component: str = "VEVENT", inner: str = "") -> str:
    return f'<C:comp-filter name="{component}"><C:time-range start="{start}" end="{end}"/>{inner}</C:comp-filter>'


def having(name: str, inner: str = "", component: str = "VEVENT") -> str:
    return f'<C:comp-filter name="{component}"><C:prop-filter name="{name}">{inner}</C:prop-filter></C:comp-filter>'


def matching(text: str, **attributes: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<C:text-match{written}>{text}</C:text-match>"


WEEK = ("20270103T000000Z", "20270110T000000Z")
ABSENT = "<C:is-not-defined/>"
QUERIES = {
    "everything": query(""),
    "events": query(),
    "tasks": query('<C:comp-filter name="VTODO"/>'),
    "journals": query('<C:comp-filter name="VJOURNAL"/>'),
    "no events": query(f'<C:comp-filter name="VEVENT">{ABSENT}</C:comp-filter>'),
    "a week": query(within(*WEEK)),
    "an hour": query(within("20270104T090000Z", "20270104T100000Z")),
    "the hour after": query(within("20270104T100000Z", "20270104T110000Z")),
    "an excluded instance": query(within("20270105T090000Z", "20270105T093000Z")),
    "where an instance was moved to": query(within("20270301T080000Z", "20270301T083000Z")),
    "where an instance was moved from": query(within("20270105T080000Z", "20270105T083000Z")),
    "far ahead": query(within("20500101T000000Z", "20500201T000000Z")),
    "from a day on": query('<C:comp-filter name="VEVENT"><C:time-range start="20270201T000000Z"/></C:comp-filter>'),
    "up to a day": query('<C:comp-filter name="VEVENT"><C:time-range end="20261001T000000Z"/></C:comp-filter>'),
    "tasks of a week": query(within(*WEEK, "VTODO")),
    "tasks far ahead": query(within("20300101T000000Z", "20300201T000000Z", "VTODO")),
    "with a location": query(having("LOCATION")),
    "without a location": query(having("LOCATION", ABSENT)),
    "title with letters of any case": query(having("SUMMARY", matching("HAIR"))),
    "title with exact letters": query(having("SUMMARY", matching("HAIR", collation="i;octet"))),
    "title without": query(having("SUMMARY", matching("haircut", negate_condition="yes"))),
    "title with umlaut": query(having("SUMMARY", matching("über", collation="i;unicode-casemap"))),
    "an X property": query(having("X-OWN", matching("1"))),
    "a category": query(having("CATEGORIES", matching("Cut"))),
    "who declined": query(having("ATTENDEE", f'{matching("bob")}<C:param-filter name="PARTSTAT">{matching("DECLINED")}</C:param-filter>')),
    "who has a role": query(having("ATTENDEE", '<C:param-filter name="ROLE"/>')),
    "who has no role": query(having("ATTENDEE", f'<C:param-filter name="ROLE">{ABSENT}</C:param-filter>')),
    "with an alarm": query('<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"/></C:comp-filter>'),
    "without an alarm": query(f'<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM">{ABSENT}</C:comp-filter></C:comp-filter>'),
    "an alarm that rings": query('<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"><C:time-range start="20270104T114000Z" end="20270104T115000Z"/></C:comp-filter></C:comp-filter>'),
    "a week with a location": query(within("20270201T000000Z", "20270208T000000Z", inner='<C:prop-filter name="LOCATION"/>')),
    "open tasks": query(f'<C:comp-filter name="VTODO"><C:prop-filter name="COMPLETED">{ABSENT}</C:prop-filter><C:prop-filter name="STATUS">{matching("CANCELLED", negate_condition="yes")}</C:prop-filter></C:comp-filter>'),
    "only etags": query(data=""),
    "other properties": query(data="<D:getcontenttype/><D:displayname/><D:getlastmodified/>"),
    "no filter": xml("C:calendar-query", "<D:prop><D:getetag/></D:prop>"),
}  # fmt: skip
OTHERS = {
    "multiget": multiget(f"/dav{HOME}plain.ics", f"/dav{HOME}odd%20%26%20%3Cname%3E%20%C3%BC.ics", f"/dav{HOME}gone.ics"),
    "multiget by full addresses": multiget(f"http://localhost/dav{HOME}plain.ics"),
    "multiget of nothing": multiget(),
    "multiget of the calendar itself": multiget(f"/dav{HOME}"),
    "first sync": sync(),
    "sync with texts": sync().replace("<D:getetag/>", "<D:getetag/><C:calendar-data/><D:getcontenttype/><D:resourcetype/>"),
    "expand property": xml("D:expand-property", ""),
}  # fmt: skip
LISTINGS = {
    "everything": "",
    "all": xml("D:propfind", "<D:allprop/>"),
    "names": xml("D:propfind", "<D:propname/>"),
    "etags": propfind("D:getetag"),
    "what clients ask": propfind("D:getetag", "D:getcontenttype", "D:getcontentlength", "D:getlastmodified", "D:resourcetype"),
    "rights": propfind("D:current-user-privilege-set", "D:owner", "D:supported-report-set", "D:current-user-principal"),
    "what is not there": propfind("D:displayname", "A:calendar-color", "CS:getctag", "C:calendar-data", "D:sync-token"),
    "another namespace": propfind("D:getetag").replace("<D:getetag/>", '<D:getetag/><x:y xmlns:x="urn:x&amp;y"/>'),
}  # fmt: skip

DIFFERENT: dict[str, tuple[set[str], str]] = {
    "with an alarm": ({"alarm.ics"}, "Radicale finds nothing (RFC 4791 section 9.7.1)"),
    "without an alarm": (
        {name for name in OBJECTS if name != "alarm.ics" and not name.startswith("task")},
        "Radicale takes no notice of the alarm (RFC 4791 section 9.7.4)",
    ),
    "multiget of the calendar itself": (set(), "Radicale gives every object of it; a multiget names objects"),
}
"""Where we mean to differ from Radicale: what we find, and why. A test fails when Radicale finds the same."""


class RadicalesFilters(CalendarCollection):
    """A calendar of ours whose queries are evaluated by Radicale's own code."""

    get_filtered = radicale_storage.BaseCollection.get_filtered  # type: ignore[assignment]


class RadicalesStorage(storage.Storage):
    """Our storage, whose calendars leave queries to Radicale."""

    def _calendar(self, *args: Any) -> Any:
        found = super()._calendar(*args)
        if found is not None:
            found.__class__ = RadicalesFilters
        return found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with backed(tmp_path_factory.mktemp("store")) as backing:
        application = hosting.application(backing)
        for name, raw in OBJECTS.items():
            assert call(application, "PUT", HOME + name, raw).status == 201
        yield application


@pytest.fixture(scope="module")
def theirs(ours: Application) -> radicale.app.Application:
    settings = ours.configuration.copy()
    plugin = functools.partial(RadicalesStorage, backing=ours.backing)
    settings.update({"storage": {"type": plugin}}, "Radicale's own", privileged=True)
    return radicale.app.Application(settings)


def said(answer: Called) -> dict[str, Any]:
    """What a multistatus says, blind to order, prefixes and line ends."""
    assert answer.status == 207, (answer.status, answer.body)
    root = ET.fromstring(answer.body)  # noqa: S314 -- our own
    found: dict[str, Any] = {"token": root.findtext("{DAV:}sync-token")}
    for response in root.findall("{DAV:}response"):
        href = response.findtext("{DAV:}href") or ""
        assert href not in found
        found[href] = [response.findtext("{DAV:}status")]
        for propstat in response.findall("{DAV:}propstat"):
            status = propstat.findtext("{DAV:}status")
            found[href] += [(status, content(each)) for each in propstat.findall("{DAV:}prop/*")]
        found[href][1:] = sorted(found[href][1:], key=str)
    return found


def content(element: ET.Element) -> tuple[str, str, list[Any]]:
    return element.tag, re.sub(r"\s+", " ", (element.text or "").strip()), [content(each) for each in element]


def compared(ours: Any, theirs: Any, method: str, body: str, depth: str) -> tuple[dict[str, Any], dict[str, Any]]:
    mine, radicales = (said(call(each, method, HOME, body, {"Depth": depth})) for each in (ours, theirs))
    return mine, radicales


@pytest.mark.parametrize("name", sorted({*QUERIES, *OTHERS} - DIFFERENT.keys()))
def test_a_report_is_answered_as_by_radicale(ours: Any, theirs: Any, name: str) -> None:
    mine, radicales = compared(ours, theirs, "REPORT", (QUERIES | OTHERS)[name], "1")
    assert mine == radicales


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_report_is_answered_better_than_by_radicale(ours: Any, theirs: Any, name: str) -> None:
    mine, radicales = compared(ours, theirs, "REPORT", (QUERIES | OTHERS)[name], "1")
    found = {unquote(href).removeprefix(f"/dav{HOME}") for href, parts in mine.items() if parts and parts[0] is None}
    assert found == DIFFERENT[name][0]
    assert mine != radicales


@pytest.mark.parametrize("depth", ["0", "1"])
@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_answered_as_by_radicale(ours: Any, theirs: Any, name: str, depth: str) -> None:
    mine, radicales = compared(ours, theirs, "PROPFIND", LISTINGS[name], depth)
    assert mine == radicales
