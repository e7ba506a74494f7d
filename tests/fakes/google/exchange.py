"""What is asked and answered, by whom, and how a test finds it recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        path: With its query, as it was sent.
        headers: By lower-case name.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the query."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Recorded:
    """A request as a test wants to see it.

    Attributes:
        id: Of the method, such as `calendar.events.patch`; empty where there is none.
        places: What the path named, such as calendarId.
        query: Each parameter with its last value.
        status: Of the answer.
        at: When it came.
    """

    method: str
    path: str
    id: str = ""
    user: str = ""
    places: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = None
    status: int = 0
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what an access token stands for.

    Attributes:
        robot: A service account that acts for nobody but itself.
    """

    user: str
    scopes: frozenset[str]
    robot: bool = False
