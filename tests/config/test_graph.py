"""Rules that keep out of each other's way are taken; what is refused stands in `refused/rules-*`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import Configuration, load
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SITE = """
server: {{listen: "{listen}"{server}}}
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {{kind: employee, name: Anna}}
      bob: {{kind: employee, name: Bob}}
      room-1: {{kind: location, name: Room 1}}
feeds: {{anna: {{of: salon/anna}}, bob: {{of: salon/bob}}}}
connections:
  clinic: {{type: caldav, url: "https://dav.example.org/", user: anna}}
  clinic-bob: {{type: caldav, url: "https://dav.example.org/", user: bob}}
  clinic-mail: {{type: caldav, url: Anna@dav.example.org}}
  clinic-mail-again: {{type: caldav, url: dav.example.org, user: anna@dav.example.org}}
  other: {{type: caldav, url: "https://dav.example.org:8443/", user: anna}}
  partner: {{type: ics, url: "https://partner.example.org/rota.ics"}}
  partner-key: {{type: ics, url: "https://partner.example.org/rota.ics?key=2"}}
  file: {{type: ics, url: "file:///srv/rota.ics"}}
  feed-anna: {{type: ics, url: "http://localhost:5232/feed/token/anna.ics", allow_private: true}}
  feed-bob: {{type: ics, url: "http://127.0.0.1:5232/feed/token/bob.ics", allow_private: true}}
  feed-public: {{type: ics, url: "https://example.org/feed/token/anna.ics"}}
  feed-gone: {{type: ics, url: "http://localhost:5232/feed/token/carl.ics", allow_private: true}}
  page: {{type: ics, url: "http://localhost:5232/feed/anna.ics", allow_private: true}}
  ourselves: {{type: caldav, url: "http://localhost:5232/dav/", user: boss}}
  ourselves-top: {{type: caldav, url: "http://[::1]:5232", user: boss}}
  ourselves-mail: {{type: caldav, url: boss@example.org}}
rules:
{rules}
"""


def read(folder: Path, rules: list[str], *, listen: str = "127.0.0.1:5232", server: str = "") -> Configuration:
    path = folder / "bridge.yaml"
    numbered = "\n".join(f"  r{at}: {{{rule}}}" for at, rule in enumerate(rules, start=1))
    path.write_text(SITE.format(listen=listen, server=server, rules=numbered))
    return load(path, environ={})


def refusal(folder: Path, rules: list[str], *, listen: str = "127.0.0.1:5232", server: str = "") -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, rules, listen=listen, server=server)
    (problem,) = caught.value.problems
    return problem


def rule(resource: str, connection: str, calendar: str = "", direction: str = "") -> str:
    more = f', calendar: "{calendar}"' if calendar else ""
    return f"resource: salon/{resource}, connection: {connection}{more}" + (
        f", direction: {direction}" if direction else ""
    )


KEPT_APART = {
    "one resource and two calendars": [rule("anna", "clinic", "Work"), rule("anna", "clinic", "Home")],
    "several calendars that feed one resource": [
        rule("anna", "partner"),
        rule("anna", "file"),
        rule("anna", "partner-key"),
    ],
    "one calendar that feeds two resources": [rule("anna", "partner"), rule("bob", "partner")],
    "a remote calendar that two resources only read": [
        rule("anna", "clinic", "Holidays", "pull"),
        rule("bob", "clinic", "Holidays", "pull"),
    ],
    "calendars of one name that belong to two users": [
        rule("anna", "clinic", "Work"),
        rule("bob", "clinic-bob", "Work"),
    ],
    "calendars of one name on two servers": [rule("anna", "clinic", "Work"), rule("bob", "other", "Work")],
    "calendars with other capitals": [rule("anna", "clinic", "Work"), rule("bob", "clinic", "work")],
    "a feed of one resource that leads into another": [rule("bob", "feed-anna")],
    "a feed that leads to two resources": [rule("bob", "feed-anna"), rule("room-1", "feed-anna")],
    "a chain of feeds": [rule("bob", "feed-anna"), rule("room-1", "feed-bob")],
    "a feed that the file does not name": [rule("anna", "feed-gone")],
    "an address of ours that is no feed": [rule("anna", "page")],
    "a calendar of ours that leads into another": [rule("anna", "ourselves", "Room 1", "pull")],
    "a personal calendar of ours": [rule("anna", "ourselves", "private")],
    "a personal calendar of ours by its path": [rule("anna", "ourselves", "/dav/boss/private/")],
    "a mail address in the domain of this server": [rule("anna", "ourselves-mail", "Anna")],
}


@pytest.mark.parametrize("rules", KEPT_APART.values(), ids=KEPT_APART.keys())
def test_what_does_not_meet_is_taken(tmp_path: Path, rules: list[str]) -> None:
    configuration = read(tmp_path, rules, server=', public_url: "https://example.org/planning"')
    assert len(configuration.rules) == len(rules)


def test_one_calendar_through_two_spellings_of_user_and_server_is_found_out(tmp_path: Path) -> None:
    told = refusal(tmp_path, [rule("anna", "clinic-mail", "Work"), rule("bob", "clinic-mail-again", "Work")])
    assert "rules.r2: the same remote calendar as in rules.r1 (line " in told


def test_one_address_through_two_users_is_one_calendar(tmp_path: Path) -> None:
    shared = "https://dav.example.org/shared/team/"
    assert "the same remote calendar" in refusal(
        tmp_path, [rule("anna", "clinic", shared), rule("bob", "clinic-bob", "/shared/team")]
    )


def test_each_rule_that_comes_to_a_taken_calendar_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, [rule(each, "clinic", "Team", "push") for each in ("anna", "bob", "room-1")])
    named = [problem.partition(": the same")[0].rpartition(".")[2] for problem in caught.value.problems]
    assert named == ["r2", "r3"]


@pytest.mark.parametrize(
    ("connection", "listen", "server"),
    [
        ("feed-anna", "127.0.0.1:5232", ""),
        ("feed-anna", "localhost:5232", ""),
        ("feed-anna", "[::]:5232", ""),
        ("feed-public", "10.0.0.7:80", ', public_url: "https://example.org"'),
        ("feed-public", "example.org:80", ""),
    ],
)
def test_our_own_feed_is_recognised_by_every_address_of_this_server(
    tmp_path: Path, connection: str, listen: str, server: str
) -> None:
    told = refusal(tmp_path, [rule("anna", connection)], listen=listen, server=server)
    assert "rules.r1: it would take feeds.anna (line 11) into salon/anna, which that feed shows" in told
    assert "token" not in told


@pytest.mark.parametrize(
    ("listen", "server"),
    [
        ("127.0.0.1:5233", ""),
        ("10.0.0.7:5232", ""),
        ("127.0.0.1:5232", ", path_prefix: /planning"),
    ],
)
def test_a_feed_of_another_server_is_none_of_ours(tmp_path: Path, listen: str, server: str) -> None:
    assert read(tmp_path, [rule("anna", "feed-anna")], listen=listen, server=server).rules


@pytest.mark.parametrize("connection", ["ourselves", "ourselves-top"])
@pytest.mark.parametrize(
    "calendar",
    ["Anna", "salon.anna", "salon/anna", "/dav/boss/salon.anna/", "http://localhost:5232/dav/boss/salon.anna"],
)
@pytest.mark.parametrize("direction", ["both", "push", "pull"])
def test_a_resource_is_not_kept_the_same_as_itself(
    tmp_path: Path, connection: str, calendar: str, direction: str
) -> None:
    told = refusal(tmp_path, [rule("anna", connection, calendar, direction)])
    assert "rules.r1: its remote calendar is salon/anna itself, on this very server" in told


def test_two_resources_of_this_server_are_not_led_there_and_back(tmp_path: Path) -> None:
    told = refusal(tmp_path, [rule("anna", "ourselves", "Bob")])
    assert "its remote calendar is salon/bob of this very server, and it would lead there and back" in told
    told = refusal(tmp_path, [rule("anna", "ourselves", "Bob", "push"), rule("anna", "feed-bob")])
    assert (
        "rules.r2: it would lead from salon/bob into salon/anna by feeds.bob (line 11), while rules.r1 (line " in told
    )
