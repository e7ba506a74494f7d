from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.core.model import ComponentType
from bridge.core.split import split
from bridge.core.view import Detail
from bridge.errors import ObjectRefused
from tests.corpus.corpus import ACCOUNT_ZONE, Sample, samples
from tests.feed.material import checked, component, entry, feed, rebuilt, stream

if TYPE_CHECKING:
    from bridge.feed.entry import FeedEntry

FOLDER = Path(__file__).parent
EVERYTHING = frozenset(ComponentType)


def entry_of(sample: Sample) -> FeedEntry:
    return entry(sample.raw, zone=ACCOUNT_ZONE)


@cache
def accepted() -> tuple[Sample, ...]:
    """Every oddity that the core accepts; what it refuses never comes to a feed."""
    found = []
    for sample in samples():
        # What the core cannot read yet is listed beside the corpus; a warning is an error here as everywhere.
        with suppress(ObjectRefused, DeprecationWarning):
            entry_of(sample)
            found.append(sample)
    return tuple(found)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("sample", accepted(), ids=lambda sample: sample.name)
def test_every_oddity_makes_a_feed_that_others_can_read(sample: Sample, detail: Detail) -> None:
    for way in (entry_of(sample), rebuilt(entry_of(sample))):
        result = feed(way, detail=detail, components=EVERYTHING, alarms=True, zone=ACCOUNT_ZONE)
        assert result.left_out == ()
        checked(result.body)


@pytest.mark.parametrize("detail", list(Detail))
def test_all_oddities_together_make_one_feed_that_others_can_read(detail: Detail) -> None:
    result = feed(*map(entry_of, accepted()), detail=detail, components=EVERYTHING, alarms=True, zone=ACCOUNT_ZONE)
    assert result.left_out == ()
    checked(result.body)


@cache
def installed_objects() -> dict[str, FeedEntry]:
    """Every calendar object in the sample files that icalendar and recurring-ical-events bring along."""
    found: dict[str, FeedEntry] = {}
    for package in ("icalendar", "recurring_ical_events"):
        for path in sorted(Path(str(files(package))).rglob("*.ics")):
            with suppress(ObjectRefused):
                for part in split(path.read_bytes()):
                    with suppress(ObjectRefused):
                        one = entry(part)
                        # A UID that stands in many files would else be shown once.
                        found[f"{path.name}-{len(found)}"] = replace(one, uid=f"{len(found)}-{one.uid}")
    return found


@pytest.mark.parametrize("detail", list(Detail))
def test_all_installed_samples_together_make_one_feed_that_others_can_read(detail: Detail) -> None:
    entries = installed_objects().values()
    assert len(entries) > 900
    result = feed(*entries, detail=detail, components=EVERYTHING, alarms=True)
    assert result.left_out == ()
    checked(result.body)


def ical_js() -> str:
    """The node program, where it and the installed parser are there."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (FOLDER / "js" / "node_modules" / "ical.js").is_dir():
        pytest.skip("ical.js is not installed: run `npm ci` in tests/feed/js")
    return node


def read_with_ical_js(folder: Path, feeds: dict[str, bytes]) -> dict[str, dict[str, list[str]]]:
    paths = []
    for name, body in feeds.items():
        path = folder / f"{name}.ics"
        path.write_bytes(body)
        paths.append(str(path))
    ran = subprocess.run(
        [ical_js(), str(FOLDER / "icaljs_check.mjs"), *paths], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.stderr == ""
    return {Path(found["path"]).stem: found for found in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.debian("node", "nodejs")
def test_ical_js_reads_every_oddity_in_a_feed(tmp_path: Path) -> None:
    ical_js()
    feeds = {}
    for detail in Detail:
        one: dict[str, Any] = {"detail": detail, "components": EVERYTHING, "alarms": True, "zone": ACCOUNT_ZONE}
        feeds[f"all-{detail}"] = feed(*map(entry_of, accepted()), **one).body
        for sample in accepted():
            feeds[f"{sample.name}-{detail}"] = feed(entry_of(sample), **one).body
        installed = installed_objects().values()
        feeds[f"installed-{detail}"] = feed(*installed, detail=detail, components=EVERYTHING, alarms=True).body
        feeds[f"rebuilt-{detail}"] = feed(*map(rebuilt, installed), detail=detail, components=EVERYTHING).body
    found = read_with_ical_js(tmp_path, feeds)
    assert {name: one["problems"] for name, one in found.items() if one["problems"]} == {}
    assert set(found) == set(feeds)


@pytest.mark.debian("node", "nodejs")
def test_ical_js_finds_each_instance_at_its_hour_over_a_change_of_the_clocks(tmp_path: Path) -> None:
    ical_js()
    raw = stream(
        component("DTSTART;TZID=Europe/Amsterdam:20261024T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"),
    )
    for way in (entry(raw), rebuilt(entry(raw))):
        found = read_with_ical_js(tmp_path, {"series": feed(way).body})["series"]
        assert found["problems"] == []
        assert [instance.split()[1] for instance in found["instances"]] == [
            "2026-10-24T08:00:00Z",
            "2026-10-25T09:00:00Z",
            "2026-10-26T09:00:00Z",
        ]
