"""What passes in each direction under one rule, and how an object looks that has passed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bridge.core.model import ComponentType
from bridge.core.projection import project, received
from bridge.core.sides import Side
from bridge.core.view import Blocking, Detail, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.core.model import CalendarObject

_LESS = (Detail.BUSY, Detail.TITLES, Detail.FULL)


@dataclass(frozen=True, slots=True)
class Views:
    """What passes in each direction for one object.

    Attributes:
        out: What the upstream may see of ours.
        into: What is taken over of theirs.
        made_here: Whether the object came from here.
    """

    out: View
    into: View
    made_here: bool = True

    def of(self, *, made_here: bool) -> Views:
        """The same for one object.

        Of what was made there, nothing is written back in more detail than it was taken over: a busy block that is
        renamed here is still theirs to name.
        """
        if made_here:
            return replace(self, made_here=True)
        less = min(self.out.detail, self.into.detail, key=_LESS.index)
        return replace(self, out=replace(self.out, detail=less), made_here=False)

    def since(self, was: Views) -> Views:
        """What is taken over now of what stands there, which was written under earlier views.

        What those left out was not taken away there by anybody.
        """
        return replace(self, out=was.out)

    def shown(self, obj: CalendarObject, *, parse: Callable[[bytes], CalendarObject]) -> CalendarObject:
        """Our object as the upstream may see it."""
        return project(obj, self.out, parse=parse)

    def taken(
        self, there: CalendarObject, ours: CalendarObject | None, *, parse: Callable[[bytes], CalendarObject]
    ) -> CalendarObject:
        """What a remote object says to our side, in the terms of our object where there is one."""
        if ours is None:
            return project(there, self.into, parse=parse)
        return received(there, ours, pull=self.into, push=self.out, made_here=self.made_here, parse=parse)

    def earlier(self, text: str) -> Views:
        """The views that a link keeps, as these look back on them to tell what has changed since.

        What a rule shows less of now is taken away from what was made here. What was made there is theirs: nothing is
        taken away from it.
        """
        was = Views.read(text)
        if self.made_here:
            return was
        less = min(was.out.detail, self.out.detail, key=_LESS.index)
        guests = was.out.attendees and self.out.attendees
        return replace(was, out=replace(was.out, detail=less, attendees=guests))

    def text(self) -> str:
        """These views as text, for a link."""
        return _text(self)

    @classmethod
    def read(cls, text: str) -> Views:
        """The views that a link keeps."""
        out, into, made_here = json.loads(text)
        return cls(_view(out, Side.THERE), _view(into, Side.HERE), made_here)


@lru_cache(maxsize=256)
def _text(views: Views) -> str:
    return json.dumps([*map(_plain, (views.out, views.into)), views.made_here], separators=(",", ":"))


def _plain(view: View) -> list[Any]:
    components = sorted(map(str, view.components))
    plain = [view.detail, view.attendees, view.free, view.all_day, components, sorted(view.categories)]
    # What most rules do not say is left out: the links that were kept before it could be said stay as they are.
    return plain if view.special is Blocking.BLOCK else [*plain, view.special]


def _view(plain: list[Any], towards: Side) -> View:
    detail, attendees, free, all_day, components, categories, *special = plain
    return View(
        towards=towards,
        detail=Detail(detail),
        attendees=bool(attendees),
        free=Blocking(free),
        all_day=Blocking(all_day),
        special=Blocking(*special) if special else Blocking.BLOCK,
        components=frozenset(map(ComponentType, components)),
        categories=frozenset(categories),
    )
