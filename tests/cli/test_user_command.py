"""Tests `user`: people and their passwords, in the configuration and in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from bridge.store import account

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from tests.cli.conftest import Installation


def password_is(installation: Installation, name: str, password: str) -> bool:
    site = installation.open()
    site.database.close()
    kept = site.configuration.user(name).password_hash
    return kept is not None and account.verify_password(password, kept.get_secret_value())


def test_a_new_user_can_log_in_and_has_the_grants(installation: Installation) -> None:
    words = ("--grant", "salon/anna=write", "--grant", "salon/room-1=read", "--admin", "--personal-calendars")
    answer = installation.run("user", "add", "piet", *words, typed="a good word\na good word\n")

    assert answer.code == 0
    assert "a good word" not in answer.stdout + answer.stderr
    assert password_is(installation, "piet", "a good word")
    user = installation.run("user", "list", "--json").json["users"][1]
    assert user == {
        "name": "piet",
        "configured": True,
        "login": "password",
        "admin": True,
        "personal_calendars": True,
        "email": None,
        "grants": {"salon/anna": "write", "salon/room-1": "read"},
        "app_passwords": [],
    }


def test_two_passwords_that_differ_are_asked_for_again(installation: Installation) -> None:
    typed = "a good word\nanother word\na better word\na better word\n"
    assert installation.run("user", "add", "piet", typed=typed).code == 0
    assert password_is(installation, "piet", "a better word")


def test_a_generated_password_is_shown_once_and_works(installation: Installation) -> None:
    made = installation.run("user", "add", "piet", "--generate", "--json").json

    assert made["user"] == "piet"
    assert password_is(installation, "piet", made["password"])


def test_a_password_comes_from_a_pipe(installation: Installation) -> None:
    assert installation.run("user", "password", "boss", "--password-stdin", typed="from a pipe\n").code == 0
    assert password_is(installation, "boss", "from a pipe")


@pytest.mark.parametrize("words", [("--generate", "--password-stdin"), ("--generate", "--no-password")])
def test_two_sources_of_a_password_exclude_each_other(installation: Installation, words: tuple[str, str]) -> None:
    assert installation.run("user", "add", "piet", *words, typed="from a pipe\n").code == Exit.USAGE


def test_a_short_password_is_not_taken(installation: Installation) -> None:
    answer = installation.run("user", "password", "boss", "--password-stdin", typed="short\n")

    assert answer.code == Exit.USAGE
    assert "--generate" in answer.stderr


def test_a_user_that_is_there_is_not_added_again(installation: Installation) -> None:
    before = installation.config.read_bytes()
    answer = installation.run("user", "add", "boss", "--generate")

    assert answer.code == Exit.FAILED
    assert "There is a user 'boss' already." in answer.stderr
    assert installation.config.read_bytes() == before


@pytest.mark.parametrize("grant", ["salon/anna", "salon/anna=own", "=write", "salon/anna/x=read"])
def test_a_grant_that_is_none_is_wrong_usage(installation: Installation, grant: str) -> None:
    assert installation.run("user", "add", "piet", "--generate", "--grant", grant).code == Exit.USAGE


def test_a_grant_on_what_is_not_there_leaves_the_file_as_it_is(installation: Installation) -> None:
    before = installation.config.read_bytes()
    answer = installation.run("user", "add", "piet", "--generate", "--grant", "salon/bob=write")

    assert answer.code == Exit.CONFIGURATION
    assert installation.config.read_bytes() == before


def test_the_password_of_nobody_cannot_be_changed(installation: Installation) -> None:
    answer = installation.run("user", "password", "bos", "--generate", "--json")

    assert answer.code == Exit.FAILED
    assert answer.error == {"error": "There is no user 'bos'.", "remedy": "Did you mean 'boss'?"}


def test_an_app_password_logs_in_until_it_is_revoked(installation: Installation, site: Site) -> None:
    made = installation.run("user", "app-password", "boss", "--label", "phone", "--json").json
    assert (made["user"], made["label"]) == ("boss", "phone")
    with site.database.reading() as tx:
        kept = account.app_password_to_compare(tx, "boss", made["password"])
    assert kept is not None
    assert account.verify_password(made["password"], kept[1])

    listed = installation.run("user", "list", "--json").json["users"][0]["app_passwords"]
    assert [(each["label"], each["used_at"]) for each in listed] == [("phone", None)]
    assert made["password"] not in installation.run("user", "list").stdout

    assert installation.run("user", "revoke", "boss", "phone", "--json").json == {"user": "boss", "revoked": 1}
    with site.database.reading() as tx:
        assert account.app_password_to_compare(tx, "boss", made["password"]) is None


def test_an_app_password_needs_a_user_and_a_label_of_its_own(installation: Installation) -> None:
    assert installation.run("user", "app-password", "boss", "--label", "phone").code == 0
    assert installation.run("user", "app-password", "boss", "--label", "phone").code == Exit.FAILED
    assert installation.run("user", "app-password", "boss", "--label", " ").code == Exit.USAGE
    assert installation.run("user", "app-password", "nobody", "--label", "phone").code == Exit.FAILED


def test_all_app_passwords_are_revoked_at_once_also_of_a_user_who_is_gone(installation: Installation) -> None:
    for label in ("phone", "laptop"):
        installation.run("user", "app-password", "boss", "--label", label)
    installation.config.write_text(installation.config.read_text().replace("  boss:", "  chief:"))

    assert "gone from the configuration" in installation.run("user", "list").stdout
    assert installation.run("user", "revoke", "boss", "--all").stdout == "2 app passwords of 'boss' revoked.\n"


def test_revoking_what_is_not_there_names_what_is(installation: Installation) -> None:
    installation.run("user", "app-password", "boss", "--label", "laptop")
    answer = installation.run("user", "revoke", "boss", "phone")

    assert answer.code == Exit.FAILED
    assert answer.stderr == "User 'boss' has no app password 'phone'.\nThere are: laptop.\n"


@pytest.mark.parametrize("words", [(), ("phone", "--all")])
def test_revoke_wants_one_label_or_all(installation: Installation, words: tuple[str, ...]) -> None:
    assert installation.run("user", "revoke", "boss", *words).code == Exit.USAGE
