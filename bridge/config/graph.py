"""Rules and feeds lead appointments from calendar to calendar; a way that meets itself is refused before it is used.

Two rules that meet at one remote calendar would undo or double what the other does; a circle through this very server
would carry each appointment round for ever. What cannot be seen from the file alone, such as an address elsewhere that
shows what another rule writes, is recognised by the marks that rules leave on what they write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from bridge.config.connections import ConnectionType
from bridge.config.problems import Problem
from bridge.config.remote_urls import Spot, is_mail, spot_of
from bridge.config.targets import account_of, calendar_of, user_of
from bridge.core.decision import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.config.model import Document
    from bridge.config.rules import Rule
    from bridge.config.server import Server
    from bridge.config.tree import Node

_MAIN = "primary"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- compared with, not listened on
_FEED = re.compile(r"/feed/[^/]+/([^/]+)\.ics")
_CALENDAR = re.compile(r"(?:/dav/[^/]+/)?([A-Za-z0-9_-]+)[./]([A-Za-z0-9_-]+)")


_BOTH, _PUSH, _PULL = Direction.BOTH, Direction.PUSH, Direction.PULL
_STRENGTH = (_BOTH, _PUSH, _PULL)
_UNDO = "and each rule would undo what the other writes"
_SAME, _APART = True, False
_WOULD = {
    (_BOTH, _BOTH, _SAME): f"each appointment would be written twice, {_UNDO}",
    (_BOTH, _BOTH, _APART): f"the appointments of {{one}} and {{other}} would flow into each other, {_UNDO}",
    (_BOTH, _PUSH, _SAME): f"that rule and this one would both write what {{one}} holds, {_UNDO}",
    (_BOTH, _PUSH, _APART): (
        "what {other} writes there would flow into {one}, and what {one} changes or deletes of it {other} would restore"
    ),
    (_BOTH, _PULL, _SAME): f"that rule and this one would both write into {{one}}, {_UNDO}",
    (_BOTH, _PULL, _APART): "what {one} writes there would flow on into {other}",
    (_PUSH, _PUSH, _SAME): f"each appointment of {{one}} would be written there twice, {_UNDO}",
    (_PUSH, _PUSH, _APART): f"what {{one}} and {{other}} share would be written there twice, {_UNDO}",
    (_PUSH, _PULL, _SAME): "what {one} writes there would come back into it; `direction: both` goes both ways",
    (_PUSH, _PULL, _APART): "what {one} writes there would flow on into {other}",
    (_PULL, _PULL, _SAME): (
        "each appointment there would be taken into {one} twice, and what one rule removes the other would bring back"
    ),
    (_PULL, _PULL, _APART): "",
}
"""What two rules on one remote calendar would do, by their directions and whether they are for one resource."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A rule that leads what one of our resources holds into another one, through this very server.

    Attributes:
        source: The resource, as ACCOUNT/RESOURCE.
        target: The resource that it leads into.
        rule: The name of the rule.
        feed: The name of the feed that it reads; "" where it goes through CalDAV.
    """

    source: str
    target: str
    rule: str
    feed: str = ""


def contradictions(tree: Node, document: Document) -> Iterator[Problem]:
    """The rules that would work against another rule, or in a circle, each with what would happen.

    Args:
        tree: Gives the lines.
        document: A file in which every name that is used exists.
    """
    lines = _Lines(tree)
    yield from _meetings(document, lines)
    yield from _circles(document, lines)


class _Lines:
    """Names a rule or a feed together with its line."""

    def __init__(self, tree: Node) -> None:
        self._tree = tree

    def problem(self, rule: str, sentence: str) -> Problem:
        return Problem(self._tree.at(("rules", rule)).line, ("rules", rule), advice=sentence)

    def named(self, section: str, name: str) -> str:
        return f"{section}.{name} (line {self._tree.at((section, name)).line})"


def _meetings(document: Document, lines: _Lines) -> Iterator[Problem]:
    """The pairs of rules that name one remote calendar and get in each other's way."""
    meeting: dict[object, list[str]] = {}
    for name, rule in document.rules.items():
        meeting.setdefault(_remote_calendar(document, rule), []).append(name)
    for names in meeting.values():
        for first, second in combinations(names, 2):
            would = _would(document.rules[first], document.rules[second])
            if would:
                sentence = f"the same remote calendar as in {lines.named('rules', first)}: {would}"
                yield lines.problem(second, sentence)


def _remote_calendar(document: Document, rule: Rule) -> object:
    connection = document.connections[rule.connection]
    if connection.type is ConnectionType.ICS:
        return spot_of(connection.url)
    calendar = calendar_of(connection, rule.calendar)
    if connection.type is ConnectionType.GOOGLE:
        return _google_calendar(account_of(rule.connection, connection), str(calendar))
    return calendar if isinstance(calendar, Spot) else (spot_of(connection.url), user_of(connection), calendar)


def _google_calendar(account: str, calendar: str) -> tuple[str, ...]:
    """A calendar as far as the file tells: an id is one calendar whoever asks, and the main one's is the address."""
    named = account if calendar.casefold() == _MAIN and "@" in account else calendar
    return ("google", named.casefold()) if "@" in named else ("google", account, named)


def _would(first: Rule, second: Rule) -> str:
    """What would happen if both rules were kept; "" where they do not get in each other's way."""
    one, other = sorted((first, second), key=lambda rule: _STRENGTH.index(rule.direction))
    same = one.resource == other.resource
    told = _WOULD[one.direction, other.direction, same]
    remedy = "one rule is enough" if same else "a remote calendar for each rule keeps them apart"
    return told and f"{told.format(one=one.resource, other=other.resource)}; {remedy}"


def _circles(document: Document, lines: _Lines) -> Iterator[Problem]:
    """The rules that lead appointments of this server back to where they came from."""
    bases = _our_addresses(document.server)
    taken: list[_Way] = []
    for name in document.rules:
        for way in _ways(document, name, bases):
            back = _path(taken, way.target, way.source)
            if back is not None:
                yield lines.problem(name, _circle(way, back, lines))
                break
            taken.append(way)


def _our_addresses(server: Server) -> tuple[Spot, ...]:
    """Where this server can be reached, as far as the file tells."""
    host, scheme = server.listen.host, "https" if server.tls else "http"
    hosts = _LOOPBACK if host in {*_LOOPBACK, *_EVERYWHERE} else (host,)
    listening = [
        spot_of(f"{scheme}://{f'[{each}]' if ':' in each else each}:{server.listen.port}{server.path_prefix}")
        for each in hosts
    ]
    return (*listening, *([spot_of(server.public_url)] if server.public_url else ()))


def _ways(document: Document, name: str, bases: Sequence[Spot]) -> Iterator[_Way]:
    """The ways through this very server that the rule `name` opens."""
    rule = document.rules[name]
    here = str(rule.resource)
    feed = _feed_that_is_read(document, rule, bases)
    if feed:
        of = str(document.feeds[feed].of)
        shown = [each for each in _resources(document) if each == of or each.startswith(f"{of}/")]
        # Where it shows the resource itself, that is the fault to tell.
        yield from (_Way(source, here, name, feed) for source in sorted(shown, key=lambda each: each != here))
    for other in sorted(_resources_that_are_reached(document, rule, bases)):
        if rule.direction.pulls:
            yield _Way(other, here, name)
        if rule.direction.pushes:
            yield _Way(here, other, name)


def _feed_that_is_read(document: Document, rule: Rule, bases: Iterable[Spot]) -> str:
    """The name of the feed of this very server that the rule pulls from; "" where it is none."""
    spot = spot_of(document.connections[rule.connection].url)
    found = (_FEED.fullmatch(spot.path.removeprefix(base.path)) for base in bases if spot.within(base))
    return next((each[1] for each in found if each and each[1] in document.feeds), "")


def _resources_that_are_reached(document: Document, rule: Rule, bases: Iterable[Spot]) -> set[str]:
    """The resources of this very server whose calendar the rule takes for a remote one."""
    connection = document.connections[rule.connection]
    if connection.type is ConnectionType.GOOGLE:
        return set()
    spot = spot_of(connection.url)
    if connection.type is ConnectionType.ICS:
        calendar: Spot | str = spot
    else:
        calendar = calendar_of(connection, rule.calendar)
    # The domain of a mail address need not be where its calendars are.
    reached = [] if is_mail(connection.url) else [base for base in bases if _leads_to(spot, base)]
    names = {calendar.path.removeprefix(base.path) if isinstance(calendar, Spot) else calendar for base in reached}
    return {resource for each in names for resource in _meant(document, each)}


def _leads_to(spot: Spot, base: Spot) -> bool:
    """Whether a connection to `spot` finds the server at `base`: it is there, or discovery leads on from the top."""
    return spot.within(base) or (spot.host == base.host and not spot.path)


def _resources(document: Document) -> list[str]:
    return [f"{account}/{key}" for account, each in document.accounts.items() for key in each.resources]


def _meant(document: Document, calendar: str) -> Iterator[str]:
    """The resources of this server that `calendar`, a path or a name, can stand for."""
    found = _CALENDAR.fullmatch(calendar)
    key = f"{found[1]}/{found[2]}" if found else ""
    for name in _resources(document):
        account, _, resource = name.partition("/")
        if name == key or document.accounts[account].resources[resource].name == calendar:
            yield name


def _path(ways: Sequence[_Way], source: str, target: str) -> tuple[_Way, ...] | None:
    """The ways that lead from `source` to `target`; none where they are one, None where there is no path."""
    paths: dict[str, tuple[_Way, ...]] = {source: ()}
    waiting = [source]
    for reached in waiting:
        for way in ways:
            if way.source == reached and way.target not in paths:
                paths[way.target] = (*paths[reached], way)
                waiting.append(way.target)
    return paths.get(target)


def _circle(way: _Way, back: Sequence[_Way], lines: _Lines) -> str:
    """What would happen to an appointment that goes `way` and then `back`."""
    feed = lines.named("feeds", way.feed) if way.feed else ""
    if not back:
        by = (
            f"it would take {feed} into {way.target}, which that feed shows"
            if feed
            else f"its remote calendar is {way.target} itself, on this very server"
        )
        return f"{by}: each appointment would come back as a new one, again and again"
    if {each.rule for each in back} == {way.rule}:
        return (
            f"its remote calendar is {way.target} of this very server, and it would lead there and back: each "
            "appointment would go round in a circle; `direction: push` or `direction: pull` leads one way"
        )
    steps = [
        f"{lines.named('rules', each.rule)} leads from {each.source} into {each.target}"
        + (f" by {lines.named('feeds', each.feed)}" if each.feed else "")
        for each in back
    ]
    return (
        f"it would lead from {way.source} into {way.target}{f' by {feed}' if feed else ''}, while "
        f"{' and '.join(steps)}: each appointment would go round in a circle, and what is deleted would come back"
    )
