"""A problem names the line, the setting, what was found, what is allowed, and what may have been meant."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.config.words import quote

Place = tuple[str | int, ...]
"""The keys (and places in lists) that lead to a setting."""

MISSING = "nothing"
"""What is found where a setting is needed and absent."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a configuration file.

    Attributes:
        line: The line, counted from 1; 0 when the file as a whole is meant.
        place: The setting.
        found: What was found, in words.
        allowed: What the setting takes, in words; may be empty.
        suggestion: What may have been meant; may be empty.
        advice: A sentence of its own, where the setting is right but something else is missing; may be empty.
    """

    line: int
    place: Place
    found: str = ""
    allowed: str = ""
    suggestion: str = ""
    advice: str = ""

    def sentence(self, file: str) -> str:
        """The line that a person reads, and that an editor can jump to."""
        where = f"{file}:{self.line}" if self.line else file
        parts = [
            f"found {self.found}" if self.found else "",
            f"allowed: {self.allowed}" if self.allowed else "",
            f"did you mean {quote(self.suggestion)}?" if self.suggestion else "",
            self.advice,
        ]
        setting = [write_place(self.place)] if self.place else []
        return ": ".join([where, *setting, "; ".join(part for part in parts if part)])


def write_place(place: Place) -> str:
    """The setting as a person writes it: accounts.salon.name; a key with a dot or a blank stands in quotes."""

    def step(key: str | int) -> str:
        if isinstance(key, int):
            return str(key + 1)
        return quote(key) if not key or "." in key or " " in key or not key.isprintable() else key

    return ".".join(step(key) for key in place)
