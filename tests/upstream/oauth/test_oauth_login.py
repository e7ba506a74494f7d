from __future__ import annotations

import inspect
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bridge.errors import (
    CalbridgeError,
    LoginRefused,
    StoreError,
    StoreUnavailable,
    Throttled,
    UpstreamUnavailable,
)
from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.consent import parameters_of
from bridge.upstream.oauth.flight import SingleFlight
from bridge.upstream.oauth.google import SCOPES
from tests.fakes.faults import drop_after, method, status
from tests.upstream.oauth.agreeing import REDIRECT, agree, office

EVENTS, LIST = SCOPES


def test_a_token_is_asked_for_again_only_when_it_is_about_to_end() -> None:
    with office() as here:
        login = here.connect()
        first = login.access_token()
        here.clock.go_on(minutes=50)
        assert login.access_token() == first
        here.clock.go_on(minutes=6)
        second = login.access_token()
        assert second != first
        assert here.lets_in(second)
        assert here.google.grants.refreshes == 1


def test_eight_threads_that_find_the_token_over_cause_one_renewal() -> None:
    with office(rotates=True) as here, ThreadPoolExecutor(8) as pool:
        login = here.connect()
        here.clock.go_on(hours=2)
        together = threading.Barrier(8)

        def ask(_: int) -> str:
            together.wait(10)
            return login.access_token()

        tokens = set(pool.map(ask, range(8)))
        assert len(tokens) == 1
        assert here.lets_in(tokens.pop())
        assert here.google.grants.refreshes == 1


def test_two_processes_that_find_the_token_over_cause_one_renewal() -> None:
    with office(rotates=True) as here, ThreadPoolExecutor(8) as pool:
        here.connect()
        here.clock.go_on(hours=2)
        logins = [here.login() for _ in range(8)]
        together = threading.Barrier(8)

        def ask(number: int) -> str:
            together.wait(10)
            return logins[number].access_token()

        assert len(set(pool.map(ask, range(8)))) == 1
        assert here.google.grants.refreshes == 1


def test_threads_that_waited_for_a_renewal_that_failed_do_not_each_try_it_again() -> None:
    flight = SingleFlight()
    lines, first = inspect.getsourcelines(SingleFlight.run)
    waits_at = first + next(n for n, line in enumerate(lines) if "with self._lock" in line)
    tried: list[str] = []
    threads: list[threading.Thread] = []
    errors: list[CalbridgeError] = []

    def waiting() -> int:
        frames = sys._current_frames()  # noqa: SLF001 -- the only way to see who waits
        tops = [frames[each.ident] for each in threads if each.ident in frames]
        return sum(top.f_code is SingleFlight.run.__code__ and top.f_lineno == waits_at for top in tops)

    def fails() -> str:
        tried.append("x")
        while waiting() < 7:
            threading.Event().wait(0.001)
        raise UpstreamUnavailable("No network.", remedy="Wait.")

    def ask() -> None:
        with pytest.raises(UpstreamUnavailable) as caught:
            flight.run(fails)
        errors.append(caught.value)

    threads += [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert tried == ["x"]
    assert [(each.message, each.remedy) for each in errors] == [("No network.", "Wait.")] * 8
    assert len({id(each) for each in errors}) == 8
    assert flight.run(lambda: "later") == "later"


def test_a_token_that_the_provider_refuses_early_is_renewed_once_for_everybody_who_held_it() -> None:
    with office() as here:
        login, other = here.connect(), here.login()
        refused = login.access_token()
        renewed = login.refused(refused)
        assert renewed != refused
        assert other.refused(refused) == renewed
        assert login.refused(refused) == renewed
        assert here.google.grants.refreshes == 1


def test_a_login_sees_at_once_that_somebody_has_connected_anew() -> None:
    with office() as here:
        login = here.connect()
        before = login.access_token()
        here.connect()
        assert login.access_token() != before


def test_nobody_has_connected_yet() -> None:
    with office() as here, pytest.raises(LoginRefused, match="Nobody has connected 'anna-google'") as caught:
        here.login().access_token()
    assert "calbridge connect anna-google" in caught.value.remedy


def test_a_rotated_token_is_kept_before_anybody_uses_what_came_with_it() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        old = here.keeper.kept[-1].refresh
        here.clock.go_on(hours=2)
        token = login.access_token()
        assert here.keeper.kept[-1].access == token
        assert here.keeper.kept[-1].refresh != old
        here.clock.go_on(hours=2)
        assert here.lets_in(here.login().access_token())


def test_a_keeper_that_fails_for_a_moment_costs_nothing() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.keeper.fails = [None, StoreUnavailable("Locked."), StoreUnavailable("Locked.")]
        token = login.access_token()
        assert here.lets_in(token)
        assert here.keeper.kept[-1].access == token
        assert here.pauses == sorted(here.pauses)
        assert len(here.pauses) == 2


def test_what_cannot_be_kept_is_not_used_and_is_kept_as_soon_as_it_can_be() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        before = here.keeper.kept[-1]
        here.clock.go_on(hours=2)
        here.keeper.fails = [None, *[StoreError("The disk is full.")] * 12]
        with pytest.raises(StoreError, match="disk is full"):
            login.access_token()
        with pytest.raises(StoreError, match="disk is full"):
            login.access_token()
        assert here.keeper.read() is not None
        assert here.keeper.kept[-1].access == before.access
        assert here.google.grants.refreshes == 1
        token = login.access_token()
        assert here.lets_in(token)
        assert here.keeper.kept[-1].access == token
        assert here.google.grants.refreshes == 1, "the old refresh token was used though it was known to be replaced"


def test_what_could_not_be_kept_gives_way_to_what_a_person_granted_meanwhile() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.keeper.fails = [None, *[StoreError("The disk is full.")] * 6]
        with pytest.raises(StoreError):
            login.access_token()
        here.google.grants.revoke_user("anna@example.org")
        here.connect()
        granted = here.keeper.kept[-1]
        assert login.access_token() == granted.access
        here.clock.go_on(hours=2)
        assert here.lets_in(login.access_token())


def test_a_renewal_is_not_begun_where_it_could_not_be_noted() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.keeper.fails = [StoreUnavailable("Locked.")]
        with pytest.raises(StoreUnavailable):
            login.access_token()
        assert here.google.grants.refreshes == 0
        assert here.lets_in(login.access_token())


def test_a_scope_that_the_provider_took_away_is_named_and_what_it_gave_is_kept_all_the_same() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        for grant in here.google.grants.refresh.values():
            grant.scopes = (EVENTS,)
        here.clock.go_on(hours=2)
        for _ in range(2):
            with pytest.raises(LoginRefused, match="See the list of Google calendars") as caught:
                login.access_token()
            assert "tick this box" in caught.value.remedy
        assert here.keeper.kept[-1].scopes == {EVENTS}
        assert here.google.grants.refreshes == 1


def test_a_grant_that_lacks_a_scope_which_is_needed_now_asks_for_a_new_consent() -> None:
    with office() as here:
        login = here.connect()
        here.provider = replace(here.provider, scopes={**SCOPES, "https://example.org/auth/rooms": "See rooms"})
        assert login.access_token()
        with pytest.raises(LoginRefused, match='lacks "See rooms"'):
            here.login().access_token()


def test_a_clock_that_is_set_back_by_a_day_does_not_stretch_the_life_of_a_token() -> None:
    with office() as here:
        login = here.connect()
        first = login.access_token()
        here.clock.go_on(days=-1)
        second = login.access_token()
        assert second != first
        assert login.access_token() == second


def test_a_clock_that_leaps_ahead_and_is_set_right_again_costs_two_renewals() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(days=5)
        login.access_token()
        here.clock.go_on(days=-5)
        token = login.access_token()
        assert here.lets_in(token)
        assert here.google.grants.refreshes == 2


def test_a_network_that_is_down_is_no_refusal_of_the_login() -> None:
    with office() as here:
        login = here.connect()
        provider = here.provider
        here.clock.go_on(hours=2)
        here.provider = replace(provider, token_url="http://127.0.0.1:9/token")
        with pytest.raises(UpstreamUnavailable, match="takes no connections"):
            here.login().access_token()
        assert here.lets_in(login.access_token())


def test_an_answer_that_is_lost_costs_nothing_where_tokens_are_not_rotated() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(drop_after(), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            login.access_token()
        assert here.lets_in(login.access_token())


def test_an_answer_that_is_lost_with_a_rotated_token_is_said_to_be_the_cause() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        login.access_token()
        here.clock.go_on(hours=2)
        here.proxy.script(drop_after(), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            login.access_token()
        here.clock.go_on(minutes=5)
        with pytest.raises(LoginRefused, match=r"began on 2026-11-02 at 13:00 UTC was broken off") as caught:
            login.access_token()
        assert "calbridge connect anna-google" in caught.value.remedy
        assert here.lets_in(here.connect().access_token())


def test_a_provider_that_asks_to_wait_is_left_alone_for_as_long_as_it_says() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(429, b"{}", Retry_After="120"), when=method("POST"))
        with pytest.raises(Throttled) as caught:
            login.access_token()
        assert caught.value.after is not None
        assert caught.value.after.total_seconds() == 120


def test_revoking_ends_the_grant_there_and_forgets_it_here() -> None:
    with office() as here:
        login = here.connect()
        token = login.access_token()
        login.revoke()
        assert not here.lets_in(token)
        assert here.keeper.text is None
        login.revoke()
        with pytest.raises(LoginRefused, match="Nobody has connected"):
            login.access_token()


def test_a_grant_that_has_ended_already_can_still_be_forgotten() -> None:
    with office() as here:
        login = here.connect()
        here.google.grants.revoke_user("anna@example.org")
        login.revoke()
        assert here.keeper.text is None


def test_a_grant_stays_known_where_the_provider_cannot_be_told_of_its_end() -> None:
    with office() as here:
        login = here.connect()
        here.proxy.script(status(503), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            login.revoke()
        assert here.lets_in(login.access_token())
        login.revoke()
        assert here.keeper.text is None


def test_a_client_that_was_deleted_meanwhile_is_named() -> None:
    with office() as here:
        login = here.connect()
        here.registered.deleted = True
        here.clock.go_on(hours=2)
        with pytest.raises(LoginRefused, match=f"{here.registered.id} was deleted"):
            login.access_token()


def test_a_client_whose_secret_was_changed_meanwhile_is_told_to_fetch_its_file() -> None:
    with office() as here:
        here.connect()
        here.clock.go_on(hours=2)
        old = here.registered.secret
        login = here.login()
        here.registered.secret = "GOCSPX-new"
        with pytest.raises(LoginRefused, match="secret is not the right one") as caught:
            login.access_token()
        assert old not in str(caught.value)


def test_a_reconnect_replaces_a_grant_that_had_ended() -> None:
    with office() as here:
        login = here.connect()
        here.google.grants.revoke_user("anna@example.org")
        here.clock.go_on(hours=2)
        with pytest.raises(LoginRefused):
            login.access_token()
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        here.login().keep(consent.finish(parameters_of(agree(begun)), begun))
        assert here.lets_in(login.access_token())


def test_a_client_shows_its_id_and_never_its_secret() -> None:
    assert repr(Client(id="name", secret="hidden")) == "Client(id='name', redirects=())"
