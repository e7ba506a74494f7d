"""What known producers get wrong is repaired by name when it is read; the bytes that came stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.core.component_repairs import FORM_REPAIRS, Around
from bridge.core.end_repairs import END_REPAIRS
from bridge.core.model import HELD
from bridge.core.reader import read_components, without_known_zones
from bridge.core.recurrence_repairs import IDENTITY_REPAIRS, RECURRENCE_REPAIRS
from bridge.core.rule_repairs import RULE_LINE_REPAIRS, RULE_REPAIRS
from bridge.core.text_repairs import BYTE_REPAIRS, EARLY_REPAIRS, LINE_REPAIRS, unfolded
from bridge.errors import NotACalendar

if TYPE_CHECKING:
    from datetime import tzinfo

    import icalendar
    from icalendar.cal import Component

    from bridge.core.component_repairs import ComponentRepair
    from bridge.core.text_repairs import TextRepair

TEXT_REPAIRS = (*LINE_REPAIRS, *RULE_LINE_REPAIRS)
COMPONENT_REPAIRS = (*FORM_REPAIRS, *IDENTITY_REPAIRS, *END_REPAIRS, *RULE_REPAIRS, *RECURRENCE_REPAIRS)
REPAIRS: tuple[TextRepair[bytes] | TextRepair[str] | ComponentRepair, ...] = (
    *BYTE_REPAIRS,
    *EARLY_REPAIRS,
    *TEXT_REPAIRS,
    *COMPONENT_REPAIRS,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream says once it is repaired.

    Attributes:
        calendar: The repaired calendar.
        text: The text before it was taken apart, unfolded, with LF line ends.
        repairs: The names of the repairs that it took, in the order of `REPAIRS`.
    """

    calendar: icalendar.Calendar
    text: str
    repairs: tuple[str, ...]


def read(raw: bytes, *, zone: tzinfo) -> Reading:
    """Reads one VCALENDAR and repairs what known producers get wrong in it.

    Args:
        raw: The whole stream.
        zone: The account's zone: what dates mean where a producer wrote an instant in their place.

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
    whole = unfolded(text)
    # They are often most of the text, and nothing of theirs counts.
    text = without_known_zones(whole)
    for repair in TEXT_REPAIRS:
        if repair.applies(text):
            text = repair.mend(text)
            took.append(repair.name)
    calendar = read_components(text)
    return Reading(calendar, whole, (*took, *_repair_components(calendar.subcomponents, zone)))


def _repair_components(components: list[Component], zone: tzinfo) -> tuple[str, ...]:
    """Repairs the events, to-dos and journals among components, and names the repairs in the order of the table."""
    held = [component for component in components if component.name in HELD]
    masters = {str(component.get("UID")): component for component in held if "RECURRENCE-ID" not in component}
    pairs = [(component, Around(masters.get(str(component.get("UID")), component), zone)) for component in held]
    took = []
    for repair in COMPONENT_REPAIRS:
        concerned = [(component, around) for component, around in pairs if repair.applies(component, around)]
        for component, around in concerned:
            repair.mend(component, around)
        if concerned:
            took.append(repair.name)
    return tuple(took)
