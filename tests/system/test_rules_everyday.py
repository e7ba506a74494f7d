"""A server keeps a rule with another calendar server: what is put on either side is soon on the other, as it was."""

from __future__ import annotations

import copy
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
import recurring_ical_events

from bridge.store import rule as rules
from tests.repository import TOP, unmeasured
from tests.system.elsewhere import PASSWORDS, elsewhere, ruled
from tests.system.process import PASSWORD, Server, event, eventually, settings
from tests.system.ruling import adopted, command, delete, put, rule, store, texts, titles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.elsewhere import RemoteCalendar

SOON = 2.0
POLL_SECONDS = 1.0
ROOM = "/dav/anna/salon.room/"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteCalendar]:
    """A calendar elsewhere."""
    with elsewhere(tmp_path_factory.mktemp("elsewhere")) as other:
        yield other.calendar()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, work: RemoteCalendar) -> Iterator[Server]:
    """A server with a rule to it."""
    with serving(tmp_path_factory.mktemp("server"), settings(**ruled(work))) as running:
        yield running


@contextmanager
def serving(folder: Path, configuration: dict[str, Any]) -> Iterator[Server]:
    server = Server(folder, configuration, environ=PASSWORDS)
    try:
        server.start()
        eventually(lambda: not configuration["rules"] or adopted(server), "the first pass is done")
        yield server
    finally:
        server.kill()


def series(uid: str) -> bytes:
    """Six days at nine in Amsterdam, over the end of summer time; one is moved, one is cancelled."""
    at = ";TZID=Europe/Amsterdam:"
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN",
        "BEGIN:VTIMEZONE", "TZID:Europe/Amsterdam",
        "BEGIN:DAYLIGHT", "DTSTART:19810329T020000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "TZNAME:CEST", "END:DAYLIGHT",
        "BEGIN:STANDARD", "DTSTART:19961027T030000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET", "END:STANDARD", "END:VTIMEZONE",
        "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{at}20271028T090000",
        f"DTEND{at}20271028T093000", "RRULE:FREQ=DAILY;COUNT=6", f"EXDATE{at}20271102T090000", "SUMMARY:Stand-up",
        "END:VEVENT",
        "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"RECURRENCE-ID{at}20271031T090000",
        f"DTSTART{at}20271031T150000", f"DTEND{at}20271031T153000", "SUMMARY:Stand-up (later)", "END:VEVENT",
        "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


MEANT = [
    ("2027-10-28T07:00:00+00:00", "Stand-up"), ("2027-10-29T07:00:00+00:00", "Stand-up"),
    ("2027-10-30T07:00:00+00:00", "Stand-up"), ("2027-10-31T14:00:00+00:00", "Stand-up (later)"),
    ("2027-11-01T08:00:00+00:00", "Stand-up"),
]  # fmt: skip


def instances(text: str) -> list[tuple[str, str]]:
    """When each instance begins, and what it is called."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between((2027, 10, 1), (2027, 12, 1))
    return sorted((each["DTSTART"].dt.astimezone(UTC).isoformat(), str(each["SUMMARY"])) for each in found)


def test_what_is_put_here_is_there_within_two_seconds(server: Server, work: RemoteCalendar) -> None:
    put(server, event("from-here", "From here"))

    took = eventually(lambda: work.titles().get("from-here") == "From here", "it is there")

    assert took < SOON
    put(server, event("from-here", "Moved here"))
    assert eventually(lambda: work.titles().get("from-here") == "Moved here", "the change is there") < SOON
    delete(server, "from-here")
    assert eventually(lambda: "from-here" not in work.titles(), "it is gone there") < SOON


def test_what_is_put_there_is_here_at_the_next_poll(server: Server, work: RemoteCalendar) -> None:
    work.put(event("from-there", "From there"))

    took = eventually(lambda: titles(server).get("from-there") == "From there", "it is here")

    assert took < POLL_SECONDS + SOON
    work.put(event("from-there", "Moved there"))
    eventually(lambda: titles(server).get("from-there") == "Moved there", "the change is here")
    work.remove("from-there")
    eventually(lambda: "from-there" not in titles(server), "it is gone here")


def test_a_daily_series_with_a_moved_and_a_cancelled_instance_goes_both_ways_intact(
    server: Server, work: RemoteCalendar
) -> None:
    put(server, series("ours"))
    work.put(series("theirs"))

    eventually(lambda: "ours" in work.titles(), "ours is there")
    eventually(lambda: "theirs" in titles(server), "theirs is here")

    assert instances(work.text("ours")) == MEANT
    assert instances(texts(server)["theirs"]) == MEANT
    # A client asks again and gets its own bytes.
    assert texts(server)["ours"].split() == series("ours").decode().removesuffix("\r\n").split()


def test_the_metrics_and_the_log_tell_what_passes_did(server: Server, work: RemoteCalendar) -> None:
    put(server, event("counted", "Counted"))
    eventually(lambda: "counted" in work.titles(), "it is there")

    def counted() -> bool:
        said = server.ask("GET", "/metrics").text
        return all(
            re.search(pattern, said, re.MULTILINE)
            for pattern in (
                r'^calbridge_passes_total\{outcome="done"\} [1-9]',
                r'^calbridge_moves_total\{move="create there"\} [1-9]',
                r"^calbridge_pass_seconds_count [1-9]",
                r'^calbridge_rule_problem\{rule="anna"\} 0',
            )
        )

    eventually(counted, "the metrics count it")
    assert any(each["moves"].get("create there") for each in server.events("pass_done"))
    # A pass that finds nothing to do says nothing.
    assert all(each["moves"] for each in server.events("pass_done"))


def test_a_reload_takes_up_new_and_changed_rules_and_stops_those_that_vanished(
    server: Server, work: RemoteCalendar
) -> None:
    second = work.elsewhere.calendar("Second")
    fresh = copy.deepcopy(server.configuration)
    fresh["rules"]["room"] = {**fresh["rules"]["anna"], "resource": "salon/room", "calendar": "Second"}
    fresh["rules"]["anna"] = {**fresh["rules"]["anna"], "push": {"detail": "busy"}}
    put(server, event("secret", "Laser: Iris Bos"))
    eventually(lambda: work.titles().get("secret") == "Laser: Iris Bos", "it is there, with its title")
    try:
        server.write(fresh)

        put(server, event("roomy", "Training"), ROOM)
        eventually(lambda: second.titles() == {"roomy": "Training"}, "the new rule runs")
        eventually(lambda: "Iris" not in work.text("secret"), "the changed rule hides the title")
        assert titles(server)["secret"] == "Laser: Iris Bos"

        del fresh["rules"]["room"]
        server.write(fresh)
        eventually(lambda: left_over(server) == ["room"], "it is left over")
        put(server, event("later", "Later"), ROOM)
        put(server, event("sign", "Sign"))
        eventually(lambda: "sign" in work.titles(), "the other rule goes on")
        assert second.titles() == {"roomy": "Training"}
    finally:
        server.write(server.configuration)
    eventually(lambda: work.titles().get("secret") == "Laser: Iris Bos", "the title is shown again")


def left_over(server: Server) -> list[str]:
    with store(server) as database, database.reading() as tx:
        return [each.key for each in rules.every(tx) if not each.active]


def test_the_status_says_how_the_rule_is_doing(server: Server) -> None:
    code, said = command(server, "status", "anna", **PASSWORDS)

    assert code == 0
    (status,) = said["rules"]
    assert status["active"] is True
    assert status["problem"] is None
    assert datetime.fromisoformat(status["last_sync"]) <= datetime.now(UTC)


def test_a_server_that_does_not_sync_leaves_the_rules_to_a_worker(tmp_path: Path) -> None:
    with elsewhere(tmp_path / "elsewhere") as other:
        work = other.calendar()
        configuration = settings(**ruled(work))
        configuration["server"]["sync"] = False
        server = Server(tmp_path, configuration, environ=PASSWORDS)
        try:
            server.start()
            put(server, event("one", "Haircut"))
            work.put(event("two", "Yoga"))
            with working(server) as worker:
                eventually(lambda: work.titles() == {"one": "Haircut", "two": "Yoga"}, "the worker pushes")
                eventually(lambda: titles(server) == {"one": "Haircut", "two": "Yoga"}, "the worker pulls")
                # The server itself ran no pass.
                assert server.events("pass_done") == []
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(30) == 0
        finally:
            server.kill()


@contextmanager
def working(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """`calbridge worker` on the server's installation."""
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "worker", "--config", server.path],
        cwd=TOP,
        env={**unmeasured(), "ANNAS_PASSWORD": PASSWORD, **PASSWORDS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def test_a_first_sync_that_is_stopped_in_its_middle_goes_on_after_the_start(tmp_path: Path) -> None:
    many = 200
    with elsewhere(tmp_path / "elsewhere") as other:
        work = other.calendar()
        configuration = settings(**ruled(work))
        configuration["server"]["sync"] = False
        server = Server(tmp_path, configuration, environ=PASSWORDS)
        try:
            server.start()
            for number in range(many):
                put(server, event(f"ours-{number}", f"Ours {number}"))
                work.add(event(f"theirs-{number}", f"Theirs {number}"))
            assert server.stop() == 0
            configuration["server"]["sync"] = True
            server.write(configuration)

            server.start(initialise=False)
            eventually(lambda: many < len(work.hrefs()) < 2 * many, "the first sync is under way")
            assert server.stop() == 0
            assert not adopted(server) or len(work.hrefs()) == 2 * many

            server.start(initialise=False)
            eventually(lambda: adopted(server), "the first sync is done")
            meant = {
                f"{whose.lower()}-{number}": f"{whose} {number}"
                for whose in ("Ours", "Theirs")
                for number in range(many)
            }
            eventually(lambda: len(work.hrefs()) == 2 * many, "everything is there")
            eventually(lambda: titles(server) == meant, "everything is here")
            assert work.titles() == meant
            assert rule(server).problem is None
            assert "Traceback" not in server.log
        finally:
            server.kill()
