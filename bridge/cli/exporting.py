"""`export`: a whole calendar becomes one .ics file, with everything that is in it."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.cli.opening import opened
from bridge.cli.options import with_config, with_json
from bridge.cli.outcome import Exit
from bridge.cli.places import address_of, title_of
from bridge.core import ics
from bridge.core.recurrence import held_components
from bridge.errors import CalbridgeError
from bridge.feed.direct import copied
from bridge.feed.entry import FeedEntry
from bridge.feed.header import PRODID
from bridge.feed.lines import Block, Line, joined, text_line
from bridge.feed.zones import FeedZones, ObjectZones, is_iana
from bridge.store import collection, placement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from bridge.store.placement import Stored

# What icalendar raises when a value that it kept cannot be written again.
_UNWRITABLE = (CalbridgeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


@dataclass(frozen=True, slots=True)
class Exported:
    """A calendar as one stream.

    Attributes:
        body: The stream.
        count: How many objects are in it.
        left_out: UID and reason of each object that could not be written.
    """

    body: bytes
    count: int
    left_out: tuple[tuple[str, str], ...]


@click.command("export")
@click.argument("calendar", metavar="ACCOUNT/RESOURCE")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write here, not to stdout")
@with_config
@with_json
def export(calendar: str, output: Path | None, config: Path, *, as_json: bool) -> None:
    """Write a whole calendar as one .ics file, private appointments and alarms included."""
    if as_json and output is None:
        raise click.UsageError("--json needs --output: the calendar itself goes to stdout.")
    site = opened(config)
    with site.database.reading() as tx:
        address = address_of(site, tx, calendar)
        stored = list(placement.get_all(tx, collection.get(tx, address).id))
    exported = stream(
        stored,
        title=title_of(site, address),
        zone=site.zone(address),
        max_instances=site.configuration.limits.max_instances,
    )
    if output is None:
        sys.stdout.buffer.write(exported.body)
        sys.stdout.buffer.flush()
    else:
        _write(output, exported.body)
    if as_json:
        left_out = [{"uid": uid, "reason": reason} for uid, reason in exported.left_out]
        screen.document({"calendar": calendar, "file": str(output), "objects": exported.count, "left_out": left_out})
    else:
        for uid, reason in exported.left_out:
            click.echo(f"left out: {uid}: {reason}", err=True)
        click.echo(f"{exported.count} appointments and tasks of {calendar} written.", err=True)
    if exported.left_out:
        click.get_current_context().exit(Exit.PART)


def stream(stored: Iterable[Stored], *, title: str, zone: ZoneInfo, max_instances: int) -> Exported:
    """Joins objects into one valid stream (RFC 5545 section 3.4); two zones of one name both keep their hour.

    Args:
        stored: The objects.
        title: The name of the calendar.
        zone: What floating times and unknown TZIDs mean.
        max_instances: As in `bridge.core.ics.parse`.
    """
    zones = FeedZones()
    pieces: list[bytes] = []
    left_out: list[tuple[str, str]] = []
    for each in stored:
        try:
            pieces.append(_piece(each, zones, zone, max_instances))
        except _UNWRITABLE as error:
            left_out.append((each.uid, str(error)))
    head = [
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
        text_line("PRODID", PRODID),
        text_line("NAME", title),
        text_line("X-WR-CALNAME", title),
        text_line("X-WR-TIMEZONE", zone.key),
    ]
    body = b"".join([*head, zones.folded(), *pieces, b"END:VCALENDAR\r\n"])
    return Exported(body, len(pieces), tuple(left_out))


def _piece(stored: Stored, zones: FeedZones, zone: ZoneInfo, max_instances: int) -> bytes:
    first, last = placement.moment(stored.first), placement.moment(stored.last)
    entry = FeedEntry(
        raw=stored.raw,
        uid=stored.uid,
        component=stored.component,
        tzids=stored.tzids,
        feed_ready=stored.feed_ready,
        changed_at=stored.changed_at,
        first=first,
        last=last,
    )
    if entry.feed_ready and all(is_iana(tzid) for tzid in entry.tzids):
        piece = copied(entry, alarms=True)
        if piece:
            for tzid in entry.tzids:
                zones.need(tzid, first, last)
            return piece
    parsed = ics.parse(stored.raw, zone=zone, max_instances=max_instances)
    blocks = [_stamped(Block.read(component), entry) for component in held_components(parsed.calendar)]
    return joined(zones.placed(blocks, ObjectZones(parsed.calendar, zone), first=first, last=last))


def _stamped(block: Block, entry: FeedEntry) -> Block:
    if block.value("DTSTAMP"):
        return block
    stamp = Line("DTSTAMP", "", entry.changed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
    return replace(block, lines=(*block.lines, stamp))


def _write(output: Path, body: bytes) -> None:
    """Writes the file whole or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            Path(name).replace(output)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CalbridgeError(
            f"{output} cannot be written ({error.strerror}).", remedy="Choose another place."
        ) from error
