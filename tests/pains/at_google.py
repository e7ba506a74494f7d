"""What somebody does at Google's page in the tests of the pains."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.sync.appointments import START, event

if TYPE_CHECKING:
    from tests.fakes.google.by_hand import ByHand
    from tests.sync.google_side import GoogleDesk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def single(title: str, start: datetime = START, length: timedelta = HOUR, **more: Any) -> dict[str, Any]:
    """An event as somebody makes it at Google's page."""
    return {"summary": title, "start": moment(start), "end": moment(start + length), **more}


def moment(at: datetime) -> dict[str, str]:
    return {"dateTime": at.isoformat(), "timeZone": "Europe/Amsterdam"}


def only(page: ByHand) -> dict[str, Any]:
    """The only event, or series."""
    [found] = [each for each in page.events if "recurringEventId" not in each]
    return found


def put(bridge: GoogleDesk, *lines: str) -> dict[str, Any]:
    """An appointment stands on both sides; gives it as it is at Google."""
    bridge.rule()
    bridge.resource().put(event("one", "Haircut", *lines))
    bridge.rest()
    return only(bridge.at_google().page)
