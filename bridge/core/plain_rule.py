"""Recurrence rules in a feed are such as every reader can read (RFC 5545 section 3.3.10).

One rule with BYHOUR=25 ends the reading of a whole feed in some readers, so all other appointments are gone with it.
"""

from __future__ import annotations

import re

_FREQUENCY = "SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY"
_DAY = "(?:SU|MO|TU|WE|TH|FR|SA)"
_WEEK = "(?:5[0-3]|[1-4][0-9]|0?[1-9])"
_YEAR_DAY = "(?:36[0-6]|3[0-5][0-9]|[12][0-9][0-9]|0?[1-9][0-9]|0{0,2}[1-9])"


def _listed(value: str) -> str:
    return f"{value}(?:,{value})*"


_PARTS = {
    "FREQ": f"(?:{_FREQUENCY})",
    "UNTIL": "[0-9]{8}(?:T[0-9]{6}Z?)?",
    "COUNT": "0*[1-9][0-9]*",
    "INTERVAL": "0*[1-9][0-9]*",
    "BYSECOND": _listed("(?:[0-5]?[0-9]|60)"),
    "BYMINUTE": _listed("[0-5]?[0-9]"),
    "BYHOUR": _listed("(?:[01]?[0-9]|2[0-3])"),
    "BYDAY": _listed(f"(?:[+-]?{_WEEK})?{_DAY}"),
    "BYMONTHDAY": _listed("[+-]?(?:3[01]|[12][0-9]|0?[1-9])"),
    "BYYEARDAY": _listed(f"[+-]?{_YEAR_DAY}"),
    "BYWEEKNO": _listed(f"[+-]?{_WEEK}"),
    "BYMONTH": _listed("(?:1[0-2]|0?[1-9])"),
    "BYSETPOS": _listed(f"[+-]?{_YEAR_DAY}"),
    "WKST": _DAY,
}
_PART = "(?:" + "|".join(f"{name}={value}" for name, value in _PARTS.items()) + ")"
_RULE = re.compile(f"(?=(?:.*;)?FREQ=){_PART}(?:;{_PART})*")
# A month has no sixth Monday.
_SIXTH_IN_A_MONTH = re.compile(rf"(?=.*FREQ=MONTHLY).*BYDAY=[^;]*(?:[6-9]|[1-9][0-9]){_DAY}")
_MEANINGLESS = re.compile(r"RSCALE=GREGORIAN|INTERVAL=0+|(?!(?:RSCALE|" + "|".join(_PARTS) + r")=).*", re.DOTALL)


def is_plain(rule: str) -> bool:
    """Tells whether every reader can read a rule as it stands."""
    return _RULE.fullmatch(rule) is not None and _SIXTH_IN_A_MONTH.match(rule) is None


def plain(rule: str) -> str | None:
    """Gives a rule without the parts that mean nothing to a reader.

    Returns:
        `None` where nobody could read it: such a rule is no recurrence, and the master's own time remains. So it is
        with a rule in another than the Gregorian calendar, for readers that do not know RFC 7529 read other days.
    """
    parts = [part.strip() for part in rule.upper().split(";")]
    kept = ";".join(part for part in parts if _MEANINGLESS.fullmatch(part) is None)
    return kept if is_plain(kept) else None
