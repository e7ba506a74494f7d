from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bridge.errors import ConfigurationError, LoginRefused
from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.consent import Consent, parameters_of
from bridge.upstream.oauth.google import SCOPES
from bridge.upstream.oauth.loopback import Loopback
from tests.upstream.oauth.agreeing import ANNA, CONNECTION, REDIRECT, agree, office

EVENTS, LIST = SCOPES


def test_a_person_agrees_and_the_login_gives_a_token_that_the_provider_takes() -> None:
    with office() as here, Loopback() as loopback:
        consent = here.consent()
        begun = consent.begin(loopback.redirect)
        with ThreadPoolExecutor() as elsewhere:
            page = elsewhere.submit(lambda: requests.get(agree(begun), timeout=10))
            tokens = consent.finish(loopback.answer(begun.state, within=timedelta(seconds=10)), begun)
        login = here.login()
        login.keep(tokens)
        assert page.result().status_code == 200
        assert "Calbridge has the answer" in page.result().text
        assert here.lets_in(login.access_token())
        assert tokens.granted_at == here.clock.time


def test_the_consent_page_is_asked_for_offline_access_with_a_hashed_challenge() -> None:
    with office() as here:
        begun = here.consent().begin(REDIRECT, account=ANNA)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
        assert asked["access_type"] == "offline"
        assert asked["prompt"] == "consent"
        assert asked["code_challenge_method"] == "S256"
        assert asked["code_challenge"] != begun.verifier
        assert asked["login_hint"] == ANNA
        assert set(asked["scope"].split()) == set(SCOPES)
        assert begun.verifier not in begun.url
        assert 43 <= len(begun.verifier) <= 128


def test_no_two_consents_share_state_or_verifier() -> None:
    with office() as here:
        begun = [here.consent().begin(REDIRECT) for _ in range(20)]
        assert len({each.state for each in begun} | {each.verifier for each in begun}) == 40


def test_an_answer_with_a_forged_state_is_refused_and_its_code_never_used() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        brought = dict(parameters_of(agree(begun)))
        for state in ("", "x", begun.state[:-1], begun.state + "x", "ß"):
            with pytest.raises(LoginRefused, match="does not belong to the consent page") as caught:
                consent.finish(brought | {"state": state}, begun)
            assert "calbridge connect anna-google" in caught.value.remedy
        assert here.google.grants.codes, "the code was spent on a forged answer"
        assert here.lets_in(consent.finish(brought, begun).access)


def test_a_forged_refusal_is_no_refusal_of_the_person() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match="does not belong"):
            consent.finish({"error": "access_denied", "state": "forged"}, begun)


def test_an_answer_that_says_nothing_is_no_consent() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match="neither a code nor an error"):
            consent.finish({"state": begun.state, "code": ""}, begun)


def test_a_code_that_was_asked_for_with_another_verifier_gives_nothing() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        other = replace(begun, verifier=consent.begin(REDIRECT).verifier)
        with pytest.raises(LoginRefused, match="belongs to another consent"):
            consent.finish(parameters_of(agree(begun)), other)


def test_an_answer_is_good_once() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        brought = parameters_of(agree(begun))
        consent.finish(brought, begun)
        with pytest.raises(LoginRefused, match="good for some minutes, and once") as caught:
            consent.finish(brought, begun)
        assert "calbridge connect anna-google" in caught.value.remedy


def test_a_person_who_takes_a_quarter_of_an_hour_has_to_begin_again() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        brought = parameters_of(agree(begun))
        here.clock.go_on(minutes=15)
        with pytest.raises(LoginRefused, match="good for some minutes"):
            consent.finish(brought, begun)


@pytest.mark.parametrize(
    ("left_out", "box"),
    [(EVENTS, "View and edit events on all your calendars"), (LIST, "See the list of Google calendars")],
)
def test_a_box_that_was_not_ticked_is_named_in_the_words_of_the_page(left_out: str, box: str) -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match=box) as caught:
            consent.finish(parameters_of(agree(begun, unticked=frozenset({left_out}))), begun)
        assert "tick this box" in caught.value.remedy


def test_a_person_who_cancels_is_told_what_that_means() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match="cancelled") as caught:
            consent.finish(parameters_of(agree(begun, cancels=True)), begun)
        assert "test users" in caught.value.remedy


def test_a_client_for_web_pages_is_refused_before_the_person_is_sent_anywhere() -> None:
    with office(kind="web", redirects=("https://cal.example.org/connect/google",)) as here:
        file = here.registered.file("https://accounts.example/auth", "https://accounts.example/token")
        client = Client.read(json.dumps(file))
        consent = Consent(here.provider, client, connection=CONNECTION, post=here.post, clock=here.clock)
        with pytest.raises(ConfigurationError, match="one for web pages") as caught:
            consent.begin(REDIRECT)
        assert "Desktop app" in caught.value.remedy


def test_a_client_for_web_pages_comes_back_to_the_address_that_it_registered() -> None:
    page = "https://cal.example.org/connect/google"
    with office(kind="web", redirects=(page,)) as here:
        file = here.registered.file("https://accounts.example/auth", "https://accounts.example/token")
        client = Client.read(json.dumps(file))
        consent = Consent(here.provider, client, connection=CONNECTION, post=here.post, clock=here.clock)
        begun = consent.begin(page)
        back = agree(begun)
        assert back.startswith(page)
        assert here.lets_in(consent.finish(parameters_of(back), begun).access)


def test_a_client_with_a_wrong_secret_is_told_to_fetch_its_file_anew() -> None:
    with office() as here:
        client = Client(id=here.registered.id, secret="GOCSPX-wrong")
        consent = Consent(here.provider, client, connection=CONNECTION, post=here.post, clock=here.clock)
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match="its secret is not the right one") as caught:
            consent.finish(parameters_of(agree(begun)), begun)
        assert "client_file" in caught.value.remedy
        assert "GOCSPX-wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "sentence", "remedy"),
    [
        ("admin_policy_enforced", "administrator of this Google Workspace", "24 hours"),
        ("org_internal", "for one Google Workspace only", "External"),
        ("redirect_uri_mismatch", "the browser is to come back to", "Desktop app"),
        ("invalid_scope", "does not know one of the scopes", "Google Calendar API"),
        ("disallowed_useragent", "embedded", "ordinary browser"),
        ("deleted_client", "was deleted", "Make a new one"),
        ("something_new", "something_new", "calbridge connect anna-google"),
    ],
)
def test_each_refusal_that_a_browser_brings_back_has_its_sentence(error: str, sentence: str, remedy: str) -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match=sentence) as caught:
            consent.finish({"error": error, "state": begun.state}, begun)
        assert remedy in caught.value.remedy


def test_a_provider_that_gives_no_refresh_token_is_not_connected() -> None:
    with office(kind="web", redirects=(REDIRECT,)) as here:
        here.provider = replace(here.provider, extra={})
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        with pytest.raises(LoginRefused, match="for an hour only"):
            consent.finish(parameters_of(agree(begun)), begun)


@pytest.mark.parametrize(
    "pasted",
    [
        "http://127.0.0.1:4711/?state=s&code=4%2F0abc&scope=x",
        "  http://127.0.0.1:4711/?state=s&code=4%2F0abc&scope=x\n",
        "/?state=s&code=4%2F0abc&scope=x",
        "?state=s&code=4%2F0abc&scope=x",
        "state=s&code=4%2F0abc&scope=x",
        "127.0.0.1:4711/?state=s&code=4%2F0abc&scope=x#",
    ],
)
def test_the_address_that_a_person_pastes_is_read_however_much_of_it_was_copied(pasted: str) -> None:
    assert parameters_of(pasted) == {"state": "s", "code": "4/0abc", "scope": "x"}


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "https://accounts.google.com/o/oauth2/v2/auth?client_id=x",
        "4/0abc",
        "?code=a&code=b",
        "http://[::1#code=a",
        "?" + "&".join(f"a{n}=1" for n in range(100)) + "&code=a",
        "?code=" + "a" * 100_000,
    ],
)
def test_what_is_no_answer_of_a_consent_page_is_refused_with_what_to_copy(pasted: str) -> None:
    with pytest.raises(LoginRefused, match="not the address") as caught:
        parameters_of(pasted)
    assert "address bar" in caught.value.remedy


def test_nothing_secret_shows_when_a_consent_is_printed() -> None:
    with office() as here:
        consent = here.consent()
        begun = consent.begin(REDIRECT)
        tokens = consent.finish(parameters_of(agree(begun)), begun)
        shown = f"{consent!r} {begun!r} {tokens!r} {here.client!r} {here.login()!r}"
        for secret in (begun.state, begun.verifier, tokens.access, tokens.refresh, here.client.secret):
            assert secret not in shown
