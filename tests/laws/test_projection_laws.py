"""What a view hides never gets out, and what comes back is what the other side had, with ours behind it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.canonical import digest
from bridge.core.fold import escaped, folded
from bridge.core.ics import parse
from bridge.core.projection import project, reattach, received
from bridge.core.sides import Side
from bridge.core.view import Blocking, Detail, View
from tests.corpus.corpus import ACCOUNT_ZONE, Sample, samples

read = partial(parse, zone=ACCOUNT_ZONE, max_instances=10_000)
shown = partial(project, parse=read)
attached = partial(reattach, parse=read)

VIEWS = [
    View(towards=side, detail=detail, attendees=attendees, free=blocking, all_day=blocking)
    for side in Side
    for detail in Detail
    for attendees in (False, True)
    for blocking in (Blocking if side is Side.HERE else [Blocking.IGNORE])
]
OUT = [view for view in VIEWS if view.goes_out]
# Those that show the corpus differently.
ALL = [view for view in VIEWS if view.goes_out or not view.attendees]
# Words that stand in no text of a provider, so that one of them in an output is a leak.
SECRET = st.text("ÄÖÜßéñøçğ", min_size=4, max_size=12)
# Properties with a text of their own; where `{}` stands, a secret does.
HIDDEN = [
    "DESCRIPTION:{}", "LOCATION:{}", "CATEGORIES:{}", "COMMENT:{}", "CONTACT:{}", "RESOURCES:{}", "X-NOTE:{}",
    "URL:https://example.org/{}", "ATTACH:https://example.org/{}", "X-ALT-DESC;FMTTYPE=text/html:<b>{}</b>",
    "ATTENDEE;CN={}:mailto:{}@example.org", "ORGANIZER;CN={}:mailto:{}@example.org", "CONFERENCE:https://{}",
    "REQUEST-STATUS:2.0;{}", "X-MS-OLK-SENDER;CN={}:mailto:{}", "IMAGE;VALUE=URI:https://{}", "STATUS:{}", "TRANSP:{}",
    "RELATED-TO:{}", "X-MICROSOFT-LOCATIONS:{}",
]  # fmt: skip
ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:{}\nEND:VALARM"
GUESTS = ["ORGANIZER:mailto:salon@example.org", "ATTENDEE;CN=Anna:mailto:anna@example.org", "ATTENDEE:urn:uuid:1"]


@st.composite
def components(draw: st.DrawFn, fixed: tuple[str, ...], *, private: bool) -> list[str]:
    """The lines of one component, its title and its text secret."""
    start = draw(st.integers(0, 22))
    secrets = draw(st.lists(st.tuples(st.sampled_from(HIDDEN), SECRET), max_size=6, unique_by=lambda pair: pair[0]))
    lines = [
        f"DTSTART{draw(st.sampled_from(['', ';X-WHO=äöü', ';TZID=Europe/Berlin']))}:20260714T{start:02}0000",
        draw(st.sampled_from(["DURATION:PT1H", f"DTEND:20260714T{start + 1:02}0000", "DURATION:PT30M"])),
        f"SUMMARY:{draw(SECRET)}",
        *(line.replace("{}", text) for line, text in secrets),
        *draw(st.lists(st.sampled_from(["STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "SEQUENCE:3"]), unique=True)),
        *(["CLASS:PRIVATE"] if private else []),
    ]
    lines = [*draw(st.permutations(lines)), *fixed]
    alarm = ALARM.replace("{}", draw(SECRET)).split("\n")
    return [*lines, *(alarm if draw(st.booleans()) else [])]


@st.composite
def versions(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two versions of one object: with the same guests and classes, and all else as it comes."""
    private = [draw(st.booleans()) for _ in range(3)]
    guests = tuple(draw(st.lists(st.sampled_from(GUESTS), unique=True)))
    return _version(draw, private, guests), _version(draw, private, guests)


def _version(draw: st.DrawFn, private: list[bool], guests: tuple[str, ...]) -> bytes:
    series = draw(st.booleans())
    blocks = [draw(components((*(["RRULE:FREQ=DAILY;COUNT=5"] if series else []), *guests), private=private[0]))]
    for day in (15, 16) if series else ():
        if draw(st.booleans()):
            # As private as the series: of an instance that is new, nothing else is known.
            fixed = (f"RECURRENCE-ID:202607{day}T000000", *guests)
            blocks.append(draw(components(fixed, private=private[0])))
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//law"]
    for block in blocks:
        lines += ["BEGIN:VEVENT", "UID:law", "DTSTAMP:20260101T000000Z", *block, "END:VEVENT"]
    return b"".join(map(folded, [*lines, "END:VCALENDAR"]))


def without_guests(raw: bytes) -> bytes:
    """The hidden lines that name guests differ between versions; the law is about one list of guests."""
    return re.sub(rb"(?m)^(?:ATTENDEE;CN=[^A]|ORGANIZER;|X-MS-OLK|REQUEST-)(?:[^\r\n]|\r?\n )*\r\n", b"", raw)


@settings(max_examples=150, deadline=None)
@given(versions(), st.sampled_from(VIEWS))
def test_what_is_attached_again_shows_the_same(raws: tuple[bytes, bytes], view: View) -> None:
    ours, other = (read(without_guests(raw)) for raw in raws)
    projected = shown(other, view)
    whole = attached(projected, ours, view)
    assert digest(shown(whole, view)) == digest(projected)


@settings(max_examples=100, deadline=None)
@given(versions(), st.sampled_from(VIEWS))
def test_showing_twice_is_showing_once(raws: tuple[bytes, bytes], view: View) -> None:
    once = shown(read(raws[0]), view)
    assert shown(once, view) is once


@settings(max_examples=100, deadline=None)
@given(versions(), st.sampled_from(OUT))
def test_an_object_that_comes_back_untouched_is_what_it_was(raws: tuple[bytes, bytes], view: View) -> None:
    ours = read(raws[0])
    assert digest(attached(shown(ours, view), ours, view)) == digest(ours)


@settings(max_examples=60, deadline=None)
@given(versions(), st.sampled_from(OUT), st.sampled_from([view for view in VIEWS if not view.goes_out]))
def test_what_we_sent_brings_no_change_of_ours_whatever_the_rule_takes_over(
    raws: tuple[bytes, bytes], push: View, pull: View
) -> None:
    ours = read(raws[0])
    pull = replace(pull, attendees=push.attendees, free=Blocking.IGNORE, all_day=Blocking.BLOCK)
    there = shown(ours, push)
    assert digest(received(there, ours, pull=pull, push=push, made_here=True, parse=read)) == digest(ours)


def visible(obj_raw: bytes) -> str:
    return re.sub(rb"\r?\n[ \t]", b"", obj_raw).decode()


@settings(max_examples=150, deadline=None)
@given(versions(), st.sampled_from([Detail.TITLES, Detail.BUSY]), st.sampled_from(list(Side)))
def test_no_hidden_text_gets_out(raws: tuple[bytes, bytes], detail: Detail, side: Side) -> None:
    found = visible(shown(read(raws[0]), View(towards=side, detail=detail)).raw)
    titles = " ".join(re.findall(r"(?m)^SUMMARY:(.*)", found))
    assert not re.search("[ÄÖÜßéñøçğäöü]", re.sub(r"(?m)^SUMMARY:.*", "", found))
    assert detail is Detail.TITLES or set(titles.split()) == {"Busy"}


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40), st.sampled_from(OUT))
def test_a_description_survives_the_list_of_guests_below_it(description: str, view: View) -> None:
    lines = ["DTSTART:20260714T090000Z", f"DESCRIPTION:{escaped(description)}", *GUESTS]
    block = ["BEGIN:VEVENT", "UID:law", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
    ours = read(b"".join(map(folded, ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//law", *block, "END:VCALENDAR"])))
    assert attached(shown(ours, view), ours, view) is ours


# The corpus: each oddity under each view.

_SHOWN = {"DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE"}
_NAMED = _SHOWN | {"UID", "SEQUENCE", "STATUS", "TRANSP", "CLASS", "VERSION", "PRODID", "CALSCALE", "METHOD"}


def texts(raw: bytes, names: set[str]) -> set[str]:
    """What is to be hidden: values that say much, and stand in no property that is shown."""
    flat = re.sub(r"(?s)BEGIN:VTIMEZONE.*?END:VTIMEZONE", "", visible(raw))
    found = [(name.upper(), value) for name, value in re.findall(r"(?m)^([A-Za-z0-9-]+)[;:](.*?)\r?$", flat)]
    public = "\n".join(value for name, value in found if name in names)
    hidden = {value for name, value in found if name not in {*names, "BEGIN", "END"} and len(value) > 8}
    return {value for value in hidden if value not in public}


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_the_laws_hold_for_every_oddity(sample: Sample) -> None:
    ours = read(sample.raw)
    for view in ALL:
        projected = shown(ours, view)
        assert shown(projected, view) is projected
        whole = attached(projected, ours, view)
        assert digest(shown(whole, view)) == digest(projected)
        assert not view.goes_out or digest(whole) == digest(ours)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_no_text_of_an_oddity_gets_out(sample: Sample) -> None:
    ours = read(sample.raw)
    for detail, names in ((Detail.BUSY, _NAMED), (Detail.TITLES, _NAMED | {"SUMMARY"})):
        found = visible(shown(ours, View(towards=Side.THERE, detail=detail)).raw)
        said = set(re.findall(r"(?m)^[A-Za-z0-9-]+[;:](.*?)\r?$", found))
        assert not [text for text in texts(sample.raw, names) if any(text in line for line in said)]
