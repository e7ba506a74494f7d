"""A difference is applied to another copy of the object: what it names changes there, and nothing else does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.core.carrying import Carrier
from bridge.core.content import MASTER, ORIGIN, Line, Part, is_block, made
from bridge.core.difference import COMPONENT, INSTANCE_ONLY, Change, cancels, excluded
from bridge.core.fold import escaped
from bridge.core.meaning import LISTS, TIMES, WHEN, Slot, is_set, members, values, with_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bridge.core.content import Content
    from bridge.core.difference import Difference

_FRAME = TIMES | {"RECURRENCE-ID"}
_NEVER_INHERITED = (INSTANCE_ONLY - {WHEN}) | TIMES | {"UID"}
_NEVER_CARRIED = frozenset({"UID", ORIGIN})
_ALARM = "BEGIN:VALARM"
_IDLE = re.compile(rb"^ACTION(?:;[^:\r\n]*)?:NONE\s*$", re.MULTILINE | re.IGNORECASE)
_INSTANT = re.compile(r"(\d{8}T\d{6})Z")
_STAMPS = {"SEQUENCE": re.compile(r"0*(\d{1,18})"), "DTSTAMP": _INSTANT, "LAST-MODIFIED": _INSTANT}


def apply(difference: Difference, content: Content, *, inherit: Content | None = None) -> Content:
    """The same content with what has changed between two other versions of the object.

    The parts that change get the higher SEQUENCE and the later DTSTAMP and LAST-MODIFIED of both. A custom zone that a
    line names comes along, under another name where the content has other rules under that one. A part that is to
    change but is not there comes whole. The UID and X-CALBRIDGE-ORIGIN stay those of `content`. What stands there
    already is not added again, and keeps the form that it has. That no alarm rings is not said beside one that does.

    Args:
        difference: What has changed.
        content: Where it is to change.
        inherit: The version of the content whose master fills in what a new override leaves open; else `content`.
    """
    return _Application(difference, content, inherit or content).result() if difference else content


def follow(
    content: Content, followers: Mapping[str, Mapping[Slot, Change]], source: Content, *, repeated: frozenset[str]
) -> Content:
    """The same content whose overrides, as far as they are there, take over changes.

    Args:
        content: The content.
        followers: The changes, by the keys of overrides.
        source: The content from which the lines of the changes come.
        repeated: The properties whose lines are members of their own.
    """
    carrier = Carrier(content.zones)
    changed = {
        key: _edited(content.parts[key], changes, source, carrier, repeated)
        for key, changes in followers.items()
        if key in content.parts
    }
    return replace(content, parts={**content.parts, **changed}, zones=carrier.zones)


class _Application:
    """One application: the parts and zones as they become.

    Args:
        difference: What has changed.
        content: Where it is to change.
        inherit: The version whose master new overrides inherit from.
    """

    def __init__(self, difference: Difference, content: Content, inherit: Content) -> None:
        self._difference = difference
        self._content = content
        self._inherit = inherit
        self._parts = dict(content.parts)
        self._carrier = Carrier(content.zones)
        self._excluded = excluded(content)
        self._stay_excluded = excluded(difference.new)

    def result(self) -> Content:
        """What becomes of the content."""
        by_part: dict[str, dict[Slot, Change]] = {}
        for slot, change in self._difference.changes.items():
            by_part.setdefault(slot.part, {})[slot] = change
        for key, changes in by_part.items():
            there = changes.pop(Slot(key, COMPONENT), None)
            if there is not None and there.new is None:
                self._remove(key)
            else:
                self._change(key, changes, comes=there is not None)
        first = MASTER if MASTER in self._parts and MASTER not in self._content.parts else None
        parts = dict(sorted(self._parts.items(), key=lambda item: item[0] != first))
        return replace(self._content, zones=self._carrier.zones, parts=parts)

    def _remove(self, key: str) -> None:
        """Removes a part; an override that cancelled its instance cancels it no more, however that is written here."""
        self._parts.pop(key, None)
        if cancels(self._difference.old.parts[key]):
            self._include(key)

    def _include(self, key: str) -> None:
        """Takes an instance out of the EXDATEs of the master, unless it is to stay there."""
        if MASTER in self._parts and key not in self._stay_excluded:
            slot = Slot(MASTER, "EXDATE", key)
            self._parts[MASTER] = self._edited(self._parts[MASTER], {slot: Change(None, None)})

    def _change(self, key: str, changes: Mapping[Slot, Change], *, comes: bool) -> None:
        source, target = self._difference.new.parts[key], self._parts.get(key)
        if target is None and key in self._excluded and cancels(source):
            return
        if target is None or (comes and cancels(target) and not cancels(source)):
            target = self._arrived(source, whole=not comes)
            self._include(key)
            changes = {**changes, **self._spared(key)}
        if key == MASTER:
            self._settle(changes)
        self._parts[key] = _stamped(self._edited(target, changes), source)

    def _spared(self, key: str) -> Mapping[Slot, Change]:
        """What keeps a master that comes from excluding the instances whose overrides are already here."""
        slots = (
            Slot(MASTER, "EXDATE", name)
            for name, part in self._parts.items()
            if key == MASTER and name not in self._difference.new.parts and not cancels(part)
        )
        return dict.fromkeys(slots, Change(None, None))

    def _settle(self, changes: Mapping[Slot, Change]) -> None:
        """Removes the overrides of instances that are now cancelled by EXDATE, or not cancelled any more."""
        for slot, change in changes.items():
            part = self._parts.get(slot.member) if slot.group == "EXDATE" else None
            if part and part.key not in self._difference.new.parts and (change.new is not None or cancels(part)):
                del self._parts[part.key]

    def _arrived(self, source: Part, *, whole: bool) -> Part:
        """A part that was not there: what the master here says of the instance, in the frame of the one that comes."""
        new = self._difference.new
        uid = made("UID", escaped(self._content.uid))
        master = self._inherit.parts.get(MASTER)
        if whole or master is None or source.key == MASTER:
            lines = (line for line in source.content if line.name not in _NEVER_CARRIED)
            return replace(source, content=(uid, *self._carrier.carried(lines, new.zones)))
        frame = self._carrier.carried((line for line in source.content if line.name in _FRAME), new.zones)
        lines = (line for line in master.content if line.name not in _NEVER_INHERITED)
        return replace(source, content=(uid, *frame, *self._carrier.carried(lines, self._inherit.zones)))

    def _edited(self, part: Part, changes: Mapping[Slot, Change]) -> Part:
        return _edited(part, changes, self._difference.new, self._carrier, self._difference.repeated)


def _edited(
    part: Part, changes: Mapping[Slot, Change], source: Content, carrier: Carrier, repeated: frozenset[str]
) -> Part:
    """A part with some of its members changed, added or removed."""
    found = members(part, carrier.zones, repeated)
    lines = list(part.content)
    for slot, change in changes.items():
        have = found.get(slot)
        if have == change.new:
            continue
        new = carrier.carried(change.new.lines, source.zones) if change.new else ()
        if is_set(slot.group, repeated):
            at = _taken_out(lines, have.lines) if have else None
        else:
            names = TIMES if slot.group == WHEN else {slot.group}
            at = next((at for at, line in enumerate(lines) if line.name in names), None)
            lines = [line for line in lines if line.name not in names]
        _put(lines, new, _behind(lines, slot.group) if at is None else at)
    if any(slot.group == _ALARM for slot in changes):
        lines = _without_idle_alarm(lines)
    return replace(part, content=tuple(lines))


def _without_idle_alarm(lines: list[Line]) -> list[Line]:
    """Lines without the alarm by which Apple's programs say that none rings, where one does."""
    idle = [line for line in lines if line.name == _ALARM and _IDLE.search(line.raw)]
    rings = any(line.name == _ALARM and line not in idle for line in lines)
    return [line for line in lines if line not in idle] if rings else lines


def _stamped(part: Part, source: Part) -> Part:
    """A part with the later stamps of two."""
    lines = list(part.content)
    for name, form in _STAMPS.items():
        old, new = part.named(name), source.named(name)
        if _stamp(new, form) > _stamp(old, form):
            at = _taken_out(lines, old)
            _put(lines, new[:1], _behind(lines, name) if at is None else at)
    return replace(part, content=tuple(lines))


def _stamp(lines: Iterable[Line], form: re.Pattern[str]) -> tuple[int, str]:
    """What orders stamps in time; one that is missing or unreadable comes before all others."""
    found = [form.fullmatch(line.value.strip()) for line in lines]
    return max(((len(match[1]), match[1]) for match in found if match), default=(0, ""))


def _put(lines: list[Line], new: Iterable[Line], at: int) -> None:
    lines[at:at] = new


def _behind(lines: list[Line], name: str) -> int:
    """Where a line of a property is added: behind the last of the same, else before the subcomponents."""
    same = [at for at, line in enumerate(lines) if line.name == name]
    blocks = [at for at, line in enumerate(lines) if is_block(line) and not name.startswith("BEGIN:")]
    return same[-1] + 1 if same else min(blocks, default=len(lines))


def _taken_out(lines: list[Line], gone: Collection[Line]) -> int | None:
    """Takes lines, or values out of the lists in which they stand, out of `lines`; tells where the first line was."""
    first = None
    for one in gone:
        at = next(at for at, line in enumerate(lines) if line == one or (line.name in LISTS and one in values(line)))
        rest = [line.value for line in values(lines[at])] if lines[at] != one else []
        if rest:
            rest.remove(one.value)
            lines[at] = with_values(lines[at], rest)
        else:
            del lines[at]
        first = at if first is None else min(first, at)
    return first
