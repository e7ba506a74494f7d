"""Objects that stand on both sides before a rule knows them are recognised as the same, and linked instead of doubled.

Also recognised is a feed that gives its events other UIDs with each fetch; its events go by what they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from bridge.core.canonical import canonical
from bridge.core.recurrence import held_components
from bridge.core.series import extent
from bridge.core.temporal import instant

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from bridge.core.model import CalendarObject

H = TypeVar("H", bound="Hashable")
T = TypeVar("T", bound="Hashable")
K = TypeVar("K", bound="Hashable")

# What programs put before a title when they answer, forward or copy, in the languages of our neighbours.
_PREFIX: Final = re.compile(r"^(?:(?:re|aw|sv|antw|fw|fwd|wg|tr|rv|copy|kopie|copie)\s*:\s*)+")
_RULES: Final = ("RRULE", "EXRULE", "RDATE")
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Pair(Generic[H, T]):
    """An object here and one there that are the same.

    Attributes:
        here: The key of ours.
        there: The key of the remote one.
    """

    here: H
    there: T


@dataclass(frozen=True, slots=True)
class _Look:
    """What people recognise an appointment by."""

    component: str
    all_day: bool
    start: str
    end: str
    title: str
    rules: tuple[str, ...]
    instance: str


def matches(
    here: Mapping[H, CalendarObject], there: Mapping[T, CalendarObject], *, zone: tzinfo
) -> tuple[Pair[H, T], ...]:
    """The pairs of objects that are the same: by UID, else by start, end and title, by place where several fit.

    A series is only the same as a series of equal rules, a whole day only as whole days. Each object is in one pair at
    most; the order in which they come does not matter. Takes time about linear in their number.

    Args:
        here: Our objects without a partner, by whatever names them.
        there: The remote ones.
        zone: The account's zone: what dates and floating times mean.
    """
    ours, theirs = _ordered(here), _ordered(there)
    by_uid: dict[tuple[str, str], list[T]] = defaultdict(list)
    for there_key, obj in theirs:
        by_uid[obj.component, obj.uid].append(there_key)
    pairs: list[Pair[H, T]] = []
    rest: dict[_Look, tuple[list[H], list[T]]] = defaultdict(lambda: ([], []))
    for here_key, obj in ours:
        same = by_uid[obj.component, obj.uid]
        if same:
            pairs.append(Pair(here_key, same.pop(0)))
        else:
            rest[_look(obj, zone)][0].append(here_key)
    paired = {pair.there for pair in pairs}
    for there_key, obj in theirs:
        if there_key not in paired:
            rest[_look(obj, zone)][1].append(there_key)
    for left, right in rest.values():
        pairs.extend(Pair(*found) for found in _paired(left, right, here, there))
    return tuple(pairs)


def _ordered(objects: Mapping[K, CalendarObject]) -> list[tuple[K, CalendarObject]]:
    return sorted(objects.items(), key=lambda item: (item[1].uid, item[1].etag))


def _paired(
    left: list[H], right: list[T], here: Mapping[H, CalendarObject], there: Mapping[T, CalendarObject]
) -> list[tuple[H, T]]:
    """Pairs what looks the same, those of the same place first."""
    if not left or not right:
        return []
    at: dict[str, list[T]] = defaultdict(list)
    for other in right:
        at[_place(there[other])].append(other)
    found: dict[H, T] = {}
    for key in left:
        same = at[_place(here[key])]
        if same:
            found[key] = same.pop(0)
    taken = set(found.values())
    unpaired = (other for other in right if other not in taken)
    return [*found.items(), *zip((key for key in left if key not in found), unpaired, strict=False)]


def normalised(title: str) -> str:
    """A title as people compare it: blind to case, width, accents' spelling, spaces, punctuation and 'Re:'.

    One of nothing but punctuation is compared as it stands.
    """
    text = _PREFIX.sub("", unicodedata.normalize("NFKC", title).casefold().strip())
    words = "".join(char if unicodedata.category(char)[0] in "LNSM" else " " for char in text).split()
    return " ".join(words or text.split())


def _look(obj: CalendarObject, zone: tzinfo) -> _Look:
    components = held_components(obj.calendar)
    first = next((component for component in components if "RECURRENCE-ID" not in component), components[0])
    times = extent(first, zone)
    start, end = ("", "") if times is None else (instant(time, zone).isoformat() for time in times)
    rules = _lines(obj, _RULES) if obj.recurring else ()
    named = dict.get(first, "RECURRENCE-ID")
    return _Look(
        component=obj.component,
        all_day=times is not None and not isinstance(times[0], datetime),
        start=start,
        end=end,
        title=normalised(obj.summary),
        rules=rules,
        instance="" if named is None else instant(named.dt, zone).isoformat(),
    )


def _lines(obj: CalendarObject, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(line for line in canonical(obj).split("\n") if line.startswith(names)))


def _place(obj: CalendarObject) -> str:
    return normalised(str(held_components(obj.calendar)[0].get("LOCATION", "")))


def content_identity(obj: CalendarObject, *, zone: tzinfo) -> str:
    """Names an object by what people recognise it by, whatever its UID: 32 hex digits.

    Kind, times, title and rules count; so a description in which a feed writes the time of its making makes no new
    object. Two that look the same have the same name; `content_identities` tells them apart.

    Args:
        obj: The object.
        zone: The account's zone.
    """
    return sha256(repr(_look(obj, zone)).encode()).hexdigest()[:_DIGITS]


def content_identities(objects: Sequence[CalendarObject], *, zone: tzinfo) -> tuple[str, ...]:
    """A name for each object of a feed, each only once: those that look the same are numbered.

    The numbers depend on what the objects hold besides, never on their UIDs or on the order of the feed.

    Args:
        objects: All objects of one fetch.
        zone: The account's zone.
    """
    names = [content_identity(obj, zone=zone) for obj in objects]
    often = {name for name, times in Counter(names).items() if times > 1}
    order = sorted(
        (index for index, name in enumerate(names) if name in often), key=lambda index: _without_uid(objects[index])
    )
    numbers: Counter[str] = Counter()
    for index in order:
        name = names[index]
        numbers[name] += 1
        if numbers[name] > 1:
            names[index] = f"{name}-{numbers[name]}"
    return tuple(names)


def _without_uid(obj: CalendarObject) -> str:
    return "\n".join(line for line in canonical(obj).split("\n") if not line.startswith(("UID:", "UID;")))


def churns(before: Iterable[CalendarObject], after: Iterable[CalendarObject], *, zone: tzinfo) -> bool:
    """Whether a feed gives its events new UIDs with each fetch: most UIDs are new, yet most events are the same.

    Args:
        before: The objects of a fetch.
        after: Those of a later one.
        zone: The account's zone.
    """
    old, new = list(before), list(after)
    known = {obj.uid for obj in old}
    fresh = sum(obj.uid not in known for obj in new)
    if 2 * fresh <= len(new):
        return False
    looks = (Counter(content_identity(obj, zone=zone) for obj in objects) for objects in (old, new))
    same = sum((next(looks) & next(looks)).values())
    return 2 * same > len(new)
