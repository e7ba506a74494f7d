from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import AddressRefused
from bridge.upstream.ics_url.location import location


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://example.org/a.ics", ["https://example.org/a.ics"]),
        (" HTTP://example.org ", ["http://example.org/"]),
        ("webcal://example.org:8080/a?b=c#d", ["https://example.org:8080/a?b=c", "http://example.org:8080/a?b=c"]),
        ("webcals://example.org/a", ["https://example.org/a"]),
        ("https://[::1]:8443/a", ["https://[::1]:8443/a"]),
    ],
)
def test_what_a_person_writes_says_what_to_ask_and_in_which_order(written: str, asked: list[str]) -> None:
    assert list(location(written).urls) == asked


def test_a_password_in_the_url_is_taken_out_and_never_leads_to_http() -> None:
    found = location("webcal://anna:p%40ss@example.org/a")
    assert (found.urls, found.user, found.password) == (("https://example.org/a",), "anna", "p@ss")


def test_a_user_of_the_connection_goes_before_one_in_the_url() -> None:
    found = location("https://old:old@example.org/a", user="anna", password="new")
    assert (found.user, found.password) == ("anna", "new")


def test_only_the_host_is_ever_shown() -> None:
    found = location("https://anna:hunter2@example.org/private-1234/basic.ics?token=5678")
    assert found.shown == "example.org"
    for secret in ("anna", "hunter2", "1234", "5678"):
        assert secret not in repr(found)


@pytest.mark.parametrize("written", ["/srv/rota.ics", "file:///srv/rota.ics", "file://localhost/srv/rota.ics"])
def test_a_file_is_named_by_its_path_or_as_a_url(written: str) -> None:
    assert location(written).path == Path("/srv/rota.ics")


def test_a_file_whose_name_has_blanks_is_found_both_ways() -> None:
    assert location("file:///srv/my%20rota.ics").path == location("/srv/my rota.ics").path == Path("/srv/my rota.ics")


@pytest.mark.parametrize(
    "written",
    [
        *("", "rota.ics", "example.org/rota.ics", "example.org:80/rota.ics", "ftp://example.org/rota.ics"),
        *("https://", "https:///rota.ics", "https://[::1/rota.ics", "https://example.org:99999/rota.ics"),
        *("file://elsewhere/rota.ics", "file:rota.ics", "javascript:alert(1)"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        location(written)
    assert refusal.value.remedy


def test_the_same_place_is_known_again_and_another_is_another() -> None:
    assert location("https://example.org/a", user="anna").mark == location("https://example.org/a").mark
    assert location("https://example.org/a").mark != location("https://example.org/b").mark
    assert location("/a").mark != location("/b").mark
