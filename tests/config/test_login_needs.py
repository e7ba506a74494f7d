"""What a login from elsewhere needs is asked for when the file is read, with the command that brings it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bridge.config.load import load
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SALON = "accounts:\n  salon: {name: Salon Anna, time_zone: Europe/Amsterdam}\n"
BCRYPT = "anna:$2y$05$abcdefghijklmnopqrstuuO6WYcl3nzvYrHzR1YHuJQ8rR9h7yVWe\n"
SHA256 = "anna:$5$salt$hash\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which packages are looked for."""
    for name in ("ldap3", "ldap", "bcrypt"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    return folder


def problems(folder: Path, auth: str) -> tuple[str, ...]:
    """What is said of a file with this `auth`, without the name of the file."""
    path = folder / "bridge.yaml"
    path.write_text(f"{SALON}auth: {auth}\n")
    try:
        load(path, environ={})
    except ConfigurationError as error:
        return tuple(problem.removeprefix(f"{path}:") for problem in error.problems)
    return ()


def test_ldap_without_its_package_is_refused_with_the_command_that_brings_it(tmp_path: Path, packages: Path) -> None:
    assert not list(packages.iterdir())
    assert problems(tmp_path, "{type: ldap}") == (
        "3: auth.type ldap needs the package ldap3: pip install 'calbridge[ldap]'",
    )


@pytest.mark.parametrize("name", ["ldap3", "ldap"])
def test_ldap_with_one_of_its_packages_is_fine(tmp_path: Path, packages: Path, name: str) -> None:
    (packages / f"{name}.py").touch()
    assert problems(tmp_path, "{type: ldap}") == ()


@pytest.mark.parametrize(
    ("options", "content"), [("", BCRYPT), (", htpasswd_encryption: bcrypt", ""), ("", SHA256 + "bob:$2b$12$x\n")]
)
def test_bcrypt_hashes_without_their_package_are_refused(
    tmp_path: Path, packages: Path, options: str, content: str
) -> None:
    (tmp_path / "users").write_text(content)
    auth = f"{{type: htpasswd, options: {{htpasswd_filename: users{options}}}}}"
    (problem,) = problems(tmp_path, auth)
    assert problem.endswith("needs the package bcrypt: pip install 'calbridge[bcrypt]'")

    (packages / "bcrypt.py").touch()
    assert problems(tmp_path, auth) == ()


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(("options", "content"), [("", SHA256), (", htpasswd_encryption: plain", "anna:$2y$secret\n")])
def test_other_hashes_need_no_package(tmp_path: Path, options: str, content: str) -> None:
    (tmp_path / "users").write_text(content)
    assert problems(tmp_path, f"{{type: htpasswd, options: {{htpasswd_filename: users{options}}}}}") == ()


def test_an_htpasswd_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "{type: htpasswd, options: {htpasswd_filename: users}}")
    assert "auth.options.htpasswd_filename" in problem
    assert "does not exist" in problem
