"""A rule has the options of the design with their defaults, and is told what will not do what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.config import Configuration, Guard, Pull, Push, Rule, Scope, Window, load
from bridge.core.decision import Direction, Existing, OnConflict
from bridge.core.model import ComponentType
from bridge.core.view import Blocking, Detail
from bridge.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

SITE = """
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {kind: employee, name: Anna}
      laser: {kind: instrument, name: Laser, components: [VEVENT]}
connections:
  clinic: {type: caldav, url: dav.example.org, user: anna}
  partner: {type: ics, url: "https://partner.example.org/rota.ics"}
"""
WORK = "resource: salon/anna, connection: clinic, calendar: Work"


def read(folder: Path, rule: str) -> Configuration:
    path = folder / "bridge.yaml"
    path.write_text(f"{SITE}rules:\n  work: {{{rule}}}\n")
    return load(path, environ={})


def test_a_rule_names_three_things_and_has_defaults_for_the_rest(tmp_path: Path) -> None:
    configuration = read(tmp_path, WORK)
    assert configuration.rule("work") == Rule.model_construct(
        resource=Scope("salon", "anna"),
        connection="clinic",
        calendar="Work",
        direction=Direction.BOTH,
        existing=Existing.BOTH,
        push=Push(),
        pull=Pull(),
        window=Window(past=timedelta(days=30), future=timedelta(days=365)),
        poll=timedelta(minutes=5),
        on_conflict=OnConflict.NEWEST,
        guard=Guard(objects=25, percent=20),
        attendees=False,
    )
    assert configuration.warnings == ()


def test_by_default_all_appointments_flow_with_all_that_they_hold() -> None:
    for way in (Push(), Pull()):
        assert (way.create, way.update, way.delete) == (True, True, True)
        assert (way.detail, way.components, way.categories) == (Detail.FULL, (ComponentType.VEVENT,), ())
    assert (Pull().free, Pull().all_day) == (Blocking.IGNORE, Blocking.BLOCK)


def test_a_rule_can_be_made_from_values() -> None:
    rule = Rule(resource=Scope("salon", "anna"), connection="clinic", calendar="Work", poll=timedelta(hours=1))
    assert (str(rule.resource), rule.poll, rule.direction) == ("salon/anna", timedelta(hours=1), Direction.BOTH)


def test_every_option_can_be_said(tmp_path: Path) -> None:
    options = (
        "direction: both, existing: none, attendees: true, poll: 1s, on_conflict: theirs, "
        "push: {create: false, update: false, delete: false, detail: busy, components: [VEVENT, VTODO], "
        "categories: [a]}, "
        "pull: {create: false, update: false, delete: false, detail: titles, free: block, all_day: ignore, "
        "components: [VTODO], categories: [b, c]}, window: {past: all, future: 2w}, guard: {objects: 0, percent: 100}"
    )
    configuration = read(tmp_path, f"{WORK}, {options}")
    rule = configuration.rule("work")
    both = (ComponentType.VEVENT, ComponentType.VTODO)
    assert rule.push == Push.model_construct(
        create=False, update=False, delete=False, detail=Detail.BUSY, components=both, categories=("a",)
    )
    assert rule.pull == Pull.model_construct(
        create=False,
        update=False,
        delete=False,
        detail=Detail.TITLES,
        free=Blocking.BLOCK,
        all_day=Blocking.IGNORE,
        components=(ComponentType.VTODO,),
        categories=("b", "c"),
    )
    assert (rule.window.past, rule.window.future) == (None, timedelta(weeks=2))
    assert (rule.guard.objects, rule.guard.percent) == (0, 100)
    assert (rule.existing, rule.on_conflict, rule.poll) == (Existing.NONE, OnConflict.THEIRS, timedelta(seconds=1))
    assert rule.attendees
    assert configuration.warnings == ()


@pytest.mark.parametrize(
    ("said", "pushes", "pulls"),
    [
        ("", True, True),
        (", direction: both", True, True),
        (", direction: push", True, False),
        (", direction: pull", False, True),
    ],
)
def test_the_direction_says_which_way_changes_go(tmp_path: Path, said: str, *, pushes: bool, pulls: bool) -> None:
    direction = read(tmp_path, WORK + said).rule("work").direction
    assert (direction.pushes, direction.pulls) == (pushes, pulls)


@pytest.mark.parametrize("said", ["", ", direction: pull"])
def test_a_calendar_that_can_only_be_read_is_pulled_from(tmp_path: Path, said: str) -> None:
    configuration = read(tmp_path, f"resource: salon/anna, connection: partner{said}")
    assert configuration.rule("work").direction is Direction.PULL
    assert configuration.rule("work").calendar == ""
    assert configuration.warnings == ()


@pytest.mark.parametrize("calendar", ["Work ☕", "/anna/work/", "https://dav.example.org/anna/work/", "a" * 1000])
def test_a_calendar_is_named_as_the_other_server_lists_it(tmp_path: Path, calendar: str) -> None:
    assert read(tmp_path, WORK.replace("Work", f'"{calendar}"')).rule("work").calendar == calendar


def test_a_rule_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no rule 'wrok'.*Did you mean 'work'"):
        read(tmp_path, WORK).rule("wrok")


@pytest.mark.parametrize(
    ("rule", "warned"),
    [
        (f"{WORK}, direction: pull, push: {{delete: false}}", "push: has no effect, as the direction is pull"),
        (f"{WORK}, direction: push, pull: {{free: block}}", "pull: has no effect, as the direction is push"),
        (f"{WORK}, direction: pull, existing: send", "existing: send has no effect, as the direction is pull"),
        (f"{WORK}, direction: push, existing: fetch", "existing: fetch has no effect, as the direction is push"),
        (
            "resource: salon/laser, connection: clinic, calendar: A, push: {components: [VEVENT, VTODO]}",
            "push.components: salon/laser holds no VTODO, so none goes this way",
        ),
        (
            "resource: salon/laser, connection: partner, pull: {components: [VTODO]}",
            "pull.components: salon/laser holds no VTODO, so none goes this way",
        ),
    ],
)
def test_what_a_rule_says_in_vain_is_warned_of(tmp_path: Path, rule: str, warned: str) -> None:
    (warning,) = read(tmp_path, rule).warnings
    assert warning == f"{tmp_path / 'bridge.yaml'}:13: rules.work.{warned}"


@pytest.mark.parametrize(
    "rule",
    [
        f"{WORK}, direction: pull, push: {{}}",
        f"{WORK}, direction: push, existing: send",
        f"{WORK}, direction: pull, existing: fetch",
        f"{WORK}, existing: fetch",
        f"{WORK}, direction: push, existing: none",
        "resource: salon/laser, connection: clinic, calendar: A",
        "resource: salon/anna, connection: clinic, calendar: A, push: {components: [VTODO]}",
    ],
)
def test_what_a_rule_says_to_some_effect_is_no_reason_to_warn(tmp_path: Path, rule: str) -> None:
    assert read(tmp_path, rule).warnings == ()
