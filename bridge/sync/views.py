"""What passes in each direction under one rule, and how an object looks that has passed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bridge.core import content
from bridge.core.guests import as_ours, with_description, without_list
from bridge.core.model import ComponentType
from bridge.core.projection import project
from bridge.core.sides import Side
from bridge.core.view import Blocking, Detail, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.core.content import Part
    from bridge.core.model import CalendarObject

_LESS = (Detail.BUSY, Detail.TITLES, Detail.FULL)


@dataclass(frozen=True, slots=True)
class Views:
    """What passes in each direction for one object.

    Attributes:
        out: What the upstream may see of ours.
        into: What is taken over of theirs.
        made_here: Whether the object came from here: then what we added to it for the upstream is taken off again.
    """

    out: View
    into: View
    made_here: bool = True

    def narrowed(self, *, made_here: bool, private: bool) -> Views:
        """The same for one object: what was hidden in one direction must not come back in the other.

        A busy block that somebody renames over there is still a busy block, and so is a private appointment whatever
        the rule shows of others.

        Args:
            made_here: Whether the object came from here.
            private: Whether it is not public here.
        """
        less = min(self.out.detail, self.into.detail, key=_LESS.index)
        if not made_here:
            return replace(self, out=replace(self.out, detail=less), made_here=False)
        return replace(self, into=replace(self.into, detail=Detail.BUSY if private else less), made_here=True)

    def shown(self, obj: CalendarObject, *, parse: Callable[[bytes], CalendarObject]) -> CalendarObject:
        """Our object as the upstream may see it."""
        return project(obj, self.out, parse=parse)

    def taken(self, obj: CalendarObject, *, parse: Callable[[bytes], CalendarObject]) -> CalendarObject:
        """A remote object as it is taken over."""
        passed = project(obj, self.into, parse=parse)
        if not self.made_here:
            return passed
        whole = content.read(passed)
        parts = {key: self._ours(part) for key, part in whole.parts.items()}
        return passed if parts == whole.parts else parse(content.write(replace(whole, parts=parts)))

    def _ours(self, part: Part) -> Part:
        """A component without what was added to it when it went out."""
        if self.out.attendees:
            return as_ours(part, replace(part, content=()))
        description = content.text(part, "DESCRIPTION") or ""
        bare = without_list(description, None)
        if bare == description:
            return part
        if bare:
            return with_description(part, bare)
        return replace(part, content=tuple(line for line in part.content if line.name != "DESCRIPTION"))

    def text(self) -> str:
        """These views as text, for a link."""
        return json.dumps([*map(_plain, (self.out, self.into)), self.made_here], separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Views:
        """The views that a link keeps."""
        out, into, made_here = json.loads(text)
        return cls(_view(out, Side.THERE), _view(into, Side.HERE), made_here)


def _plain(view: View) -> list[Any]:
    components = sorted(map(str, view.components))
    return [view.detail, view.attendees, view.free, view.all_day, components, sorted(view.categories)]


def _view(plain: list[Any], towards: Side) -> View:
    detail, attendees, free, all_day, components, categories = plain
    return View(
        towards=towards,
        detail=Detail(detail),
        attendees=bool(attendees),
        free=Blocking(free),
        all_day=Blocking(all_day),
        components=frozenset(map(ComponentType, components)),
        categories=frozenset(categories),
    )
