"""Tests of app passwords."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Conflict
from bridge.store import account

if TYPE_CHECKING:
    from bridge.store.database import Database
    from tests.store.desk import Clock


def make(database: Database, user: str = "anna", label: str = "phone") -> str:
    with database.writing() as tx:
        return account.make_app_password(tx, user, label)


def kept(database: Database, password: str, user: str = "anna") -> tuple[int, str] | None:
    with database.reading() as tx:
        return account.app_password_to_compare(tx, user, password)


def number_of(database: Database, password: str) -> int:
    found = kept(database, password)
    assert found is not None
    return found[0]


def test_an_app_password_logs_in_its_user_and_nobody_else(database: Database) -> None:
    password = make(database)

    found = kept(database, password)

    assert found is not None
    assert account.verify_password(password, found[1])
    with database.reading() as tx:
        assert account.app_password_exists(tx, found[0])
    assert kept(database, password, "boss") is None
    assert kept(database, password.upper()) is None


def test_an_app_password_is_easy_to_type_and_never_twice_the_same(database: Database) -> None:
    first, second = make(database, label="phone"), make(database, label="laptop")

    assert first != second
    assert [len(group) for group in first.split("-")] == [4] * 5
    assert not set(first) & set("lo01O")


def test_an_app_password_is_not_in_the_database(database: Database) -> None:
    password = make(database)

    with database.reading() as tx:
        row = tx.connection.exec_driver_sql("SELECT * FROM app_password").one()

    assert password not in str(row)
    assert "$argon2id$" in str(row)


def test_a_password_is_compared_with_the_one_that_begins_like_it_and_no_other(database: Database) -> None:
    phone, laptop = make(database, label="phone"), make(database, label="laptop")

    of_phone, of_laptop = kept(database, phone), kept(database, laptop)

    assert of_phone is not None
    assert of_laptop is not None
    assert account.verify_password(phone, of_phone[1])
    assert not account.verify_password(phone, of_laptop[1])
    assert kept(database, phone[:4] + laptop[4:]) == of_phone


def test_what_has_not_the_form_of_an_app_password_is_none(database: Database) -> None:
    password = make(database)

    for wrong in ("", "sesame", password[:-1], f"{password}-aaaa", password.replace("-", ""), f"{password}\n"):
        assert kept(database, wrong) is None


def test_a_label_is_used_once_and_the_transaction_goes_on_after_the_refusal(database: Database) -> None:
    make(database)

    with database.writing() as tx:
        with pytest.raises(Conflict, match="revoke"):
            account.make_app_password(tx, "anna", "phone")
        account.make_app_password(tx, "anna", "laptop")

    with database.reading() as tx:
        assert [each.label for each in account.app_passwords(tx, "anna")] == ["laptop", "phone"]


def test_the_list_tells_when_each_was_made_and_used(database: Database, clock: Clock) -> None:
    password = make(database)
    made = clock.now
    clock.go_on(timedelta(hours=3))
    number = number_of(database, password)
    with database.writing() as tx:
        account.note_use(tx, number)
    make(database, "boss", "tablet")

    with database.reading() as tx:
        phone, tablet = account.app_passwords(tx)

    assert (phone.user, phone.label, phone.created_at, phone.used_at) == ("anna", "phone", made, clock.now)
    assert (tablet.user, tablet.used_at) == ("boss", None)


def test_a_revoked_app_password_logs_nobody_in(database: Database) -> None:
    phone, laptop = make(database, label="phone"), make(database, label="laptop")
    number = number_of(database, phone)

    with database.writing() as tx:
        assert account.revoke_app_passwords(tx, "anna", "phone") == 1

    with database.reading() as tx:
        assert not account.app_password_exists(tx, number)
    assert kept(database, phone) is None
    assert kept(database, laptop) is not None


def test_all_app_passwords_of_a_user_can_be_revoked_at_once(database: Database) -> None:
    for label in ("phone", "laptop"):
        make(database, label=label)
    make(database, "boss")

    with database.writing() as tx:
        assert account.revoke_app_passwords(tx, "anna") == 2
        assert account.revoke_app_passwords(tx, "anna", "phone") == 0

    with database.reading() as tx:
        assert [each.user for each in account.app_passwords(tx)] == ["boss"]


@pytest.mark.parametrize("broken", ["", "plain", "$argon2id$v=19$broken"])
def test_a_broken_hash_matches_nothing(broken: str) -> None:
    assert not account.verify_password("", broken)


def test_a_hash_matches_its_password_only() -> None:
    kept = account.hash_password("pässword")

    assert account.verify_password("pässword", kept)
    assert not account.verify_password("password", kept)
