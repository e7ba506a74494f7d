"""What known producers get wrong is repaired by name when it is read; the bytes that came stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.core.component_repairs import FORM_REPAIRS
from bridge.core.end_repairs import END_REPAIRS
from bridge.core.reader import read_components
from bridge.core.recurrence_repairs import IDENTITY_REPAIRS, RECURRENCE_REPAIRS
from bridge.core.text_repairs import BYTE_REPAIRS, EARLY_REPAIRS, LINE_REPAIRS, unfolded
from bridge.errors import NotACalendar

if TYPE_CHECKING:
    import icalendar
    from icalendar.cal import Component

    from bridge.core.component_repairs import ComponentRepair
    from bridge.core.text_repairs import ByteRepair, TextRepair

_HELD = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
COMPONENT_REPAIRS = (*FORM_REPAIRS, *IDENTITY_REPAIRS, *END_REPAIRS, *RECURRENCE_REPAIRS)
REPAIRS: tuple[ByteRepair | TextRepair | ComponentRepair, ...] = (
    *BYTE_REPAIRS,
    *EARLY_REPAIRS,
    *LINE_REPAIRS,
    *COMPONENT_REPAIRS,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream says once it is repaired.

    Attributes:
        calendar: The repaired calendar.
        repairs: The names of the repairs that it took, in the order of `REPAIRS`.
    """

    calendar: icalendar.Calendar
    repairs: tuple[str, ...]


def read(raw: bytes) -> Reading:
    """Reads one VCALENDAR and repairs what known producers get wrong in it.

    Raises:
        NotACalendar: If it is not UTF-8, no iCalendar, cut off, wrongly nested, or several calendars.
    """
    took = []
    for early in BYTE_REPAIRS:
        if early.applies(raw):
            raw = early.mend(raw)
            took.append(early.name)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NotACalendar(
            f"The calendar is not UTF-8: byte {error.start} cannot be read.", remedy="Export it again as UTF-8."
        ) from error
    for repair in EARLY_REPAIRS:
        if repair.applies(text):
            text = repair.mend(text)
            took.append(repair.name)
    text = unfolded(text)
    for repair in LINE_REPAIRS:
        if repair.applies(text):
            text = repair.mend(text)
            took.append(repair.name)
    calendar = read_components(text)
    return Reading(calendar, (*took, *_repair_components(calendar.subcomponents)))


def _repair_components(components: list[Component]) -> tuple[str, ...]:
    """Repairs the events, to-dos and journals among components, and names the repairs in the order of the table."""
    held = [component for component in components if component.name in _HELD]
    masters = {str(component.get("UID")): component for component in held if "RECURRENCE-ID" not in component}
    took = []
    for repair in COMPONENT_REPAIRS:
        applied = False
        for component in held:
            master = masters.get(str(component.get("UID")), component) if len(held) > 1 else component
            if repair.applies(component, master):
                repair.mend(component, master)
                applied = True
        if applied:
            took.append(repair.name)
    return tuple(took)


def applied(raw: bytes) -> tuple[str, ...]:
    """The names of the repairs that reading these bytes takes; mostly none.

    Raises:
        NotACalendar: As `read`.
    """
    return read(raw).repairs


def mended(raw: bytes) -> bytes:
    """The same bytes where nothing needs repair, else the repaired calendar written anew.

    What is written anew has no VTIMEZONE for zones that are known by their names, and no line that cannot be read at
    all.

    Raises:
        NotACalendar: As `read`.
    """
    reading = read(raw)
    return reading.calendar.to_ical(sorted=False) if reading.repairs else raw
