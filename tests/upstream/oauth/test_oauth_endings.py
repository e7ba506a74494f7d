from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import LoginRefused, Throttled, Turn, UpstreamError, UpstreamUnavailable
from bridge.upstream.oauth.provider import Cause, Deed
from tests.fakes.faults import method, status
from tests.upstream.oauth.agreeing import ANNA, Office, office


def refused(here: Office) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        here.login().access_token()
    assert caught.value.turn is Turn.PERSON
    assert "calbridge connect anna-google" in caught.value.remedy
    return caught.value


def run_until(here: Office, **by: float) -> None:
    """A server that asks every half hour, as one does that polls."""
    end = here.clock.time
    here.clock.go_on(**by)
    here.clock.time, end = end, here.clock.time
    login = here.login()
    while here.clock.time < end:
        here.clock.go_on(minutes=30)
        if here.clock.time < end:
            login.access_token()
    here.clock.time = end


def test_an_app_in_testing_ends_after_seven_days_and_the_remedy_is_to_publish_it() -> None:
    with office(testing=True) as here:
        here.connect()
        run_until(here, days=7, minutes=-1)
        here.clock.go_on(hours=1)
        error = refused(here)
        assert "granted on 2026-11-02 ended after 7 days" in error.message
        assert "'Testing'" in error.message
        assert "In production" in error.remedy


def test_an_app_in_testing_is_known_also_where_the_server_was_off_in_between() -> None:
    with office(testing=True) as here:
        here.connect()
        here.clock.go_on(days=30)
        assert "ended after 7 days" in refused(here).message


def test_a_grant_that_nobody_used_for_six_months_says_since_when() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(days=3)
        login.access_token()
        here.clock.go_on(days=190)
        error = refused(here)
        assert "has not been used since 2026-11-05" in error.message
        assert "six months" in error.message


def test_a_grant_that_was_revoked_in_its_first_days_says_so() -> None:
    with office() as here:
        here.connect()
        run_until(here, days=3)
        here.google.grants.revoke_user(ANNA)
        here.clock.go_on(hours=2)
        error = refused(here)
        assert "granted on 2026-11-02" in error.message
        assert "revoked it" in error.message
        assert "password" in error.message
        assert "7 days" not in error.message


def test_a_grant_that_outlived_its_first_week_was_not_ended_by_testing_mode() -> None:
    with office() as here:
        here.connect()
        here.clock.go_on(days=8)
        here.login().access_token()
        here.google.grants.revoke_user(ANNA)
        here.clock.go_on(hours=2)
        error = refused(here)
        assert "revoked it" in error.message
        assert "7 days" not in error.message


def test_a_provider_without_such_rules_blames_neither_a_week_nor_half_a_year() -> None:
    with office() as here:
        here.provider = replace(here.provider, trial=None, unused=None)
        here.connect()
        here.google.grants.revoke_user(ANNA)
        here.clock.go_on(days=400)
        assert "revoked it" in refused(here).message


def test_a_renewal_that_was_broken_off_before_is_one_possible_cause_among_others() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(503), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            login.access_token()
        here.google.grants.revoke_user(ANNA)
        here.clock.go_on(hours=3)
        error = refused(here)
        assert "revoked it" in error.message
        assert "broken off on 2026-11-02 at 11:00 UTC" in error.message


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', "limits how long a login lasts"),
        (b'{"error": "invalid_grant", "error_description": "Account has been deleted"}', "deleted or suspended"),
        (b'{"error": "admin_policy_enforced"}', "administrator of this Google Workspace"),
        (b'{"error": "org_internal"}', "for one Google Workspace only"),
        (b'{"error": "brand_new", "error_description": "Say\\u001b[31m what"}', "brand_new Say"),
        (b'{"error": "odd", "error_description": "Bad token 1//0abcdefghijklmnopqrstuvwxyz0123."}', "Bad token …"),
    ],
)
def test_what_the_provider_says_itself_counts_more_than_what_can_be_guessed(body: bytes, sentence: str) -> None:
    with office() as here:
        here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(400, body), when=method("POST"))
        error = refused(here)
        assert sentence in error.message
        assert error.message.isprintable()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": "temporarily_unavailable"}', UpstreamUnavailable),
        (b'{"error": "server_error"}', UpstreamUnavailable),
        (b'{"error": "internal_failure"}', UpstreamUnavailable),
        (b'{"error": "rate_limit_exceeded"}', Throttled),
        (b'{"error": "slow_down"}', Throttled),
    ],
)
def test_a_failure_of_the_provider_is_tried_again(body: bytes, kind: type[UpstreamError]) -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(400, body), when=method("POST"))
        with pytest.raises(kind) as caught:
            login.access_token()
        assert caught.value.turn is Turn.RETRY
        assert here.lets_in(login.access_token())


def test_another_provider_brings_its_own_words_and_rules() -> None:
    with office() as here:
        own = Cause(
            "invalid_grant",
            "The password of the account at {provider} was changed after {granted}.",
            "Run `{connect}`.",
            says="expired or revoked",
            deeds=frozenset({Deed.RENEWAL}),
        )
        here.provider = replace(here.provider, name="Elsewhere", causes=(own,))
        here.connect()
        here.google.grants.revoke_user(ANNA)
        here.clock.go_on(hours=2)
        assert refused(here).message == "The password of the account at Elsewhere was changed after 2026-11-02."
