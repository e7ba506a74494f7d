"""An object is shown to the other side as far as a view lets it pass; what is left out is kept, and attached again.

What stays at each level of detail:

- `full`: everything; guests as a list in the description, unless the rule sends them as guests.
- `titles`: times, recurrence, SUMMARY, STATUS, TRANSP, CLASS.
- `busy`: the same with `Busy` for a SUMMARY, and going out without CLASS; so is every private or confidential
  component, whatever the level.

What stays is kept byte for byte. Law: `project(reattach(p, ours, view), view)` equals `p`, for every `p` that the view
can make of a version of `ours` with the same guests and classes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.core.content import MASTER, Content, Line, Part, is_block, made, read, text, write
from bridge.core.guests import (
    GUESTS,
    HTML,
    as_ours,
    head,
    listed,
    mails,
    params,
    unsent,
    with_description,
    with_list,
    without_list,
)
from bridge.core.origin import ORIGIN
from bridge.core.recurrence import held_components
from bridge.core.view import Blocking, Detail, View, is_private

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bridge.core.model import CalendarObject

BUSY: Final = "Busy"
"""The title of what is not shown."""

_BUSY: Final = made("SUMMARY", BUSY)

_TIMES = frozenset({
    "UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID",
    "RRULE", "EXRULE", "RDATE", "EXDATE",
})  # fmt: skip
_PATTERN = frozenset({"RRULE", "EXRULE", "RDATE", "EXDATE"})
_SHOWN = _TIMES | {"SUMMARY", "STATUS", "TRANSP", "CLASS"}
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "STATUS": frozenset({
        "TENTATIVE", "CONFIRMED", "CANCELLED", "NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "DRAFT", "FINAL",
    }),
    "TRANSP": frozenset({"OPAQUE", "TRANSPARENT"}),
    "CLASS": frozenset({"PUBLIC", "PRIVATE", "CONFIDENTIAL"}),
}  # fmt: skip
_TEXTS = frozenset({
    "SUMMARY", "DESCRIPTION", "LOCATION", "ATTENDEE", "CATEGORIES", "COMMENT", "CONTACT", "URL", "ATTACH", HTML,
})  # fmt: skip
_PARAMS = frozenset({"VALUE", "TZID", "RANGE", "LANGUAGE", "ENCODING"})
_MAY_BE_HIDDEN = frozenset({"CLASS", ORIGIN, *GUESTS})
_HEADER = frozenset({"VERSION", "PRODID", "CALSCALE"})
_DATE = re.compile(r"\d{4}-?\d\d-?\d\d(?:T::)?")


def project(obj: CalendarObject, view: View, *, parse: Callable[[bytes], CalendarObject]) -> CalendarObject:
    """An object as a view shows it; the same object where there is nothing to hide.

    Args:
        obj: The object.
        view: What passes.
        parse: Reads the octets of an object.
    """
    if _shows_all(obj, view):
        return obj
    content = read(obj)
    shown = _shown(content, view)
    return obj if shown == content else parse(write(shown))


def _shows_all(obj: CalendarObject, view: View) -> bool:
    """Whether it is plain, without taking an object apart, that a view has nothing in it to hide or to change."""
    if view.detail is not Detail.FULL or not (view.goes_out or _takes_time_as_it_is(view)):
        return False
    for component in held_components(obj.calendar):
        for each in (component, *component.subcomponents):
            # What could not be read, or lies deeper, may hold anything.
            if each.errors or not _MAY_BE_HIDDEN.isdisjoint(each) or (each is not component and each.subcomponents):
                return False
    return True


def _takes_time_as_it_is(view: View) -> bool:
    return view.free is Blocking.IGNORE and view.all_day is Blocking.BLOCK


def _shown(content: Content, view: View) -> Content:
    levels = {key: view.level(part, content.parts) for key, part in content.parts.items()}
    parts = {key: _part_shown(part, levels[key], view) for key, part in content.parts.items()}
    if all(level is Detail.FULL for level in levels.values()):
        return replace(content, parts=parts)
    header = tuple(line for line in content.header if line.name in _HEADER)
    return replace(content, parts=parts, header=header, others=())


def _part_shown(part: Part, level: Detail, view: View) -> Part:
    if level is not Detail.FULL:
        part = _reduced(part, level, view)
    elif not view.goes_out:
        dropped = {ORIGIN} if view.attendees else {ORIGIN, *GUESTS}
        part = _kept(part, lambda line: line.name not in dropped and (view.attendees or not mails(line)))
    else:
        part = unsent(part) if view.attendees else with_list(part)
    return part if view.goes_out else _blocking(part, view)


def _kept(part: Part, keeps: Callable[[Line], bool]) -> Part:
    return replace(part, content=tuple(line for line in part.content if keeps(line)))


def _reduced(part: Part, level: Detail, view: View) -> Part:
    """A component of which only times, or times and title, are shown."""
    names = _names_shown(level, view)
    lines = [
        _bare(line)
        for line in part.content
        if (line.name in names and _says_no_more(line)) or (level is Detail.BUSY and line.flat == _BUSY.flat)
    ]
    if level is Detail.BUSY and _BUSY.name not in {line.name for line in lines}:
        lines.append(_BUSY)
    return replace(part, content=tuple(lines))


def _names_shown(level: Detail, view: View) -> frozenset[str]:
    """The properties that a view takes over as they are."""
    if level is Detail.TITLES:
        return _SHOWN
    # A block that says nothing needs no CLASS there, where somebody could take it off.
    return _SHOWN - ({"SUMMARY", "CLASS"} if view.goes_out else {"SUMMARY"})


def _says_no_more(line: Line) -> bool:
    """Whether a line holds no text where its property has words only."""
    return line.name not in _WORDS or line.value.strip().upper() in _WORDS[line.name]


def _bare(line: Line) -> Line:
    """A line without those parameters that may hold anything."""
    found = {name: value for name, value in params(line).items() if name in _PARAMS}
    if len(found) == head(line).count(";"):
        return line
    return made(line.name, line.value, "".join(f";{name}={_quoted(value)}" for name, value in found.items()))


def _quoted(value: str) -> str:
    return f'"{value}"' if set(value) & set(",;:") else value


def _blocking(part: Part, view: View) -> Part:
    """A component of theirs that takes time here, or does not, as the view says."""
    if part.component != "VEVENT":
        return part
    start = next(iter(part.named("DTSTART")), None)
    if view.all_day is Blocking.IGNORE and start is not None and _DATE.fullmatch(start.value.strip()):
        return _with_transparency(part, "TRANSPARENT")
    if view.free is Blocking.BLOCK and any(_says(line, "TRANSPARENT") for line in part.named("TRANSP")):
        return _with_transparency(part, "OPAQUE")
    return part


def _says(line: Line, word: str) -> bool:
    return line.value.strip().upper() == word


def _with_transparency(part: Part, word: str) -> Part:
    old = part.named("TRANSP")
    if old and all(_says(line, word) for line in old):
        return part
    kept = [line for line in part.content if line.name != "TRANSP"]
    at = next((at for at, line in enumerate(kept) if is_block(line)), len(kept))
    return replace(part, content=(*kept[:at], made("TRANSP", word), *kept[at:]))


def reattach(
    projected: CalendarObject,
    ours: CalendarObject,
    view: View,
    *,
    parse: Callable[[bytes], CalendarObject],
    made_here: bool = True,
) -> CalendarObject:
    """An object as the other side has it, with what the view left out of ours attached again.

    Text that was written into a busy block is left out; its times, cancellations and new instances are taken. A new
    instance has the hidden properties of our master.

    Args:
        projected: The object as it comes back; as the pull view shows it, where it is a remote one.
        ours: Our object, when both sides last agreed: what is hidden comes from it.
        view: What left it out.
        parse: Reads the octets of an object.
        made_here: Whether the remote object came from ours. The text of one that was made there is its own: it was
            never left out, and is taken as it is.
    """
    content, residue = read(projected), read(ours)
    parts = {
        key: _part_whole(part, _counterpart(part, residue), content, residue, view, made_here=made_here)
        for key, part in content.parts.items()
    }
    # What the calendar says of itself means nothing; ours stays.
    whole = replace(residue, uid=content.uid, zones={**residue.zones, **content.zones}, parts=parts)
    return ours if whole == residue else parse(write(whole))


def received(
    there: CalendarObject,
    ours: CalendarObject,
    *,
    pull: View,
    push: View,
    made_here: bool,
    parse: Callable[[bytes], CalendarObject],
) -> CalendarObject:
    """What a remote object says to our side, in the terms of our object.

    Made of the remote object as it was and as it is, with the same `ours`, the difference of both is what changed
    there, with nothing in it that either view hides.

    Args:
        there: The remote object.
        ours: Our object, when both sides last agreed.
        pull: What the rule takes over.
        push: What the rule shows there.
        made_here: Whether the remote object came from ours (`reattach`).
        parse: Reads the octets of an object.
    """
    seen = project(there, pull, parse=parse)
    for view in (pull, push):
        seen = reattach(seen, ours, view, parse=parse, made_here=made_here)
    return seen


def discloses(there: CalendarObject, ours: CalendarObject, view: View) -> bool:
    """Whether a remote object says something of ours that the view hides: the rule shows less now, or it is private.

    Such an object is to be written as a whole, `project(ours)`: where only what changed is written, a text that the
    server made of one of ours would stay.

    Args:
        there: The remote object, which came from ours.
        ours: Our object.
        view: What the rule shows there.
    """
    residue = read(ours)
    return any(_says_hidden(part, _counterpart(part, residue), residue, view) for part in read(there).parts.values())


def _says_hidden(part: Part, ours: Part, residue: Content, view: View) -> bool:
    level = Detail.BUSY if is_private(ours, residue.parts) else view.detail
    names = _TEXTS if level is not Detail.FULL else {"ATTENDEE"}
    shown = _said(_part_shown(ours, level, view), names)
    return bool((_said(ours, names) - shown) & _said(part, names))


def _said(part: Part, names: Collection[str]) -> set[tuple[str, str]]:
    return {(line.name, line.value.strip()) for line in part.content if line.name in names and line.value.strip()}


def _counterpart(part: Part, residue: Content) -> Part:
    """Our component of the same key, or one for a new instance: our master without what makes it a series."""
    found = residue.parts.get(part.key)
    if found is not None:
        return found
    like = residue.parts.get(MASTER) or next(iter(residue.parts.values()))
    return _kept(like, lambda line: line.name not in _PATTERN)


def _part_whole(part: Part, ours: Part, content: Content, residue: Content, view: View, *, made_here: bool) -> Part:
    if view.goes_out:
        level = Detail.BUSY if is_private(ours, residue.parts) else view.detail
        text_is_ours = made_here
    else:
        level = view.level(part, content.parts)
        # What they mark as private of their own is not ours to remember.
        text_is_ours = made_here or not is_private(part, content.parts)
    if level is Detail.FULL or not text_is_ours:
        return _guests_attached(part, ours, view)
    return _text_attached(part, ours, _names_shown(level, view), _reduced(ours, level, view))


def _text_attached(part: Part, ours: Part, names: frozenset[str], shown: Part) -> Part:
    """Their times, and their title where it was shown, in our component."""
    back = _kept(part, lambda line: line.name in names)
    answered = {line.name for line in back.content} & set(_WORDS)
    hidden = [
        line for line in ours.content if line.name not in names or not (_says_no_more(line) or line.name in answered)
    ]
    return _mixed(back, shown=_kept(shown, lambda line: line.name in names), ours=ours, hidden=hidden)


def _guests_attached(part: Part, ours: Part, view: View) -> Part:
    """Their component with our guests, who are no list in its description any more."""
    if view.attendees:
        return _mixed(as_ours(part, ours) if view.goes_out else part, shown=ours, ours=ours, hidden=())
    names = set(GUESTS)
    back = _kept(part, lambda line: line.name not in GUESTS and not mails(line))
    guests = listed(ours) if view.goes_out else ""
    if guests:
        own, theirs = text(ours, "DESCRIPTION") or "", text(part, "DESCRIPTION") or ""
        described = without_list(theirs, guests)
        if own.strip() in {theirs.strip(), described.strip()}:
            names |= {"DESCRIPTION", HTML}
        else:
            back = with_description(back, described)
        back = _kept(back, lambda line: line.name not in names | {HTML})
    hidden = [line for line in ours.content if line.name in names or mails(line)]
    return _mixed(back, shown=ours, ours=ours, hidden=hidden)


def _mixed(back: Part, *, shown: Part, ours: Part, hidden: Iterable[Line]) -> Part:
    """What came back, and what was hidden of ours, in the order of ours.

    A property that came back as it was shown is kept as it is written here.

    Args:
        back: What came back.
        shown: What was shown of ours.
        ours: Ours.
        hidden: The lines of ours that were not shown.
    """
    kept = set(map(id, hidden))
    came, went = _by_name(back.content), _by_name(line for line in shown.content if id(line) not in kept)
    lines: list[Line] = []
    placed: set[str] = set()
    for line in ours.content:
        if id(line) in kept:
            lines.append(line)
            continue
        if _flats(came, line.name) == _flats(went, line.name):
            lines.append(line)
        elif line.name not in placed:
            lines.extend(came.get(line.name, ()))
        placed.add(line.name)
    new = [line for line in back.content if line.name not in placed]
    at = next((at for at, line in enumerate(lines) if is_block(line)), len(lines))
    blocks = [line for line in new if is_block(line)]
    return replace(back, content=(*lines[:at], *(line for line in new if not is_block(line)), *lines[at:], *blocks))


def _by_name(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.name].append(line)
    return found


def _flats(lines: Mapping[str, list[Line]], name: str) -> list[str]:
    return [line.flat for line in lines.get(name, ())]
