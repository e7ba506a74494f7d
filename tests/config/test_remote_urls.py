"""Addresses of one place are equal, and what may be secret in them is not shown."""

from __future__ import annotations

import pytest

from bridge.config.remote_urls import path_of, shown_url, shown_user, spot_of

ONE_PLACE = [
    "https://dav.example.org/anna/work",
    "https://dav.example.org/anna/work/",
    "http://dav.example.org/anna/work",
    "HTTPS://DAV.Example.ORG:443/anna/./work//",
    "http://dav.example.org.:80/anna/%77ork",
    "webcal://dav.example.org/bob/../anna/work",
]


@pytest.mark.parametrize("url", ONE_PLACE)
def test_an_address_that_is_written_in_another_way_leads_to_the_same_place(url: str) -> None:
    assert spot_of(url) == spot_of(ONE_PLACE[0])
    assert str(spot_of(url)) == "dav.example.org/anna/work"


@pytest.mark.parametrize(
    "url",
    [
        "https://dav.example.org:8443/anna/work",
        "https://dav.example.org/Anna/work",
        "https://dav.example.org/anna/work?export",
        "https://dav.example.org/anna%2Fwork",
        "https://example.org/anna/work",
        "file:///anna/work",
    ],
)
def test_addresses_of_different_places_are_not_equal(url: str) -> None:
    assert spot_of(url) != spot_of(ONE_PLACE[0])


@pytest.mark.parametrize(
    "url",
    [
        "Example.org",
        "https://example.org",
        "http://example.org:80/",
        "https://example.org/.well-known/caldav",
        "a@example.org",
    ],
)
def test_discovery_begins_at_the_top_of_a_host_in_whatever_way_that_is_said(url: str) -> None:
    assert str(spot_of(url)) == "example.org"


def test_only_what_lies_below_is_within() -> None:
    base = spot_of("https://cal.example.org/planning")
    assert spot_of("https://cal.example.org/planning/dav/").within(base)
    assert base.within(base)
    assert not spot_of("https://cal.example.org/planning-2/dav/").within(base)
    assert not spot_of("https://cal.example.org/").within(base)
    assert not spot_of("https://dav.example.org/planning/").within(base)


def test_the_query_is_part_of_a_place() -> None:
    assert str(spot_of("https://a.example/x?b=1")) == "a.example/x?b=1"


def test_a_path_never_leads_above_the_top() -> None:
    assert path_of("/a/../../b/../c") == "/c"
    assert path_of("/..") == ""


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://partner.example.org/sesame.ics", "https://partner.example.org/…"),
        ("https://partner.example.org?sesame", "https://partner.example.org?…"),
        ("https://partner.example.org", "https://partner.example.org"),
        ("https://anna:sesame@partner.example.org/x", "https://…@partner.example.org/…"),
        ("https://sesame@partner.example.org", "https://…@partner.example.org"),
        ("https://anna:ses/ame@partner.example.org/x", "https://…"),
        ("anna:sesame@partner.example.org", "anna:…"),
        ("dav.example.org:8443/sesame", "dav.example.org:8443/…"),
        ("localhost:8443", "localhost:8443"),
        ("https://[::1]:8443/sesame", "https://[::1]:8443/…"),
        ("sesame and blanks", "…"),
        ("sesame@blanks and more", "…"),
        ("anna@example.org", "anna@example.org"),
        ("partner.example.org/sesame.ics", "partner.example.org/…"),
        ("file:///srv/sesame.ics", "file:///…"),
        ("file:sesame.ics", "file:…"),
        ("https:/sesame@example.org", "https:/…"),
        ("https://https://sesame@x/", "https://…"),
        ("", ""),
    ],
)
def test_an_address_is_shown_up_to_its_host(written: str, shown: str) -> None:
    assert shown_url(written) == shown
    assert "sesame" not in shown


def test_a_password_behind_the_user_is_not_shown() -> None:
    assert shown_user("anna") == "anna"
    assert shown_user("anna:sesame:x") == "anna:…"
