"""The series matrix: every kind of series, and whether Google holds it as it is, by other means, or not at all.

The verdict of a sample is what a person is told; the sentence why comes from the mapping itself (`judged`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bridge.errors import RemoteRefused
from bridge.upstream.google.mapping import Means, to_google
from tests.upstream.google.google_answers import ZONE, calendar, parsed

if TYPE_CHECKING:
    from bridge.core.model import CalendarObject

Verdict = Literal["native", "emulated", "refused"]

_UID = "series@example.org"


@dataclass(frozen=True, slots=True)
class Series:
    """One row of the matrix.

    Attributes:
        name: What the series is, for people.
        verdict: How Google holds it.
        raw: The object.
    """

    name: str
    verdict: Verdict
    raw: bytes

    @property
    def obj(self) -> CalendarObject:
        return parsed(self.raw)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the mapping says of a series.

    Attributes:
        verdict: How Google holds it.
        why: The sentences that say why, where it is not held as it is.
    """

    verdict: Verdict
    why: tuple[str, ...]


def judged(series: Series) -> Judged:
    """Asks the mapping."""
    try:
        whole = to_google(series.obj, zone=ZONE)
    except RemoteRefused as refusal:
        return Judged("refused", (str(refusal),))
    why = tuple(note.sentence for note in whole.notes if note.means is Means.EMULATED)
    return Judged("emulated" if why else "native", why)


def _component(*lines: str) -> list[str]:
    return ["BEGIN:VEVENT", f"UID:{_UID}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]


def _series(name: str, verdict: Verdict, *parts: list[str], before: list[str] | None = None) -> Series:
    blocks = [_component(*part) for part in parts]
    return Series(name, verdict, calendar(*([before] if before else []), *blocks))


def _ruled(rule: str, *more: str, day: str = "20270302", zone: str = ZONE) -> list[str]:
    """A master of an hour at nine o'clock."""
    return [
        f"DTSTART;TZID={zone}:{day}T090000",
        f"DTEND;TZID={zone}:{day}T100000",
        f"RRULE:{rule}",
        "SUMMARY:Physiotherapy",
        *more,
    ]


def _override(original: str, start: str, *more: str, minutes: int = 60, zone: str = ZONE) -> list[str]:
    """An instance with another time, in a zone that may be another."""
    return [
        f"RECURRENCE-ID;TZID={ZONE}:{original}",
        f"DTSTART;TZID={zone}:{start}",
        f"DURATION:PT{minutes}M",
        "SUMMARY:Physiotherapy",
        *more,
    ]


def _whole_days(rule: str, *more: str, first: str = "20270302", end: str = "20270303") -> list[str]:
    return [
        f"DTSTART;VALUE=DATE:{first}",
        f"DTEND;VALUE=DATE:{end}",
        f"RRULE:{rule}",
        "SUMMARY:Closed",
        *more,
    ]


_CUSTOM_ZONE = [
    "BEGIN:VTIMEZONE",
    "TZID:Clinic Time",
    "BEGIN:STANDARD",
    "DTSTART:19701025T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:19700329T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]
_OWN_ZONE = [
    "BEGIN:VTIMEZONE",
    "TZID:Ship Time",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0117",
    "TZOFFSETTO:+0117",
    "END:STANDARD",
    "END:VTIMEZONE",
]

_FREQUENCIES = (
    _series("every day, for two weeks", "native", _ruled("FREQ=DAILY;COUNT=14")),
    _series("every day, without end", "native", _ruled("FREQ=DAILY")),
    _series("every third day", "native", _ruled("FREQ=DAILY;INTERVAL=3;COUNT=20")),
    _series("every week", "native", _ruled("FREQ=WEEKLY;COUNT=12")),
    _series("Tuesdays and Thursdays", "native", _ruled("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=12")),
    _series("every other week, weeks beginning on Sunday", "native",
            _ruled("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TU;COUNT=12")),
    _series("every other week, weeks beginning on Monday", "native",
            _ruled("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=SU,TU;COUNT=12")),
    _series("every month on the day of the first", "native", _ruled("FREQ=MONTHLY;COUNT=12")),
    _series("every month on the 31st, where there is one", "native",
            _ruled("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=8", day="20270331")),
    _series("on several days of the month", "native", _ruled("FREQ=MONTHLY;BYMONTHDAY=2,10,15,20;COUNT=16")),
    _series("on the last day of the month", "native", _ruled("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=8", day="20270331")),
    _series("on the second and the last but one day of the month", "native",
            _ruled("FREQ=MONTHLY;BYMONTHDAY=2,-2;COUNT=12")),
    _series("on the first Tuesday of the month", "native", _ruled("FREQ=MONTHLY;BYDAY=1TU;COUNT=12")),
    _series("on the last Friday of the month", "native", _ruled("FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", day="20270326")),
    _series("on the fifth Monday of the month, where there is one", "native",
            _ruled("FREQ=MONTHLY;BYDAY=5MO;COUNT=6", day="20270329")),
    _series("on the first and third Tuesday, every other month", "native",
            _ruled("FREQ=MONTHLY;INTERVAL=2;BYDAY=1TU,3TU;COUNT=10")),
    _series("on Friday the 13th", "native", _ruled("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5", day="20270813")),
    _series("on the last working day of the month", "native",
            _ruled("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=12", day="20270331")),
    _series("on the second working day of the month", "native",
            _ruled("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2;COUNT=12")),
    _series("every year", "native", _ruled("FREQ=YEARLY;COUNT=5")),
    _series("every year in three months", "native", _ruled("FREQ=YEARLY;BYMONTH=3,6,9;COUNT=9")),
    _series("on the fourth Thursday of November", "native",
            _ruled("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=4", day="20271125")),
    _series("on the twentieth Monday of the year", "native",
            _ruled("FREQ=YEARLY;BYDAY=20MO;COUNT=4", day="20270517")),
    _series("in weeks 10 and 20 of the year", "native",
            _ruled("FREQ=YEARLY;BYWEEKNO=10,20;BYDAY=TU;WKST=MO;COUNT=6", day="20270309")),
    _series("on the 100th and the last day of the year", "native",
            _ruled("FREQ=YEARLY;BYYEARDAY=100,-1;COUNT=6", day="20270410")),
    _series("on leap days", "native", _ruled("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3", day="20280229")),
    _series("every hour, three times", "emulated", _ruled("FREQ=HOURLY;COUNT=3")),
    _series("every twenty minutes until noon", "emulated",
            _ruled("FREQ=MINUTELY;INTERVAL=20;UNTIL=20270302T110000Z")),
    _series("every thirty seconds, four times", "emulated", _ruled("FREQ=SECONDLY;INTERVAL=30;COUNT=4")),
    _series("twice a day, for ten days", "emulated", _ruled("FREQ=DAILY;BYHOUR=9,15;COUNT=20")),
    _series("every hour, without end", "refused", _ruled("FREQ=HOURLY")),
    _series("every minute for a day", "refused", _ruled("FREQ=MINUTELY;COUNT=1440")),
    _series("a day of the hour that the start says already", "native",
            _ruled("FREQ=DAILY;BYHOUR=9;BYMINUTE=0;COUNT=5")),
)  # fmt: skip

_ENDS = (
    _series("until a time in UTC", "native", _ruled("FREQ=DAILY;UNTIL=20270310T080000Z")),
    _series("until a local time", "native", _ruled("FREQ=DAILY;UNTIL=20270310T090000")),
    _series("until a date, with times of day", "native", _ruled("FREQ=DAILY;UNTIL=20270310")),
    _series("whole days until a date", "native", _whole_days("FREQ=DAILY;UNTIL=20270310")),
    _series("whole days until a time", "native", _whole_days("FREQ=DAILY;UNTIL=20270310T230000Z")),
)

_DATES = (
    _series("with further dates", "native",
            _ruled("FREQ=WEEKLY;COUNT=4", f"RDATE;TZID={ZONE}:20270304T090000,20270311T140000")),
    _series("only dates, without a rule", "native",
            [line for line in _ruled("X", f"RDATE;TZID={ZONE}:20270304T090000,20270411T140000") if line != "RRULE:X"]),
    _series("with further dates that have ends of their own", "emulated",
            _ruled("FREQ=WEEKLY;COUNT=4", "RDATE;VALUE=PERIOD:20270304T080000Z/20270304T120000Z",
                   "RDATE;VALUE=PERIOD:20270401T070000Z/PT3H")),
    _series("with dates left out", "native",
            _ruled("FREQ=WEEKLY;COUNT=6", f"EXDATE;TZID={ZONE}:20270309T090000", "EXDATE:20270406T070000Z")),
    _series("with the first date left out", "native",
            _ruled("FREQ=WEEKLY;COUNT=4", f"EXDATE;TZID={ZONE}:20270302T090000")),
    _series("with a rule for what is left out", "native", _ruled("FREQ=DAILY;COUNT=20", "EXRULE:FREQ=WEEKLY;BYDAY=SU")),
    _series("with two rules", "native",
            _ruled("FREQ=WEEKLY;BYDAY=TU;COUNT=4", "RRULE:FREQ=MONTHLY;BYMONTHDAY=2;COUNT=3")),
    _series("whose first date does not follow from the rule", "emulated", _ruled("FREQ=WEEKLY;BYDAY=WE;COUNT=4")),
    _series("whose rule never comes", "emulated", _ruled("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")),
)  # fmt: skip

_OVERRIDES = (
    _series("an instance moved", "native",
            _ruled("FREQ=WEEKLY;COUNT=6"), _override("20270309T090000", "20270310T140000")),
    _series("an instance edited", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270309T090000", "DESCRIPTION:bring the X-rays", "LOCATION:Room 2")),
    _series("an instance longer than the others", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270309T090000", minutes=90)),
    _series("an instance cancelled by an override", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270309T090000", "STATUS:CANCELLED")),
    _series("two cancelled, one of them by its date", "native",
            _ruled("FREQ=WEEKLY;COUNT=6", f"EXDATE;TZID={ZONE}:20270316T090000"),
            _override("20270309T090000", "20270309T090000", "STATUS:CANCELLED")),
    _series("the first instance moved", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270302T090000", "20270303T110000")),
    _series("the last instance moved beyond the end", "native", _ruled("FREQ=WEEKLY;UNTIL=20270330T070000Z"),
            _override("20270330T090000", "20270410T090000")),
    _series("two instances that have changed places", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270316T090000"), _override("20270316T090000", "20270309T090000")),
    _series("an instance far outside of any window", "native", _ruled("FREQ=WEEKLY"),
            _override("20460306T090000", "20460307T090000")),
    _series("an instance in another zone", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270309T150000", zone="America/New_York")),
    _series("an instance across the change to summer time", "native", _ruled("FREQ=DAILY;COUNT=6", day="20270326"),
            _override("20270328T090000", "20270327T233000", minutes=300)),
    _series("an instance that became a whole day", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            [f"RECURRENCE-ID;TZID={ZONE}:20270309T090000", "DTSTART;VALUE=DATE:20270309", "DTEND;VALUE=DATE:20270310",
             "SUMMARY:Training"]),
    _series("an instance tentative, private and free", "native", _ruled("FREQ=WEEKLY;COUNT=6"),
            _override("20270309T090000", "20270309T090000", "STATUS:TENTATIVE", "CLASS:PRIVATE", "TRANSP:TRANSPARENT")),
    _series("a changed instance that the rule does not have", "emulated", _ruled("FREQ=WEEKLY;COUNT=3"),
            _override("20270401T090000", "20270401T100000")),
    _series("a further instance, as all others, that the rule does not have", "emulated",
            _ruled("FREQ=WEEKLY;COUNT=3"), _override("20270401T090000", "20270401T090000")),
    _series("changed instances without their series", "emulated",
            _override("20270309T090000", "20270309T110000"), _override("20270316T090000", "20270316T090000")),
    _series("changed instances without their series, one of them cancelled", "emulated",
            _override("20270309T090000", "20270309T110000"), _override("20270316T090000", "20270316T090000"),
            _override("20270323T090000", "20270323T090000", "STATUS:CANCELLED")),
    _series("only cancelled instances, without their series", "refused",
            _override("20270309T090000", "20270309T090000", "STATUS:CANCELLED")),
    _series("this and all that follow moved", "refused", _ruled("FREQ=WEEKLY;COUNT=6"),
            [f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID={ZONE}:20270316T090000",
             f"DTSTART;TZID={ZONE}:20270316T110000", "DURATION:PT1H"]),
)  # fmt: skip

_KINDS = (
    _series("whole days", "native", _whole_days("FREQ=WEEKLY;COUNT=6")),
    _series("several days at a time", "native", _whole_days("FREQ=MONTHLY;COUNT=4", end="20270306")),
    _series("whole days with dates left out and added", "native",
            _whole_days("FREQ=WEEKLY;COUNT=4", "EXDATE;VALUE=DATE:20270309", "RDATE;VALUE=DATE:20270401")),
    _series("whole days, one of them moved", "native", _whole_days("FREQ=WEEKLY;COUNT=4"),
            ["RECURRENCE-ID;VALUE=DATE:20270309", "DTSTART;VALUE=DATE:20270311", "DTEND;VALUE=DATE:20270312",
             "SUMMARY:Closed"]),
    _series("over midnight", "native",
            [f"DTSTART;TZID={ZONE}:20270302T220000", f"DTEND;TZID={ZONE}:20270303T060000", "RRULE:FREQ=DAILY;COUNT=5"]),
    _series("of no length", "native", [f"DTSTART;TZID={ZONE}:20270302T090000", "RRULE:FREQ=DAILY;COUNT=5"]),
    _series("in UTC", "native", ["DTSTART:20270302T080000Z", "DTEND:20270302T090000Z", "RRULE:FREQ=DAILY;COUNT=40"]),
    _series("floating", "emulated",
            ["DTSTART:20270302T090000", "DTEND:20270302T100000", "RRULE:FREQ=DAILY;UNTIL=20270401T090000",
             "EXDATE:20270305T090000"],
            ["RECURRENCE-ID:20270306T090000", "DTSTART:20270306T110000", "DTEND:20270306T120000"]),
    _series("that begins in one zone and ends in another", "native",
            ["DTSTART;TZID=Europe/London:20270302T090000", f"DTEND;TZID={ZONE}:20270302T120000",
             "RRULE:FREQ=WEEKLY;COUNT=5"]),
    _series("in a zone under a name of its own, with a clock that has a name", "emulated",
            _ruled("FREQ=DAILY;COUNT=60", zone="Clinic Time"), before=_CUSTOM_ZONE),
    _series("in a zone whose clock has no name", "emulated",
            _ruled("FREQ=DAILY;COUNT=10", zone="Ship Time"), before=_OWN_ZONE),
    _series("without end in a zone whose clock has no name", "refused",
            _ruled("FREQ=DAILY", zone="Ship Time"), before=_OWN_ZONE),
    _series("in a zone under its name in Windows", "native",
            _ruled("FREQ=DAILY;COUNT=5", zone="W. Europe Standard Time")),
    _series("that begins in the hour that the clocks skip", "emulated",
            [f"DTSTART;TZID={ZONE}:20270328T023000", f"DTEND;TZID={ZONE}:20270328T033000", "RRULE:FREQ=DAILY;COUNT=5"]),
    _series("with an instance in the hour that the clocks skip", "native",
            [f"DTSTART;TZID={ZONE}:20270326T023000", f"DTEND;TZID={ZONE}:20270326T033000", "RRULE:FREQ=DAILY;COUNT=5"]),
    _series("that is cancelled as a whole, but kept", "emulated", _ruled("FREQ=WEEKLY;COUNT=4", "STATUS:CANCELLED")),
)  # fmt: skip

_OVER_BOTH_CHANGES = tuple(
    _series(f"over both changes of the clock in {zone}", "native",
            _ruled("FREQ=WEEKLY;COUNT=60", f"EXDATE;TZID={zone}:20270608T090000", zone=zone),
            [f"RECURRENCE-ID;TZID={zone}:20271102T090000", f"DTSTART;TZID={zone}:20271103T100000", "DURATION:PT1H",
             "SUMMARY:Physiotherapy"])
    for zone in ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Auckland")
)  # fmt: skip

MATRIX = (*_FREQUENCIES, *_ENDS, *_DATES, *_OVERRIDES, *_KINDS, *_OVER_BOTH_CHANGES)
"""All rows, those that belong together side by side."""
