"""A calendar of a user's own is never hidden by a resource, whatever the administrator adds later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bridge.radicale_plugin import hosting
from bridge.store import collection
from bridge.store.collection import Address, Kind
from tests.radicale_plugin.calling import DOCUMENT, backed, call

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.radicale_plugin.backing import Backing

OWN = DOCUMENT.replace("salon/laser: read}", "salon/laser: read}, personal_calendars: true")
LATER = OWN.replace(
    "      laser:",
    "      new: {kind: instrument, name: New}\n      other: {kind: instrument, name: Other}\n      laser:",
).replace("salon/laser: read", "salon/laser: read, salon/new: read")
APPOINTMENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//Program//EN\r\nBEGIN:VEVENT\r\nUID:dentist\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def listed(backing: Backing) -> list[str]:
    answer = call(hosting.application(backing), "PROPFIND", "/demo/", headers={"Depth": "1"})
    responses = re.findall(r"<response>\s*<href>/dav/demo/([^<]+)/</href>", answer.body.decode())
    return sorted(responses)


def make_older(backing: Backing, *names: str) -> None:
    with backing.database.writing() as tx:
        for name in names:
            collection.create(tx, Address(Kind.PERSONAL, "demo", name))


@pytest.mark.parametrize("method", ["MKCALENDAR", "MKCOL"])
def test_a_name_that_a_resource_may_come_to_have_is_refused_with_a_sentence(tmp_path: Path, method: str) -> None:
    with backed(tmp_path, OWN) as backing:
        application = hosting.application(backing)
        refused = call(application, method, "/demo/salon.new/")
        assert refused.status == 403
        assert b"holds no dot" in refused.body
        assert call(application, method, "/demo/new/").status == 201
        assert listed(backing) == ["new", "salon.anna", "salon.laser"]


@pytest.mark.parametrize("key", ["new", "other"])
def test_a_calendar_is_found_beside_the_resource_that_took_its_name(tmp_path: Path, key: str) -> None:
    with backed(tmp_path, OWN) as backing:
        make_older(backing, f"salon.{key}", f"salon.{key}~", "holidays.2026")
        assert call(hosting.application(backing), "PUT", f"/demo/salon.{key}/x.ics", APPOINTMENT).status == 201
    with backed(tmp_path, LATER) as backing:
        application = hosting.application(backing)
        granted = ["salon.anna", "salon.laser", "salon.new"]
        assert listed(backing) == sorted(["holidays.2026", *granted, f"salon.{key}~", f"salon.{key}~~"])
        assert call(application, "GET", f"/demo/salon.{key}/x.ics").status in {403, 404}
        found = call(application, "GET", f"/demo/salon.{key}~/x.ics")
        assert (found.status, found.body.decode()) == (200, APPOINTMENT)
        assert call(application, "GET", f"/demo/salon.{key}~~/x.ics").status == 404
        assert call(application, "DELETE", f"/demo/salon.{key}~/").status in {200, 204}
        assert listed(backing) == sorted(["holidays.2026", *granted, f"salon.{key}~~"])
