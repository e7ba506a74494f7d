"""What is special about each server, as its contract found it."""

from __future__ import annotations

from dataclasses import replace

from bridge.core.model import ComponentType
from bridge.upstream.protocol import Capabilities
from tests.contracts.upstream import Known

_CALDAV = Capabilities(
    writable=True,
    components=frozenset(ComponentType),
    delta=True,
    conditional=True,
    exclusive_create=True,
    keeps_text=True,
    holds_series=True,
)

_TASKS_TOO = frozenset({"VEVENT", "VTODO"})
_NO_SLASHES = frozenset({"a/b.ics"})

RADICALE = Known(_CALDAV, lost_names=_NO_SLASHES | {"#1?.ics"}, tells_all=True)
# What does not end in .ics is no calendar object for it.
XANDIKOS = Known(_CALDAV, lost_names=_NO_SLASHES | {"no-suffix"}, asks_for_password=False, tells_all=True)
CYRUS = Known(_CALDAV, lost_names=_NO_SLASHES | {"#1?.ics"}, tells_all=True)
# An unknown sync token is answered with everything and no error, so that no token of it can be trusted.
DAVICAL = Known(
    replace(_CALDAV, delta=False), lost_names=_NO_SLASHES | {"a%2Fb.ics"}, takes_uid_twice=True, tells_all=True
)
# If-None-Match does not keep it from overwriting, nor If-Match from making anew what is gone and from removing what has
# changed. It writes floating times into the user's zone. Its tokens and tags count seconds. A query for all that a
# calendar holds brings nothing.
SOGO = Known(
    replace(_CALDAV, delta=False, exclusive_create=False, conditional=False, keeps_text=False),
    takes=_TASKS_TOO,
    lists=_TASKS_TOO,
    rewrites=frozenset({"floating"}),
    lost_names=_NO_SLASHES,
    settling=2.5,
)
