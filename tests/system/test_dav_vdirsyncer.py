"""vdirsyncer keeps a folder of files and a calendar equal, in both directions, and then has nothing to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.system.multistatus import parts
from tests.system.samples import event, propfind, sync, todo
from tests.system.server import PASSWORDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.server import Client, Server

CONFIG = """
[general]
status_path = "{folder}/status/"
[pair both]
a = "files"
b = "server"
collections = ["from b"]
conflict_resolution = "b wins"
metadata = ["color", "displayname"]
[storage files]
type = "filesystem"
path = "{folder}/files/"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
"""


class Vdirsyncer:
    """The installed program, with a folder of its own."""

    def __init__(self, folder: Path, server: Server, user: str) -> None:
        self.files = folder / "files"
        self._environ = {**os.environ, "VDIRSYNCER_CONFIG": str(folder / "config"), "HOME": str(folder)}
        (folder / "config").write_text(
            CONFIG.format(folder=folder, url=server.url, user=user, password=PASSWORDS[user])
        )

    def __call__(self, *arguments: str) -> str:
        program = shutil.which("vdirsyncer", path=sysconfig.get_path("scripts"))
        assert program is not None
        ran = subprocess.run(
            [program, *arguments], env=self._environ, input="y\n" * 1000, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-2000:]
        return ran.stdout + ran.stderr


@pytest.fixture
def vdirsyncer(tmp_path: Path, server: Server) -> Vdirsyncer:
    return Vdirsyncer(tmp_path, server, "demo")


def test_it_discovers_the_calendars_from_the_bare_address_and_syncs_both_ways(
    vdirsyncer: Vdirsyncer, dav: Client, calendar: str
) -> None:
    name = calendar.rstrip("/").rsplit("/", 1)[1]
    dav("PUT", f"{calendar}there.ics", event("there"))
    vdirsyncer("discover")
    assert {"salon.anna", "salon.room-1", "salon.laser", name} <= {each.name for each in vdirsyncer.files.iterdir()}
    vdirsyncer("sync", f"both/{name}")
    folder = vdirsyncer.files / name
    assert [each.read_bytes() for each in folder.glob("*.ics")] == [event("there")]

    (folder / "here.ics").write_bytes(event("here"))
    (folder / "task.ics").write_bytes(todo("task"))
    vdirsyncer("sync", f"both/{name}")
    assert len(parts(dav("REPORT", calendar, sync()))) == 3
    assert _nothing_happens(vdirsyncer, dav, calendar, name)

    (folder / "here.ics").write_bytes(event("here", summary="Edited here"))
    dav("PUT", f"{calendar}there.ics", event("there", summary="Edited there"))
    vdirsyncer("sync", f"both/{name}")
    assert {each.read_bytes() for each in folder.glob("*.ics")} == {
        event("here", summary="Edited here"),
        event("there", summary="Edited there"),
        todo("task"),
    }
    texts = {dav("GET", href).body for href in parts(dav("REPORT", calendar, sync()))}
    assert texts == {each.read_bytes() for each in folder.glob("*.ics")}
    assert _nothing_happens(vdirsyncer, dav, calendar, name)

    next(each for each in folder.glob("*.ics") if b"UID:here" in each.read_bytes()).unlink()
    dav("DELETE", f"{calendar}there.ics")
    vdirsyncer("sync", f"both/{name}")
    assert [each.read_bytes() for each in folder.glob("*.ics")] == [todo("task")]
    assert len(parts(dav("REPORT", calendar, sync()))) == 1
    assert _nothing_happens(vdirsyncer, dav, calendar, name)


def _nothing_happens(vdirsyncer: Vdirsyncer, dav: Client, calendar: str, name: str) -> bool:
    """Whether one more sync copies, changes and deletes nothing on either side."""

    def state() -> tuple[str, dict[str, bytes]]:
        ctag = parts(dav("PROPFIND", calendar, propfind("CS:getctag")))[calendar].text("CS:getctag")
        return ctag, {each.name: each.read_bytes() for each in (vdirsyncer.files / name).glob("*.ics")}

    before = state()
    said = vdirsyncer("sync", f"both/{name}")
    return state() == before and not any(word in said for word in ("Copying", "Deleting"))


def test_names_and_colours_come_along(tmp_path: Path, server: Server) -> None:
    vdirsyncer = Vdirsyncer(tmp_path, server, "boss")
    vdirsyncer("discover")
    vdirsyncer("metasync")
    assert (vdirsyncer.files / "salon.laser" / "displayname").read_text() == "Laser & <Light>"
    assert (vdirsyncer.files / "salon.laser" / "color").read_text() == "#8e24aa"


def test_an_edit_in_a_calendar_that_can_only_be_read_stays_here_and_harms_nothing(
    vdirsyncer: Vdirsyncer, dav: Client
) -> None:
    vdirsyncer("discover")
    uid = uuid.uuid4().hex
    (vdirsyncer.files / "salon.laser" / "mine.ics").write_bytes(event(uid))
    with pytest.raises(AssertionError, match=r"(?s)403|[Rr]ead"):
        vdirsyncer("sync", "both/salon.laser")
    assert uid not in dav("GET", "/dav/demo/salon.laser/").text
    assert (vdirsyncer.files / "salon.laser" / "mine.ics").exists()
