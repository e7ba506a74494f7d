"""What an object shows at each level of detail, decided on its components as text.

- `full`: everything, save reminders where the feed is without them.
- `titles`: title, times, recurrence, status and transparency.
- `busy`: times and recurrence of what takes time; what is free or cancelled is not there.

A private or confidential component is shown as at `busy` whatever the level (RFC 5545 section 3.8.1.3: a CLASS that
is not known counts as private). Where nothing of an object is shown in full, its UID is a hash, for a UID can hold
names and addresses; the same object has the same hash in every feed, so that readers recognise it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.core.feed_ready import DUE
from bridge.core.view import Detail
from bridge.feed.instances import without
from bridge.feed.lines import Block, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

KEPT_AT_BUSY = frozenset(
    {
        "UID",
        "DTSTAMP",
        "SEQUENCE",
        "DTSTART",
        "DTEND",
        "DUE",
        "DURATION",
        "RRULE",
        "EXRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
    }
)
KEPT_AT_TITLES = KEPT_AT_BUSY | {"SUMMARY", "STATUS", "TRANSP"}
_PARAMS = frozenset({"VALUE", "TZID", "RANGE", "LANGUAGE"})
_DUE = re.compile(DUE)
_ONCE = frozenset(
    {
        *(KEPT_AT_TITLES - {"RRULE", "EXRULE", "RDATE", "EXDATE"}),
        *("CLASS", "CREATED", "LAST-MODIFIED", "LOCATION", "GEO", "ORGANIZER", "PRIORITY", "URL", "COMPLETED"),
        "PERCENT-COMPLETE",
    }
)


def hidden_uid(uid: str) -> str:
    """Gives the UID under which an object goes out where its own must not be seen."""
    return sha256(uid.encode()).hexdigest() + "@calbridge"


def shown(
    blocks: Sequence[Block],
    *,
    detail: Detail,
    alarms: bool,
    zone_of: Callable[[str], tzinfo],
) -> tuple[Block, ...]:
    """Gives the components of one object as a feed of that detail shows them; none where the object takes no time.

    Args:
        blocks: The components, UID and DTSTAMP in each.
        detail: The level of the feed.
        alarms: Whether reminders are in.
        zone_of: Gives the rules of a TZID, and of an empty TZID those of floating times.

    Raises:
        ValueError: A time that must be understood cannot be read.
    """
    master = next((block for block in blocks if not _recurrence_id(block)), None)
    private = master is not None and _is_private(master)
    levels = [Detail.BUSY if _is_private(block, inherited=private) else detail for block in blocks]
    uid = blocks[0].value("UID")
    if Detail.FULL not in levels:
        uid = hidden_uid(uid)
    kept: list[Block] = []
    taken_out: list[Block] = []
    for block, level in zip(blocks, levels, strict=True):
        if level is Detail.BUSY and _takes_no_time(block):
            taken_out.append(block)
        else:
            kept.append(_at(block, level, uid=uid, alarms=alarms))
    return _settled(kept, taken_out, uid=uid, zone_of=zone_of)


def _settled(
    kept: list[Block], taken_out: list[Block], *, uid: str, zone_of: Callable[[str], tzinfo]
) -> tuple[Block, ...]:
    master = next((block for block in kept if not _recurrence_id(block)), None)
    if master is None:
        return tuple(_alone(block, uid) for block in _newest_per_instance(kept))
    overrides = _newest_per_instance([block for block in kept if _recurrence_id(block)])
    return (without(master, taken_out, zone_of=zone_of), *overrides)


def _newest_per_instance(overrides: Sequence[Block]) -> tuple[Block, ...]:
    newest: dict[str, Block] = {}
    for block in overrides:
        key = _recurrence_id(block)
        if key not in newest or _sequence(block) >= _sequence(newest[key]):
            newest[key] = block
    return tuple(newest[key] for key in sorted(newest))


def _alone(override: Block, uid: str) -> Block:
    """Makes an event of its own from an override: readers drop, or choke on, one that has no series."""
    alone = sha256(f"{uid}\n{_recurrence_id(override)}".encode()).hexdigest()[:16]
    name, at, domain = uid.rpartition("@")
    distinct = f"{name}-{alone}@{domain}" if at else f"{uid}-{alone}"
    lines = tuple(
        replace(line, value=distinct) if line.name == "UID" else line
        for line in override.lines
        if line.name not in {"RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "EXRULE"}
    )
    return replace(override, lines=lines)


def _at(block: Block, level: Detail, *, uid: str, alarms: bool) -> Block:
    lines = tuple(_once(replace(line, value=uid) if line.name == "UID" else line for line in block.lines))
    if level is Detail.FULL:
        inner = tuple(inner for inner in block.blocks if inner.name != "VALARM" or (alarms and _can_ring(inner)))
        return replace(block, lines=lines, blocks=inner)
    names = KEPT_AT_TITLES if level is Detail.TITLES else KEPT_AT_BUSY
    bare = [line.with_only_params(_PARAMS) for line in lines if line.name in names]
    if level is Detail.BUSY:
        bare.append(Line("SUMMARY", "", "Busy"))
        if block.name == "VEVENT":
            bare.append(Line("TRANSP", "", "OPAQUE"))
    return Block(block.name, tuple(bare))


def _can_ring(alarm: Block) -> bool:
    """Tells whether a reader can read when the reminder is due; one that it cannot ends the reading of all."""
    trigger = alarm.first("TRIGGER")
    if trigger is None or trigger.param("VALUE").upper() not in {"", "DURATION", "DATE-TIME"}:
        return False
    return _DUE.fullmatch(trigger.value.strip()) is not None


def _once(lines: Iterable[Line]) -> Iterator[Line]:
    seen: set[str] = set()
    for line in lines:
        if line.name in seen:
            continue
        if line.name in _ONCE:
            seen.add(line.name)
        yield line


def _recurrence_id(block: Block) -> str:
    line = block.first("RECURRENCE-ID")
    return f"{line.param('TZID')}:{line.value}" if line is not None else ""


def _sequence(block: Block) -> int:
    value = block.value("SEQUENCE").strip()
    return int(value) if value.isdecimal() else 0


def _is_private(block: Block, *, inherited: bool = False) -> bool:
    line = block.first("CLASS")
    return inherited if line is None else line.value.strip().upper() != "PUBLIC"


def _takes_no_time(block: Block) -> bool:
    return (
        block.value("STATUS").strip().upper() == "CANCELLED" or block.value("TRANSP").strip().upper() == "TRANSPARENT"
    )
