"""What a connection leads to, as a person or a program is shown it, with what to write into the configuration next."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bridge.cli import screen
from bridge.cli.choosing import name_of, rule_name, users_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.bootstrap import Site
    from bridge.cli.reaching import Reached

_PLAIN_NAME = re.compile(r"[A-Za-z][\w-]*(?: [\w-]+)*")
_NOUNS = {"VEVENT": "event", "VTODO": "task", "VJOURNAL": "note"}


def reached_document(connection: str, reached: Reached) -> dict[str, object]:
    """What a connection leads to, for a program."""
    return {
        "connection": connection,
        "notes": list(reached.notes),
        "calendars": [
            {
                "id": each.id,
                "name": each.name,
                "writable": each.writable,
                "components": sorted(map(str, each.components)),
                "color": each.color or None,
                "primary": each.primary,
            }
            for each in reached.calendars
        ],
        **({} if reached.holds is None else {"holds": dict(reached.holds)}),
    }


def show_reached(site: Site, reached: Reached, *, numbered: bool = False) -> None:
    """Shows a person what a connection leads to.

    Args:
        site: The installation.
        reached: What it leads to.
        numbered: Whether one of the calendars is to be chosen by its number.
    """
    for note in reached.notes:
        screen.say(f"note: {note}")
    if reached.holds is not None:
        (only,) = reached.calendars
        counts = [
            f"{count} that cannot be read" if kind == "unreadable" else screen.plural(count, _NOUNS.get(kind, kind))
            for kind, count in reached.holds.items()
        ]
        screen.say(f"It is one calendar, {only.name!r}, which can only be read, and holds {_listed(counts)}.")
        return
    if not reached.calendars:
        screen.say("There is no calendar yet: make one there, with any calendar program.")
        return
    used = users_of(site)
    rows = [
        (
            str(number),
            each.name,
            ", ".join(sorted(_NOUNS.get(str(kind), str(kind)) + "s" for kind in each.components)),
            "changed" if each.writable else "only read",
            each.color,
            "yes" if each.primary else "",
            used.get(each.id, ""),
            each.id,
        )
        for number, each in enumerate(reached.calendars, start=1)
    ]
    head = ("NO", "NAME", "HOLDS", "MAY BE", "COLOUR", "MAIN", "RULE", "ID")
    first = 0 if numbered else 1
    screen.table(head[first:], [row[first:] for row in rows])


def next_steps(site: Site, connection: str, reached: Reached) -> list[str]:
    """What to write into the configuration, or who uses the connection already."""
    configuration = site.configuration
    using = [key for key, rule in configuration.rules.items() if rule.connection == connection]
    if using:
        names = ", ".join(f"rule {name!r}" for name in using)
        return [f"It is used by {names}: `calbridge status` shows how that is doing."]
    resource = next((f"{account}/{key}" for account, key, _ in configuration.resources()), "ACCOUNT/RESOURCE")
    if not reached.calendars:
        return []
    picked = next((each for each in reached.calendars if each.writable), reached.calendars[0])
    lines = [
        f"Next, `calbridge connect {connection}` on a terminal asks for calendar and resource, and makes the rule. Or",
        "write it into the configuration; `calbridge rule plan` shows what it will do:",
        "",
        "rules:",
        f"  {rule_name(connection, resource)}:",
        f"    resource: {resource}",
        f"    connection: {connection}",
    ]
    if picked.id:
        lines.append(f"    calendar: {_in_yaml(name_of(picked, reached.calendars))}")
    return lines


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(parts) if parts else "nothing at the moment"


def _in_yaml(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
