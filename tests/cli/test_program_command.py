"""Tests what all commands share: help, exit codes, errors in words and as JSON, and where the configuration is."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from bridge.cli.outcome import Exit
from bridge.cli.program import program
from tests.cli.conftest import CONFIG, run
from tests.repository import TOP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Installation


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in program.commands.items():
        found += [(name, inner) for inner in command.commands] if isinstance(command, click.Group) else [(name,)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_says_what_it_does(words: tuple[str, ...]) -> None:
    answer = run(*words, "--help")

    assert answer.code == 0
    assert len(answer.stdout.splitlines()[2].split()) > 3


def test_the_help_names_every_exit_code() -> None:
    shown = run("--help").stdout

    assert [code for code in Exit if f"\n    {code.value}  " not in shown] == []


def test_a_command_that_there_is_not_is_wrong_usage() -> None:
    assert run("serv").code == Exit.USAGE


def test_wrong_usage_is_json_where_json_is_asked_for() -> None:
    answer = run("history", "--json", "--limit", "many")

    assert answer.code == Exit.USAGE
    assert "'many'" in answer.error["error"]
    assert answer.stdout == ""


def test_an_error_is_a_sentence_with_what_to_do(installation: Installation) -> None:
    answer = installation.run("feed", "url", "ana")

    assert answer.code == Exit.FAILED
    assert answer.stdout == ""
    assert answer.stderr == "There is no feed 'ana'.\nDid you mean 'anna'?\n"


def test_an_error_is_json_where_json_is_asked_for(installation: Installation) -> None:
    answer = installation.run("feed", "url", "ana", "--json")

    assert answer.error == {"error": "There is no feed 'ana'.", "remedy": "Did you mean 'anna'?"}


def test_the_environment_names_the_configuration(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALBRIDGE_CONFIG", str(installation.config))

    assert run("check-config", "--json").json["file"] == str(installation.config)


def test_without_a_name_the_configuration_is_the_one_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bridge.yaml").write_text(CONFIG)
    monkeypatch.delenv("CALBRIDGE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)

    assert run("check-config", "--json").json["file"] == str(tmp_path / "bridge.yaml")


def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path) -> None:
    answer = run("feed", "list", "--config", tmp_path / "bridge.yaml")

    assert answer.code == Exit.CONFIGURATION
    assert "`calbridge init`" in answer.stderr


def test_a_database_that_is_not_there_is_not_made_in_passing(installation: Installation) -> None:
    database = installation.config.parent / "data/calbridge.sqlite3"
    database.unlink()
    answer = installation.run("feed", "list")

    assert answer.code == Exit.DATABASE
    assert "`calbridge init` makes it." in answer.stderr
    assert not database.exists()


def test_the_package_starts_as_a_module_too() -> None:
    answer = subprocess.run([sys.executable, "-m", "bridge", "--version"], cwd=TOP, capture_output=True, check=False)

    assert answer.returncode == 0
    assert answer.stdout.startswith(b"calbridge ")
