from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.errors import LoginRefused
from tests.upstream.oauth.agreeing import Office, office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bridge.upstream.answers import Answer
    from bridge.upstream.oauth.tokens import Tokens

FAR = 10_000


class Killed(BaseException):
    """The process ends here."""


class Process:
    """One run of the program, which ends before or after a step: a request, or a change of what is kept.

    Attributes:
        steps: How many moments there were at which it could have ended, and after what.
    """

    def __init__(self, here: Office, ends_at: int) -> None:
        self._here = here
        self._ends_at = ends_at
        self.steps: list[str] = []
        self.login = here.login(post=self.post, keeper=self)

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        self._moment("before a request")
        answer = self._here.post(url, form)
        self._moment("after a request")
        return answer

    def read(self) -> Tokens | None:
        return self._here.keeper.read()

    def keep(self, tokens: Tokens) -> None:
        self._moment("before something is kept")
        self._here.keeper.keep(tokens)
        self._moment("after something is kept")

    def forget(self) -> None:
        self._moment("before it is forgotten")
        self._here.keeper.forget()
        self._moment("after it is forgotten")

    @contextmanager
    def claimed(self) -> Iterator[None]:
        # Another process may begin when the claim of a dead one lapses; here it lapses at once.
        with self._here.keeper.claimed():
            yield

    def _moment(self, what: str) -> None:
        self.steps.append(what)
        if len(self.steps) > self._ends_at:
            raise Killed


def moments(deed: Callable[[Process], None], **client: bool) -> list[str]:
    """Where a deed can end, when it does not."""
    with office(**client) as here:
        begin(here)
        process = Process(here, FAR)
        deed(process)
        return process.steps


def begin(here: Office) -> None:
    """Anna has connected, and the program has run for a while."""
    here.connect()
    here.clock.go_on(hours=2)
    here.login().access_token()
    here.clock.go_on(hours=2)


def renew(process: Process) -> None:
    process.login.access_token()


def revoke(process: Process) -> None:
    process.login.revoke()


RENEWAL = [
    "before something is kept",
    "after something is kept",
    "before a request",
    "after a request",
    "before something is kept",
    "after something is kept",
]
REVOCATION = ["before a request", "after a request", "before it is forgotten", "after it is forgotten"]


@pytest.mark.parametrize("rotates", [False, True])
def test_these_are_all_the_moments_at_which_a_program_can_end(*, rotates: bool) -> None:
    assert moments(renew, rotates=rotates) == RENEWAL
    assert moments(revoke, rotates=rotates) == REVOCATION


@pytest.mark.parametrize("ends_at", range(len(RENEWAL)))
def test_a_program_that_ends_anywhere_in_a_renewal_is_logged_in_the_next_time(ends_at: int) -> None:
    with office() as here:
        begin(here)
        with pytest.raises(Killed):
            renew(Process(here, ends_at))
        assert here.lets_in(here.login().access_token())


@pytest.mark.parametrize("ends_at", range(len(RENEWAL)))
def test_where_tokens_are_rotated_it_is_logged_in_the_next_time_or_says_what_was_lost(ends_at: int) -> None:
    with office(rotates=True) as here:
        begin(here)
        with pytest.raises(Killed):
            renew(Process(here, ends_at))
        done = RENEWAL[: ends_at + 1]
        lost = "after a request" in done and done.count("after something is kept") == 1
        here.clock.go_on(minutes=1)
        if not lost:
            assert here.lets_in(here.login().access_token())
            return
        for _ in range(2):
            with pytest.raises(LoginRefused, match="began on 2026-11-02 at 13:00 UTC was broken off"):
                here.login().access_token()
        assert here.lets_in(here.connect().access_token())


@pytest.mark.parametrize("first", range(len(RENEWAL)))
@pytest.mark.parametrize("second", range(len(RENEWAL) - 2))
def test_a_program_that_ends_twice_in_a_row_is_logged_in_the_third_time(first: int, second: int) -> None:
    with office() as here:
        begin(here)
        for ends_at in (first, second):
            process = Process(here, ends_at)
            try:
                renew(process)
            except Killed:
                continue
        assert here.lets_in(here.login().access_token())


@pytest.mark.parametrize("ends_at", range(len(REVOCATION)))
def test_a_program_that_ends_anywhere_in_a_revocation_has_ended_the_grant_the_next_time(ends_at: int) -> None:
    with office() as here:
        begin(here)
        token = here.login().access_token()
        with pytest.raises(Killed):
            revoke(Process(here, ends_at))
        here.login().revoke()
        assert not here.lets_in(token)
        assert here.keeper.text is None
