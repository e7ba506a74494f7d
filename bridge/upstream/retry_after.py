"""How long a server wants to be left alone, as its answer says."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = timedelta(days=7)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long a server wants to be left alone (RFC 9110 section 10.2.3), a week at most; None where it does not say.

    A date counts from the date of the answer itself: the clocks of two machines differ.

    Args:
        headers: Of the answer, by lower-case name.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(timedelta(seconds=min(int(text), 10**9)), _LONGEST)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    wait = until.replace(tzinfo=until.tzinfo or UTC) - now.replace(tzinfo=now.tzinfo or UTC)
    return min(max(wait, timedelta()), _LONGEST)
