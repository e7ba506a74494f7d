"""A rule keeps one resource and one remote calendar the same, as far as its options let."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from bridge.config.settings import Settings
from bridge.config.values import Component, Duration, Key, Scope, Stretch, Switch, Text, choice, whole, write_duration
from bridge.config.words import refusal
from bridge.core.decision import Direction, Existing, OnConflict
from bridge.core.model import ComponentType
from bridge.core.view import Blocking, Detail

SHORTEST_POLL = timedelta(seconds=1)
LONGEST_POLL = timedelta(days=7)
_LONGEST_CALENDAR = 1000


def _interval(length: timedelta) -> timedelta:
    if not SHORTEST_POLL <= length <= LONGEST_POLL:
        raise refusal(f"from {write_duration(SHORTEST_POLL)} to {write_duration(LONGEST_POLL)}, such as 5m")
    return length


def _resource(value: object) -> Scope:
    if isinstance(value, Scope):
        return value
    found = re.fullmatch(r"([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)", value) if isinstance(value, str) else None
    if found is None:
        bare = value.strip("/").replace(".", "/", 1) if isinstance(value, str) else ""
        suggestion = bare if re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+", bare) else ""
        raise refusal("ACCOUNT/RESOURCE: a rule is for one resource", suggestion=suggestion)
    return Scope(found[1], found[2])


def _calendar(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_CALENDAR or not value.isprintable():
        suggestion = f'"{value}"' if type(value) is int else ""
        raise refusal("the name or id of a calendar, as `calbridge calendars` lists it", suggestion=suggestion)
    return value.strip()


Interval = Annotated[Duration, AfterValidator(_interval)]
CalendarName = Annotated[str, PlainValidator(_calendar), WithJsonSchema({"type": "string", "minLength": 1})]
ResourceName = Annotated[
    Scope, PlainValidator(_resource), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$"})
]


class Push(Settings):
    """What goes from the resource to the remote calendar."""

    create: Switch = Field(default=True, description="whether what is new here is made there")
    update: Switch = Field(default=True, description="whether what changes here changes there")
    delete: Switch = Field(default=True, description="whether what is deleted here is deleted there")
    detail: Annotated[Detail, *choice(Detail)] = Field(
        default=Detail.FULL, description="full, titles, or busy times only; what is left out stays here, unharmed"
    )
    components: Annotated[tuple[Component, ...], Field(min_length=1)] = Field(
        default=(ComponentType.VEVENT,), description="what goes there: VEVENT, VTODO"
    )
    categories: tuple[Text, ...] = Field(default=(), description="sends only these categories; empty sends all")


class Pull(Settings):
    """What comes from the remote calendar to the resource."""

    create: Switch = Field(default=True, description="whether what is new there is made here")
    update: Switch = Field(default=True, description="whether what changes there changes here")
    delete: Switch = Field(default=True, description="whether what is deleted there is deleted here")
    detail: Annotated[Detail, *choice(Detail)] = Field(
        default=Detail.FULL, description="full, titles, or busy times only"
    )
    free: Annotated[Blocking, *choice(Blocking)] = Field(
        default=Blocking.IGNORE, description="block or ignore: whether what is marked as free there takes time here"
    )
    all_day: Annotated[Blocking, *choice(Blocking)] = Field(
        default=Blocking.BLOCK, description="block or ignore: whether what lasts whole days there takes time here"
    )
    special: Annotated[Blocking, *choice(Blocking)] = Field(
        default=Blocking.BLOCK,
        description="block or ignore: whether out of office, focus time, birthdays and the like come here at all",
    )
    components: Annotated[tuple[Component, ...], Field(min_length=1)] = Field(
        default=(ComponentType.VEVENT,), description="what comes here: VEVENT, VTODO"
    )
    categories: tuple[Text, ...] = Field(default=(), description="takes only these categories; empty takes all")


class Window(Settings):
    """The time that a rule looks at; what lies outside is frozen: neither sent, nor taken, nor deleted.

    Attributes:
        past: How far back the window reaches; None is without limit.
        future: How far ahead the window reaches; None is without limit.
    """

    past: Stretch = Field(default=timedelta(days=30), description="how far back it reaches; `all` has no limit")
    future: Stretch = Field(default=timedelta(days=365), description="how far ahead it reaches; `all` has no limit")


class Guard(Settings):
    """How much a rule may delete on one side within an hour; what goes beyond either waits for a person."""

    objects: Annotated[int, *whole(0, 1_000_000)] = Field(
        default=25, description="the most deletions that need no consent"
    )
    percent: Annotated[int, *whole(0, 100)] = Field(
        default=20, description="the largest share of a side that needs no consent; does not count up to five"
    )


class Rule(Settings):
    """One resource and one remote calendar, kept the same.

    Attributes:
        calendar: Its name or id at the other server; "" for type ics, where the address is the calendar.
        direction: Its own, or `pull` for type ics and `both` elsewhere.
    """

    resource: ResourceName = Field(description="ACCOUNT/RESOURCE")
    connection: Key = Field(description="key of the connection under `connections`")
    calendar: CalendarName = Field(
        default_factory=str,
        validate_default=False,
        description="name or id of the remote calendar, as `calbridge calendars` lists it, or primary; none for ics",
    )
    direction: Annotated[Direction, *choice(Direction)] = Field(
        default_factory=lambda: Direction.BOTH, description="both, push (from here) or pull (to here)"
    )
    existing: Annotated[Existing, *choice(Existing)] = Field(
        default=Existing.BOTH,
        description="what the first pass copies to the other side: both, send, fetch or none",
    )
    push: Push = Field(default_factory=Push, description="what goes from here to there")
    pull: Pull = Field(default_factory=Pull, description="what comes from there to here")
    window: Window = Field(
        default_factory=Window, description="the time that is looked at; what lies outside is frozen"
    )
    poll: Interval = Field(default=timedelta(minutes=5), description="how often the other side is asked for changes")
    on_conflict: Annotated[OnConflict, *choice(OnConflict)] = Field(
        default=OnConflict.NEWEST, description="whose version counts where both changed: newest, ours or theirs"
    )
    guard: Guard = Field(default_factory=Guard, description="when a pass that deletes much waits for a person")
    attendees: Switch = Field(
        default=False, description="whether guests are sent as guests; if not, they stand in the description"
    )
