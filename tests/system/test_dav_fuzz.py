"""Whatever a client sends, the answer is never a 5xx, and the appointments that were there stay readable."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.multistatus import parts
from tests.system.samples import event, multiget, propfind, proppatch, query, sync, todo, xml

if TYPE_CHECKING:
    from tests.system.server import Client

METHODS = [
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "MKCALENDAR",
    "MKCOL",
    "OPTIONS",
    "POST",
]
SOUND_BODIES = [
    event("fuzz"),
    event("fuzz", lines="RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20270105T090000Z\r\n"),
    todo("fuzz"),
    propfind("D:getetag", "C:calendar-data", "D:displayname", "A:calendar-color").encode(),
    proppatch(D_displayname="x", A_calendar_color="#123456").encode(),
    sync().encode(),
    sync("urn:calbridge:sync:0000000000000000:1", limit=1).encode(),
    multiget("/dav/demo/salon.anna/x.ics", "http://[", "%00", "..").encode(),
    query(
        '<C:comp-filter name="VEVENT"><C:time-range start="20270101T000000Z" end="20280101T000000Z"/>'
        '<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">x</C:text-match>'
        '<C:param-filter name="LANGUAGE"><C:is-not-defined/></C:param-filter></C:prop-filter>'
        '<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter></C:comp-filter>',
        data='<C:calendar-data><C:expand start="20270101T000000Z" end="20280101T000000Z"/></C:calendar-data>',
    ).encode(),
    xml("C:free-busy-query", '<C:time-range start="20270101T000000Z" end="20280101T000000Z"/>').encode(),
]
HEADERS = {
    "Depth": ["0", "1", "infinity"],
    "If-Match": ["*", '"x"'],
    "If-None-Match": ["*", '"x"'],
    "If-Modified-Since": ["Sat, 29 Oct 1994 19:43:31 GMT"],
    "Destination": ["/dav/demo/salon.anna/y.ics", "http://elsewhere.example.org/"],
    "Overwrite": ["T", "F"],
    "Content-Type": ["text/calendar; charset=utf-8", "application/xml", "text/xml; charset=utf-16", "multipart/mixed"],
    "Content-Encoding": ["gzip", "identity"],
    "Accept-Encoding": ["gzip", "gzip;q=0", "*"],
    "Range": ["bytes=0-1", "bytes=-1"],
    "X-Forwarded-Host": ["evil.example.org"],
    "X-Script-Name": ["/x", "x/"],
    "Prefer": ["return=minimal"],
}
words = st.text(st.characters(min_codepoint=1, max_codepoint=0x1FFFF, exclude_categories=["Cs"]), max_size=12)
field_values = st.from_regex(re.compile(r"[ -~\x80-\xff]{0,40}"), fullmatch=True)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A sound body with pieces cut out, doubled or replaced; or any octets."""
    body = draw(st.sampled_from(SOUND_BODIES) | st.binary(max_size=60))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 30)))
        piece = draw(
            st.sampled_from([b"", body[start:end] * 2, b"\0", b"\r\n", b'"', b"&", b"<x/>", b"99999999"])
            | st.binary(max_size=8)
        )
        body = body[:start] + piece + body[end:]
    return body


@st.composite
def header_fields(draw: st.DrawFn) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), unique=True, max_size=4))
    return {name: draw(st.sampled_from(HEADERS[name]) | field_values) for name in names}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_request_makes_the_server_fail(dav: Client, calendar: str, data: st.DataObject) -> None:
    kept = f"{calendar}kept.ics"
    dav("PUT", kept, event("kept", lines="RRULE:FREQ=WEEKLY\r\n"))
    name = data.draw(words, label="name")
    home = data.draw(
        st.sampled_from([calendar, "/dav/demo/", "/dav/", "/dav/demo/salon.laser/", "/", "/dav/boss/"]), label="home"
    )
    method = data.draw(st.sampled_from(METHODS), label="method")
    headers = data.draw(header_fields(), label="headers")
    body = data.draw(mangled(), label="body")
    path = home + quote(name) if name or method != "DELETE" else f"{home}{uuid.uuid4().hex}"
    answer = dav(method, path, body, headers)
    assert answer.status < 500, answer
    if answer.status == 207 and answer.headers.get("content-encoding") != "gzip":
        parts(answer)
    assert dav("GET", kept).body == event("kept", lines="RRULE:FREQ=WEEKLY\r\n")
