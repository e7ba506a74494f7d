"""Which calendar goes with which resource, under which name: chosen from lists, or said by options."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bridge.cli import screen
from bridge.config import rule_target
from bridge.config.words import nearest
from bridge.errors import Conflict, NotFound
from bridge.store import rule as rules
from bridge.sync.assigning import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.bootstrap import Site
    from bridge.upstream.protocol import RemoteCalendar

_MAIN = "primary"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person said with options; None where nothing was said.

    Attributes:
        calendar: Name or id of the remote calendar.
        resource: ACCOUNT/RESOURCE.
        rule: What the rule is to be called.
        yes: Whether everything else is agreed to.
        asks: Whether somebody sits at a terminal and can be asked.
    """

    calendar: str | None
    resource: str | None
    rule: str | None
    yes: bool
    asks: bool

    @property
    def given(self) -> bool:
        """Whether an option says that a rule is wanted."""
        return any(each is not None for each in (self.calendar, self.resource, self.rule))


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule that is wanted.

    Attributes:
        rule: What it is called.
        settings: What it says, as in the file.
        calendar: The remote calendar.
    """

    rule: str
    settings: Mapping[str, str]
    calendar: RemoteCalendar


def somebody_asks() -> bool:
    """Whether somebody sits at the terminal and can be asked."""
    return sys.stdin.isatty()


def users_of(site: Site) -> dict[str, str]:
    """Which remote calendars rules lead to already: the name of the rule, by the id of the calendar."""
    with site.database.reading() as tx:
        return {each.calendar: each.key for each in rules.every(tx) if each.active and each.calendar}


def choose(site: Site, connection: str, calendars: Sequence[RemoteCalendar], answers: Answers) -> Choice | None:
    """The rule that is wanted; None where the person wants none.

    Args:
        site: The installation.
        connection: The key of the connection.
        calendars: Those that it reaches.
        answers: What was said already.

    Raises:
        CalendarGone: There is no such calendar.
        NotFound: There is no such resource.
        Conflict: A rule leads to that calendar already.
        click.UsageError: Something was not said, and nobody can be asked.
    """
    calendar = _calendar(site, calendars, answers)
    if calendar is None:
        return None
    resource = _resource(site, answers)
    settings = {"resource": resource, "connection": connection}
    if calendar.id:
        settings["calendar"] = name_of(calendar, calendars)
        if not calendar.writable:
            settings["direction"] = "pull"
    return Choice(_rule(site, connection, resource, settings, answers), settings, calendar)


def name_of(calendar: RemoteCalendar, calendars: Sequence[RemoteCalendar]) -> str:
    """How a rule names `calendar`: `primary`, its name where no other has it, else its id."""
    if calendar.primary:
        return _MAIN
    names = [each.name for each in calendars]
    usable = calendar.name != _MAIN and calendar.name.strip() == calendar.name and calendar.name.isprintable()
    return calendar.name if usable and names.count(calendar.name) == 1 else calendar.id


def check_unused(site: Site, choice: Choice) -> None:
    """Passes where no other rule leads to the calendar.

    Raises:
        Conflict: One does.
    """
    used = users_of(site).get(choice.calendar.id) if choice.calendar.id else None
    if used is not None:
        raise Conflict(
            f"The rule {used!r} keeps the calendar {choice.calendar.name!r} already.",
            remedy="Choose another calendar, or take that rule out of the configuration first.",
        )


def is_there(site: Site, choice: Choice) -> bool:
    """Whether the configuration has this very rule already, whatever its options are.

    Raises:
        Conflict: It has another one of this name.
    """
    known = site.configuration.rules.get(choice.rule)
    if known is None:
        return False
    said = (str(known.resource), known.connection, known.calendar)
    wanted = tuple(choice.settings.get(each, "") for each in ("resource", "connection", "calendar"))
    if said == wanted:
        return True
    raise Conflict(
        f"There is a rule {choice.rule!r} already, for {rule_target(site.configuration, choice.rule)}.",
        remedy="Give the new one another name with --rule.",
    )


def _calendar(site: Site, calendars: Sequence[RemoteCalendar], answers: Answers) -> RemoteCalendar | None:
    if answers.calendar is not None or not calendars:
        return pick(calendars, answers.calendar or _MAIN)
    if not answers.asks:
        if len(calendars) == 1:
            return calendars[0]
        raise click.UsageError("Say with --calendar which of the calendars is meant.")
    used = users_of(site)
    preset = next((at for at, each in enumerate(calendars, start=1) if each.primary and each.id not in used), None)
    while number := _number("Which calendar (0 for none)", len(calendars), preset=preset):
        chosen = calendars[number - 1]
        if chosen.id not in used:
            return chosen
        click.echo(f"The rule {used[chosen.id]!r} keeps {chosen.name!r} already. Choose another one.", err=True)
    return None


def _resource(site: Site, answers: Answers) -> str:
    names = [f"{account}/{key}" for account, key, _ in site.configuration.resources()]
    if answers.resource is not None:
        if answers.resource not in names:
            meant = nearest(answers.resource, names)
            remedy = f"Did you mean {meant!r}?" if meant else f"There are {', '.join(names)}."
            raise NotFound(f"There is no resource {answers.resource!r}.", remedy=remedy)
        return answers.resource
    if not names:
        raise NotFound("The configuration has no resource yet.", remedy="Write one under `accounts`.")
    if len(names) == 1:
        return names[0]
    if not answers.asks:
        raise click.UsageError("Say with --resource whose calendar it is.")
    shown = [(name, each) for name, (_, _, each) in zip(names, site.configuration.resources(), strict=True)]
    screen.say()
    screen.table(
        ("NO", "RESOURCE", "NAME", "KIND"),
        [(str(at), name, each.name, str(each.kind)) for at, (name, each) in enumerate(shown, start=1)],
    )
    return names[_number("Whose calendar is it", len(names), least=1) - 1]


def _rule(site: Site, connection: str, resource: str, settings: Mapping[str, str], answers: Answers) -> str:
    if answers.rule is not None:
        return answers.rule
    preset = _preset(site, connection, resource, settings)
    if not answers.asks or answers.yes:
        return preset

    def unused(name: str) -> str:
        if name in site.configuration.rules:
            raise click.UsageError(f"There is a rule {name!r} already.")
        return name

    return str(click.prompt("What is the rule to be called", default=preset, value_proc=unused, err=True))


def _preset(site: Site, connection: str, resource: str, settings: Mapping[str, str]) -> str:
    """A name that says what it is about and is free, or that of the rule which says just this."""
    for key, rule in site.configuration.rules.items():
        if (str(rule.resource), rule.connection, rule.calendar) == (
            resource,
            connection,
            settings.get("calendar", ""),
        ):
            return key
    key = rule_name(connection, resource)
    numbered = (f"{key}-{number}" for number in range(2, len(site.configuration.rules) + 3))
    return next(name for name in (key, *numbered) if name not in site.configuration.rules)


def rule_name(connection: str, resource: str) -> str:
    """What a rule between the two is usually called."""
    key = resource.partition("/")[2]
    return connection if connection.startswith(key) else f"{key}-{connection}"


def _number(question: str, most: int, *, least: int = 0, preset: int | None = None) -> int:
    number: int = click.prompt(question, type=click.IntRange(least, most), default=preset, err=True)
    return number
