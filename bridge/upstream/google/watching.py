"""Google tells a web address of changes by itself: channels are opened and closed, and say no more than that.

https://developers.google.com/workspace/calendar/api/guides/push
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.errors import UpstreamUnavailable
from bridge.upstream.google.refusals import Deed, Refused, error
from bridge.upstream.powers import Watch

if TYPE_CHECKING:
    from bridge.upstream.google.place import Place
    from bridge.upstream.google.service import Service
    from bridge.upstream.google.wire import Wire

_WEEK_SECONDS = 604_800
"""The life that Google gives a channel that asks for none; it may give a shorter one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def watch(place: Place, *, channel: str, token: str, address: str) -> Watch:
    """The answer of `Watchable.watch`."""
    body = {
        "id": channel,
        "type": "web_hook",
        "address": address,
        "token": token,
        "params": {"ttl": str(_WEEK_SECONDS)},
    }
    answer = place.wire.ask(place.service.events.watch(calendarId=place.calendar, body=body))
    if isinstance(answer, Refused):
        raise error(answer, Deed.WATCH, who=place.who)
    resource, ends = str(answer.get("resourceId", "")), str(answer.get("expiration", ""))
    if not resource or not ends.isdecimal():
        raise UpstreamUnavailable(
            "Google does not say what it watches, or until when.", remedy="The calendar is asked at each poll."
        )
    return Watch(channel=channel, resource=resource, expires_at=_EPOCH + timedelta(milliseconds=int(ends)))


def unwatch(wire: Wire, service: Service, watch: Watch, *, who: str) -> None:
    """What `Watchable.unwatch` does."""
    answer = wire.ask(service.channels.stop(body={"id": watch.channel, "resourceId": watch.resource}))
    if isinstance(answer, Refused) and answer.status != HTTPStatus.NOT_FOUND:
        raise error(answer, Deed.WATCH, who=who)
