"""The fake's watch channels call back with the headers of Google, and lose, double, hold and forge where told to."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.fakes.google.asking import ANNA, Clock
from tests.fakes.google.channels import Mishap
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = {"summary": "Haircut", "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}


class Hook:
    """A server that takes notifications."""

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        self.statuses: deque[int] = deque()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.came.append(dict(self.headers.items()))
                self.send_response(hook.statuses.popleft() if hook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/hooks/google"

    @property
    def numbers(self) -> list[int]:
        return [int(each["X-Goog-Message-Number"]) for each in self.came]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def google(clock: Clock) -> Iterator[FakeGoogle]:
    with fake_google(clock=clock, serve=False) as google:
        google.add_user(ANNA)
        google.channels.allow_http = True
        yield google


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def service(google: FakeGoogle) -> Any:
    return build("calendar", "v3", http=google.http(ANNA), static_discovery=True)


def watch(service: Any, hook: Hook, **more: Any) -> Any:
    body = {"id": "channel-1", "type": "web_hook", "address": hook.address, "token": "secret", **more}
    return service.events().watch(calendarId="primary", body=body).execute()


def change(google: FakeGoogle, times: int = 1) -> None:
    for _ in range(times):
        google.calendar(ANNA).put(EVENT)
    google.channels.settle()


def test_a_channel_says_that_it_is_open_and_then_that_something_changed(
    google: FakeGoogle, hook: Hook, service: Any
) -> None:
    opened = watch(service, hook)
    change(google)

    assert [each["X-Goog-Resource-State"] for each in hook.came] == ["sync", "exists"]
    assert hook.numbers == [1, 2]
    assert hook.came[1]["X-Goog-Channel-Token"] == "secret"
    assert hook.came[1]["X-Goog-Resource-ID"] == opened["resourceId"]
    assert hook.came[1]["Content-Length"] == "0"


@pytest.mark.parametrize(
    "more",
    [{"address": "http://cal.example.org/hook"}, {"id": "x" * 65}, {"id": "with space"}, {"type": "mail"}],
)
def test_a_channel_that_google_would_not_open_is_refused(service: Any, hook: Hook, more: dict[str, str]) -> None:
    with pytest.raises(HttpError) as raised:
        watch(service, hook, **more)

    assert raised.value.resp.status == 400


def test_an_id_opens_one_channel_only(service: Any, hook: Hook) -> None:
    watch(service, hook)

    with pytest.raises(HttpError, match="not unique"):
        watch(service, hook)


def test_a_channel_ends_when_it_is_stopped_or_expires(
    google: FakeGoogle, hook: Hook, service: Any, clock: Clock
) -> None:
    one = watch(service, hook)
    two = watch(service, hook, id="channel-2")
    service.channels().stop(body={"id": one["id"], "resourceId": one["resourceId"]}).execute()
    change(google)
    assert [each["X-Goog-Channel-ID"] for each in hook.came[2:]] == ["channel-2"]
    assert int(two["expiration"]) == int((clock.now + timedelta(days=7)).timestamp() * 1000)

    clock.now += timedelta(days=7)
    change(google)

    assert len(hook.came) == 3
    with pytest.raises(HttpError) as raised:
        service.channels().stop(body={"id": "channel-1", "resourceId": one["resourceId"]}).execute()
    assert raised.value.resp.status == 404


def test_messages_are_lost_doubled_held_and_come_out_of_order(google: FakeGoogle, hook: Hook, service: Any) -> None:
    watch(service, hook)
    google.channels.mishaps += [Mishap.LOST, Mishap.TWICE, Mishap.HELD, Mishap.HELD]
    change(google, 5)
    google.channels.release()
    google.channels.settle()

    assert hook.numbers == [1, 3, 3, 6, 5, 4]


def test_a_message_that_was_answered_with_an_error_comes_again(google: FakeGoogle, hook: Hook, service: Any) -> None:
    watch(service, hook)
    google.channels.settle()
    hook.statuses += [503]
    change(google)

    google.channels.retry()
    google.channels.settle()

    assert hook.numbers == [1, 2, 2]


def test_a_forged_message_says_what_it_was_told_to(google: FakeGoogle, hook: Hook) -> None:
    assert google.channels.forge(hook.address, X_Goog_Channel_Token="guess", X_Goog_Message_Number="9") == 200

    assert hook.came[0]["X-Goog-Channel-Token"] == "guess"
