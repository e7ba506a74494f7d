"""The target of a rule says what it is about, and nothing that may change without making it another rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import load, rule_target
from bridge.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

SITE = """
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources: {anna: {kind: employee, name: Anna}, bob: {kind: employee, name: Bob}}
"""
CLINIC = 'clinic: {type: caldav, url: "https://dav.example.org/dav/", user: anna}'
WORK = "resource: salon/anna, connection: clinic, calendar: Work"
TARGET = "salon/anna|caldav:dav.example.org/dav anna|Work"


def target(folder: Path, *, connection: str = CLINIC, rule: str = WORK) -> str:
    path = folder / "bridge.yaml"
    path.write_text(f"{SITE}connections:\n  {connection}\nrules:\n  work: {{{rule}}}\n")
    return rule_target(load(path, environ={"WORD": "sesame"}), "work")


def test_the_target_names_the_resource_the_connection_and_the_calendar(tmp_path: Path) -> None:
    assert target(tmp_path) == TARGET


@pytest.mark.parametrize(
    "connection",
    [
        CLINIC.replace("user: anna", 'user: anna, password: "${WORD}", rate: 60, parallel: 1'),
        CLINIC.replace("https", "http"),
        CLINIC.replace("dav/", "dav"),
        CLINIC.replace("dav.example.org", "DAV.example.org:443"),
    ],
)
def test_credentials_and_another_spelling_of_the_address_keep_the_target(tmp_path: Path, connection: str) -> None:
    assert target(tmp_path, connection=connection) == TARGET


@pytest.mark.parametrize("more", [", direction: push", ", poll: 1m", ", window: {past: all}", ", pull: {free: block}"])
def test_options_keep_the_target(tmp_path: Path, more: str) -> None:
    assert target(tmp_path, rule=WORK + more) == TARGET


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("salon/anna", "salon/bob"),
        ("Work", "Home"),
        ("Work", "work"),
        ("Work", "/dav/anna/work/"),
    ],
)
def test_another_resource_or_calendar_is_another_target(tmp_path: Path, old: str, new: str) -> None:
    assert target(tmp_path, rule=WORK.replace(old, new)) != TARGET


@pytest.mark.parametrize(("old", "new"), [("/dav/", "/"), ("example.org", "example.com"), ("user: anna", "user: Anna")])
def test_another_server_or_user_is_another_target(tmp_path: Path, old: str, new: str) -> None:
    assert target(tmp_path, connection=CLINIC.replace(old, new)) != TARGET


def test_the_path_and_the_address_of_a_calendar_are_one_target(tmp_path: Path) -> None:
    written = ("/dav/anna/work", "/dav/anna/work/", "https://dav.example.org/dav/anna/work/")
    targets = {target(tmp_path, rule=WORK.replace("Work", each)) for each in written}
    assert targets == {"salon/anna|caldav:dav.example.org/dav anna|dav.example.org/dav/anna/work"}


def test_letters_that_look_the_same_are_the_same(tmp_path: Path) -> None:
    composed, decomposed = (target(tmp_path, rule=WORK.replace("Work", each)) for each in ("B\u00fcro", "Bu\u0308ro"))
    assert composed == decomposed


def test_a_calendar_cannot_pass_itself_off_as_another_target(tmp_path: Path) -> None:
    assert target(tmp_path, rule=WORK.replace("Work", '"A|B%7C"')).endswith(" anna|A%7CB%257C")


def test_an_ics_address_may_change_and_stays_out_of_the_target(tmp_path: Path) -> None:
    targets = {
        target(
            tmp_path,
            connection=f'partner: {{type: ics, url: "https://partner.example.org/{secret}.ics"}}',
            rule="resource: salon/anna, connection: partner",
        )
        for secret in ("sesame", "rotated")
    }
    assert targets == {"salon/anna|ics:partner|"}


def test_a_rule_that_does_not_exist_has_no_target(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(SITE)
    with pytest.raises(NotFound):
        rule_target(load(path, environ={}), "work")
