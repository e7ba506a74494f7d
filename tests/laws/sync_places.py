"""Where appointments stand in the small world around the sync engine, and what somebody did to one there."""

from __future__ import annotations

from dataclasses import dataclass

UIDS = ("u", "v", "w")
RULES = {"af": ("anna", "full"), "aw": ("anna", "weak"), "rf": ("room", "next")}
"""Each rule with its resource and its remote calendar; `full` and `next` are calendars of one remote user."""

HERE = ("anna", "room")
THERE = ("full", "weak", "next")
PLACES = (*HERE, *THERE)
GROUPS = {"anna": "anna", "full": "anna", "weak": "anna", "room": "room", "next": "room"}


@dataclass(frozen=True)
class Deed:
    """What somebody did to an object since the last rest."""

    act: str
    place: str
    slot: str = ""
    word: str = ""
