"""Serves the fake for people to try: `python -m tests.fakes.google.serve FOLDER --port 8899`.

Prints, one a line, the addresses and the files that a connection needs, and serves until it is interrupted or told to
end. The files are written to FOLDER: what a person would download at Google for an OAuth client and a service account.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from tests.fakes.google.fake import FakeGoogle, fake_google

USERS = ("anna@example.org", "bert@example.org")
ZONE = "Europe/Amsterdam"
_SCOPES = (
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
)


def furnish(google: FakeGoogle, folder: Path) -> dict[str, str]:
    """Gives the fake two users, a shared room and some appointments, and writes the files.

    Returns:
        What a person has to know, by name.
    """
    for user in USERS:
        google.add_user(user, zone=ZONE, workspace="example.org")
    room = google.add_calendar(USERS[0], "room-1@group.calendar.google.com", "Room 1", zone=ZONE)
    google.channels.allow_http = True
    monday = google.world.clock().date()
    monday += timedelta(days=7 - monday.weekday())
    hand = google.calendar(USERS[0])
    for day, hour, minutes, title, rule in (
        (0, 9, 45, "Team breakfast", "RRULE:FREQ=WEEKLY"),
        (1, 10, 30, "Maria Jansen, haircut", ""),
        (1, 14, 90, "Peter Smit, colour", ""),
        (3, 16, 60, "Supplier", ""),
    ):
        start = datetime.combine(monday + timedelta(days=day), datetime.min.time()) + timedelta(hours=hour)
        times = {"start": start, "end": start + timedelta(minutes=minutes)}
        body = {name: {"dateTime": at.isoformat(), "timeZone": ZONE} for name, at in times.items()}
        hand.put({"summary": title, **body, **({"recurrence": [rule]} if rule else {})})
    client = google.grants.add_client()
    robot = google.grants.add_robot("calbridge", domain="example.org", scopes=_SCOPES)
    return {
        "page": f"{google.host}/ui",
        **google.endpoints,
        "user": USERS[0],
        "calendar": room.id,
        "client_file": str(google.client_file(client, folder)),
        "service_account_file": str(google.robot_file(robot, folder)),
    }


def main() -> None:
    """Serves until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.google.serve")
    parser.add_argument("folder", type=Path, help="where the client's and the service account's files are written")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    over = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: over.set())
    with fake_google(port=given.port) as google:
        for name, value in furnish(google, given.folder).items():
            sys.stdout.write(f"{name}: {value}\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()
