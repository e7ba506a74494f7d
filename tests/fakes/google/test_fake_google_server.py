"""The fake answers the client library over a socket, and serves people who want to try."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from tests.fakes.google.fake import fake_google, lose_answer

ANNA = "anna@example.org"
EVENT = {"summary": "Haircut", "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}


def test_the_client_library_speaks_with_it_over_a_socket() -> None:
    with fake_google() as google:
        google.add_user(ANNA)
        make: Any = Credentials
        credentials = make(google.token(ANNA))
        with closing(
            build(
                "calendar",
                "v3",
                credentials=credentials,
                client_options={"api_endpoint": google.api},
                static_discovery=True,
            )
        ) as service:
            made = service.events().insert(calendarId=ANNA, body=EVENT, sendUpdates="none").execute()
            got = service.events().get(calendarId=ANNA, eventId=made["id"]).execute()

        assert got == made
        assert [each.id for each in google.requests] == ["calendar.events.insert", "calendar.events.get"]
        assert google.requests[0].query["sendUpdates"] == "none"


def test_a_lost_answer_ends_the_connection() -> None:
    with fake_google() as google:
        google.add_user(ANNA)
        google.script(lose_answer())
        headers = {"Authorization": f"Bearer {google.token(ANNA)}"}

        with pytest.raises(requests.ConnectionError):
            requests.post(google.api + "calendars/primary/events", json=EVENT, headers=headers, timeout=30)

        assert len(google.calendar(ANNA).events) == 1


def test_it_serves_people_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fakes.google.serve", str(tmp_path / "made")]
    top = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=top, env=os.environ) as process:
        try:
            lines = process.stdout or ()
            told = dict(line.strip().split(": ", 1) for line in (next(iter(lines)) for _ in range(9)))
            page = requests.get(told["page"], timeout=30).text
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    assert "Fake Google Calendar" in page
    assert Path(told["client_file"]).is_file()
    assert Path(told["service_account_file"]).is_file()
