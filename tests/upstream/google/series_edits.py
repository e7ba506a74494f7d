"""A series before and after edits that people make, for writing one over the other."""

from __future__ import annotations

_HEAD = "BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n"
_AT = "DTSTART;TZID=Europe/Amsterdam:20270301T090000\nDTEND;TZID=Europe/Amsterdam:20270301T093000\n"
_WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=20\n"


def _master(*lines: str, when: str = _AT, summary: str = "Class") -> str:
    return f"{_HEAD}{when}SUMMARY:{summary}\n" + "".join(f"{line}\n" for line in lines) + "END:VEVENT\n"


def _override(day: str, at: str = "110000", summary: str = "Class", more: str = "") -> str:
    return (
        f"{_HEAD}RECURRENCE-ID;TZID=Europe/Amsterdam:{day}T090000\n"
        f"DTSTART;TZID=Europe/Amsterdam:{day}T{at}\nDURATION:PT30M\nSUMMARY:{summary}\n{more}END:VEVENT\n"
    )


_RULE = "RRULE:FREQ=WEEKLY;COUNT=20"
_LATE, _ALSO_LATE = _override("20270308"), _override("20270315", "120000", "Class, upstairs")

VERSIONS = {
    "a single appointment": _master(),
    "a single appointment at another time": _master(
        when="DTSTART;TZID=Europe/Amsterdam:20270302T140000\nDTEND;TZID=Europe/Amsterdam:20270302T150000\n"
    ),
    "a whole day": _master(when="DTSTART;VALUE=DATE:20270301\nDTEND;VALUE=DATE:20270302\n"),
    "a series": _master(_RULE),
    "a series of whole days": _master(_RULE, when="DTSTART;VALUE=DATE:20270301\nDTEND;VALUE=DATE:20270302\n"),
    "with another title": _master(_RULE, summary="Course"),
    "with an instance moved": _master(_RULE) + _LATE,
    "with two instances moved": _master(_RULE) + _LATE + _ALSO_LATE,
    "with another instance moved": _master(_RULE) + _ALSO_LATE,
    "with an instance moved elsewhere": _master(_RULE) + _override("20270308", "160000"),
    "with an instance left out": _master(_RULE, "EXDATE;TZID=Europe/Amsterdam:20270308T090000"),
    "with two instances left out": _master(
        _RULE, "EXDATE;TZID=Europe/Amsterdam:20270308T090000", "EXDATE;TZID=Europe/Amsterdam:20270322T090000"
    ),
    "with one moved and one left out": _master(_RULE, "EXDATE;TZID=Europe/Amsterdam:20270322T090000") + _LATE,
    "with all at another time, one moved": _master(
        _RULE,
        when="DTSTART;TZID=Europe/Amsterdam:20270301T100000\nDTEND;TZID=Europe/Amsterdam:20270301T110000\n",
    )
    + _LATE.replace(
        "RECURRENCE-ID;TZID=Europe/Amsterdam:20270308T090000", "RECURRENCE-ID;TZID=Europe/Amsterdam:20270308T100000"
    ),
    "with another title, one moved": _master(_RULE, summary="Course") + _LATE,
    "ended early, one moved": _master("RRULE:FREQ=WEEKLY;COUNT=3") + _LATE,
    "on other days, one left out": _master(
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=20", "EXDATE;TZID=Europe/Amsterdam:20270304T090000"
    ),
    "with a date more": _master(_RULE, "RDATE;TZID=Europe/Amsterdam:20270303T090000"),
}
"""One appointment in many versions; each may become each."""
