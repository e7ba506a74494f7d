from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import ConfigurationError, LoginRefused, UpstreamUnavailable
from bridge.upstream.oauth.google import SCOPES
from bridge.upstream.oauth.service_account import ServiceAccount, ServiceKey
from tests.fakes.faults import html_page, method, status
from tests.upstream.oauth.agreeing import CONNECTION, office

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.google.grants import Robot
    from tests.upstream.oauth.agreeing import Office

BOSS = "boss@salon.example"


def now() -> datetime:
    # What is signed is checked against the clock of the machine, which is the fake's here.
    return datetime.now(UTC)


def robot(here: Office, *, scopes: frozenset[str] = frozenset(SCOPES), domain: str = "salon.example") -> Robot:
    """A service account of a Workspace that has one user."""
    here.google.add_user(BOSS, workspace="salon.example")
    return here.google.grants.add_robot("calbridge", domain=domain, scopes=scopes)


def account(
    here: Office, of: Robot, *, subject: str = BOSS, clock: Callable[[], datetime] = now, token_url: str = ""
) -> ServiceAccount:
    key = ServiceKey.read(json.dumps(of.file(token_url or here.provider.token_url)))
    return ServiceAccount(here.provider, key, subject=subject, connection=CONNECTION, post=here.post, clock=clock)


def test_a_service_account_acts_for_a_user_of_the_workspace() -> None:
    with office() as here:
        token = account(here, robot(here)).access_token()
        caller = here.google.grants.caller(token)
        assert caller is not None
        assert caller.user == BOSS
        assert caller.scopes == set(SCOPES)


def test_a_token_is_asked_for_once_by_eight_threads_and_again_when_it_ends() -> None:
    with office() as here, ThreadPoolExecutor(8) as pool:
        time = now() - timedelta(minutes=57)
        service = account(here, robot(here), clock=lambda: time)
        together = threading.Barrier(8)

        def ask(_: int) -> str:
            together.wait(10)
            return service.access_token()

        first = set(pool.map(ask, range(8)))
        assert len(first) == 1
        assert here.proxy.counts["POST"] == 1
        time += timedelta(minutes=57)
        assert service.access_token() not in first


def test_a_token_that_was_refused_is_replaced() -> None:
    with office() as here:
        service = account(here, robot(here))
        first = service.access_token()
        second = service.refused(first)
        assert second != first
        assert service.refused(first) == second
        assert service.access_token() == second


@pytest.mark.parametrize(
    ("scopes", "domain"), [(frozenset(SCOPES), ""), (frozenset(list(SCOPES)[:1]), "salon.example")]
)
def test_a_service_account_without_delegation_names_what_the_administrator_has_to_enter(
    scopes: frozenset[str], domain: str
) -> None:
    with office() as here:
        of = robot(here, scopes=scopes, domain=domain)
        with pytest.raises(LoginRefused, match=f"may not act for {BOSS}") as caught:
            account(here, of).access_token()
        assert of.client_id in caught.value.remedy
        assert all(scope in caught.value.remedy for scope in SCOPES)
        assert "24 hours" in caught.value.remedy


def test_a_user_who_is_not_in_the_workspace_is_named() -> None:
    with office() as here, pytest.raises(LoginRefused, match=r"no user nobody@salon\.example") as caught:
        account(here, robot(here), subject="nobody@salon.example").access_token()
    assert "subject" in caught.value.remedy
    assert "room" in caught.value.remedy


def test_a_service_account_that_was_deleted_is_no_matter_of_the_network() -> None:
    with office() as here:
        of = robot(here)
        of.disabled = True
        with pytest.raises(LoginRefused, match="does not exist any more"):
            account(here, of).access_token()


def test_a_key_that_was_replaced_says_which_file_to_name() -> None:
    with office() as here:
        of = robot(here)
        service = account(here, of)
        of.key = here.google.grants.add_robot("other").key
        with pytest.raises(LoginRefused, match="key of the service account was deleted") as caught:
            service.access_token()
        assert "service_account_file" in caught.value.remedy


@pytest.mark.parametrize(("hours", "word"), [(-3, "slow"), (3, "fast")])
def test_a_clock_that_is_wrong_is_said_to_be_wrong_and_by_how_much(hours: int, word: str) -> None:
    with office() as here:
        service = account(here, robot(here), clock=lambda: now() + timedelta(hours=hours))
        with pytest.raises(LoginRefused, match=rf"1(80|79|81) minutes {word}") as caught:
            service.access_token()
        assert "NTP" in caught.value.remedy


def test_a_clock_that_google_calls_wrong_is_said_to_be_wrong() -> None:
    body = b'{"error": "invalid_grant", "error_description": "Invalid JWT: Token must be in a reasonable timeframe."}'
    with office() as here:
        here.proxy.script(status(400, body), when=method("POST"))
        with pytest.raises(LoginRefused, match="clock of this machine is wrong"):
            account(here, robot(here)).access_token()


def test_a_network_that_is_down_is_no_refusal() -> None:
    with office() as here:
        service = account(here, robot(here))
        here.proxy.script(html_page(), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            service.access_token()
        assert service.access_token()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "authorized_user"},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nHIDDEN\n-----END PRIVATE KEY-----\n"},
        {"client_id": 5},
        {"client_email": ""},
    ],
)
def test_a_file_that_is_no_key_is_refused_without_quoting_it(change: dict[str, object]) -> None:
    with office() as here:
        text = json.dumps(robot(here).file("https://oauth2.example/token") | change)
        with pytest.raises(ConfigurationError, match="no key of a service account") as caught:
            ServiceKey.read(text)
        assert "HIDDEN" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["", "[]", "null", "{" * 100_000, '{"installed": {}}'])
def test_a_file_that_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no key of a service account"):
        ServiceKey.read(text)


def test_a_key_is_never_shown() -> None:
    with office() as here:
        of = robot(here)
        key = ServiceKey.read(json.dumps(of.file("https://oauth2.example/token")))
        assert "PRIVATE" not in repr(key)
        assert "PRIVATE" not in repr(account(here, of))
