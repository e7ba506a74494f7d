"""What people make and change in the small world of the sync machine."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.core.canonical import digest
from bridge.core.content import MASTER, Line, Part, made, read, with_uid, without, write
from bridge.core.origin import ORIGIN
from tests.store.appointments import parse
from tests.sync.appointments import HOUR, START

if TYPE_CHECKING:
    from bridge.core.content import Content
    from bridge.core.model import CalendarObject

DAYS = 4
"""How many instances a series has."""


class Kind(StrEnum):
    """What somebody makes."""

    SINGLE = "single"
    SERIES = "series"
    ALL_DAY = "all day"


class Slot(StrEnum):
    """What somebody edits; those of a series are one thing, as its pattern and its instances hang together."""

    TITLE = "title"
    PLACE = "place"
    TIME = "time"
    GUEST = "guest"
    INSTANCE = "instance"
    MOVED = "moved"
    CANCELLED = "cancelled"


def made_as(obj: CalendarObject) -> str:
    """The word with which an object was made."""
    found = re.search(r"DESCRIPTION:made (w\d+x)", obj.raw.decode().replace("\r\n ", ""))
    assert found is not None
    return found[1]


def bare(obj: CalendarObject) -> str:
    """The meaning of an object without its UID, its mark, and what a provider that rewrites puts on and takes off."""
    content = read(obj)
    unknown = {line.name for part in content.parts.values() for line in part.lines if line.name.startswith("X-")}
    return digest(parse(write(with_uid(without(content, {ORIGIN, "CLASS", *unknown}), "same"))))


def edited(content: Content, slot: Slot, day: int, number: int, word: str) -> Content | None:
    """An object with one thing changed, or None where it has no such thing."""
    master = content.parts.get(MASTER)
    if master is None:
        return None
    recurring = bool(master.named("RRULE"))
    match slot:
        case Slot.TITLE:
            return _with(content, MASTER, made("SUMMARY", word))
        case Slot.PLACE:
            return _with(content, MASTER, made("LOCATION", word))
        case Slot.GUEST:
            part = replace(master, content=(*master.content, made("ATTENDEE", f"mailto:{word}@example.org")))
            return replace(content, parts={**content.parts, MASTER: part})
        case Slot.TIME:
            return None if recurring else _moved(content, master, number)
        case _:
            return _instance_edited(content, master, slot, day=day, number=number, word=word) if recurring else None


def _with(content: Content, key: str, *new: Line) -> Content:
    names = {line.name for line in new}
    lines = [line for line in content.parts[key].content if line.name not in names]
    part = replace(content.parts[key], content=(lines[0], *new, *lines[1:]))
    return replace(content, parts={**content.parts, key: part})


def _moved(content: Content, master: Part, number: int) -> Content:
    if "VALUE=DATE" in master.named("DTSTART")[0].flat:
        first = START.date() + timedelta(days=number)
        return _with(
            content,
            MASTER,
            made("DTSTART", f"{first:%Y%m%d}", ";VALUE=DATE"),
            made("DTEND", f"{first + timedelta(days=1):%Y%m%d}", ";VALUE=DATE"),
        )
    return _with(content, MASTER, *_times(START + timedelta(minutes=5 * number)))


def _times(start: datetime) -> tuple[Line, Line]:
    return made("DTSTART", f"{start:%Y%m%dT%H%M%SZ}"), made("DTEND", f"{start + HOUR:%Y%m%dT%H%M%SZ}")


def _instance_edited(content: Content, master: Part, slot: Slot, *, day: int, number: int, word: str) -> Content | None:
    instance = START + timedelta(days=day % DAYS)
    stamp = f"{instance:%Y%m%dT%H%M%SZ}"
    excluded = any(stamp in line.value for line in master.named("EXDATE"))
    key = next(
        (key for key, part in content.parts.items() if key != MASTER and part.named("RECURRENCE-ID")[0].value == stamp),
        None,
    )
    if slot is Slot.CANCELLED:
        if excluded:
            return None
        parts = {each: part for each, part in content.parts.items() if each != key}
        parts[MASTER] = replace(master, content=(*master.content, made("EXDATE", stamp)))
        return replace(content, parts=parts)
    if excluded:
        return None
    if key is None:
        kept = [line for line in master.content if line.name not in {"RRULE", "EXDATE", "DTSTART", "DTEND"}]
        part = replace(master, key="new", content=(kept[0], made("RECURRENCE-ID", stamp), *_times(instance), *kept[1:]))
        content = read(parse(write(replace(content, parts={**content.parts, "new": part}))))
        key = next(
            key
            for key, part in content.parts.items()
            if key != MASTER and part.named("RECURRENCE-ID")[0].value == stamp
        )
    if slot is Slot.MOVED:
        return _with(content, key, *_times(instance + timedelta(minutes=5 * (1 + number % 100))))
    return _with(content, key, made("SUMMARY", word))
