"""The fake's accounts let people consent, give and refresh tokens, and let them die as Google does."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google.oauth2.service_account import Credentials as RobotCredentials

from tests.fakes.google.asking import ANNA, Clock
from tests.fakes.google.fake import FakeGoogle, fake_google

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.google.grants import Client

EVENTS = "https://www.googleapis.com/auth/calendar.events"
CALENDARS = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
VERIFIER = "v" * 43
REDIRECT = "http://127.0.0.1:4711/"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def google(clock: Clock) -> Iterator[FakeGoogle]:
    with fake_google(clock=clock) as google:
        google.add_user(ANNA)
        google.consent.auto = ANNA
        yield google


def ask(google: FakeGoogle, client: Client, **more: str) -> requests.Response:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": client.id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": f"{EVENTS} {CALENDARS}",
        "state": "xyz",
        "access_type": "offline",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **more,
    }
    return requests.get(google.endpoints["auth"], asked, allow_redirects=False, timeout=30)


def said(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def tokens(google: FakeGoogle, client: Client, **form: str) -> Any:
    whole = {"client_id": client.id, "client_secret": client.secret, **form}
    return requests.post(google.endpoints["token"], whole, timeout=30).json()


def exchange(google: FakeGoogle, client: Client, code: str, **more: str) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return tokens(google, client, **form | more)


def refresh(google: FakeGoogle, client: Client, token: str) -> Any:
    return tokens(google, client, grant_type="refresh_token", refresh_token=token)


def connect(google: FakeGoogle, client: Client) -> Any:
    return exchange(google, client, said(ask(google, client))["code"])


def list_with(google: FakeGoogle, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(google.api + "users/me/calendarList", headers=headers, timeout=30).status_code


def test_consent_gives_a_code_and_the_code_gives_tokens_once(google: FakeGoogle) -> None:
    client = google.grants.add_client()

    back = said(ask(google, client))
    given = exchange(google, client, back["code"])

    assert back["state"] == "xyz"
    assert set(given["scope"].split()) == {EVENTS, CALENDARS}
    assert list_with(google, given["access_token"]) == 200
    assert exchange(google, client, back["code"])["error"] == "invalid_grant"


def test_the_library_of_google_refreshes_with_what_the_client_file_says(google: FakeGoogle, tmp_path: Path) -> None:
    client = google.grants.add_client()
    said_in_file = json.loads(google.client_file(client, tmp_path).read_text())["installed"]
    read: Any = Credentials
    credentials = read(
        token=None,
        refresh_token=connect(google, client)["refresh_token"],
        token_uri=said_in_file["token_uri"],
        client_id=said_in_file["client_id"],
        client_secret=said_in_file["client_secret"],
    )

    credentials.refresh(Request())

    assert said_in_file["auth_uri"] == google.endpoints["auth"]
    assert list_with(google, credentials.token) == 200


def test_a_wrong_or_missing_verifier_gives_nothing(google: FakeGoogle) -> None:
    client = google.grants.add_client()

    for verifier, why in (("w" * 43, "Invalid code verifier."), ("", "Missing code verifier.")):
        code = said(ask(google, client))["code"]
        given = exchange(google, client, code, code_verifier=verifier)
        assert given == {"error": "invalid_grant", "error_description": why}


def test_a_scope_that_is_not_ticked_is_missing_and_its_method_forbidden(google: FakeGoogle) -> None:
    google.consent.unticked = {CALENDARS}

    given = connect(google, google.grants.add_client())

    assert given["scope"] == EVENTS
    assert list_with(google, given["access_token"]) == 403


def test_somebody_who_cancels_sends_the_browser_back_with_an_error(google: FakeGoogle) -> None:
    google.consent.cancels = True

    assert said(ask(google, google.grants.add_client())) == {"error": "access_denied", "state": "xyz"}


def test_the_page_offers_accounts_and_scopes_and_takes_a_decision(google: FakeGoogle) -> None:
    google.consent.auto = ""
    google.add_user("bert@example.org")
    client = google.grants.add_client()

    page = ask(google, client)
    form = {"user": "bert@example.org", "scope": [EVENTS], "answer": "allow"}
    back = said(requests.post(page.url, form, allow_redirects=False, timeout=30))

    assert "bert@example.org" in page.text
    assert "View and edit events on all your calendars" in page.text
    assert exchange(google, client, back["code"])["scope"] == EVENTS


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"redirect_uri": "https://elsewhere.example.org/"}, 400, "redirect_uri_mismatch"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"scope": "https://www.googleapis.com/auth/nothing"}, 400, "invalid_scope"),
    ],
)
def test_a_request_that_is_wrong_never_goes_back_to_the_client(
    google: FakeGoogle, more: dict[str, str], status: int, error: str
) -> None:
    page = ask(google, google.grants.add_client(), **more)

    assert page.status_code == status
    assert f"Error {status}: {error}" in page.text


def test_an_administrator_an_organisation_and_testing_mode_block_the_page(google: FakeGoogle) -> None:
    google.add_user("carl@clinic.example", workspace="clinic.example")
    google.grants.blocked_domains.add("clinic.example")

    internal = ask(google, google.grants.add_client(internal="clinic.example"))
    testing = ask(google, google.grants.add_client(testing=True, testers=("bert@example.org",)))
    google.consent.auto = "carl@clinic.example"
    blocked = ask(google, google.grants.add_client())

    assert [page.status_code for page in (internal, testing, blocked)] == [403, 403, 400]
    assert "org_internal" in internal.text
    assert "access_denied" in testing.text
    assert "admin_policy_enforced" in blocked.text


def test_an_access_token_lives_for_an_hour_and_is_refreshed(google: FakeGoogle, clock: Clock) -> None:
    client = google.grants.add_client()
    given = connect(google, client)
    clock.pass_by(seconds=3600)

    assert list_with(google, given["access_token"]) == 401
    assert list_with(google, refresh(google, client, given["refresh_token"])["access_token"]) == 200


@pytest.mark.parametrize(("testing", "days", "dead"), [(True, 6.9, False), (True, 7, True), (False, 7, False)])
def test_a_refresh_token_of_a_client_in_testing_dies_after_seven_days(
    google: FakeGoogle, clock: Clock, *, testing: bool, days: float, dead: bool
) -> None:
    client = google.grants.add_client(testing=testing)
    given = connect(google, client)
    clock.pass_by(days=days)

    assert (refresh(google, client, given["refresh_token"]).get("error") == "invalid_grant") is dead


def test_a_refresh_token_dies_when_nobody_uses_it_for_six_months(google: FakeGoogle, clock: Clock) -> None:
    client = google.grants.add_client()
    token = connect(google, client)["refresh_token"]
    for _ in range(3):
        clock.pass_by(days=170)
        assert "access_token" in refresh(google, client, token)
    clock.pass_by(days=190)

    told = refresh(google, client, token)

    assert told == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


def test_revoking_ends_the_refresh_token_and_the_access_token(google: FakeGoogle) -> None:
    client = google.grants.add_client()
    given = connect(google, client)

    def revoke() -> int:
        form = {"token": given["refresh_token"]}
        return requests.post(google.endpoints["revoke"], form, timeout=30).status_code

    assert (revoke(), revoke()) == (200, 400)
    assert list_with(google, given["access_token"]) == 401
    assert refresh(google, client, given["refresh_token"])["error"] == "invalid_grant"


def test_a_rotated_refresh_token_is_good_once(google: FakeGoogle) -> None:
    client = google.grants.add_client(rotates=True)
    first = connect(google, client)["refresh_token"]

    second = refresh(google, client, first)["refresh_token"]

    assert refresh(google, client, first)["error"] == "invalid_grant"
    assert "access_token" in refresh(google, client, second)


def test_a_web_client_gets_a_refresh_token_again_only_where_it_asks_for_consent(google: FakeGoogle) -> None:
    client = google.grants.add_client(kind="web", redirects=(REDIRECT,))

    given = [
        exchange(google, client, said(ask(google, client, **more))["code"]) for more in ({}, {}, {"prompt": "consent"})
    ]

    assert ["refresh_token" in each for each in given] == [True, False, True]


def test_a_service_account_acts_for_people_of_a_domain_that_delegated_to_it(google: FakeGoogle, tmp_path: Path) -> None:

    google.add_user("room@clinic.example", workspace="clinic.example")
    robot = google.grants.add_robot("bridge", domain="clinic.example", scopes=[EVENTS, CALENDARS])
    path = google.robot_file(robot, tmp_path)

    def act(subject: str, *scopes: str) -> str:
        read: Any = RobotCredentials.from_service_account_file
        whole = read(str(path), scopes=scopes, subject=subject)
        whole.refresh(Request())
        return str(whole.token)

    assert list_with(google, act("room@clinic.example", EVENTS, CALENDARS)) == 200
    with pytest.raises(RefreshError, match="unauthorized_client"):
        act("room@clinic.example", "https://www.googleapis.com/auth/calendar")
    with pytest.raises(RefreshError, match="unauthorized_client"):
        act(ANNA, EVENTS)
    with pytest.raises(RefreshError, match="Invalid email or User ID"):
        act("nobody@clinic.example", EVENTS)
