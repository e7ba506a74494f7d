"""Tests what holds for the repository as a whole: its files, their size, and what none of them names."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.repository import TOP, files

if TYPE_CHECKING:
    from pathlib import Path

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "bridge",
    "config",
    "constraints.txt",
    "docker",
    "docs",
    "pyproject.toml",
    "tests",
}
LONGEST_MODULE = 450
# In two halves, so that this file does not name them either.
INDEX_HOSTS = tuple(
    f"{name}.{domain}"
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
    ]
)
MACHINE_PATH = re.compile(rb"(?<![\w.%})-])/(?:work|root|Users)/|\.pyenv[/]")


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def relative(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def imported_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def test_the_top_of_the_repository_holds_what_it_should_and_nothing_else() -> None:
    assert {path.relative_to(TOP).parts[0] for path in files()} - TOP_LEVEL == set()


def test_no_file_names_a_package_index() -> None:
    named = {
        relative(path): host for path in files() for host in INDEX_HOSTS if host.encode() in path.read_bytes().lower()
    }
    assert named == {}


def test_no_file_names_a_path_of_the_machine_where_it_was_written() -> None:
    named = {relative(path): found.group() for path in files() if (found := MACHINE_PATH.search(path.read_bytes()))}
    assert named == {}


def test_the_license_is_version_3_of_the_gpl() -> None:
    first_lines = (TOP / "LICENSE").read_text().split("\n", 3)
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]

    assert first_lines[0].strip() == "GNU GENERAL PUBLIC LICENSE"
    assert first_lines[1].strip().startswith("Version 3,")
    assert project["license"] == "GPL-3.0-or-later"


def test_no_module_is_longer_than_a_person_reads_in_one_go() -> None:
    lines = {relative(path): path.read_bytes().count(b"\n") for path in python_files()}
    assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


def test_no_test_replaces_a_part_of_the_program_by_a_mock() -> None:
    mocking = {
        relative(path): name
        for path in python_files()
        for name in imported_names(path)
        if name.split(".")[0] in {"mock", "pytest_mock"} or name.startswith("unittest.mock")
    }
    assert mocking == {}


def test_every_rule_that_the_linter_leaves_out_has_its_reason_beside_it() -> None:
    text = (TOP / "pyproject.toml").read_text()
    codes = re.compile(r'^ +("[A-Z]+[0-9]*"),(?! *(?:"[A-Z]+[0-9]*",? *)*#)', re.MULTILINE)
    linter = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]

    assert codes.findall(linter) == []


def test_constraints_are_exact_versions_of_packages_and_nothing_else() -> None:
    lines = (TOP / "constraints.txt").read_text().splitlines()
    entry = re.compile(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*(?: ; [^;]+)?")
    entries = [line for line in lines if not line.startswith("#")]

    assert [line for line in entries if not entry.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["dependencies", "dev", "bcrypt", "exchange", "ldap"])
def test_every_package_that_is_asked_for_has_an_exact_version(name: str) -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if name == "dependencies" else project["optional-dependencies"][name]
    pinned = {normal(line.partition("==")[0]) for line in (TOP / "constraints.txt").read_text().splitlines()}

    assert {normal(re.split(r"[\[<>=~! ;]", package)[0]) for package in wanted} - pinned == set()


def normal(package: str) -> str:
    """Returns a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.*)$", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
