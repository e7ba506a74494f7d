"""The plugin API of Radicale changes in minor releases: what is installed lies in the range that we promise."""

from __future__ import annotations

import inspect
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
import radicale.app
from radicale import auth, rights, storage

from bridge.radicale_plugin.access import Auth, Rights
from bridge.radicale_plugin.application import Application
from bridge.radicale_plugin.collection import CalendarCollection, FolderCollection
from bridge.radicale_plugin.storage import Storage
from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Callable

TESTED = ("3.9.0",)
"""The lowest and the highest release of the range with which the whole suite has passed."""


def promised() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The range of pyproject.toml: from, and up to without."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    bounds = next(each for each in project["dependencies"] if each.startswith("radicale"))
    least, below = bounds.removeprefix("radicale>=").split(",<")
    return numbers(least), numbers(below)


def numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def test_both_ends_of_the_range_were_tested() -> None:
    least, below = promised()
    assert numbers(TESTED[0])[: len(least)] == least
    assert all(least <= numbers(release) < below for release in TESTED)
    # A range within one minor release: nothing between its ends can bring another plugin API.
    assert (least[0], least[1] + 1) == below


def test_the_installed_release_lies_in_the_range() -> None:
    least, below = promised()
    assert least <= numbers(version("radicale")) < below


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        (Storage, storage.BaseStorage, ["acquire_lock", "discover", "move", "create_collection", "verify"]),
        (
            CalendarCollection,
            storage.BaseCollection,
            ["sync", "get_multi", "get_all", "get_filtered", "has_uid", "upload", "delete", "get_meta", "set_meta"],
        ),
        (FolderCollection, storage.BaseCollection, ["get_multi", "get_all", "get_meta"]),
        (Auth, auth.BaseAuth, ["get_external_login", "_login_ext", "_sleep_for_constant_exec_time"]),
        (Rights, rights.BaseRights, ["authorization"]),
    ],
)  # fmt: skip
def test_each_method_takes_what_radicale_gives_it(ours: Any, theirs: Any, names: list[str]) -> None:
    for name in names:
        given = inspect.signature(getattr(theirs, name)).parameters
        taken = inspect.signature(getattr(ours, name)).parameters
        takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
        assert takes_any or given.keys() <= taken.keys(), (name, list(given))


def test_every_abstract_method_of_radicale_is_written() -> None:
    for ours, theirs in ((Storage, storage.BaseStorage), (CalendarCollection, storage.BaseCollection)):
        for name, method in inspect.getmembers(theirs, inspect.isfunction):
            if "raise NotImplementedError" in inspect.getsource(method):
                assert getattr(ours, name) is not method, name


def test_the_request_methods_of_radicale_are_all_ours_or_known() -> None:
    def methods(application: type) -> dict[str, Callable[..., Any]]:
        return {name: getattr(application, name) for name in dir(application) if name.startswith("do_")}

    theirs, ours = methods(radicale.app.Application), methods(Application)
    assert {name for name in theirs if ours[name] is theirs[name]} == {"do_HEAD"}
