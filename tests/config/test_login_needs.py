"""What a login from elsewhere needs is asked for when the file is read, with the command that brings it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bridge.config import files
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


def test_a_proxy_that_logs_people_in_needs_a_secret(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, "{type: http_x_remote_user}")
    assert said.startswith("3: auth.type http_x_remote_user needs auth.proxy_secret_file: ")
    assert "openssl rand -hex 32" in said


@pytest.mark.parametrize("secret", ["short", "0123456789abcdef 0123456789abcdef", 'x"$host' * 5, ""])
def test_a_secret_of_the_proxy_that_could_be_guessed_or_garbled_is_refused_and_not_shown(
    tmp_path: Path, secret: str
) -> None:
    (tmp_path / "proxy").write_text(secret)
    (said,) = problems(tmp_path, "{type: http_x_remote_user, proxy_secret_file: proxy}")
    assert said.startswith("3: auth.proxy_secret_file: ")
    assert not secret or secret not in said


def test_a_secret_of_the_proxy_stands_in_a_file_or_in_the_environment_and_never_in_the_clear(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "proxy").chmod(0o600)
    assert problems(tmp_path, "{type: http_x_remote_user, proxy_secret_file: proxy}") == ()
    (said,) = problems(tmp_path, "{type: http_x_remote_user, proxy_secret: 0123456789abcdef0123456789abcdef}")
    assert "a secret in the clear" in said
    assert "0123456789abcdef" not in said
    both = problems(tmp_path, '{type: http_x_remote_user, proxy_secret: "${S}", proxy_secret_file: proxy}')
    assert "3: auth.proxy_secret_file: found proxy_secret as well; allowed: one of the two" in both


def test_a_changed_secret_of_the_proxy_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "proxy").chmod(0o644)
    path = tmp_path / "bridge.yaml"
    path.write_text(f"{SALON}auth: {{type: http_x_remote_user, proxy_secret_file: proxy}}\n")
    configuration = load(path, environ={})
    assert tmp_path / "proxy" in files(configuration)
    assert "0123456789abcdef" not in repr(configuration)
    assert any("proxy_secret_file: every user of this machine may read" in each for each in configuration.warnings)
