"""Each pain names the piece of code that keeps it away, and what is in its place where the lesson was never learnt.

`test_pains_are_felt.py` puts that in, and expects the test of the pain to fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_Test = TypeVar("_Test", bound="Callable[..., None]")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A piece of code that keeps a pain away.

    Attributes:
        test: The test of the pain.
        place: The module of the code, a colon, and its name there.
        unlearnt: Given what stands there, gives what stands there where the lesson was not learnt.
    """

    test: Callable[..., None]
    place: str
    unlearnt: Callable[[Any], Any]

    def forget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Switches the lesson off."""
        module, _, name = self.place.partition(":")
        *holders, last = name.split(".")
        holder: Any = import_module(module)
        for each in holders:
            holder = getattr(holder, each)
        monkeypatch.setattr(holder, last, self.unlearnt(getattr(holder, last)))


LESSONS: list[Lesson] = []
"""All lessons of the modules that were imported so far."""


def kept_away_by(place: str, unlearnt: Callable[[Any], Any]) -> Callable[[_Test], _Test]:
    """Says which piece of code a test of a pain depends on.

    Args:
        place: The module of the code, a colon, and its name there.
        unlearnt: Given what stands there, gives what stands there where the lesson was not learnt.
    """

    def noted(test: _Test) -> _Test:
        LESSONS.append(Lesson(test, place, unlearnt))
        return test

    return noted


def always(value: Any) -> Callable[[Any], Any]:
    """A function that answers everything with `value`, in place of what stands there."""
    return lambda _: lambda *_, **__: value


def instead(value: Any) -> Callable[[Any], Any]:
    """`value`, in place of what stands there."""
    return lambda _: value
