"""Tests `init`, `check-config` and `serve`: from an empty folder to a server that answers."""

from __future__ import annotations

import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bridge.cli.outcome import Exit
from tests.cli.conftest import CONFIG, run
from tests.repository import TOP, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Installation


def test_init_makes_an_installation_that_is_accepted(tmp_path: Path) -> None:
    config = tmp_path / "new/bridge.yaml"
    answer = run("init", "--config", config)

    assert answer.code == 0
    assert "calbridge user add" in answer.stdout
    assert run("check-config", config).code == 0
    assert run("doctor", "--config", config, "--json").json["findings"]


def test_what_init_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    run("init", "--config", tmp_path / "bridge.yaml")

    for name in ("data/secret.key", "data/calbridge.sqlite3"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_second_init_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "bridge.yaml"
    first = run("init", "--config", config, "--json").json
    before = {path: path.read_bytes() for path in (config, tmp_path / "data/secret.key")}
    second = run("init", "--config", config, "--json").json

    assert first["config_written"] is True
    assert second == {**first, "config_written": False, "key_file_written": False}
    assert {path: path.read_bytes() for path in before} == before


def test_a_key_that_was_lost_is_made_anew_only_when_told_so(installation: Installation) -> None:
    key = installation.config.parent / "data/secret.key"
    key.unlink()

    for typed in ("", "n\n"):
        refused = installation.run("init", typed=typed)
        assert refused.code != 0
        assert "restore the file from a backup" in refused.stderr
        assert not key.exists()
    assert "every feed has a new address" in installation.run("init", "--yes").stdout
    assert key.exists()
    assert "every feed has a new address" not in installation.run("init").stdout


def test_a_key_is_made_without_asking_where_the_database_is_empty(installation: Installation) -> None:
    data = installation.config.parent / "data"
    shutil.rmtree(data)
    data.mkdir()
    (data / "calbridge.sqlite3").touch()
    assert installation.run("init").code == 0
    assert (data / "secret.key").exists()


def test_a_server_does_not_start_with_a_lost_key(installation: Installation) -> None:
    (installation.config.parent / "data/secret.key").unlink()
    answer = installation.run("serve")

    assert answer.code == Exit.CONFIGURATION
    assert "secret_key_file" in answer.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = run("init", "--config", tmp_path / "file/bridge.yaml")

    assert answer.code == Exit.CONFIGURATION
    assert str(tmp_path / "file") in answer.stderr


def test_a_right_configuration_is_counted(installation: Installation) -> None:
    assert run("check-config", installation.config, "--json").json == {
        "file": str(installation.config),
        "accounts": 1,
        "resources": 2,
        "users": 1,
        "feeds": 2,
        "connections": 0,
        "rules": 0,
        "warnings": [],
    }
    assert run("check-config", installation.config).stdout.endswith(
        "is right: 1 account, 2 resources, 1 user, 2 feeds, 0 connections, 0 rules.\n"
    )


def test_all_faults_of_a_configuration_are_said_at_once(tmp_path: Path) -> None:
    config = tmp_path / "bridge.yaml"
    config.write_text(CONFIG.replace("employee", "person").replace("busy}", "nothing}"))
    answer = run("check-config", "--config", config, "--json")

    assert answer.code == Exit.CONFIGURATION
    assert [problem.split(": ")[1] for problem in answer.error["problems"]] == [
        "accounts.salon.resources.anna.kind",
        "feeds.busy.detail",
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_serve_says_where_it_answers_and_ends_when_told(installation: Installation, *, is_first: bool) -> None:
    if is_first:
        shutil.rmtree(installation.config.parent / "data")
    port = unused_port()
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve", "--config", installation.config, "--listen", f"127.0.0.1:{port}"],
        cwd=TOP,
        env=unmeasured(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        try:
            assert serving.stdout
            assert serving.stdout.readline() == f"Calbridge answers at http://127.0.0.1:{port}/\n"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as ready:
                assert ready.read() == b"ready\n"
            serving.send_signal(signal.SIGTERM)
            _, logged = serving.communicate(timeout=60)
        finally:
            serving.kill()

    assert serving.returncode == 0
    assert "Traceback" not in logged


def test_a_port_that_is_taken_is_named(installation: Installation) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        answer = installation.run("serve", "--listen", address)

    assert answer.code == Exit.FAILED
    assert f"Another program listens on {address} already." in answer.stderr


@pytest.mark.parametrize("address", ["5232", "localhost", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(installation: Installation, address: str) -> None:
    answer = installation.run("serve", "--listen", address)

    assert answer.code == Exit.CONFIGURATION
    assert "HOST:PORT" in answer.stderr


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
    return port


def test_a_login_whose_package_is_missing_is_refused_before_the_start(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in ("ldap3", "ldap"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with installation.config.open("a") as file:
        file.write("auth: {type: ldap}\n")

    for command in ("check-config", "doctor", "serve"):
        answer = installation.run(command)

        assert answer.code == Exit.CONFIGURATION
        assert "auth.type ldap needs the package ldap3: pip install 'calbridge[ldap]'" in answer.stderr
