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

_NO_SLASHES = frozenset({"a/b.ics"})

RADICALE = Known(_CALDAV, lost_names=_NO_SLASHES | {"#1?.ics"})
XANDIKOS = Known(_CALDAV, lost_names=_NO_SLASHES, asks_for_password=False)
CYRUS = Known(_CALDAV, lost_names=_NO_SLASHES | {"#1?.ics"})
# An unknown sync token is answered with everything and no error, so that no token of it can be trusted.
DAVICAL = Known(replace(_CALDAV, delta=False), lost_names=_NO_SLASHES | {"a%2Fb.ics"}, takes_uid_twice=True)
SOGO = Known(replace(_CALDAV, delta=False, exclusive_create=False), lost_names=_NO_SLASHES, takes_uid_twice=True)
