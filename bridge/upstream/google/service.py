"""The methods of Google Calendar v3, as Google's own library makes them from the discovery document it carries.

The library checks names and parameters and makes addresses and bodies; nothing is asked of the network for that, and
none of its requests are sent by it: its transport reads answers of any size, waits without an end for those that
trickle, and sends again what broke off. `bridge.upstream.google.wire` sends them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from googleapiclient import discovery

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "https://www.googleapis.com/calendar/v3/"
"""Where Google Calendar is asked (https://developers.google.com/workspace/calendar/api/v3/reference)."""

_DOCUMENT = "discovery_cache/documents/calendar.v3.json"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as the library has made it.

    Attributes:
        deed: The method of the API, for example `calendar.events.list`.
        method: Of HTTP.
        url: With its parameters.
        headers: What the body needs.
        body: JSON, or empty.
    """

    deed: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Service:
    """The methods that are used, for one endpoint.

    Args:
        endpoint: Where the API stands.
    """

    def __init__(self, endpoint: str = API) -> None:
        made: Any = discovery.build_from_document(
            _document(),
            # Without something here the library would look for credentials on the machine.
            http=_Nothing(),
            requestBuilder=_ask,
            client_options={"api_endpoint": f"{endpoint.rstrip('/')}/"},
        )
        self.events: Any = made.events()
        self.calendar_list: Any = made.calendarList()
        self.channels: Any = made.channels()


class _Nothing:
    """Stands where the library wants a transport; nothing is ever sent over it."""


@cache
def _document() -> dict[str, Any]:
    # Shared by all connections of the process: the parsed document is large, and never changed.
    document: dict[str, Any] = json.loads(files("googleapiclient").joinpath(_DOCUMENT).read_text(encoding="utf-8"))
    return document


def _ask(  # noqa: PLR0917 -- the library calls it
    _http: object,
    _postproc: object,
    uri: str,
    method: str = "GET",
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    methodId: str = "",  # noqa: N803 -- the library names it so
    resumable: object = None,  # noqa: ARG001 -- the library always gives it
) -> Ask:
    kept = {name: value for name, value in (headers or {}).items() if name in {"accept", "content-type"}}
    return Ask(deed=methodId, method=method, url=uri, headers=kept, body=(body or "").encode())
