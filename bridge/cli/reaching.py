"""What a connection leads to: its calendars, asked for once, with what was odd on the way."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.config import ConnectionType
from bridge.core import ics
from bridge.upstream.powers import Discovering
from bridge.upstream.protocol import Changed, Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.bootstrap import Site
    from bridge.core.model import CalendarObject
    from bridge.upstream.oauth.tokens import Tokens
    from bridge.upstream.protocol import RemoteCalendar, Upstream


@dataclass(frozen=True, slots=True)
class Reached:
    """What a connection led to.

    Attributes:
        calendars: Those that it reaches.
        notes: Sentences about the way there that a person should see.
        holds: Of a published file, how many objects of each kind it holds; else None.
    """

    calendars: Sequence[RemoteCalendar]
    notes: Sequence[str]
    holds: Mapping[str, int] | None


def reach(site: Site, key: str, *, password: str | None = None, tokens: Tokens | None = None) -> Reached:
    """Asks a connection for its calendars; a published file is read as a whole.

    Args:
        site: The installation.
        key: Of the connection.
        password: With which it is tried; None: the one that is configured or sealed.
        tokens: With which it is tried; None: those that are sealed.

    Raises:
        NotFound: There is no such connection.
        UpstreamError: It leads nowhere, or does not let us in.
    """
    zone = site.configuration.usual_zone

    def parse(raw: bytes) -> CalendarObject:
        return ics.parse(raw, zone=zone, max_instances=site.configuration.limits.max_instances)

    opened = bootstrap.Connections().open(site, key, parse, zone, password=password, tokens=tokens)
    with closing(opened) as upstream:
        if site.configuration.connection(key).type is ConnectionType.ICS:
            return Reached(upstream.calendars(), (), _contents(upstream))
        if isinstance(upstream, Discovering):
            found = upstream.discover()
            return Reached(found.calendars, found.notes, None)
        return Reached(upstream.calendars(), (), None)


def _contents(upstream: Upstream) -> Mapping[str, int]:
    listed = [item for page in upstream.changes("", None) for item in page.items]
    kinds = Counter(
        "unreadable" if isinstance(item.object, Unreadable) else str(item.object.component)
        for item in listed
        if isinstance(item, Changed) and item.object is not None
    )
    return dict(sorted(kinds.items()))
