"""Bad input gets a clear answer: never a 5xx, and nothing that was stored is lost."""

# ruff: noqa: E501 -- odd inputs read best in rows
from __future__ import annotations

import gzip
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.system.multistatus import parts, sentence
from tests.system.samples import event, multiget, propfind, proppatch, query, sync, xml

if TYPE_CHECKING:
    from tests.system.server import Client, Server

ICS = {"Content-Type": "text/calendar; charset=utf-8"}
TWO_UIDS = event("one").replace(b"END:VCALENDAR", event("two").split(b"\r\n", 3)[3])
REFUSED_BODIES = {
    "nothing": b"",
    "text": b"This is a test.\r\n",
    "an empty calendar": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n",
    "a calendar cut off": event("cut")[:-40],
    "two UIDs": TWO_UIDS,
    "no UID": event("x").replace(b"UID:x\r\n", b""),
    "no start": event("x").replace(b"DTSTART:20270104T090000Z\r\n", b""),
    "an event and a task": event("x").replace(b"END:VCALENDAR", b"BEGIN:VTODO\r\nUID:x\r\nEND:VTODO\r\nEND:VCALENDAR"),
    "two calendars": event("x") + event("y"),
    "every second without end": event("x", lines="RRULE:FREQ=SECONDLY\r\n"),
    "Latin-1 that calls itself UTF-8": event("x", summary="Caf\u00e9").decode().encode("latin-1"),
    "UTF-16 that calls itself UTF-8": event("x").decode().encode("utf-16"),
    "a web page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "a card": b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:x\r\nFN:Anna\r\nN:;Anna;;;\r\nEND:VCARD\r\n",
    "only a zone": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n",
    "components nested without end": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5000,
}


@pytest.mark.parametrize("name", REFUSED_BODIES)
def test_a_body_that_is_no_appointment_is_refused_and_what_was_there_stays(
    dav: Client, calendar: str, name: str
) -> None:
    path = f"{calendar}x.ics"
    dav("PUT", path, event("x", summary="Precious"))
    for target in (path, f"{calendar}new.ics"):
        refused = dav("PUT", target, REFUSED_BODIES[name], ICS)
        assert refused.status in {400, 403}, refused
        assert len(sentence(refused).split()) > 4
    assert dav("GET", path).body == event("x", summary="Precious")
    assert dav("GET", f"{calendar}new.ics").status == 404


def test_a_uid_that_stands_elsewhere_is_a_conflict_that_says_where(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}first%20one.ics", event("same"))
    refused = dav("PUT", f"{calendar}second.ics", event("same"))
    assert refused.status == 409
    conflict = refused.xml().find("{urn:ietf:params:xml:ns:caldav}no-uid-conflict")
    assert conflict is not None
    assert conflict.findtext("{DAV:}href") == f"{calendar}first%20one.ics"
    other = dav("PUT", f"{calendar}first%20one.ics", event("another"))
    assert other.status == 409
    assert dav("GET", f"{calendar}first%20one.ics").body == event("same")


def test_a_body_of_fifty_megabytes_is_refused_before_it_is_sent(dav: Client, calendar: str) -> None:
    head = f"PUT {calendar}x.ics HTTP/1.1\r\nContent-Length: 52428800\r\nContent-Type: text/calendar\r\n\r\n"
    refused = dav.raw(head.encode())
    assert refused.status == 413
    assert "limits.max_body" in sentence(refused)


def test_a_chunked_body_without_end_is_refused_at_the_limit(dav: Client, calendar: str) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = f"PUT {calendar}x.ics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert dav.raw(head.encode(), chunk * 21 + b"0\r\n\r\n").status == 413


def test_an_appointment_larger_than_one_may_be_is_refused_with_the_limit(dav: Client, calendar: str) -> None:
    refused = dav("PUT", f"{calendar}x.ics", event("x", summary="x" * (2 << 20)), ICS)
    assert refused.status == 413
    assert refused.xml().find("{urn:ietf:params:xml:ns:caldav}max-resource-size") is not None
    limit = parts(dav("PROPFIND", calendar, propfind("C:max-resource-size")))[calendar].text("C:max-resource-size")
    assert limit in sentence(refused)


def test_packed_bodies_are_unpacked_and_bombs_are_not(dav: Client, calendar: str) -> None:
    packed = {**ICS, "Content-Encoding": "gzip"}
    assert dav("PUT", f"{calendar}x.ics", gzip.compress(event("x")), packed).status == 201
    assert dav("GET", f"{calendar}x.ics").body == event("x")
    bomb = gzip.compress(b"x" * (64 << 20), compresslevel=9)
    assert len(bomb) < 100_000
    assert dav("PUT", f"{calendar}y.ics", bomb, packed).status == 413
    assert dav("PUT", f"{calendar}y.ics", b"no gzip", packed).status == 400
    assert dav("PUT", f"{calendar}y.ics", gzip.compress(event("y"))[:-9], packed).status == 400
    assert dav("PUT", f"{calendar}y.ics", event("y"), {**ICS, "Content-Encoding": "br"}).status == 415


def test_another_character_set_is_taken_by_its_name(dav: Client, calendar: str) -> None:
    for number, charset in enumerate(("iso-8859-1", "utf-16", '"UTF-8"', "windows-1252")):
        body = event(f"charset-{number}", summary="Café").decode().encode(charset.strip('"'))
        path = f"{calendar}{number}.ics"
        assert dav("PUT", path, body, {"Content-Type": f"text/calendar; charset={charset}"}).status == 201
        assert dav("GET", path).body == event(f"charset-{number}", summary="Café")
    for charset in ("nonsense", "rot13", "base64", "x" * 1000, ""):
        put = dav("PUT", f"{calendar}wrong.ics", event("wrong"), {"Content-Type": f"text/calendar; charset={charset}"})
        assert put.status in {201, 204, 400}, charset


def test_a_chunked_put_and_one_that_waits_for_100_are_stored(dav: Client, calendar: str) -> None:
    body = event("chunked")
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    head = f"PUT {calendar}chunked.ics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert dav.raw(head.encode(), chunked).status == 201
    assert dav("GET", f"{calendar}chunked.ics").body == body
    body = event("waits")
    head = f"PUT {calendar}waits.ics HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    assert dav.raw(head.encode(), body).status in {100, 201}
    assert dav("GET", f"{calendar}waits.ics").body == body


def test_part_of_an_appointment_is_not_stored_as_the_whole(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x"))
    assert dav("PUT", f"{calendar}x.ics", event("x", summary="y"), {"Content-Range": "bytes 0-9/100"}).status == 400
    assert dav("GET", f"{calendar}x.ics").body == event("x")


@pytest.mark.parametrize(
    "name",
    [
        "plain.ics", "with space.ics", "ümläut.ics", "u\u0308mla\u0308ut.ics", "100%.ics", "a+b.ics", "a;b=c.ics", "a:b@c.ics",
        "a&b.ics", "<tag>.ics", '"quoted".ics', "'s.ics", "a,b.ics", "日本語 🎉.ics", "no-suffix", ".hidden", "~tilde", "%41.ics",
        "question?.ics", "hash#.ics", "back\\slash.ics", "x" * 900 + ".ics", "a=b&c[0]={d}|e^f`g.ics", "..ics", "...",
    ],
)  # fmt: skip
def test_any_name_that_a_client_gives_is_kept_and_comes_back(dav: Client, calendar: str, name: str) -> None:
    path, uid = f"{calendar}{quote(name, safe='')}", uuid.uuid4().hex
    put = dav("PUT", path, event(uid), ICS)
    assert put.status == 201, put
    assert dav("GET", path).body == event(uid)
    href = f"{calendar}{name}"
    for answer in (
        dav("PROPFIND", calendar, propfind("D:getetag"), {"Depth": "1"}),
        dav("PROPFIND", path, propfind("D:getetag"), {"Depth": "0"}),
        dav("REPORT", calendar, query()),
        dav("REPORT", calendar, multiget(path)),
        dav("REPORT", calendar, sync()),
    ):
        assert parts(answer)[href].text("D:getetag") == put.headers["etag"]
    assert dav("MOVE", path, headers={"Destination": f"{path}.moved"}).status == 201
    assert dav("DELETE", f"{path}.moved").status == 204


def test_names_that_differ_only_in_their_unicode_form_are_two(dav: Client, calendar: str) -> None:
    for uid, name in (("composed", "\u00e9.ics"), ("decomposed", "e\u0301.ics")):
        assert dav("PUT", calendar + quote(name), event(uid)).status == 201
    assert len(parts(dav("REPORT", calendar, sync()))) == 2


@pytest.mark.parametrize(
    "tail",
    [
        "..%2f..%2fboss%2fsalon.bob%2fx.ics", "../../boss/salon.bob/x.ics", "%2e%2e/%2e%2e/boss/salon.bob/x.ics", "a%2fb.ics",
        "a/b.ics", "a/b/c/d.ics", "%00.ics", "x%0d%0aSet-Cookie:a=b.ics", "x%1b.ics", "%e2%80%8b.ics", "x" * 1100,
        "%c3%28.ics", "..", ".", "%2e%2e", "", "x.ics/", "%", "%zz.ics", "%f0%9f.ics",
    ],
)  # fmt: skip
def test_path_tricks_lead_nowhere_else(server: Server, dav: Client, calendar: str, tail: str) -> None:
    boss = server.client("boss")
    before = parts(boss("REPORT", "/dav/boss/salon.bob/", sync()))
    home = set(parts(dav("PROPFIND", "/dav/demo/", propfind("D:resourcetype"), {"Depth": "1"})))
    for method, body in (
        ("PUT", event("trick")),
        ("GET", None),
        ("DELETE", None),
        ("PROPFIND", None),
        ("REPORT", query()),
    ):
        answer = dav(method, calendar + tail, body)
        assert answer.status < 500, (method, answer)
        assert "set-cookie" not in answer.headers
        if tail in {"..", ".", "%2e%2e", ""}:
            break
    moved = dav("MOVE", f"{calendar}missing.ics", headers={"Destination": calendar + tail})
    assert 400 <= moved.status < 500
    assert parts(boss("REPORT", "/dav/boss/salon.bob/", sync())) == before
    assert home == set(parts(dav("PROPFIND", "/dav/demo/", propfind("D:resourcetype"), {"Depth": "1"})))


@pytest.mark.parametrize(
    "path", ["/dav/boss/", "/dav/boss/salon.bob/", "/dav/boss/salon.anna/x.ics", "/dav/nobody/", "/dav/no-such/"]
)
def test_the_homes_of_others_are_closed(dav: Client, path: str) -> None:
    for method, body in (
        ("GET", None), ("PUT", event("x")), ("DELETE", None), ("PROPFIND", None), ("PROPPATCH", proppatch(D_displayname="x")),
        ("REPORT", query()), ("REPORT", sync()), ("MKCALENDAR", None), ("MKCOL", None), ("POST", b""),
        ("MOVE", None),
    ):  # fmt: skip
        answer = dav(method, path, body, {"Destination": "/dav/demo/salon.anna/stolen.ics", "Depth": "1"})
        assert answer.status in {403, 404, 405}, (method, answer)
        assert b"BEGIN:VCALENDAR" not in answer.body


def test_an_appointment_cannot_be_moved_into_the_home_of_another(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x"))
    for target in (
        "/dav/boss/salon.bob/x.ics",
        "/dav/demo/salon.laser/x.ics",
        "/dav/demo/",
        calendar,
        "/dav/",
        "/x.ics",
    ):
        assert dav("MOVE", f"{calendar}x.ics", headers={"Destination": target}).status == 403, target
    for target in ("http://elsewhere.example.org/dav/demo/salon.anna/x.ics", "http://[", "http://h:x/", "//", "%", ""):
        assert dav("MOVE", f"{calendar}x.ics", headers={"Destination": target}).status in {400, 403}, target
    assert dav("MOVE", f"{calendar}x.ics").status == 400
    assert dav("GET", f"{calendar}x.ics").body == event("x")


def test_a_move_obeys_overwrite_if_match_and_uids(dav: Client, calendar: str) -> None:
    x, y = f"{calendar}x.ics", f"{calendar}y.ics"
    etag = dav("PUT", x, event("x")).headers["etag"]
    dav("PUT", y, event("y"))
    assert dav("MOVE", x, headers={"Destination": x}).status == 403
    assert dav("MOVE", x, headers={"Destination": y, "Overwrite": "F"}).status == 412
    assert dav("MOVE", x, headers={"Destination": y}).status == 409
    assert dav("MOVE", x, headers={"Destination": f"{calendar}z.ics", "If-Match": '"stale"'}).status == 412
    assert dav("MOVE", x, headers={"Destination": "/dav/demo/no-such/z.ics"}).status == 409
    assert dav("MOVE", f"{calendar}no.ics", headers={"Destination": f"{calendar}z.ics"}).status == 404
    assert {dav("GET", path).body for path in (x, y)} == {event("x"), event("y")}
    assert dav("MOVE", x, headers={"Destination": f"{calendar}z.ics", "If-Match": etag}).status == 201


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True))
    + ']><D:propfind xmlns:D="DAV:"><D:prop><D:displayname>&j;</D:displayname></D:prop></D:propfind>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname>&a;</D:displayname></D:prop></D:propfind>'
)
BAD_XML = {
    "entities within entities": BOMB,
    "an entity from a file": OUTSIDE,
    "no XML": "nonsense",
    "XML cut off": '<D:propfind xmlns:D="DAV:"><D:prop>',
    "no namespace": "<propfind><prop><displayname/></prop></propfind>",
    "a property without namespace": '<D:propfind xmlns:D="DAV:"><D:prop><displayname/></D:prop></D:propfind>',
    "an undeclared prefix": "<D:propfind><D:prop/></D:propfind>",
    "a prefix declared empty": '<D:propfind xmlns:D="DAV:" xmlns:b=""><D:prop><b:x/></D:prop></D:propfind>',
    "deep nesting": '<D:propfind xmlns:D="DAV:">' + "<D:prop>" * 50_000 + "</D:prop>" * 50_000 + "</D:propfind>",
    "an unknown encoding": '<?xml version="1.0" encoding="nonsense"?><D:propfind xmlns:D="DAV:"><D:prop/></D:propfind>',
    "a NUL": '<D:propfind xmlns:D="DAV:">\0</D:propfind>',
}


@pytest.mark.parametrize("name", BAD_XML)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH", "MKCALENDAR", "MKCOL"])
def test_xml_that_cannot_be_read_is_a_bad_request(dav: Client, calendar: str, method: str, name: str) -> None:
    path = calendar if method not in {"MKCALENDAR", "MKCOL"} else f"/dav/demo/{uuid.uuid4().hex}/"
    refused = dav(method, path, BAD_XML[name], {"Depth": "1", "Content-Type": "application/xml"})
    assert refused.status == 400
    assert b"root:" not in refused.body
    assert sentence(refused)


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PROPFIND", xml("D:propfind", "")),
        ("PROPFIND", xml("D:nonsense", "<D:prop/>")),
        ("PROPFIND", xml("D:propfind", "<D:nonsense/>")),
        ("PROPPATCH", ""),
        ("PROPPATCH", xml("D:propertyupdate", "")),
        ("PROPPATCH", xml("D:propertyupdate", "<D:set/>")),
        ("REPORT", ""),
    ],
)
def test_xml_that_asks_for_nothing_is_a_bad_request(dav: Client, calendar: str, method: str, body: str) -> None:
    assert dav(method, calendar, body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        query('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>'),
        query('<C:comp-filter name="VEVENT"><C:time-range start="nonsense"/></C:comp-filter>'),
        query('<C:comp-filter name="VEVENT"><C:time-range start="20270101T000000Z" end="20260101T000000Z"/></C:comp-filter>'),
        query('<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match collation="x">a</C:text-match>'
              "</C:prop-filter></C:comp-filter>"),
        query("<C:comp-filter/>"),
        query(data='<C:calendar-data><C:expand start="20270101T000000Z"/></C:calendar-data>'),
        query(data='<C:calendar-data><C:expand start="x" end="y"/></C:calendar-data>'),
        xml("C:calendar-query", "<D:prop/><C:filter/>"),
        sync(limit=0), sync(limit=-1), sync("x" * 10_000), sync().replace("<D:prop>", "<D:limit><D:nresults>²</D:nresults></D:limit><D:prop>"),
        xml("C:free-busy-query", ""),
        xml("D:nonsense", ""), xml("D:acl-principal-prop-set", ""),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_evaluated_is_refused_with_a_sentence(dav: Client, calendar: str, body: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x", lines="RRULE:FREQ=DAILY\r\n"))
    refused = dav("REPORT", calendar, body, {"Depth": "1"})
    assert refused.status in {400, 403}, refused
    assert sentence(refused)


def test_ranges_at_the_ends_of_time_are_answered(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x", lines="RRULE:FREQ=YEARLY\r\n"))
    dav("PUT", f"{calendar}y.ics", event("y", "00010101T000000Z"))
    dav("PUT", f"{calendar}z.ics", event("z", "99991231T235959Z"))
    for start, end in (("00010101T000000Z", "00010102T000000Z"), ("99991231T000000Z", "99991231T235959Z")):
        bounds = f'start="{start}" end="{end}"'
        window = f'<C:comp-filter name="VEVENT"><C:time-range {bounds}/></C:comp-filter>'
        for data in ("<C:calendar-data/>", f"<C:calendar-data><C:expand {bounds}/></C:calendar-data>"):
            assert dav("REPORT", calendar, query(window, data=data)).status in {207, 403}
        assert dav("REPORT", calendar, xml("C:free-busy-query", f"<C:time-range {bounds}/>")).status == 200


@pytest.mark.parametrize(
    "method", ["LOCK", "UNLOCK", "COPY", "POST", "PATCH", "ACL", "SEARCH", "BREW", "TRACE", "x" * 300]
)
def test_methods_that_are_not_offered_are_refused(dav: Client, calendar: str, method: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x"))
    answer = dav(method, f"{calendar}x.ics", headers={"Destination": f"{calendar}y.ics"})
    assert answer.status in {400, 403, 405, 501}
    assert dav("GET", f"{calendar}y.ics").status == 404


def test_a_wrong_depth_is_refused_and_infinity_only_where_it_would_cost(dav: Client, calendar: str) -> None:
    body = propfind("D:getetag")
    for wrong in ("2", "-1", "one", "1,noroot", ""):
        assert dav("PROPFIND", calendar, body, {"Depth": wrong}).status == 400, wrong
    assert set(parts(dav("PROPFIND", calendar, body, {"Depth": "infinity"}))) == {calendar}
    refused = dav("PROPFIND", "/dav/demo/", body, {"Depth": "Infinity"})
    assert refused.status == 403
    assert refused.xml().find("{DAV:}propfind-finite-depth") is not None


@pytest.mark.parametrize(
    "value", ["*, *", ",", "", " ", '"', '"""', "W/", 'W/"', "é", "x" * 8000, '"a"' * 2000, "(<opaquelocktoken:x>)"]
)
def test_absurd_conditions_never_overwrite_what_is_there(dav: Client, calendar: str, value: str) -> None:
    path = f"{calendar}x.ics"
    dav("PUT", path, event("x"))
    for header in ("If-Match", "If-None-Match", "If-Modified-Since", "If", "Overwrite", "Timeout", "Lock-Token"):
        for method in ("GET", "HEAD", "PROPFIND"):
            assert dav(method, path, headers={header: value}).status < 500
    changed = dav("PUT", path, event("x", summary="y"), {"If-Match": value})
    assert changed.status == 204 if value == "*, *" else changed.status == 412


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ", "Basic x", "Basic ####", "Basic eA==", "basic ZGVtbzp3cm9uZw==", "Basic /////w==", "Bearer x", "Digest x",
     "Basic Og==", "Basic " + "QQ" * 4000, "é"],
)  # fmt: skip
def test_credentials_that_cannot_be_read_ask_for_a_login(server: Server, value: str) -> None:
    stranger = server.client("")
    answer = stranger("PROPFIND", "/dav/", None, {"Authorization": value})
    assert answer.status in {401, 431}, answer
    if answer.status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_stranger_is_asked_to_log_in_before_anything_is_read(server: Server, calendar: str) -> None:
    stranger = server.client("")
    for method in ("GET", "PUT", "DELETE", "MOVE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"):
        assert stranger(method, calendar, b"nonsense").status == 401
    head = f"PUT {calendar}x.ics HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n"
    assert stranger.raw(head.encode()).status == 401


def test_what_radicale_shows_beside_calendars_is_closed(dav: Client) -> None:
    for path in (
        "/dav/.web",
        "/dav/.web/",
        "/dav/.sharing/v1/",
        "/dav/.mobileconfig",
        "/dav/.token/x",
        "/dav/.well-known/x",
    ):
        for method in ("GET", "POST"):
            assert dav(method, path, b"" if method == "POST" else None).status in {403, 404, 405}, path


def test_the_start_page_stands_any_path(server: Server) -> None:
    stranger = server.client("")
    for path in ("/%E2%82%AC", "/%ff", "/%00", "/a/../b", "//", "/feed/%E2%82%AC/x.ics", "/dav%2f", "/%0d%0a"):
        assert stranger("GET", path).status in {200, 301, 308, 400, 401, 404}, path
