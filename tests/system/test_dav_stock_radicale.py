"""A Radicale that somebody runs already shows our calendars, with the configuration that we give as an example."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from bridge import bootstrap
from tests.repository import TOP
from tests.system.multistatus import parts, token
from tests.system.samples import event, multiget, propfind, query, sync
from tests.system.server import PASSWORDS, SALON, Client, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = TOP / "config" / "radicale.example.ini"


@pytest.fixture(scope="module", params=["the example", "rights of Radicale", "path by environment"])
def radicale(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    """Requests to a stock Radicale, and which configuration it runs with."""
    folder = tmp_path_factory.mktemp("radicale")
    port = free_port()
    bridge = folder / "bridge.yaml"
    bridge.write_text(SALON.format(port=1, database="sqlite:///calbridge.sqlite3", server="", more=""))
    environ = {f"{user.upper()}_PASSWORD": word for user, word in PASSWORDS.items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        bootstrap.initialise(bridge).database.close()
    (folder / "users").write_text("".join(f"{user}:{word}\n" for user, word in PASSWORDS.items()))
    settings = configparser.RawConfigParser()
    settings.read(EXAMPLE)
    settings["server"]["hosts"] = f"127.0.0.1:{port}"
    settings["auth"].update({"htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain"})
    settings["storage"]["calbridge_config"] = str(bridge)
    if request.param == "rights of Radicale":
        settings["rights"]["type"] = "owner_only"
    if request.param == "path by environment":
        del settings["storage"]["calbridge_config"]
        environ["CALBRIDGE_CONFIG"] = str(bridge)
    with (folder / "radicale.ini").open("w") as file:
        settings.write(file)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(folder / "radicale.ini")],
            cwd=TOP,
            env={**os.environ, **environ},
            stdout=log,
            stderr=log,
        )
    client = Client(port)
    try:
        _wait_until_it_answers(client, process, folder / "log")
        yield client, request.param
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            client("OPTIONS", "/")
        except OSError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        return
    raise AssertionError(f"Radicale did not start:\n{log.read_text()}")


def test_it_lists_the_calendars_of_the_user_with_names_and_colours(radicale: tuple[Client, str]) -> None:
    client, _ = radicale
    listed = parts(client("PROPFIND", "/demo/", propfind("D:displayname", "A:calendar-color"), {"Depth": "1"}))
    assert listed["/demo/salon.anna/"].text("D:displayname") == "Anna de Vries"
    assert listed["/demo/salon.anna/"].text("A:calendar-color") == "#3367d6"
    assert "/demo/salon.bob/" not in listed
    assert Client(client.port, "demo", "wrong")("PROPFIND", "/demo/").status == 401


def test_an_appointment_is_put_found_synced_and_deleted(radicale: tuple[Client, str]) -> None:
    client, _ = radicale
    calendar, uid = "/demo/salon.anna/", uuid.uuid4().hex
    path = f"{calendar}{uid}.ics"
    known = token(client("REPORT", calendar, sync()))
    assert client("PUT", path, event(uid), {"Content-Type": "text/calendar"}).status == 201
    got = client("GET", path)
    assert f"UID:{uid}".encode() in got.body
    etag = got.headers["etag"]
    changed = client("REPORT", calendar, sync(known))
    assert parts(changed)[path].text("D:getetag") == etag
    window = (
        '<C:comp-filter name="VEVENT"><C:time-range start="20270104T000000Z" end="20270105T000000Z"/></C:comp-filter>'
    )
    assert path in parts(client("REPORT", calendar, query(window), {"Depth": "1"}))
    assert uid in parts(client("REPORT", calendar, multiget(path)))[path].text("C:calendar-data")
    assert client("PUT", path, event(uid, summary="Stale"), {"If-Match": '"stale"'}).status == 412
    assert client("PUT", path, event(uid, summary="Later"), {"If-Match": etag}).status in {201, 204}
    target = f"/demo/salon.room-1/{uid}.ics"
    moved = client("MOVE", path, headers={"Destination": f"http://127.0.0.1:{client.port}{target}"})
    assert moved.status == 201
    assert client("DELETE", target).status == 200
    assert parts(client("REPORT", calendar, sync(token(changed))))[path].status == 404


def test_what_is_not_granted_is_refused_whatever_rights_radicale_has(radicale: tuple[Client, str]) -> None:
    client, which = radicale
    refused = {400} if which == "rights of Radicale" else {403}
    assert client("PUT", "/demo/salon.laser/x.ics", event("laser")).status in refused
    assert client("GET", "/demo/salon.laser/x.ics").status == 404
    assert client("GET", "/demo/salon.bob/").status in {403, 404}
    assert client("PUT", "/demo/salon.bob/x.ics", event("bob")).status in {400, 403, 409}
    assert client("DELETE", "/demo/salon.anna/").status in {400, 403, 500}
    assert "/demo/salon.anna/" in parts(client("PROPFIND", "/demo/", propfind("D:displayname"), {"Depth": "1"}))


def test_an_own_calendar_is_made_and_deleted(radicale: tuple[Client, str]) -> None:
    client, _ = radicale
    path = f"/demo/{uuid.uuid4().hex}/"
    assert client("MKCALENDAR", path).status == 201
    assert client("PUT", f"{path}x.ics", event("x")).status == 201
    assert client("DELETE", path).status == 200
    assert client("PROPFIND", path).status == 404
