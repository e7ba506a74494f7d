"""What `doctor` finds: one fact each, whether it is well, and what to do where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the installation.

    Attributes:
        check: What was looked at, in one or two words.
        state: How bad it is.
        sentence: What was found.
        remedy: What to do; empty where all is well.
    """

    check: str
    state: State
    sentence: str
    remedy: str = ""


def ok(check: str, sentence: str) -> Finding:
    """A finding that all is well."""
    return Finding(check, State.OK, sentence)


def warn(check: str, sentence: str, remedy: str) -> Finding:
    """A finding that should be looked at."""
    return Finding(check, State.WARN, sentence, remedy)


def bad(check: str, sentence: str, remedy: str) -> Finding:
    """A finding that keeps something from working, or puts appointments at risk."""
    return Finding(check, State.BAD, sentence, remedy)
