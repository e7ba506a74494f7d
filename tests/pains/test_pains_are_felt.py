"""Every test of a pain fails as soon as the lesson that keeps it away is switched off."""

from __future__ import annotations

import inspect
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import CalbridgeError
from tests.pains.desk import new_desk
from tests.pains.lessons import LESSONS
from tests.sync.google_side import google_desks

if TYPE_CHECKING:
    from tests.pains.lessons import Lesson

for _path in sorted(Path(__file__).parent.glob("test_pains_of_*.py")):
    import_module(f"tests.pains.{_path.stem}")


@pytest.mark.parametrize("lesson", LESSONS, ids=[f"{each.test.__name__}-{each.place}" for each in LESSONS])
def test_the_pain_is_felt_without_its_lesson(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson.forget(monkeypatch)
    with ExitStack() as stack:
        given: dict[str, Any] = {}
        for name in inspect.signature(lesson.test).parameters:
            if name == "bridge":
                [given[name]] = stack.enter_context(google_desks(tmp_path, "ours"))
            else:
                given[name] = stack.enter_context(new_desk(tmp_path)) if name == "desk" else tmp_path
        with pytest.raises((AssertionError, CalbridgeError, pytest.fail.Exception)):
            lesson.test(**given)


def test_every_pain_of_the_engine_has_a_lesson_that_was_switched_off() -> None:
    """Pains 6, 9 and 22 are those of other faces and other upstreams."""
    numbered = {each.test.__name__.removeprefix("test_pain_")[:2] for each in LESSONS}
    concerned = set(range(1, 26)) - {6, 9, 22}
    assert {f"{number:02}" for number in concerned} <= numbered
