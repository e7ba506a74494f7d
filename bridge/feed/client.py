"""Which program fetches a feed, by its User-Agent."""

from __future__ import annotations

import re
from functools import lru_cache

_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"Google-Calendar-Importer|Google-Calendar", "Google Calendar"),
    (r"Microsoft\.Exchange|Microsoft Office|Microsoft Outlook|ms-office|Outlook|Exchange/", "Outlook"),
    (r"dataaccessd|accountsd|CalendarAgent|iCal/|calaccessd|CalendarStore", "Apple Calendar"),
    (r"Thunderbird|Lightning", "Thunderbird"),
    (r"ICSx5|DAVx5|ICSdroid", "ICSx5"),
    (r"Nextcloud", "Nextcloud"),
    (r"Yahoo", "Yahoo Calendar"),
    (r"Mozilla/|AppleWebKit", "web browser"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), family) for pattern, family in _FAMILIES)


@lru_cache(maxsize=1024)
def family(user_agent: str) -> str:
    """The family of the client, such as `Outlook`, or `other`."""
    return next((name for pattern, name in _PATTERNS if pattern.search(user_agent)), "other")


def unpacks_gzip(user_agent: str) -> bool:
    """Whether a client that asks for gzip can also be given it.

    Outlook asks for it and then reads a subscribed calendar as empty (markuspoerschke/iCal issue 541).
    """
    return family(user_agent) != "Outlook"
