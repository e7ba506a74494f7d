"""Each setting takes what it should and refuses the rest, with the setting named."""

from __future__ import annotations

import ipaddress
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config import Configuration, Listen, Size, load, write_duration
from bridge.config.shape import ANY, walk
from bridge.core.model import ComponentType
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

BASE: dict[str, Any] = {
    "accounts": {
        "salon": {
            "name": "Salon",
            "time_zone": "Europe/Amsterdam",
            "resources": {"anna": {"kind": "employee", "name": "Anna"}},
        }
    },
    "users": {"anna": {}},
    "feeds": {"phone": {"of": "salon"}},
    "connections": {"clinic": {"type": "caldav", "url": "https://dav.example.org/", "user": "anna"}},
    "rules": {"work": {"resource": "salon/anna", "connection": "clinic", "calendar": "Work"}},
}
KEYS = {
    "accounts": "salon",
    "resources": "anna",
    "users": "anna",
    "feeds": "phone",
    "connections": "clinic",
    "rules": "work",
}
WORDS = ["", "x y", "maybe", -1, 10**20, 1.5, [1], {"a": 1}]

REFUSED: dict[str, list[Any]] = {
    "server": WORDS[:-1],
    "server.listen": [
        *WORDS,
        5232,
        ":5232",
        "127.0.0.1",
        "127.0.0.1:99999",
        "::1:5232",
        "[1.2.3]:1",
        "[localhost]:1",
        "a_b:1",
    ],
    "server.public_url": [
        *WORDS,
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?a",
        "https://x#a",
        "https://x:0",
        "https://x:y",
        "https://[x",
    ],
    "server.workers": [*WORDS, 0, 65, True, "two"],
    "server.threads": [*WORDS, 0, 257],
    "server.tls": ["cert.pem", {"certificate": "missing.pem"}],
    "server.tls.certificate": ["missing.pem", [1]],
    "server.tls.key": ["missing.pem", [1]],
    "server.trusted_proxies": ["127.0.0.1", ["10.0.0.0/99"], ["localhost"], [1], ["10.0.0.1/8"], {"a": 1}],
    "server.path_prefix": ["cal", "/cal/", "/", "//", "/a b", "/../x", "/a/..", 1, [1]],
    "server.sync": [*WORDS, "yes", 1],
    "database": [
        *WORDS,
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///x?y",
        "mysql://x/y",
        "postgresql://h",
        "postgresql://h:x/y",
        "postgresql://[h/y",
    ],
    "database_file": ["missing", [1], ""],
    "secret_key_file": ["", [1], 5, {"a": 1}],
    "accounts": [{}, {"salon": {}}, "salon", []],
    "accounts.*.name": ["", 12, True, "x" * 201, "a\nb", [1]],
    "accounts.*.time_zone": [*WORDS, "CET+1", "Europe/amsterdam", "GMT+1", "/etc/passwd"],
    "accounts.*.resources": ["anna", ["anna"], {"a.b": {"kind": "employee", "name": "A"}}],
    "accounts.*.resources.*.kind": [*WORDS, "Employee", "person"],
    "accounts.*.resources.*.name": ["", 12, True, "x" * 201],
    "accounts.*.resources.*.email": [*WORDS, "anna", "anna@", "a b@c", "<a@b>"],
    "accounts.*.resources.*.color": [*WORDS, "red", "#12345", "#1234567", "336699", "#abc"],
    "accounts.*.resources.*.time_zone": WORDS,
    "accounts.*.resources.*.order": [*WORDS[:-1], True, 1_000_001],
    "accounts.*.resources.*.components": [[], "VEVENT", ["VJOURNAL"], ["vevent"], [1]],
    "users": [["anna"], "anna", {"a/b": {}}, {".a": {}}, {"a:b": {}}, {" a": {}}],
    "users.*.password_hash": [*WORDS, "sesame", "$argon2id$broken", "$2b$12$abc"],
    "users.*.password_file": ["missing", [1], "."],
    "users.*.password": ["sesame", 12345, [1]],
    "users.*.admin": [*WORDS, "yes", "on", 1, 0],
    "users.*.personal_calendars": WORDS,
    "users.*.email": WORDS,
    "users.*.grants": [
        "salon",
        ["salon"],
        {"salon": "own"},
        {"salon/x": "read"},
        {"other": "read"},
        {"salon/": "read"},
    ],
    "feeds": [["phone"], "phone", {"a b": {"of": "salon"}}],
    "feeds.*.of": [*WORDS, "other", "salon/", "salon/bob", "/anna"],
    "feeds.*.detail": [*WORDS, "Full", "none"],
    "feeds.*.past": [*WORDS, 90, "90", "90 days", "-1d", "1.5d", "101y", "999999999w"],
    "feeds.*.future": [*WORDS, "forever"],
    "feeds.*.components": [[], "VEVENT", ["VJOURNAL"]],
    "feeds.*.categories": ["work", [""], [1], {"a": 1}],
    "feeds.*.alarms": WORDS,
    "feeds.*.name": ["", 12, True],
    "connections": [["clinic"], "clinic", {"a b": {"type": "ics", "url": "https://x.example"}}, {"clinic": {}}],
    "connections.*.type": [*WORDS, "CalDAV", "gmail", "exchange", "icloud"],
    "connections.*.url": [
        *WORDS,
        "maybe.",
        "ftp://dav.example.org/",
        "webcal://dav.example.org/",
        "file:///srv/rota.ics",
        "https://",
        "https://anna@dav.example.org/",
        "https://anna:sesame@dav.example.org/",
        "https://dav.example.org:0/",
        "https://dav.example.org:port/",
        "https://dav.example.org/a b",
        "https://dav.example.org/?calendar",
        "https://[dav/",
        "dav.example.org:8443",
        "dav.example.org/dav",
        "anna@",
        "anna@maybe",
    ],
    "connections.*.url_file": ["missing", [1], "", "bridge.yaml"],
    "connections.*.user": ["", 1, True, "a:b", "a\nb", "x" * 201, [1], {"a": 1}],
    "connections.*.password_file": ["missing", [1], "."],
    "connections.*.password": ["sesame", 12345, [1]],
    "connections.*.ca_file": ["missing", [1], "", "bridge.yaml"],
    "connections.*.allow_private": WORDS,
    "connections.*.client_file": ["missing", [1], "", "bridge.yaml"],
    "connections.*.service_account_file": ["missing", [1], "", "bridge.yaml"],
    "connections.*.subject": [*WORDS, "anna"],
    "connections.*.endpoints": ["https://x.example", ["x"], {"login": "https://x.example"}],
    "connections.*.endpoints.api": [*WORDS[1:], "x.example", "ftp://x.example", "http://x.example/", "https://x/?a=b"],
    "connections.*.endpoints.auth": [*WORDS[1:], "https://anna@x.example/"],
    "connections.*.endpoints.token": [*WORDS[1:], "http://10.0.0.7/token"],
    "connections.*.endpoints.revoke": WORDS[1:],
    "connections.*.rate": [*WORDS, 0, 60_001, True],
    "connections.*.parallel": [*WORDS, 0, 33],
    "rules": [["work"], "work", {"a b": {}}, {"work": {}}],
    "rules.*.resource": [*WORDS, "salon", "salon/", "salon/bob", "other/anna", "/anna"],
    "rules.*.connection": [*WORDS, "clinix"],
    "rules.*.calendar": [None, "", " ", 12, True, "x" * 1001, "a\nb", [1]],
    "rules.*.direction": [*WORDS, "Both", "none"],
    "rules.*.existing": [*WORDS, "Both", "all"],
    "rules.*.push": ["x", 1, [], {"free": "block"}],
    "rules.*.push.create": WORDS,
    "rules.*.push.update": WORDS,
    "rules.*.push.delete": [*WORDS, "never"],
    "rules.*.push.detail": [*WORDS, "Full", "none"],
    "rules.*.push.components": [[], "VEVENT", ["VJOURNAL"]],
    "rules.*.push.categories": ["work", [""], [1], {"a": 1}],
    "rules.*.pull": ["x", 1, [], {"alarms": True}],
    "rules.*.pull.create": WORDS,
    "rules.*.pull.update": WORDS,
    "rules.*.pull.delete": WORDS,
    "rules.*.pull.detail": [*WORDS, "Full", "none"],
    "rules.*.pull.free": [*WORDS, True, "busy"],
    "rules.*.pull.all_day": [*WORDS, "Block"],
    "rules.*.pull.special": [*WORDS, "Block", True, "free"],
    "rules.*.pull.components": [[], "VEVENT", ["VJOURNAL"]],
    "rules.*.pull.categories": ["work", [""], [1], {"a": 1}],
    "rules.*.window": ["x", "30d", []],
    "rules.*.window.past": [*WORDS, 90, "-1d", "101y"],
    "rules.*.window.future": [*WORDS, "forever"],
    "rules.*.poll": [*WORDS, "all", "0s", "8d", 5, "5 minutes"],
    "rules.*.on_conflict": [*WORDS, "oldest", "Newest"],
    "rules.*.guard": ["x", 25, []],
    "rules.*.guard.objects": [*WORDS, 1_000_001, True],
    "rules.*.guard.percent": [*WORDS, 101, "20%"],
    "rules.*.attendees": WORDS,
    "limits": ["x", 1, []],
    "limits.max_object": [*WORDS, "1", 999, "11GB", "1TB", "1M", True],
    "limits.max_body": [*WORDS, "20M"],
    "limits.max_instances": [*WORDS, 0],
    "limits.max_report_occurrences": [*WORDS, 0],
    "limits.keep_changes": [*WORDS, "all"],
    "limits.keep_journal": [*WORDS, "all"],
    "limits.keep_runs": [*WORDS, "all"],
    "limits.login_failures": [*WORDS, 0],
    "limits.login_window": WORDS,
    "limits.login_cache": WORDS,
    "auth": ["ldap", []],
    "auth.type": [*WORDS, "LDAP", "none", "denyall"],
    "auth.proxy_secret": ["sesame", "0123456789abcdef0123456789abcdef", 12345, [1]],
    "auth.proxy_secret_file": ["missing", [1], "."],
    "auth.options": ["x", ["x"], {"ldap_uri": "x"}, {"delay": [1]}, {"delay": "a\nb"}],
}

TAKEN: list[tuple[str, Any, Any]] = [
    ("server.listen", "[::1]:80", Listen("::1", 80)),
    ("server.listen", "localhost:0", Listen("localhost", 0)),
    ("server.public_url", "https://[::1]:8443/a/b/", "https://[::1]:8443/a/b"),
    ("server.workers", "4", 4),
    (
        "server.trusted_proxies",
        ["10.0.0.0/8", "::1"],
        (ipaddress.IPv4Network("10.0.0.0/8"), ipaddress.IPv6Network("::1/128")),
    ),
    ("server.path_prefix", "/a/b.c", "/a/b.c"),
    ("accounts.*.resources.*.color", "#ABCDEF", "#abcdef"),
    ("accounts.*.resources.*.components", ["VTODO"], (ComponentType.VTODO,)),
    ("accounts.*.name", "Café Zoë ☕", "Café Zoë ☕"),
    ("feeds.*.past", "all", None),
    ("feeds.*.past", "0d", timedelta()),
    ("feeds.*.future", "100y", timedelta(days=36500)),
    ("limits.max_object", "500KB", 500_000),
    ("limits.max_object", 4096, 4096),
    ("limits.max_body", "1 GiB", 2**30),
    ("limits.login_cache", "90s", timedelta(seconds=90)),
    ("users.*.admin", "TRUE", True),
]


def with_setting(place: str, value: Any) -> str:
    """The base configuration with `value` at `place`, as YAML (of which JSON is a part)."""
    document: dict[str, Any] = json.loads(json.dumps(BASE))
    section, previous = document, ""
    *steps, last = place.split(".")
    for step in steps:
        section = section.setdefault(KEYS[previous] if step == ANY else step, {})
        previous = step
    section[last] = value
    return json.dumps(document)


def read(folder: Path, place: str, value: Any) -> Configuration:
    path = folder / "bridge.yaml"
    path.write_text(with_setting(place, value))
    return load(path, environ={})


@pytest.mark.parametrize("place", list(REFUSED))
def test_a_setting_refuses_what_it_cannot_mean(tmp_path: Path, place: str) -> None:
    named = place.replace("accounts.*", "accounts.salon").replace("resources.*", "resources.anna")
    named = named.replace("users.*", "users.anna").replace("feeds.*", "feeds.phone")
    named = named.replace("connections.*", "connections.clinic").replace("rules.*", "rules.work")
    for value in REFUSED[place]:
        if value == "" and place == "server.path_prefix":
            continue
        with pytest.raises(ConfigurationError) as caught:
            pytest.fail(f"{place} takes {value!r}: {read(tmp_path, place, value)!r}")
        assert any(f":1: {named}" in problem for problem in caught.value.problems), (value, caught.value.problems)


def test_the_refusals_cover_every_setting() -> None:
    assert set(REFUSED) == {".".join(place) for place, _ in walk()}


@pytest.mark.parametrize(("place", "value", "expected"), TAKEN)
def test_a_setting_takes_each_written_form(tmp_path: Path, place: str, value: Any, expected: Any) -> None:
    found: Any = read(tmp_path, place, value)
    previous = ""
    for step in place.split("."):
        found = found[KEYS[previous]] if step == ANY else getattr(found, step)
        previous = step
    assert found == expected


@pytest.mark.parametrize("text", ["2y", "90d", "2w", "12h", "5m", "90s", "0s", "all"])
def test_a_duration_is_written_as_a_person_writes_it(tmp_path: Path, text: str) -> None:
    assert write_duration(read(tmp_path, "feeds.*.past", text).feed("phone").past) == text


@pytest.mark.parametrize(("size", "text"), [(2**20, "1MiB"), (3 * 2**30, "3GiB"), (1024, "1KiB"), (1500, "1500B")])
def test_a_size_is_written_with_the_largest_unit_that_comes_out_even(size: int, text: str) -> None:
    assert str(Size(size)) == text


@pytest.mark.parametrize(
    ("place", "value", "meant"),
    [
        ("server.listen", 8080, "127.0.0.1:8080"),
        ("server.public_url", "cal.example.org/x", "https://cal.example.org/x"),
        ("server.path_prefix", "cal/", "/cal"),
        ("server.trusted_proxies", ["10.1.2.3/8"], "10.0.0.0/8"),
        ("server.workers", 100, "64"),
        ("accounts.*.time_zone", "W. Europe Standard Time", "Europe/Berlin"),
        ("accounts.*.time_zone", "new york", "America/New_York"),
        ("accounts.*.resources.*.color", "#3af", "#33aaff"),
        ("users.*.admin", "yes", "true"),
        ("users.*.grants", {"salon.anna": "read"}, "salon/anna"),
        ("feeds.*.past", 30, "30d"),
        ("feeds.*.detail", "title", "titles"),
        ("limits.max_body", "20M", "20MB"),
        ("database", "sqlite://data/x.sqlite3", "sqlite:///data/x.sqlite3"),
    ],
)
def test_a_wrong_value_is_answered_with_what_was_meant(tmp_path: Path, place: str, value: Any, meant: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, place, value)
    assert any(f"did you mean '{meant}'?" in problem for problem in caught.value.problems), caught.value.problems


def test_the_known_options_are_those_of_radicale() -> None:
    config = pytest.importorskip("radicale.config")
    from bridge.config.references import OPTIONS  # noqa: PLC0415 -- beside the one test that needs it

    known = dict(config.DEFAULT_CONFIG_SCHEMA)["auth"]
    assert set(OPTIONS) <= set(known)
    assert {name for name in known if name.startswith(("ldap_", "htpasswd_"))} <= set(OPTIONS)
