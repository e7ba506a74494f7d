"""An object is ready for feeds where its components can be copied as they stand, without being read again.

What is not wholly regular is not ready: one odd line ends the reading of a whole feed in some readers, and a private
appointment that is taken for a public one is a leak. So every line must be of a form that is known to be sound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.core.model import HELD
from bridge.core.plain_rule import is_plain
from bridge.core.zones import is_iana

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import icalendar
    from icalendar.cal import Component

DUE = r"[-+]?P(?:[0-9]+W|[0-9]+D|(?:[0-9]+D)?T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)|[0-9]{8}T[0-9]{6}Z?"
"""When a reminder rings, as RFC 5545 section 3.8.6.3 has it: a duration or an instant."""

_DATE = "[0-9]{8}"
_LOCAL = "[0-9]{8}T[0-9]{6}"
_ZONE = r'(?:;VALUE=DATE-TIME)?;TZID=[^";:,\n]+(?:;VALUE=DATE-TIME)?'
_LENGTH = "P[0-9DHMSTW]+"
_ANY_PARAM = r'(?:"[^"\n]*+"|[^";:,\n]*+)'


def _listed(value: str) -> str:
    return f"{value}(?:,{value})*"


# What may follow each name. Names that are not here hold text of any kind.
_FORMS = {
    "DTSTAMP|CREATED|LAST-MODIFIED|COMPLETED": f":{_LOCAL}Z",
    "DTSTART|DTEND|DUE|RECURRENCE-ID": "(?:;RANGE=THISANDFUTURE)?"
    f"(?:;VALUE=DATE:{_DATE}|{_ZONE}:{_LOCAL}|(?:;VALUE=DATE-TIME)?:{_LOCAL}Z?)",
    "RDATE|EXDATE": f"(?:;VALUE=DATE:{_listed(_DATE)}|{_ZONE}:{_listed(_LOCAL)}"
    f"|(?:;VALUE=DATE-TIME)?:{_listed(f'{_LOCAL}Z?')}"
    f"|;VALUE=PERIOD:{_listed(f'{_LOCAL}Z?/(?:{_LOCAL}Z?|{_LENGTH})')}"
    f"|(?:;VALUE=PERIOD{_ZONE}|{_ZONE};VALUE=PERIOD):{_listed(f'{_LOCAL}/(?:{_LOCAL}|{_LENGTH})')})",
    "DURATION": f":{_LENGTH}",
    "TRIGGER": f"(?:;VALUE=DURATION|;VALUE=DATE-TIME|;RELATED=START|;RELATED=END)*:(?:{DUE})",
    "SEQUENCE|PRIORITY|PERCENT-COMPLETE|REPEAT": ":[0-9]{1,9}",
    "GEO": r":[-+]?[0-9]+(?:\.[0-9]+)?;[-+]?[0-9]+(?:\.[0-9]+)?",
    "STATUS|TRANSP|ACTION": ":[A-Z-]+",
    # A CLASS that is not known counts as private (RFC 5545 section 3.8.1.3).
    "CLASS": ":PUBLIC",
    # Readers that follow RFC 5545 pass over EXRULE and show what it excludes.
    "EXRULE": "(?!)",
    "RRULE": r":[^\n]+",
    "BEGIN|END": ":[A-Z][A-Z0-9-]*",
}
_KNOWN = "|".join(_FORMS)
_LINE = (
    "(?:"
    + "".join(f"(?:{names}){form}|" for names, form in _FORMS.items())
    + rf"(?!(?:{_KNOWN})[;:])[A-Z][A-Z0-9-]*+(?:;[A-Za-z0-9-]++={_ANY_PARAM}(?:,{_ANY_PARAM})*+)*+:[^\n]*+"
    + r")\n"
)
_SOUND = re.compile(f"(?:{_LINE})++")
_RULE = re.compile(r"^RRULE:(.*)$", re.MULTILINE)
_LONGEST_LINE = 76
"""Octets, with the carriage return."""

_FOLDED_NAME = re.compile(rb"^[A-Za-z0-9-]*\r\n ", re.MULTILINE)


def is_feed_ready(
    raw: bytes, text: str, *, calendar: icalendar.Calendar, components: Sequence[Component], tzids: Iterable[str]
) -> bool:
    """Whether the components of an object that took no repair can be copied into a feed as they stand.

    Args:
        raw: The bytes as they came.
        text: The same, unfolded, with LF line ends.
        calendar: What they mean.
        components: The master and overrides in it.
        tzids: The TZIDs that they name.
    """
    kind = components[0].name
    begin, end = text.find(f"\nBEGIN:{kind}\n"), text.rfind(f"\nEND:{kind}\n")
    return (
        0 < begin < end
        and raw.endswith(b"\r\n")
        and max(map(len, raw.split(b"\n"))) <= _LONGEST_LINE
        and not _is_folded_oddly(raw)
        and _has_plain_structure(calendar, components)
        and "\nBEGIN:VTIMEZONE" not in text[begin:end]
        and _SOUND.fullmatch(text, begin + 1, end + len(f"\nEND:{kind}\n")) is not None
        and all(map(is_plain, _RULE.findall(text, begin, end)))
        and all(map(is_iana, tzids))
    )


def _is_folded_oddly(raw: bytes) -> bool:
    """Whether a fold is not as the unfolding of a feed knows it: by a blank, and after the name."""
    return b"\r\n\t" in raw or (b"\r\n " in raw and _FOLDED_NAME.search(raw) is not None)


def _has_plain_structure(calendar: icalendar.Calendar, components: Sequence[Component]) -> bool:
    """Whether there is a master, DTSTAMP in each component, nothing nested deep and nothing unreadable."""
    kind = components[0].name
    inner = [sub for component in components for sub in component.subcomponents]
    return (
        any("RECURRENCE-ID" not in component for component in components)
        and all("DTSTAMP" in component for component in components)
        and not any(sub.subcomponents or sub.name in HELD for sub in inner)
        and all(found.name in ("VTIMEZONE", kind) for found in calendar.subcomponents)
        and not any(found.errors for found in (calendar, *components, *inner))
    )
