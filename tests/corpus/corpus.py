"""The corpus holds one folder for each oddity that a real producer sends: its bytes, and what is odd about them.

A folder is named for what is odd. `object.ics` is one calendar object exactly as the producer sends it;
`about.yaml` says who sends it, what is odd, why that matters, where it is described and, where times are in doubt,
at which instants its instances start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent
ACCOUNT_ZONE = ZoneInfo("Europe/Amsterdam")
"""What floating times, dates and unknown TZIDs of the corpus mean."""

_REQUIRED = frozenset({"producer", "odd", "why", "source"})
_OPTIONAL = frozenset({"instances", "repair"})


@dataclass(frozen=True, slots=True)
class Instances:
    """The instants at which the instances of an object start within [`begin`, `end`), all UTC, ascending."""

    begin: datetime
    end: datetime
    starts: tuple[datetime, ...]

    def __post_init__(self) -> None:
        for instant in (self.begin, self.end, *self.starts):
            if instant.utcoffset() is None or instant.utcoffset() != UTC.utcoffset(None):
                raise ValueError(f"{instant} is not in UTC")
        if not self.begin < self.end:
            raise ValueError(f"the window from {self.begin} to {self.end} holds nothing")
        if any(not self.begin <= instant < self.end for instant in self.starts):
            raise ValueError("a start lies outside the window")
        if list(self.starts) != sorted(self.starts):
            raise ValueError("the starts are not in order")


@dataclass(frozen=True, slots=True)
class About:
    """What `about.yaml` says of an oddity.

    Attributes:
        producer: The program that sends it.
        odd: One sentence: what is odd.
        why: One sentence: why it matters, or what went wrong elsewhere.
        source: Where it is described: an RFC section, public documentation or a public report.
        instances: When its instances start, where that is in doubt.
        repair: The name of the repair that makes it readable, where one is needed.
    """

    producer: str
    odd: str
    why: str
    source: str
    instances: Instances | None
    repair: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One oddity: the name of its folder, its bytes, and what is known of it."""

    name: str
    raw: bytes
    about: About


@lru_cache(maxsize=1)
def _read() -> tuple[Sample, ...]:
    return tuple(
        Sample(name=folder.name, raw=(folder / "object.ics").read_bytes(), about=_about(folder / "about.yaml"))
        for folder in sorted(FOLDER.iterdir())
        if folder.is_dir() and not folder.name.startswith(("_", "."))
    )


def samples() -> list[Sample]:
    """Lists every oddity, in the order of their names.

    Raises:
        ValueError: An `about.yaml` lacks a field, has one too many, or holds a value of the wrong form.
        FileNotFoundError: A folder lacks one of its two files.
    """
    return list(_read())


def _about(path: Path) -> About:
    fields: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    if not _REQUIRED <= set(fields) <= _REQUIRED | _OPTIONAL:
        raise ValueError(f"{path.parent.name}: about.yaml has the fields {sorted(fields)}")
    for name in (_REQUIRED | {"repair"}) & set(fields):
        if not isinstance(fields[name], str) or not fields[name].strip():
            raise ValueError(f"{path.parent.name}: '{name}' is not a text")
    window = fields.get("instances")
    return About(
        producer=fields["producer"],
        odd=fields["odd"],
        why=fields["why"],
        source=fields["source"],
        instances=None if window is None else _instances(window),
        repair=fields.get("repair"),
    )


def _instances(window: dict[str, Any]) -> Instances:
    return Instances(
        begin=datetime.fromisoformat(window["from"]),
        end=datetime.fromisoformat(window["to"]),
        starts=tuple(datetime.fromisoformat(start) for start in window["starts"]),
    )
