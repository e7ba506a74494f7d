"""Watch channels that really POST: opened, told of each change, expired and stopped; and their mishaps."""

from __future__ import annotations

import hashlib
import http.client
import queue
import re
import ssl
import threading
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.google.calls import Call
    from tests.fakes.google.state import Calendar, World

_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")
_LONGEST_TOKEN = 256
_LIFE = timedelta(seconds=604_800)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TO_TRY_AGAIN = frozenset({500, 502, 503, 504})


class Mishap(Enum):
    """What happens to one message in place of its delivery."""

    LOST = "lost"
    TWICE = "twice"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Message:
    """A notification: headers and no body."""

    address: str
    headers: dict[str, str]

    @property
    def number(self) -> int:
        """Its X-Goog-Message-Number."""
        return int(self.headers["X-Goog-Message-Number"])


@dataclass(slots=True)
class Channel:
    """A channel that was opened.

    Attributes:
        number: Of the last message.
    """

    id: str
    calendar: str
    resource: str
    user: str
    address: str
    token: str
    expires_at: datetime
    uri: str
    number: int = 0
    stopped: bool = False


@dataclass(slots=True)
class Channels:
    """All channels of the project, and the thread that delivers.

    Attributes:
        allow_http: An http address on loopback is taken, though Google takes https alone.
        beyond_proxy: Delivers in plain http, as the proxy would that answers at the https address.
        trust: What certificates are accepted; None: the system's.
        post: Delivers; gives the status of the answer, 0 where there is none.
        mishaps: What happens to the next messages, in their order; empty: nothing.
        sent: Every delivery that was tried, with the status of its answer.
        failed: Those that Google would try again later.
    """

    world: World
    allow_http: bool = False
    beyond_proxy: bool = False
    trust: ssl.SSLContext | None = None
    post: Callable[[Message], int] | None = None
    open: dict[str, Channel] = field(default_factory=dict)
    mishaps: deque[Mishap] = field(default_factory=deque)
    sent: list[tuple[Message, int]] = field(default_factory=list)
    failed: list[Message] = field(default_factory=list)
    held: list[Message] = field(default_factory=list)
    skip_numbers: int = 0
    _waiting: queue.Queue[Message | None] = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def watch(self, call: Call) -> dict[str, Any]:
        """Opens a channel (events.watch).

        Raises:
            Refused: The id was used before, or the address is not one that Google would call.
        """
        calendar, body = call.read(), call.body
        channel_id, address = str(body.get("id") or ""), str(body.get("address") or "")
        if _ID.fullmatch(channel_id) is None:
            raise Refused("invalid" if channel_id else "required", location="resource.id")
        if channel_id in self.open:
            raise Refused("channelIdNotUnique", f"Channel id {channel_id} not unique", "resource.id")
        if body.get("type") not in {"web_hook", "webhook"}:
            raise Refused("invalid", "Unknown channel type", "resource.type")
        token = str(body.get("token") or "")
        if len(token) > _LONGEST_TOKEN:
            raise Refused("invalid", location="resource.token")
        self._check(address)
        channel = Channel(
            id=channel_id,
            calendar=calendar.id,
            resource=hashlib.sha256(f"events {calendar.id}".encode()).hexdigest()[:27],
            user=call.user,
            address=address,
            token=token,
            expires_at=self._expiry(body),
            uri=f"https://www.googleapis.com/calendar/v3/calendars/{calendar.id}/events?alt=json",
        )
        self.open[channel_id] = channel
        self._tell(channel, "sync")
        shown = {
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource,
            "resourceUri": channel.uri,
            "expiration": str(int(channel.expires_at.timestamp() * 1000)),
        }
        return shown | ({"token": token} if token else {})

    def stop(self, call: Call) -> None:
        """Ends a channel (channels.stop).

        Raises:
            Refused: There is none of this id and resource.
        """
        channel = self.open.get(str(call.body.get("id")))
        if channel is None or channel.stopped or channel.resource != call.body.get("resourceId"):
            raise Refused("channelUnknown", f"Channel '{call.body.get('id')}' not found for project")
        if channel.user != call.user:
            raise Refused("forbidden")
        channel.stopped = True

    @property
    def live(self) -> list[Channel]:
        """Those that are neither stopped nor expired."""
        now = self.world.clock()
        return [each for each in self.open.values() if not each.stopped and each.expires_at > now]

    def changed(self, calendar: Calendar) -> None:
        """Tells every live channel of a calendar."""
        for channel in self.live:
            if channel.calendar == calendar.id and channel.user in calendar.acl:
                self._tell(channel, "exists")

    def forge(self, address: str, **headers: str) -> int:
        """Posts what Google never sent, and gives the status of the answer; `X_Goog_Channel_ID` names a header."""
        return self._post(Message(address, {name.replace("_", "-"): value for name, value in headers.items()}))

    def release(self) -> None:
        """Delivers what was held, the last first."""
        held, self.held = self.held[::-1], []
        for message in held:
            self._send(message)

    def retry(self) -> None:
        """Delivers anew what was answered with a 5xx, as Google does after a while."""
        failed, self.failed = self.failed, []
        for message in failed:
            self._send(message)

    def settle(self) -> None:
        """Waits until all that is to be delivered is."""
        self._waiting.join()

    def close(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _check(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            return
        if not (self.allow_http and parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise Refused("push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")

    def _expiry(self, body: dict[str, Any]) -> datetime:
        now = self.world.clock()
        if body.get("expiration"):
            wanted = datetime.fromtimestamp(int(body["expiration"]) / 1000, UTC)
        else:
            wanted = now + timedelta(seconds=int((body.get("params") or {}).get("ttl", _LIFE.total_seconds())))
        return min(wanted, now + _LIFE) if wanted > now else now + _LIFE

    def _tell(self, channel: Channel, state: str) -> None:
        channel.number += 1 + (self.skip_numbers if state != "sync" else 0)
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Message-Number": str(channel.number),
            "X-Goog-Resource-ID": channel.resource,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": channel.uri,
            "X-Goog-Channel-Expiration": format_datetime(channel.expires_at.astimezone(UTC), usegmt=True),
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        message = Message(channel.address, headers)
        mishap = self.mishaps.popleft() if self.mishaps else None
        if mishap is Mishap.LOST:
            return
        if mishap is Mishap.HELD:
            self.held.append(message)
            return
        self._send(message)
        if mishap is Mishap.TWICE:
            self._send(message)

    def _send(self, message: Message) -> None:
        self._waiting.put(message)
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver, daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while True:
            message = self._waiting.get()
            try:
                if message is None:
                    return
                status = self._post(message)
                self.sent.append((message, status))
                if status in _TO_TRY_AGAIN:
                    self.failed.append(message)
            finally:
                self._waiting.task_done()

    def _post(self, message: Message) -> int:
        if self.post is not None:
            return self.post(message)
        parts = urlsplit(message.address)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https" and not self.beyond_proxy:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=30, context=self.trust or ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=30)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        headers = {"User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"}
        with closing(connection):
            try:
                connection.request("POST", path, b"", headers | message.headers)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0
