"""The demo with Google, as somebody tries it: browser, terminal and calendar program, from the consent page on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from caldav.davclient import DAVClient

from tests.cli.terminal import terminal
from tests.repository import TOP, unmeasured
from tests.system.browser import browser
from tests.system.process import eventually, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.browser import Browser

_ZONE = ZoneInfo("Europe/Amsterdam")
_LAST_LINE = "4. "
_ENDED_BY_CTRL_C = 130
_A_MACHINE_UNDER_LOAD = 10.0
"""Seconds for what takes one or two, and five minutes where nobody tells of it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs.

    Attributes:
        process: Of both servers.
        said: What it printed, by the word before the colon.
        folder: Where it keeps everything.
    """

    process: subprocess.Popen[str]
    said: dict[str, str]
    folder: Path

    def command(self, words: str) -> list[str]:
        """What is typed in the other terminal, with other words in place of `connect google`."""
        return shlex.split(self.said["connect"].replace("connect google", words))

    def run(self, words: str) -> str:
        """The output of another command."""
        done = subprocess.run(
            self.command(words), cwd=TOP, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def environment() -> dict[str, str]:
    """That of a machine where no browser opens by itself."""
    return {
        name: value for name, value in unmeasured().items() if name not in {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}
    }


@contextmanager
def demo_in(folder: Path, port: int) -> Iterator[Demo]:
    """Starts the demo, and reads what it prints."""
    with (
        (folder / "log").open("a") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.demo.google", "--port", str(port), "--folder", folder],
            cwd=TOP,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith(_LAST_LINE):
                    break
            said = dict(line.split(": ", 1) for line in lines[: lines.index("")])
            yield Demo(process, said, folder)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def annas_calendar(demo: Demo) -> Iterator[Any]:
    """Anna's calendar in a calendar program that was told nothing but what the demo prints."""
    said = demo.said
    program: Any = DAVClient(said["caldav"], username=said["user"], password=said["password"], auth_type="basic")
    with program as client:
        yield next(each for each in client.principal().calendars() if each.get_display_name() == "Anna de Vries")


def titles(calendar: Any) -> set[str]:
    return {str(each.icalendar_component["SUMMARY"]) for each in calendar.events()}


def agree(page: Browser, address: str) -> None:
    """Chooses Anna, ticks every box, and goes on."""
    page.open(address)
    assert "Choose an account" in page.text
    for _ in range(page.tell("document.querySelectorAll('input[type=checkbox]').length")):
        page.click("input[type=checkbox]:not(:checked)")
    page.click("button", "Continue")
    page.wait("document.body && document.body.innerText.includes('You can close this page')")


def connect(demo: Demo, page: Browser) -> str:
    """Does in the other terminal what the demo says, and gives what stood on the screen."""
    with terminal(demo.command("connect google"), environment()) as screen:
        screen.expect(r"Open this address[^\n]*\s+http://\S+")
        (address,) = re.findall(r"^http://\S+", screen.text, re.MULTILINE)
        agree(page, address)
        for question, answer in (
            ("Which calendar", "1"),
            ("Whose calendar", "1"),
            ("What is the rule to be called", ""),
            ("Write the rule, and do this now", "y"),
        ):
            screen.expect(question)
            screen.type(answer)
        assert screen.end() == 0, screen.text
        return screen.text


@pytest.mark.debian("chromium", "chromium")
def test_somebody_without_a_google_account_tries_the_whole_way(tmp_path: Path) -> None:
    with demo_in(tmp_path, unused_port()) as demo, browser(tmp_path) as page:
        seen = connect(demo, page)
        counts = re.search(r"link 1 that are on both sides, create 4 here, create (\d+) there", seen)
        assert counts is not None, seen
        assert f"adopt: 1, create here: 4, create there: {counts[1]}." in seen

        page.open(demo.said["google"])
        with annas_calendar(demo) as calendar:
            assert titles(calendar) >= {"Cut: Mr Peters", "Team breakfast", "Training: new products"}
            begin = datetime.combine(datetime.now(_ZONE).date(), time(12), UTC)
            calendar.save_event(dtstart=begin, dtend=begin + timedelta(hours=1), summary="From the program")
            took = page.wait("document.querySelector('.sheet').innerText.includes('From the program')")
            assert took < _A_MACHINE_UNDER_LOAD

            page.fill("[name=summary]", "From the page")
            page.click("button", "Save")
            took = eventually(lambda: "From the page" in titles(calendar), "what is made on the page is here")
            assert took < _A_MACHINE_UNDER_LOAD

            page.click(".event", "From the program")
            page.click("button", "Delete")
            eventually(lambda: "From the program" not in titles(calendar), "what is deleted on the page is gone here")

        assert "anna-google  yes     ok" in demo.run("status")
        assert "notifications  on" in demo.run("status anna-google")
        # Browsers ask by themselves for a picture of a page.
        assert [each for each in page.loud if "favicon" not in each] == []
    log = (tmp_path / "log").read_text()
    assert "rule_in_trouble" not in log
    assert "Traceback" not in log


def test_each_start_begins_anew_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port = unused_port()
    passwords = set()
    for _ in range(2):
        with demo_in(tmp_path, port) as demo:
            passwords.add(demo.said["password"])
            with annas_calendar(demo) as calendar:
                assert "From the last start" not in titles(calendar)
                begin = datetime.combine(datetime.now(_ZONE).date(), time(12), UTC)
                calendar.save_event(dtstart=begin, dtend=begin + timedelta(hours=1), summary="From the last start")
            os.killpg(demo.process.pid, signal.SIGINT)
            assert demo.process.wait(60) in {0, _ENDED_BY_CTRL_C}
    assert len(passwords) == 2
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_port_that_is_taken_ends_it_with_a_sentence_and_removes_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "bridge.yaml"
    kept.write_text("of a demo that runs")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [sys.executable, "-m", "tests.demo.google", "--port", str(port), "--folder", tmp_path],
            cwd=TOP,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"Another program listens on 127.0.0.1:{port} already.\nStop it, or choose another port.\n"
    assert kept.read_text() == "of a demo that runs"
