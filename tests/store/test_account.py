"""Tests of app passwords."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from bridge.errors import Conflict
from bridge.store import account
from bridge.store.schema import app_password

if TYPE_CHECKING:
    from bridge.store.database import Database
    from tests.store.desk import Clock


def make(database: Database, user: str = "anna", label: str = "phone") -> str:
    with database.writing() as tx:
        return account.make_app_password(tx, user, label)


def test_an_app_password_logs_in_its_user_and_nobody_else(database: Database) -> None:
    password = make(database)

    with database.reading() as tx:
        number = account.matching_app_password(tx, "anna", password)
        assert number is not None
        assert account.app_password_exists(tx, number)
        assert account.matching_app_password(tx, "boss", password) is None
        assert account.matching_app_password(tx, "anna", password.upper()) is None


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
    phone = make(database, label="phone")
    make(database, label="laptop")

    with database.writing() as tx:
        of_phone = select(app_password.c.hash).where(app_password.c.label == "phone")
        tx.connection.execute(update(app_password).values(hash=tx.connection.execute(of_phone).scalar_one()))
        assert account.matching_app_password(tx, "anna", phone) is not None
        tx.connection.execute(update(app_password).where(app_password.c.label == "phone").values(hash="none"))

        assert account.matching_app_password(tx, "anna", phone) is None


def test_what_has_not_the_form_of_an_app_password_is_none(database: Database) -> None:
    password = make(database)

    with database.reading() as tx:
        for wrong in ("", "sesame", password[:-1], f"{password}-aaaa", password.replace("-", ""), f"{password}\n"):
            assert account.matching_app_password(tx, "anna", wrong) is None


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
    with database.writing() as tx:
        number = account.matching_app_password(tx, "anna", password)
        assert number is not None
        account.note_use(tx, number)
    make(database, "boss", "tablet")

    with database.reading() as tx:
        phone, tablet = account.app_passwords(tx)

    assert (phone.user, phone.label, phone.created_at, phone.used_at) == ("anna", "phone", made, clock.now)
    assert (tablet.user, tablet.used_at) == ("boss", None)


def test_a_revoked_app_password_logs_nobody_in(database: Database) -> None:
    phone, laptop = make(database, label="phone"), make(database, label="laptop")
    with database.reading() as tx:
        number = account.matching_app_password(tx, "anna", phone)
        assert number is not None

    with database.writing() as tx:
        assert account.revoke_app_passwords(tx, "anna", "phone") == 1

    with database.reading() as tx:
        assert not account.app_password_exists(tx, number)
        assert account.matching_app_password(tx, "anna", phone) is None
        assert account.matching_app_password(tx, "anna", laptop) is not None


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
