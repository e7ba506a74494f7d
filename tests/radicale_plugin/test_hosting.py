"""Radicale under our roof neither sleeps on errors nor writes a log of its own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.errors import StoreContended, StoreFull, StoreUnavailable
from bridge.radicale_plugin.face import with_few_tries
from bridge.radicale_plugin.hosting import application
from tests.radicale_plugin.calling import call

if TYPE_CHECKING:
    from bridge.radicale_plugin.backing import Backing

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20270105T090000Z\r\nSUMMARY:Haircut\r\nDESCRIPTION:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_a_full_disk_is_said_without_delay(backing: Backing) -> None:
    dav = application(backing)
    # The login is known from here on, and costs no time.
    assert call(dav, "OPTIONS", "/demo/").status == 200
    with backing.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    answer = call(dav, "PUT", "/demo/salon.anna/1.ics", EVENT.format("x" * 200_000))
    assert answer.status == 507
    # Radicale by itself would keep the thread asleep for a while after each such answer.
    assert dav.configuration.get("server", "delay_on_error") == 0


def test_what_radicale_says_is_one_event(backing: Backing, capfd: pytest.CaptureFixture[str]) -> None:
    application(backing)
    with capture_logs() as logs:
        try:
            dict[str, str]()["no such luck"]
        except KeyError:
            logging.getLogger("radicale").exception("An exception occurred during %s", "PUT")

    assert [(each["event"], each["log_level"], each["sentence"]) for each in logs] == [
        ("radicale_said", "error", "An exception occurred during PUT")
    ]
    assert logs[0]["trace"].endswith("KeyError: 'no such luck'")
    assert "exception" not in "".join(capfd.readouterr())


def test_a_write_is_repeated_where_another_got_in_the_way() -> None:
    errors = [StoreContended("Deadlock."), StoreContended("Deadlock.")]

    def write() -> str:
        if errors:
            raise errors.pop()
        return "written"

    assert with_few_tries(write) == "written"


@pytest.mark.parametrize(("kind", "times"), [(StoreContended, 3), (StoreUnavailable, 1), (StoreFull, 1)])
def test_a_write_that_waited_in_vain_does_not_wait_again(kind: type[StoreFull], times: int) -> None:
    tried = []

    def write() -> None:
        tried.append(1)
        raise kind("Not now.")

    with pytest.raises(kind):
        with_few_tries(write)
    assert len(tried) == times
