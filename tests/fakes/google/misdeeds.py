"""What a test has the fake do wrong, once or as often as it says, where the proxy of `tests.fakes.faults` cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.google.exchange import Answered, Asked
from tests.fakes.google.refusal import Refused
from tests.fakes.google.transport import Lost

if TYPE_CHECKING:
    from collections.abc import Callable

    Go = Callable[[Asked], Answered]
    Misdeed = Callable[[Asked, Go], Answered]
    Condition = Callable[[Asked], bool]


def refuse(reason: str, message: str = "") -> Misdeed:
    """Refuses in place of doing what is asked, as Google words it."""

    def done(_asked: Asked, _go: Go) -> Answered:
        refused = Refused(reason, message)
        return Answered(refused.status, {"Content-Type": "application/json; charset=UTF-8"}, refused.body())

    return done


def lose_answer() -> Misdeed:
    """Does what is asked, and ends the connection."""

    def done(asked: Asked, go: Go) -> Answered:
        go(asked)
        raise Lost

    return done


def lose_request() -> Misdeed:
    """Ends the connection before anything is done."""

    def done(_asked: Asked, _go: Go) -> Answered:
        raise Lost

    return done


def first(what: Callable[[], object]) -> Misdeed:
    """Does something else before: what another person does just in time."""

    def done(asked: Asked, go: Go) -> Answered:
        what()
        return go(asked)

    return done


def after(what: Callable[[], object]) -> Misdeed:
    """Does something else before the answer is out."""

    def done(asked: Asked, go: Go) -> Answered:
        answered = go(asked)
        what()
        return answered

    return done


def call_of(method: str, part: str = "") -> Callable[[Asked], bool]:
    """Whether a request is of this HTTP method, and has this in its path."""
    return lambda asked: asked.method == method and part in asked.path
