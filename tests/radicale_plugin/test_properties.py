"""A user cannot fill the database with properties of calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.radicale_plugin import hosting
from tests.radicale_plugin.calling import DOCUMENT, backed, call

if TYPE_CHECKING:
    from pathlib import Path

OWN = DOCUMENT.replace("salon/laser: read}", "salon/laser: read}, personal_calendars: true")


def setting(root: str, numbers: range) -> str:
    properties = "".join(f'<p{number} xmlns="urn:x">1</p{number}>' for number in numbers)
    return (
        f'<x:{root} xmlns:D="DAV:" xmlns:x="{"DAV:" if root == "propertyupdate" else "urn:ietf:params:xml:ns:caldav"}">'
        f"<D:set><D:prop>{properties}</D:prop></D:set></x:{root}>"
    )


@pytest.mark.parametrize(("method", "path"), [("PROPPATCH", "/demo/salon.laser/"), ("MKCALENDAR", "/demo/mine/")])
def test_more_properties_than_are_kept_are_refused_as_a_whole(tmp_path: Path, method: str, path: str) -> None:
    root = {"PROPPATCH": "propertyupdate", "MKCALENDAR": "mkcalendar"}[method]
    with backed(tmp_path, OWN) as backing:
        application = hosting.application(backing)
        refused = call(application, method, path, setting(root, range(201)))
        assert refused.status == 507
        kept = call(application, "PROPFIND", path, headers={"Depth": "0"})
        assert b"urn:x" not in kept.body
        assert call(application, method, path, setting(root, range(150))).status in {201, 207}


def test_what_is_too_much_is_said_and_room_can_be_made(tmp_path: Path) -> None:
    path = "/demo/salon.anna/"
    with backed(tmp_path, OWN) as backing:
        application = hosting.application(backing)
        assert call(application, "PROPPATCH", path, setting("propertyupdate", range(200))).status == 207
        refused = call(application, "PROPPATCH", path, setting("propertyupdate", range(200, 201)))
        assert refused.status == 507
        assert b"Remove some of them first" in refused.body
        removing = setting("propertyupdate", range(1)).replace("D:set", "D:remove")
        assert call(application, "PROPPATCH", path, removing).status == 207
        assert call(application, "PROPPATCH", path, setting("propertyupdate", range(200, 201))).status == 207
