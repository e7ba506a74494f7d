from __future__ import annotations

import pytest

from bridge.upstream.caldav import etags
from bridge.upstream.caldav.address import (
    absolute,
    authority,
    collection_url,
    is_loopback,
    path_of,
    resource_url,
    same_site,
)


@pytest.mark.parametrize(
    "href",
    [
        "/cal/M%C3%BCller%20&%20a+b@c.ics",
        "/cal/Müller & a+b@c.ics",
        "/cal/%4d%c3%bcller%20%26%20a%2bb%40c.ics",
        "  /cal/M%C3%BCller & a%2Bb@c.ics\n",
        "https://dav.example.org:8443/cal/Müller%20&%20a+b@c.ics?x=1#y",
    ],
)
def test_one_href_has_one_spelling(href: str) -> None:
    assert path_of(href) == "/cal/M%C3%BCller%20&%20a+b@c.ics"


def test_what_differs_stays_different() -> None:
    assert path_of("/a%2Fb.ics") == "/a%2Fb.ics"
    assert path_of("/a%2540b.ics") == "/a%2540b.ics"
    assert path_of("/caf%E9.ics") == "/caf%E9.ics"
    assert path_of('/"<a>\\{b}|^`.ics') == "/%22%3Ca%3E%5C%7Bb%7D%7C%5E%60.ics"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("HTTPS://User:Word@DAV.Example.org:443/cal", "https://dav.example.org/cal/"),
        ("http://dav.example.org:80", "http://dav.example.org/"),
        ("http://dav.example.org.:8080//cal//", "http://dav.example.org:8080//cal/"),
        ("https://[::1]:8443/a b/?x#y", "https://[::1]:8443/a%20b/"),
    ],
)
def test_a_collection_has_one_address(written: str, normal: str) -> None:
    assert collection_url(written) == normal
    assert collection_url(normal) == normal


@pytest.mark.parametrize(
    "written", ["", "dav.example.org", "ftp://dav.example.org/", "https:///cal/", "mailto:a@b.org"]
)
def test_what_is_no_web_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no http or https address"):
        resource_url(written)


def test_hrefs_are_resolved_against_the_answer() -> None:
    base = "https://dav.example.org/cal/alice/"
    assert absolute(base, "work/") == f"{base}work/"
    assert absolute(base, "/x/ y/") == "https://dav.example.org/x/%20y/"
    assert absolute(base, "https://p42.example.org:443/x") == "https://p42.example.org/x"


def test_a_server_behind_a_proxy_that_does_not_know_of_https_is_understood() -> None:
    assert absolute("https://dav.example.org:8443/", "http://dav.example.org/x/") == "https://dav.example.org:8443/x/"
    # Another port or another host is another place.
    assert absolute("https://dav.example.org/", "http://dav.example.org:81/x") == "http://dav.example.org:81/x"
    assert absolute("https://dav.example.org/", "http://cal.example.org/x") == "http://cal.example.org/x"
    assert absolute("http://dav.example.org/", "http://dav.example.org/x") == "http://dav.example.org/x"


@pytest.mark.parametrize(
    ("named", "other", "same"),
    [
        ("caldav.icloud.com", "p42-caldav.icloud.com", True),
        ("example.org", "dav.example.org", True),
        ("dav.example.co.uk", "cal.example.co.uk", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("localhost", "localhost", True),
        ("::1", "::1", True),
        ("example.org", "example.com", False),
        ("example.org", "badexample.org", False),
        ("a.co.uk", "b.co.uk", False),
        ("alice.dyndns.org", "bob.dyndns.org", False),
        ("alice.myfritz.net", "cal.alice.myfritz.net", True),
        ("dyndns.org", "evil.dyndns.org", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("1.0.0.1", "2.0.0.1", False),
        ("nas", "router", False),
        ("co.uk", "a.co.uk", False),
    ],
)
def test_a_site_is_what_one_owner_has(named: str, other: str, *, same: bool) -> None:
    assert same_site(named, other) is same
    assert same_site(other, named) is same


def test_the_authority_of_an_address_names_only_a_port_that_is_not_usual() -> None:
    assert authority("https://a.example.org:443/") == "a.example.org"
    assert authority("https://a.example.org:80/") == "a.example.org:80"


def test_this_machine_is_known_by_its_names() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, ("10.0.0.1", "dav.example.org", "")))


def test_an_etag_is_kept_bare_and_sent_as_it_came() -> None:
    for header, kept, sent in (
        ('"a"', "a", '"a"'),
        ("a", "a", '"a"'),
        ('W/"a"', 'W/"a"', 'W/"a"'),
        (' "a" ', "a", '"a"'),
    ):
        assert etags.kept(header) == kept
        assert etags.sent(kept) == sent
    assert etags.kept(None) == etags.kept('""') == ""
    assert etags.same('W/"a"', "a")
    assert not etags.same('W/"a"', "b")


@pytest.mark.parametrize(
    "href", ["http://[x/a.ics", "//host:99999/a.ics", "https://u:p@host:x/a.ics?q#f", "/a.ics#f?q"]
)
def test_an_href_with_an_impossible_host_still_has_a_path(href: str) -> None:
    assert path_of(href) == "/a.ics"
