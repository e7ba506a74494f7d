"""The sample files that icalendar and recurring_ical_events install with themselves are kept, or refused for a reason."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core_samples import BERLIN, LIMIT

from bridge.core.canonical import digest
from bridge.core.ics import parse
from bridge.core.split import split
from bridge.errors import ObjectRefused

HELD = re.compile(rb"^BEGIN:(?:VEVENT|VTODO|VJOURNAL)", re.MULTILINE)
UID = re.compile(rb"^UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE)


def sample_files() -> Iterator[Path]:
    for package in ("icalendar", "recurring_ical_events"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        yield from sorted(Path(spec.origin).parent.rglob("*.ics"))


@cache
def objects() -> tuple[tuple[str, str, bytes], ...]:
    """Each object of each file that has a UID, with the zones that it names."""
    found = []
    for path in sample_files():
        for raw in split(path.read_bytes()):
            uid = UID.search(raw)
            if uid and HELD.search(raw):
                found.append((path.name, uid[1].strip().decode(), raw))
    return tuple(found)


@cache
def refused() -> dict[tuple[str, str], str]:
    """The objects that are refused, each with the sentence."""
    found = {}
    for name, uid, raw in objects():
        try:
            parse(raw, zone=BERLIN, max_instances=LIMIT)
        except ObjectRefused as refusal:
            found[name, uid] = refusal.message
    return found
