"""What differs between two bodies of an event is what a PATCH says; everything else stays as Google has it.

Both are made by `to_google`, of what is wanted and of what Google's event reads as. So whatever this package does not
map, and whatever it reads without a loss, is never touched by an edit of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOMENT: Final = ("date", "dateTime", "timeZone")
_PARTS: Final = {"start": _MOMENT, "end": _MOMENT, "reminders": ("useDefault", "overrides")}
"""What is in a nested object, of which one part excludes another."""
_EXTENDED: Final = "extendedProperties"


def changed(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the PATCH that makes one body of the other.

    Arrays are given whole, since Google replaces them; times and reminders of another kind also say which of their
    parts go. Private extended properties are merged there by their keys. An EXDATE that is new is left to the
    cancellation of its instance (`Whole.overrides`): a series whose rules are written anew may lose what people
    changed in its instances.

    Args:
        wanted: The body that is wanted.
        now: The body of what is there, made in the same way.

    Returns:
        The fields that differ, None for one that is to be removed; empty where nothing differs.
    """
    patch: dict[str, Any] = {}
    for name in dict.fromkeys([*wanted, *now]):
        new, old = wanted.get(name), now.get(name)
        if name == _EXTENDED:
            private = _merged(_private(wanted), _private(now))
            patch |= {_EXTENDED: {"private": private}} if private else {}
        elif name == "recurrence":
            patch |= {} if _same_pattern(new, old) else {name: new}
        elif new != old:
            # A PATCH that only adds `date` would leave `dateTime` beside it.
            patch[name] = {part: new.get(part) for part in _PARTS[name]} if name in _PARTS and new else new
    return patch


def _private(body: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = (body.get(_EXTENDED) or {}).get("private") or {}
    return found


def _merged(wanted: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str | None]:
    keys = dict.fromkeys([*wanted, *now])
    return {key: wanted.get(key) for key in keys if wanted.get(key) != now.get(key)}


def _same_pattern(new: Sequence[str] | None, old: Sequence[str] | None) -> bool:
    """Whether two `recurrence` fields say the same, save for EXDATEs that the new one has more."""
    if not new or not old:
        return (new or None) == (old or None)
    (rules, gone), (rules_before, gone_before) = _sorted_out(new), _sorted_out(old)
    return rules == rules_before and gone >= gone_before


def _sorted_out(lines: Sequence[str]) -> tuple[list[str], set[str]]:
    rules = [line for line in lines if not line.startswith("EXDATE")]
    excluded = {
        f"{head}:{value}"
        for line in lines
        if line.startswith("EXDATE")
        for head, _, values in [line.partition(":")]
        for value in values.split(",")
    }
    return sorted(rules), excluded
