"""Looks into a server that keeps rules: what stands in its calendars, and how its rules are doing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bridge.store import rule as rules
from bridge.store.database import Database
from tests.repository import TOP, unmeasured
from tests.system.process import CALENDAR, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.rule import Problem, Rule
    from tests.system.process import Server

_DATA = b"""<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><C:calendar-data/></prop>
<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>"""


def texts(server: Server, calendar: str = CALENDAR) -> dict[str, str]:
    """The text of each object of a calendar of the server, by UID; each UID stands there once."""
    answer = server.ask("REPORT", calendar, _DATA, Depth="1", Content_Type="application/xml")
    assert answer.status == 207, answer.text
    found: dict[str, str] = {}
    for text in re.findall(r"BEGIN:VCALENDAR.*?END:VCALENDAR", answer.text, re.DOTALL):
        uid = re.search(r"(?m)^UID:(.*?)\r?(?:&#13;)?$", text)
        assert uid
        assert uid[1] not in found, f"{uid[1]} stands here twice"
        found[uid[1]] = text.replace("&#13;", "")
    return found


def titles(server: Server, calendar: str = CALENDAR) -> dict[str, str]:
    """The title of each object, by UID."""
    found = {}
    for uid, text in texts(server, calendar).items():
        title = re.search(r"(?m)^SUMMARY:(.*?)\r?$", text)
        found[uid] = title[1] if title else ""
    return found


def put(server: Server, raw: bytes, calendar: str = CALENDAR) -> None:
    """A calendar program stores an object, in a file named for its UID."""
    uid = re.search(rb"(?m)^UID:(.*?)\r?$", raw)
    assert uid
    answer = server.ask("PUT", f"{calendar}{quote(uid[1].decode(), safe='')}.ics", raw, Content_Type="text/calendar")
    assert answer.status in {201, 204}, answer.text


def delete(server: Server, uid: str, calendar: str = CALENDAR) -> None:
    """A calendar program deletes an object that it stored."""
    assert server.ask("DELETE", f"{calendar}{quote(uid, safe='')}.ics").status in {200, 204}


@contextmanager
def store(server: Server) -> Iterator[Database]:
    """The server's own database."""
    with closing(Database(f"sqlite:///{server.database_file}", clock=lambda: datetime.now(UTC))) as database:
        yield database


def rule(server: Server, key: str = "anna") -> Rule:
    """A rule as it stands in the store."""
    with store(server) as database, database.reading() as tx:
        found = rules.find(tx, key)
    assert found is not None
    return found


def problems(server: Server) -> dict[str, Problem]:
    """The rules that do not get on, and why."""
    with store(server) as database, database.reading() as tx:
        return {each.key: each.problem for each in rules.every(tx) if each.active and each.problem is not None}


def adopted(server: Server, key: str = "anna") -> bool:
    """Whether the first pass of a rule is done."""
    with store(server) as database, database.reading() as tx:
        found = rules.find(tx, key)
    return found is not None and found.adopted_at is not None


def command(server: Server, *words: str, **environ: str) -> tuple[int, dict[str, Any]]:
    """Runs `calbridge WORDS --json` on the server's installation; gives its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge", *words, "--config", server.path, "--json"],
        cwd=TOP,
        env={**unmeasured(), "ANNAS_PASSWORD": PASSWORD, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said
