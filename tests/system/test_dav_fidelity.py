"""What a client stores comes back as it was, under conditions that always hold: beyond what plain Radicale does."""

from __future__ import annotations

import importlib.util
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import icalendar

from bridge.core.split import split
from bridge.radicale_plugin.xml_text import characters
from tests.corpus.corpus import samples
from tests.feed.material import read
from tests.system.multistatus import parts, sentence, token
from tests.system.samples import event, multiget, propfind, query, sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.server import Client

SAMPLES = samples()
HELD = re.MULTILINE | re.IGNORECASE
REFUSED_SAMPLES = Path(__file__).with_name("refused_samples.json")
WRITERS = 8


def installed_samples() -> dict[str, bytes]:
    """The objects of every sample file that `icalendar` and `recurring-ical-events` install with themselves.

    Named by the path of the file inside its package, and their number in it.
    """
    found = {}
    for package in ("icalendar", "recurring_ical_events"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        top = Path(spec.origin).parent
        for file in sorted(top.rglob("*.ics")):
            for number, raw in enumerate(split(file.read_bytes())):
                found[f"{package}/{file.relative_to(top)}#{number}"] = raw
    return found


def test_every_oddity_of_the_corpus_comes_back_byte_for_byte(dav: Client, calendar: str) -> None:
    for sample in SAMPLES:
        path = f"{calendar}{sample.name}.ics"
        put = dav("PUT", path, sample.raw, {"Content-Type": "text/calendar; charset=utf-8"})
        assert (put.status, sample.name) == (201, sample.name), put.text
        got = dav("GET", path)
        assert (got.body, sample.name) == (sample.raw, sample.name)
        assert got.headers["etag"] == put.headers["etag"]
    expected = {f"{calendar}{sample.name}.ics" for sample in SAMPLES}
    everything = parts(dav("REPORT", calendar, query(""), {"Depth": "1"}))
    assert set(everything) == expected
    assert set(parts(dav("REPORT", calendar, multiget(*sorted(expected))))) == expected
    for sample in SAMPLES:
        shown = everything[f"{calendar}{sample.name}.ics"].text("C:calendar-data")
        assert _plain(shown) == _plain(characters(sample.raw)), sample.name
    for body in (None, propfind("D:getetag", "D:getcontentlength", "D:getcontenttype")):
        listed = parts(dav("PROPFIND", calendar, body, {"Depth": "1"}))
        assert set(listed) == {*expected, calendar}
    sizes = {sample.name: len(sample.raw) for sample in SAMPLES}
    for name, size in sizes.items():
        assert listed[f"{calendar}{name}.ics"].text("D:getcontentlength") == str(size)
    whole = dav("GET", calendar).body
    # One sample brings a component of its maker's own, which stands apart in the whole.
    assert len([raw for raw in split(whole) if re.search(rb"^BEGIN:(VEVENT|VTODO|VJOURNAL)", raw, HELD)]) == len(
        SAMPLES
    )


def _plain(text: str) -> str:
    """A text without what XML cannot carry, in which control characters are replaced."""
    return (
        "".join(character if character >= " " or character in "\t\r\n" else "\ufffd" for character in text)
        .replace("\uffff", "\ufffd")
        .replace("\ufffe", "\ufffd")
    )


def test_nearly_all_installed_samples_come_back_byte_for_byte_and_the_rest_says_why(dav: Client, calendar: str) -> None:
    expected: dict[str, list[str]] = json.loads(REFUSED_SAMPLES.read_text())
    refused: dict[str, list[str]] = {}
    kept = 0
    for number, (name, raw) in enumerate(installed_samples().items()):
        path = f"{calendar}{number}.ics"
        put = dav("PUT", path, raw, {"Content-Type": "text/calendar; charset=utf-8"})
        if put.status == 409:
            # The same UID in another file.
            dav("DELETE", put.xml().findtext(".//{DAV:}href") or "")
            put = dav("PUT", path, raw, {"Content-Type": "text/calendar; charset=utf-8"})
        if put.status != 201:
            assert put.status in {400, 403}, (name, put)
            refused.setdefault(re.sub("'[^']*'", "'...'", sentence(put)), []).append(name)
            continue
        assert dav("GET", path).body == raw, name
        kept += 1
    assert {reason: sorted(names) for reason, names in refused.items()} == expected
    assert kept >= 930


def test_a_stale_if_match_never_overwrites(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    stale = dav("PUT", path, event("x", summary="1")).headers["etag"]
    present = dav("PUT", path, event("x", summary="2")).headers["etag"]
    for wrong in (stale, "W/" + present, '"nonsense"', present.strip('"').join(("", "x")), '""', '"a", "b"'):
        assert dav("PUT", path, event("x", summary="3"), {"If-Match": wrong}).status == 412, wrong
    assert dav("PUT", path, event("x", summary="3"), {"If-None-Match": "*"}).status == 412
    assert dav("PUT", path, event("x", summary="3"), {"If-None-Match": present}).status == 412
    assert dav("GET", path).body == event("x", summary="2")
    assert dav("PUT", path, event("x", summary="3"), {"If-Match": f'"other", {present}'}).status == 204
    assert dav("PUT", path, event("x", summary="4"), {"If-Match": "*"}).status == 204
    assert dav("PUT", f"{calendar}new.ics", event("new"), {"If-Match": "*"}).status == 412


def test_the_if_header_of_webdav_protects_as_if_match_does(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    etag = dav("PUT", path, event("x", summary="1")).headers["etag"]
    for wrong in ('(["stale"])', "(<opaquelocktoken:1>)", f'<{path}> (["stale"])'):
        assert dav("PUT", path, event("x", summary="2"), {"If": wrong}).status == 412
        assert dav("DELETE", path, headers={"If": wrong}).status == 412
        assert dav("MOVE", path, headers={"If": wrong, "Destination": f"{calendar}y.ics"}).status == 412
    assert dav("PUT", path, event("x", summary="2"), {"If": "nonsense"}).status == 400
    assert dav("GET", path).body == event("x", summary="1")
    assert dav("PUT", path, event("x", summary="2"), {"If": f"([{etag}])"}).status == 204


def test_an_unconditional_put_overwrites_as_simple_clients_expect(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    assert dav("PUT", path, event("x", summary="1")).status == 201
    assert dav("PUT", path, event("x", summary="2")).status == 204
    assert dav("GET", path).body == event("x", summary="2")


def test_the_same_bytes_again_change_nothing(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    first = dav("PUT", path, event("x"))
    known = token(dav("REPORT", calendar, sync()))
    again = dav("PUT", path, event("x"))
    assert (again.status, again.headers["etag"]) == (204, first.headers["etag"])
    assert parts(dav("REPORT", calendar, sync(known))) == {}


def test_an_item_that_the_client_has_already_is_not_sent_again(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    etag = dav("PUT", path, event("x")).headers["etag"]
    whole = dav("GET", path)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = dav("GET", path, headers={"If-None-Match": known})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag), known
    assert dav("GET", path, headers={"If-None-Match": '"other"'}).status == 200
    assert dav("GET", path, headers={"If-Modified-Since": whole.headers["last-modified"]}).status == 304
    assert dav("HEAD", path, headers={"If-None-Match": etag}).status == 304
    assert dav("GET", path, headers={"If-Match": '"other"'}).status == 412
    head = dav("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert {name: head.headers[name] for name in ("etag", "content-type", "content-length")} == {
        name: whole.headers[name] for name in ("etag", "content-type", "content-length")
    }


def test_a_whole_calendar_that_the_client_has_already_is_not_sent_again(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}x.ics", event("x"))
    etag = dav("GET", calendar).headers["etag"]
    assert dav("GET", calendar, headers={"If-None-Match": etag}).status == 304
    dav("PUT", f"{calendar}y.ics", event("y"))
    assert dav("GET", calendar, headers={"If-None-Match": etag}).status == 200


def test_two_events_whose_zones_share_a_name_keep_their_hours_in_the_whole_calendar(dav: Client, calendar: str) -> None:
    def zoned(uid: str, offset: str) -> bytes:
        return (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\n"
            f"BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\n"
            f"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n"
            'DTSTART;TZID="Customized Time Zone":20270104T090000\r\nDTEND;TZID=Customized Time Zone:20270104T100000\r\n'
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        ).encode()

    dav("PUT", f"{calendar}a.ics", zoned("a", "+0200"))
    dav("PUT", f"{calendar}b.ics", zoned("b", "-0500"))
    whole = read(dav("GET", calendar).body)
    zones: dict[str, Any] = {str(zone["TZID"]): cast("Any", zone).to_tz() for zone in whole.walk("VTIMEZONE")}
    assert len(zones) == 2
    hours = {}
    for each in whole.walk("VEVENT"):
        start: Any = each["DTSTART"]
        hours[str(each["UID"])] = zones[start.params["TZID"]].utcoffset(start.dt.replace(tzinfo=None))
    assert hours == {"a": timedelta(hours=2), "b": -timedelta(hours=5)}


def test_events_with_other_line_ends_are_in_the_whole_calendar_too(dav: Client, calendar: str) -> None:
    dav("PUT", f"{calendar}lf.ics", event("lf").replace(b"\r\n", b"\n"))
    dav("PUT", f"{calendar}crlf.ics", event("crlf"))
    whole = icalendar.Calendar.from_ical(dav("GET", calendar).body)
    assert {str(each["UID"]) for each in whole.walk("VEVENT")} == {"lf", "crlf"}


def test_a_limited_sync_continues_where_it_stopped(dav: Client, calendar: str) -> None:
    known = token(dav("REPORT", calendar, sync()))
    for number in range(5):
        dav("PUT", f"{calendar}{number}.ics", event(f"limited-{number}"))
    dav("DELETE", f"{calendar}2.ics")
    seen: dict[str, int] = {}
    for _ in range(5):
        answer = dav("REPORT", calendar, sync(known, limit=2))
        found = parts(answer)
        known = token(answer)
        more = found.pop(calendar, None)
        seen |= {href: part.status for href, part in found.items()}
        if more is None:
            break
        assert more.status == 507
        assert answer.xml().find(".//{DAV:}number-of-matches-within-limits") is not None
    assert seen == {f"{calendar}{number}.ics": (404 if number == 2 else 0) for number in range(5)}
    assert parts(dav("REPORT", calendar, sync(known))) == {}


def test_of_parallel_conditional_puts_exactly_one_wins(dav: Client, calendar: str) -> None:
    path = f"{calendar}x.ics"
    etag = dav("PUT", path, event("x")).headers["etag"]
    for target, uid, condition, won in (
        (path, "x", {"If-Match": etag}, 204),
        (f"{calendar}new.ics", "new", {"If-None-Match": "*"}, 201),
    ):
        put = partial(_put, dav, target, uid, condition)
        assert sorted(_at_once(put)) == [won] + [412] * (WRITERS - 1)


def _put(dav: Client, path: str, uid: str, condition: dict[str, str], writer: int) -> int:
    return dav("PUT", path, event(uid, summary=str(writer)), condition).status


def test_parallel_unconditional_writes_all_happen_one_after_another(dav: Client, calendar: str) -> None:
    def write(writer: int) -> int:
        statuses = [
            dav("PUT", f"{calendar}{writer % 4}.ics", event(f"uid-{writer % 4}", summary=f"{writer} {turn}")).status
            for turn in range(3)
        ]
        statuses.append(dav("REPORT", calendar, sync()).status)
        return max(statuses)

    assert set(_at_once(write)) <= {204, 207}
    assert len(parts(dav("REPORT", calendar, query("")))) == 4


def _at_once(send: Callable[[int], int]) -> list[int]:
    with ThreadPoolExecutor(WRITERS) as writers:
        return list(writers.map(send, range(WRITERS)))
