"""Tests what the demo shows of rules: an appointment goes to the other calendar server, and comes from there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from caldav.davclient import DAVClient

from bridge.cli.demo_upstream import PORT_VARIABLE, USUAL_PORT, free_port
from bridge.core.vtimezone import vtimezone
from tests.repository import TOP, unmeasured
from tests.system.process import eventually, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = ZoneInfo("Europe/Amsterdam")
POLL_SECONDS = 5.0
A_MACHINE_UNDER_LOAD = 10.0
TITLES_OF_ANNA = {
    "Cut: Mrs Bakker", "Colour: Eva Smit", "Cut: Tom Visser", "Cut: Mr Peters", "Perm: Lies Mulder", "Team meeting",
    "Day off", "Training: new products",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs, and what two people's programs see of it.

    Attributes:
        process: Of the command.
        here: Anna's calendar.
        there: The calendar at the upstream.
        upstream_port: Where that listens.
        feed: Of Anna's calendar.
    """

    process: subprocess.Popen[str]
    here: Any
    there: Any
    upstream_port: int
    feed: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        # The first pass links what looks the same on both sides, also what a test has just put there.
        eventually(lambda: titles(running.there) >= TITLES_OF_ANNA, "the demo's appointments are there")
        yield running


@contextmanager
def running_demo(folder: Path, *, upstream_port: int = 0) -> Iterator[Demo]:
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "demo", "--port", str(unused_port()), "--folder", folder],
        cwd=TOP,
        env=unmeasured() | {PORT_VARIABLE: str(upstream_port or unused_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline().rstrip("\n").partition(": ") for _ in range(9)]
            said = {word: value for word, _, value in reversed(lines)}
            upstream = said["upstream"]
            with (
                client(said["caldav"], said["user"], said["password"]) as ours,
                client(upstream, said["upstream user"], said["upstream password"]) as theirs,
            ):
                here = next(each for each in ours.principal().calendars() if each.get_display_name() == "Anna de Vries")
                (there,) = theirs.principal().calendars()
                yield Demo(process, here, there, int(upstream.rstrip("/").rpartition(":")[2]), said["feed"])
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def client(url: str, user: str, password: str) -> Any:
    return DAVClient(url, username=user, password=password, auth_type="basic")


def texts(calendar: Any) -> dict[str, str]:
    """The text of each object, by UID."""
    found = [each.data for each in calendar.search(event=True)]
    return {str(icalendar.Calendar.from_ical(each).walk("VEVENT")[0]["UID"]): each for each in found}


def titles(calendar: Any) -> set[str]:
    return {str(icalendar.Calendar.from_ical(each).walk("VEVENT")[0]["SUMMARY"]) for each in texts(calendar).values()}


def a_day() -> date:
    """A day next month."""
    return datetime.now(ZONE).date() + timedelta(days=30)


def appointment(uid: str, title: str) -> str:
    begin = datetime.combine(a_day(), time(9), UTC)
    return stream(f"UID:{uid}", f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", "DURATION:PT1H", f"SUMMARY:{title}")


def daily_series(uid: str) -> str:
    """Ten days at nine; the third is moved to the afternoon, the fifth is cancelled."""
    days = [a_day() + timedelta(days=number) for number in range(10)]
    midnights = [datetime.combine(day, time(), UTC) for day in days]
    zone = vtimezone(ZONE.key, tzid=ZONE.key, first=midnights[0], last=midnights[-1]).decode()
    at = f";TZID={ZONE.key}:"
    return stream(
        f"UID:{uid}", f"DTSTART{at}{days[0]:%Y%m%d}T090000", f"DTEND{at}{days[0]:%Y%m%d}T093000",
        "RRULE:FREQ=DAILY;COUNT=10", f"EXDATE{at}{days[4]:%Y%m%d}T090000", "SUMMARY:Stand-up",
        "END:VEVENT", "BEGIN:VEVENT", "DTSTAMP:20260101T000000Z",
        f"UID:{uid}", f"RECURRENCE-ID{at}{days[2]:%Y%m%d}T090000", "SUMMARY:Stand-up (later)",
        f"DTSTART{at}{days[2]:%Y%m%d}T150000", f"DTEND{at}{days[2]:%Y%m%d}T153000",
        zone=zone,
    )  # fmt: skip


def stream(*lines: str, zone: str = "") -> str:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n"
    event = "\r\n".join(("BEGIN:VEVENT", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", "END:VCALENDAR", ""))
    return head + zone + event


def instances(text: str) -> list[tuple[str, str]]:
    """When each instance of an object begins, and what it is called."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(
        a_day() - timedelta(days=5), a_day() + timedelta(days=30)
    )
    return sorted((each["DTSTART"].dt.astimezone(UTC).isoformat(), str(each["SUMMARY"])) for each in found)


def test_the_demos_appointments_of_anna_stand_at_the_upstream(demo: Demo) -> None:
    assert titles(demo.there) >= TITLES_OF_ANNA


def test_an_appointment_that_is_put_here_is_there_within_two_seconds(demo: Demo) -> None:
    demo.here.save_event(appointment("from-here", "From here"))

    took = eventually(lambda: "from-here" in texts(demo.there), "it is there")

    assert took < 2.0


def test_an_appointment_that_is_put_there_is_here_at_the_next_poll(demo: Demo) -> None:
    demo.there.save_event(appointment("from-there", "From there"))

    took = eventually(lambda: "from-there" in texts(demo.here), "it is here")

    assert took < POLL_SECONDS + A_MACHINE_UNDER_LOAD


def test_a_daily_series_with_a_moved_and_a_cancelled_instance_goes_both_ways_intact(demo: Demo) -> None:
    demo.here.save_event(daily_series("series-from-here"))
    demo.there.save_event(daily_series("series-from-there"))

    eventually(lambda: "series-from-here" in texts(demo.there), "ours is there")
    eventually(lambda: "series-from-there" in texts(demo.here), "theirs is here")

    meant = instances(daily_series("any"))
    assert len(meant) == 9
    assert [title for _, title in meant].count("Stand-up (later)") == 1
    assert instances(texts(demo.there)["series-from-here"]) == meant
    assert instances(texts(demo.here)["series-from-there"]) == meant


def test_what_is_deleted_there_is_deleted_here(demo: Demo) -> None:
    demo.there.save_event(appointment("short-lived", "Short-lived"))
    eventually(lambda: "short-lived" in texts(demo.here), "it is here")

    demo.there.event_by_uid("short-lived").delete()

    eventually(lambda: "short-lived" not in texts(demo.here), "it is gone here")


def test_the_upstream_ends_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait()

        eventually(lambda: not takes_connections(demo.upstream_port), "nobody listens any more")


def takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_the_upstream_takes_the_next_port_that_is_free() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        following = free_port(after=port - 1)
        assert port < following < port + 20
        assert free_port(after=port - 1, but=following) not in {port, following}


def test_commands_look_for_the_upstream_where_it_usually_is() -> None:
    assert f"${{{PORT_VARIABLE}:-{USUAL_PORT}}}" in (TOP / "config/demo.yaml").read_text()


def test_a_command_in_another_shell_is_told_where_both_servers_are(tmp_path: Path) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        running_demo(tmp_path, upstream_port=taken.getsockname()[1]) as demo,
    ):
        assert demo.process.stdout
        word, _, exported = demo.process.stdout.readline().rstrip("\n").partition(": export ")
        assert word == "for other commands"
        told = dict(each.split("=") for each in exported.split())
        assert told[PORT_VARIABLE] == str(demo.upstream_port)
        planned, feed = (
            subprocess.run(
                [sys.executable, "-m", "bridge", *words, "--config", tmp_path / "config/demo.yaml"],
                cwd=TOP,
                env=unmeasured() | told,
                capture_output=True,
                text=True,
                check=False,
            )
            for words in (("rule", "plan", "anna-elsewhere"), ("feed", "url", "anna"))
        )
        assert feed.stdout.strip() == demo.feed
    assert planned.returncode == 0, planned.stderr
