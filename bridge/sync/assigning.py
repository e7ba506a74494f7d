"""A claimed rule becomes an assignment: its settings are read, its upstream is opened, its remote calendar is found."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from bridge.core import ics
from bridge.core.origin import Origin
from bridge.errors import CalendarGone, ConfigurationError
from bridge.store import rule as rules
from bridge.sync.assignment import Assignment
from bridge.sync.terms import terms_of
from bridge.upstream.tally import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from bridge.config import Configuration
    from bridge.core.channels import Channels
    from bridge.core.model import CalendarObject
    from bridge.store.database import Database
    from bridge.store.rule import Rule
    from bridge.upstream.protocol import RemoteCalendar, Upstream

    Parse = Callable[[bytes], CalendarObject]
    Connect = Callable[[str, Parse, tzinfo], Upstream]

_TEXTS_REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class Office:
    """What every assignment needs.

    Attributes:
        database: The store.
        configuration: Gives the configuration of the moment.
        connect: Opens the connection of this key; the objects that it brings are read by the function that is given,
            and their floating times are meant in the zone that is given.
        clock: Gives the present instant, UTC.
        end: Has no upstream be asked for anything more.
        channels: Names watches; None where nothing is to be watched.
    """

    database: Database
    configuration: Callable[[], Configuration]
    connect: Connect
    clock: Callable[[], datetime]
    end: Callable[[], None] = lambda: None
    channels: Channels | None = None

    def parser(self, resource: str) -> Parse:
        """Reads objects as they are meant in the calendar of ACCOUNT/RESOURCE; the last ones are remembered."""
        configuration = self.configuration()
        zone = configuration.resource(resource).time_zone
        limit = configuration.limits.max_instances

        @lru_cache(maxsize=_TEXTS_REMEMBERED)
        def parse(raw: bytes) -> CalendarObject:
            return ics.parse(raw, zone=zone, max_instances=limit)

        return parse

    @contextmanager
    def assignment(self, rule: Rule, owner: str) -> Iterator[Assignment]:
        """What a pass over `rule` stands on; its connections are closed at the end.

        Raises:
            NotFound: The rule or its resource has left the configuration.
            UpstreamError: The remote calendar cannot be found.
        """
        settings = self.configuration().rule(rule.key)
        parse = self.parser(str(settings.resource))
        terms = terms_of(self.configuration(), rule.key)

        def opened() -> Upstream:
            return self.connect(settings.connection, parse, terms.zone)

        site, _, mark = rule.origin.partition(".")
        with ExitStack() as stack:
            tally = stack.enter_context(counting())
            upstream = stack.enter_context(closing(opened()))
            calendar = rule.calendar
            if calendar is None or (rule.cursor is None and rule.last_full_at is None):
                calendar = self._find(upstream, rule, settings.calendar)
            yield Assignment(
                rule=rule,
                terms=terms,
                origin=Origin(site, mark),
                upstream=upstream,
                another=opened,
                calendar=calendar,
                database=self.database,
                parse=parse,
                owner=owner,
                clock=self.clock,
                tally=tally,
                anew=rule.adopted_at is not None and calendar != rule.calendar,
            )

    def _find(self, upstream: Upstream, rule: Rule, name: str) -> str:
        """Looks the remote calendar of a rule up.

        One that takes the place of another is noted only when everything in it was compared.
        """
        found = pick(upstream.calendars(), name).id
        if found == rule.calendar:
            return found
        with self.database.writing() as tx:
            self._refuse_a_second_rule(rules.every(tx), rule, found)
            if rule.adopted_at is None:
                rules.note_calendar(tx, rule.id, found)
        return found

    @staticmethod
    def _refuse_a_second_rule(every: Sequence[Rule], rule: Rule, calendar: str) -> None:
        """Passes where no other rule leads to the same remote calendar, under whatever name or address.

        Raises:
            ConfigurationError: One does, and one of both writes to what the other reads.
        """
        for other in every:
            if not other.active or other.id == rule.id or not calendar or other.calendar != calendar:
                continue
            only_read = not rule.pushes and not other.pushes
            if not only_read or other.collection_id == rule.collection_id:
                raise ConfigurationError(
                    f"The rules {other.key!r} and {rule.key!r} lead to the same remote calendar: "
                    "what one of them writes there, the other would take for new.",
                    remedy="Take one of them out of the configuration, or give it another calendar.",
                )


def pick(calendars: Sequence[RemoteCalendar], wanted: str) -> RemoteCalendar:
    """The calendar that a rule names by its id or name; the only or the main one where it names none, or `primary`.

    Raises:
        CalendarGone: There is none of this name, or there are several.
    """
    if not wanted or wanted == "primary":
        mains = [each for each in calendars if each.primary] or (list(calendars) if len(calendars) == 1 else [])
        found = mains[:1]
    else:
        found = [each for each in calendars if each.id == wanted] or [
            each for each in calendars if each.name == wanted or each.id.rstrip("/").endswith(f"/{wanted.strip('/')}")
        ]
    if len(found) == 1:
        return found[0]
    names = [each.name for each in calendars]
    if found:
        raise CalendarGone(
            f"There are {len(found)} remote calendars of the name {wanted!r}.",
            remedy=f"Write the id of one of them: {', '.join(each.id for each in found)}.",
        )
    near = get_close_matches(wanted, names, 1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise CalendarGone(
        f"There is no remote calendar {wanted!r}."
        if wanted
        else "The rule does not say which remote calendar it means.",
        remedy=f"{meant}`calbridge calendars` lists those that there are ({', '.join(names) or 'none'}).",
    )
