from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigurationError, LoginRefused
from bridge.upstream.oauth.client import Client
from bridge.upstream.oauth.tokens import Tokens

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(min_value=0, max_value=4 * 10**15).map(lambda each: EPOCH + timedelta(microseconds=each))
grants = st.builds(
    Tokens,
    access=st.text(min_size=1),
    refresh=st.text(),
    expires_at=instants,
    scopes=st.frozensets(st.text()),
    granted_at=instants,
    renewed_at=instants,
    renewing_at=st.none() | instants,
    rotates=st.booleans(),
)


WHOLE: dict[str, Any] = {
    "access": "hidden",
    "refresh": "r",
    "expires_at": "2026-01-01T00:00:00+00:00",
    "scopes": [],
    "granted_at": "2026-01-01T00:00:00+00:00",
    "renewed_at": "2026-01-01T00:00:00+00:00",
    "renewing_at": None,
    "rotates": False,
}


@given(grants)
def test_tokens_are_the_same_after_they_were_kept(tokens: Tokens) -> None:
    assert Tokens.read(tokens.text()) == tokens


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "5", '{"access": "hidden"}', json.dumps(WHOLE | {"expires_at": "2026-01-01T00:00:00"})],
)
def test_what_is_kept_and_cannot_be_read_asks_for_a_new_consent_without_quoting_it(text: str) -> None:
    with pytest.raises(LoginRefused, match="cannot be read any more") as caught:
        Tokens.read(text)
    assert "Connect it again" in caught.value.remedy
    assert caught.value.__cause__ is None
    assert "hidden" not in str(caught.value)


def test_a_short_lived_token_is_used_for_most_of_its_life() -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    tokens = Tokens("a", "r", now + timedelta(minutes=4), frozenset(), now, now)
    assert tokens.fresh(now)
    assert tokens.fresh(now + timedelta(minutes=2))
    assert not tokens.fresh(now + timedelta(minutes=3))


@pytest.mark.parametrize(("kind", "listed"), [("installed", ()), ("web", ("https://cal.example.org/connect",))])
def test_the_file_of_a_client_is_read_whichever_its_type(kind: str, listed: tuple[str, ...]) -> None:
    redirects = list(listed) or ["http://localhost"]
    text = json.dumps({kind: {"client_id": "i", "client_secret": "s", "redirect_uris": redirects}})
    assert Client.read(text) == Client(id="i", secret="s", redirects=listed)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"type": "service_account", "private_key": "HIDDEN"},
        {"installed": {"client_id": "i"}},
        {"installed": {"client_id": "i", "client_secret": ""}},
        {"installed": {"client_id": 5, "client_secret": "HIDDEN"}},
        {"web": {"client_id": "i", "client_secret": "HIDDEN", "redirect_uris": "x"}},
    ],
)
def test_a_file_that_is_no_client_says_how_to_get_one(content: Any) -> None:
    with pytest.raises(ConfigurationError, match="no OAuth client") as caught:
        Client.read(json.dumps(content))
    assert "Desktop app" in caught.value.remedy
    assert "HIDDEN" not in str(caught.value)


def test_a_file_that_is_no_json_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match="no OAuth client"):
        Client.read("client_id: i")


def test_a_web_client_without_any_address_is_no_desktop_client() -> None:
    text = json.dumps({"web": {"client_id": "i", "client_secret": "s"}})
    assert Client.read(text).redirects != ()
