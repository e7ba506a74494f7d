"""A rule is added to the file without touching what stands there, and only where the whole file stays right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config.edit import draft_rule
from bridge.config.load import load
from bridge.errors import ConfigurationError, Conflict

if TYPE_CHECKING:
    from pathlib import Path

SITE = """\
# Our salon.
accounts:
  salon:
    name: Salon Anna   # since 1998
    time_zone: Europe/Amsterdam
    resources: {anna: {kind: employee, name: Anna}, bob: {kind: employee, name: Bob}}
connections:
  clinic: {type: caldav, url: dav.example.org, user: anna, password: "${WORD}"}
"""
WORK = {"resource": "salon/anna", "connection": "clinic", "calendar": "Work"}
ENVIRON = {"WORD": "sesame"}

ENDINGS = {
    "no rules at all": "",
    "an empty section": "rules:\n",
    "an empty section in one line": "rules: {}\n",
    "another rule": "rules:\n  old: {resource: salon/bob, connection: clinic, calendar: Old}  # keep\n",
    "another rule, indented by four": (
        "rules:\n    old:\n        resource: salon/bob\n        connection: clinic\n        calendar: Old\n# the end\n"
    ),
    "rules in one line": "rules: {old: {resource: salon/bob, connection: clinic, calendar: Old}}\n",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "bridge.yaml"
    file.write_text(SITE)
    return file


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_rule_is_added_and_everything_else_stays(path: Path, ending: str) -> None:
    path.write_text(SITE + ending)
    draft = draft_rule(path, "anna-clinic", WORK, environ=ENVIRON)
    assert str(draft.configuration.rule("anna-clinic").resource) == "salon/anna"
    assert path.read_text() == SITE + ending

    draft.write()
    text = path.read_text()
    assert text.startswith(SITE)
    assert all(comment in text for comment in ("# keep", "# the end") if comment in ending)
    assert load(path, environ=ENVIRON).rules == draft.configuration.rules
    assert "sesame" not in text


@pytest.mark.parametrize("calendar", ["Büro: Anna", "123", "yes", "a#b", "t1@group.example.org", '"quoted"'])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(path: Path, calendar: str) -> None:
    draft_rule(path, "work", {**WORK, "calendar": calendar}, environ=ENVIRON).write()
    assert load(path, environ=ENVIRON).rule("work").calendar == calendar


def test_a_rule_that_would_work_against_another_is_refused_before_anything_is_written(path: Path) -> None:
    draft_rule(path, "work", WORK, environ=ENVIRON).write()
    before = path.read_text()
    with pytest.raises(ConfigurationError) as caught:
        draft_rule(path, "again", {**WORK, "resource": "salon/bob"}, environ=ENVIRON)
    assert "the same remote calendar as in rules.work" in caught.value.problems[0]
    assert path.read_text() == before


def test_a_name_is_used_once(path: Path) -> None:
    draft_rule(path, "work", WORK, environ=ENVIRON).write()
    with pytest.raises(Conflict, match="There is a rule 'work' already"):
        draft_rule(path, "work", {**WORK, "calendar": "Home"}, environ=ENVIRON)


def test_a_name_that_no_rule_can_have_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError):
        draft_rule(path, "two words", WORK, environ=ENVIRON)


def test_a_file_that_somebody_changes_meanwhile_is_left_as_it_is(path: Path) -> None:
    draft = draft_rule(path, "work", WORK, environ=ENVIRON)
    path.write_text(f"{SITE}# a new line\n")
    with pytest.raises(Conflict, match="changed by somebody else"):
        draft.write()
    assert path.read_text() == f"{SITE}# a new line\n"


def test_a_file_that_cannot_be_changed_from_here_says_so(path: Path) -> None:
    path.write_text(f"{SITE}x-rules: &rules {{}}\nrules: *rules\n".replace("x-rules", "users"))
    with pytest.raises(ConfigurationError) as caught:
        draft_rule(path, "work", WORK, environ=ENVIRON)
    assert "Add the rule 'work' by hand." in str(caught.value)
