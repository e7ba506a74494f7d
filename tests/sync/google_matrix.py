"""The series matrix, end to end: what people do to each series here and at Google, and what is known to be different.

`test_google_series.py` does it all, and holds what is said here; `docs/generate.py` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sync import series_by_hand as by_hand
from tests.sync.series_by_hand import Person
from tests.upstream.google.google_series import MATRIX, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bridge.core.model import CalendarObject
    from tests.upstream.google.google_series import Series

HERE: Mapping[str, Callable[[CalendarObject], CalendarObject]] = {
    "title": by_hand.retitled,
    "one moved": by_hand.with_one_moved,
    "one cancelled": by_hand.with_one_cancelled,
    "all moved": by_hand.shifted,
}
"""What is done in a calendar program, one after the other."""

THERE: Mapping[str, Callable[[Person], None]] = {
    "title": Person.retitle,
    "one moved": Person.move_one,
    "one cancelled": Person.cancel_one,
    "all moved": Person.shift,
    "this and following moved": Person.shift_following,
}
"""What is done at Google's page, one after the other."""

ONLY_ONE = frozenset({"whose rule never comes"})
"""Series of one instance: with it they would be gone altogether."""

OF_MANY = frozenset({"one cancelled", "this and following moved"})
"""What is done only to series of several instances."""

REWRITTEN: Mapping[str, tuple[frozenset[str], str]] = {
    "in a zone under a name of its own, with a clock that has a name": (
        frozenset({"when"}),
        "the same times, the zone under the name that everybody knows",
    ),
    "an instance tentative, private and free": (
        frozenset({"SUMMARY", "CLASS"}),
        "the private instance as a busy block",
    ),
}
"""What another bridge reads in other words: the properties, and what a person is told."""

NARROW: Mapping[str, str] = {"past": "30d", "future": "1y"}
"""The window of the rule for series that reach out of one."""

_HEAD = """\
# Series at Google

How each kind of series is kept in a Google calendar. Every line was put here, read at Google and by a second server
there, and then edited step by step on either side; after each step all three show the same instances at the same times
under the same titles. The tests do this with every change of the code.

*native*: Google holds it as it is. *emulated*: something else stands there that looks the same, and here it stays what
it was. *refused*: it is not sent, and `calbridge parked list` says why.
"""


def window_of(series: Series) -> Mapping[str, str]:
    """The window of the rule under which a series is tried."""
    return NARROW if "window" in series.name else {"past": "all", "future": "all"}


def steps_of(series: Series, steps: Mapping[str, object]) -> list[str]:
    """The names of the steps that can be done to a series."""
    return [name for name in steps if series.name not in ONLY_ONE or name not in OF_MANY]


def page() -> str:
    """The matrix as a page of Markdown."""
    found = [judged(series).verdict for series in MATRIX]
    told = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in ("native", "emulated", "refused"))
    columns = ("series", "at Google", "there and back", "edits here arrive there", "edits there arrive here")
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    rows = "".join(f"| {' | '.join(_row(series))} |\n" for series in MATRIX)
    return f"{_HEAD}\n{len(MATRIX)} series: {told}.\n\n{head}{rows}"


def _row(series: Series) -> Iterator[str]:
    yield series.name
    found = judged(series)
    yield found.verdict if not found.why else f"{found.verdict}: {' '.join(found.why)}"
    if found.verdict == "refused":
        yield from ("-", "-", "-")
        return
    yield REWRITTEN[series.name][1] if series.name in REWRITTEN else "unchanged"
    yield ", ".join(steps_of(series, HERE))
    yield ", ".join(steps_of(series, THERE))
