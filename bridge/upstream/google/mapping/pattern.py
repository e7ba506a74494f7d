"""When a series is, is written as Google takes it: RRULE, EXRULE, RDATE and EXDATE lines beside start and end.

Google knows rules from days on. What it does not know is emulated by a list of dates where that has an end, and
refused where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from bridge.core.recurrence import held_components
from bridge.core.rules import expandable, rules_of, starts
from bridge.core.series import aware, time_of, times_of
from bridge.errors import RemoteRefused
from bridge.upstream.google.mapping.entries import like, ordered, time_lines
from bridge.upstream.google.mapping.row import emulated
from bridge.upstream.google.mapping.starts import Starts
from bridge.upstream.google.mapping.times import in_zone_of, is_skipped, key_of, original_start
from bridge.upstream.google.mapping.zone_names import google_name, zone_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import tzinfo

    from icalendar.cal import Component
    from icalendar.prop import vRecur

    from bridge.core.model import CalendarObject
    from bridge.upstream.google.mapping.whole import Note

MOST_DATES: Final = 500
"""How many dates a series may have that becomes a list of them."""

_FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_TIMES_OF_DAY: Final = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """When a series is, for Google.

    Attributes:
        recurrence: The lines of `recurrence`.
        cancelled: The names of the instances that are cancelled; they stand there as EXDATE, too.
        ends: When instances end that have an end of their own (RDATE with PERIOD), by their names.
        added: The names of the instances that the rules do not give, and that are there because of their overrides.
        notes: What is emulated.
        differs: Whether Google is given something else than what we keep.
    """

    recurrence: tuple[str, ...]
    cancelled: tuple[str, ...]
    ends: Mapping[str, date | datetime]
    added: tuple[str, ...]
    notes: tuple[Note, ...]
    differs: bool


def recurs(obj: CalendarObject, master: Component) -> bool:
    """Whether a master is that of a series: it has a rule, further dates, or overrides."""
    return len(held_components(obj.calendar)) > 1 or bool(rules_of(master)) or bool(times_of(master, "RDATE"))


def pattern(master: Component, *, zone: str, overridden: Collection[str], cancelled: Collection[str]) -> Pattern:
    """Writes down when a series is.

    Args:
        master: Its master.
        zone: What floating times mean; an IANA name.
        overridden: The names of the instances that have an override.
        cancelled: The names of those of them whose override says that they do not take place.

    Raises:
        RemoteRefused: Google cannot hold the series, and nothing can stand for it.
    """
    return _Writing(master, zone).pattern(overridden, cancelled)


class _Writing:
    """One series while it is written down."""

    def __init__(self, master: Component, zone: str) -> None:
        self._master = master
        self._zone = zone
        self._home = zone_of(None, zone)
        start = time_of(master, "DTSTART")
        if start is None:
            raise ValueError("a master has a start")
        self._start = aware(start, self._home)
        self._starts = Starts(master, self._home)
        self._notes: dict[Note, None] = {}
        self._is_shortened = False

    def pattern(self, overridden: Collection[str], cancelled: Collection[str]) -> Pattern:
        lines, dates = self._listed() if self._must_be_listed() else self._ruled()
        ends: dict[str, date | datetime] = {}
        for entry in times_of(self._master, "RDATE"):
            begin = aware(entry[0] if isinstance(entry, tuple) else entry, self._home)
            if isinstance(entry, tuple) or begin != self._start:
                dates.append(begin)
            if isinstance(entry, tuple):
                end = aware(entry[1], self._home) if isinstance(entry[1], date) else begin + entry[1]
                ends[key_of(begin, self._zone)] = self._beside(end)
                self._note(
                    "RDATE", "Google has no dates with an end of their own; the instance is one with another end."
                )
        added = self._outside(set(overridden) - set(cancelled))
        if added:
            dates += [original_start(key) for key in added]
            self._note("RECURRENCE-ID", "The rule has no such instance; it is a further date of the series there.")
        excluded = {
            key_of(aware(entry, self._home), self._zone)
            for entry in times_of(self._master, "EXDATE")
            if not isinstance(entry, tuple)
        }
        gone = sorted(key for key in (excluded - set(overridden)) | set(cancelled) if self._holds(key))
        written = [self._beside(value) for value in dates]
        if not any(line.startswith("RRULE") for line in lines):
            # Google does not say whether a start is an instance that is no date of the series.
            written.append(self._beside(self._start))
        recurrence = [
            *lines,
            *time_lines("RDATE", ordered(written)),
            *time_lines("EXDATE", ordered(self._beside(original_start(key)) for key in gone)),
        ]
        notes = tuple(self._notes)
        differs = bool(notes) or self._is_shortened
        return Pattern(tuple(recurrence), tuple(gone), ends, tuple(added), notes, differs=differs)

    def _note(self, name: str, sentence: str) -> None:
        self._notes[emulated(name, sentence)] = None

    def _beside(self, value: date | datetime) -> date | datetime:
        """A time in the zone in which the start is written."""
        named = self._start
        if isinstance(named, datetime):
            name = google_name(named.tzinfo or UTC, named, first_guess=self._zone)
            named = named.astimezone(zone_of(name, self._zone) if name else UTC)
        value = aware(value, self._home)
        return in_zone_of(like(value, named, self._home), named)

    def _holds(self, key: str) -> bool:
        when = original_start(key)
        return isinstance(when, datetime) == isinstance(self._start, datetime) and self._starts.holds(when)

    def _outside(self, keys: Iterable[str]) -> list[str]:
        """The names of overrides that are no instances of the rule."""
        return [key for key in sorted(keys) if not self._holds(key)]

    def _must_be_listed(self) -> bool:
        """Whether a list of dates has to stand for the rules."""
        rules = [*rules_of(self._master), *rules_of(self._master, "EXRULE")]
        if not rules:
            return False
        if isinstance(self._start, datetime):
            if google_name(self._start.tzinfo or UTC, self._start, first_guess=self._zone) is None:
                self._note("DTSTART", "Google does not know the time zone; the series is a list of dates there.")
                return True
            if is_skipped(self._start):
                self._note("DTSTART", "The first date is in an hour that the clocks skip; the series is a list there.")
                return True
            for rule in rules:
                if expandable(rule, self._start, self._home) and not self._is_known(rule):
                    self._note(
                        "RRULE",
                        "Google has one start on a day, and no rule within it; the series is a list of dates there.",
                    )
                    return True
        return False

    def _is_known(self, rule: vRecur) -> bool:
        frequency = str(next(iter(rule.get("FREQ") or ()), "")).upper()
        return frequency in _FREQUENCIES and all(
            {int(value) for value in rule.get(name) or (getattr(self._start, unit),)} == {getattr(self._start, unit)}
            for name, unit in _TIMES_OF_DAY.items()
        )

    def _listed(self) -> tuple[list[str], list[date | datetime]]:
        found = self._starts.first(MOST_DATES)
        if found is None:
            name, sentence = next((note.property_name, note.sentence) for note in self._notes)
            cause = sentence.partition(";")[0]
            raise RemoteRefused(
                f"{cause}, and this series has more than {MOST_DATES} instances, or no end.",
                property_name=name,
                remedy=f"Give the series an end within {MOST_DATES} instances, or make one daily series for each time.",
            )
        return [], found

    def _ruled(self) -> tuple[list[str], list[date | datetime]]:
        lines: list[str] = []
        matches = False
        broken = len(_all(self._master, "RRULE")) - len(rules_of(self._master))
        for rule in rules_of(self._master):
            found = expandable(rule, self._start, self._home)
            if found is None:
                broken += 1
                continue
            lines.append(f"RRULE:{self._plain(found[0])}")
            matches = matches or self._begins(found[1])
        if broken:
            self._note("RRULE", "Nobody can read the rule, or it never comes; only the first date is there.")
        for rule in rules_of(self._master, "EXRULE"):
            found = expandable(rule, self._start, self._home)
            if found is not None:
                lines.append(f"EXRULE:{self._plain(found[0])}")
        dates: list[date | datetime] = []
        if lines and not matches:
            self._note(
                "DTSTART", "The first date does not follow from the rule; it is a further date of the series there."
            )
            dates.append(self._start)
        return lines, dates

    def _begins(self, expansion: object) -> bool:
        """Whether a rule has the start of the series among its own."""
        anchor = self._start if isinstance(self._start, datetime) else datetime(*self._start.timetuple()[:3])  # noqa: DTZ001 -- dateutil's wall
        return any(True for _ in starts(expansion, anchor, anchor))

    def _plain(self, text: str) -> str:
        """A rule without the parts that say what the start says already."""
        parts = text.upper().split(";")
        kept = [part for part in parts if part.partition("=")[0] not in _TIMES_OF_DAY]
        # Remembered, else whoever moves the start there would leave the old hour in the rule here.
        self._is_shortened |= kept != parts
        return ";".join(kept)


def _all(component: Component, name: str) -> list[object]:
    found = dict.get(component, name)
    return found if isinstance(found, list) else [] if found is None else [found]


def by_original_start(components: Iterable[Component], master: Component | None, zone: str) -> dict[str, Component]:
    """Overrides by the names of the instances that they describe; of two for one instance the later version.

    A date names the instance of that day in a series with times of day, and a time the day in one of whole days.

    Raises:
        RemoteRefused: An override names nothing that could be an instance.
    """
    home: tzinfo = zone_of(None, zone)
    start = None if master is None else time_of(master, "DTSTART")
    found: dict[str, Component] = {}
    for component in components:
        named = time_of(component, "RECURRENCE-ID")
        if named is not None and master is not None and isinstance(named, datetime) != isinstance(start, datetime):
            named = Starts(master, home).on_day_of(aware(named, home))
        if named is None:
            raise RemoteRefused(
                "A changed instance names none of its series.",
                property_name="RECURRENCE-ID",
                remedy="Give it the RECURRENCE-ID of an instance, or make it an appointment of its own.",
            )
        key = key_of(named, zone)
        if key not in found or _sequence(component) >= _sequence(found[key]):
            found[key] = component
    return found


def _sequence(component: Component) -> int:
    found = dict.get(component, "SEQUENCE")
    return found if isinstance(found, int) else -1
