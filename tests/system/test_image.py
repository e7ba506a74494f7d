"""Runs the container image's own steps without an engine, and checks what an engine would be told."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from ruamel.yaml import YAML

from bridge.config import load
from tests.repository import TOP, copy_to, files

DOCKER = TOP / "docker"
# The folders that the build stage makes; each lies under the test's own folder instead of the machine's top.
BUILD_FOLDERS = re.compile(r"(?<![\w.])/(src|opt|wheels)\b")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile: its keyword and what follows, on one line."""

    keyword: str
    text: str

    def words(self) -> list[str]:
        """Returns the words after the options (`--from=...`)."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


def stages() -> list[list[Instruction]]:
    """Returns the Dockerfile's instructions, one list for each stage."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    found: list[list[Instruction]] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        keyword, _, text = line.partition(" ")
        if keyword == "FROM":
            found.append([])
        found[-1].append(Instruction(keyword, text.strip()))
    return found


def last_stage(keyword: str) -> str:
    """Returns what the final image says with the last instruction of this keyword."""
    return [instruction.text for instruction in stages()[-1] if instruction.keyword == keyword][-1]


@dataclass(frozen=True, slots=True)
class Image:
    """What the build stage left: the wheel, and the environment that the final image copies."""

    top: Path

    @property
    def wheel(self) -> Path:
        """The wheel that was built from the copied files."""
        return next((self.top / "wheels").glob("calbridge-*.whl"))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the environment in a folder without any of the project's files."""
        elsewhere = self.top / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        program = self.top / "opt/calbridge/bin" / command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=elsewhere,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )


def clean_environment() -> dict[str, str]:
    left_out = ("PYTHON", "COV", "COVERAGE", "VIRTUAL_ENV", "PYTEST")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The build stage, carried out instruction by instruction."""
    top = tmp_path_factory.mktemp("image")
    context = top / "context"
    copy_to(context)
    folder = top
    variables = clean_environment() | {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}  # noqa: PTH120 -- the link's own folder
    for instruction in stages()[0]:
        match instruction.keyword:
            case "ENV":
                variables |= dict(word.split("=", 1) for word in instruction.words())
            case "WORKDIR":
                folder = top / instruction.text.lstrip("/")
                folder.mkdir(parents=True)
            case "COPY":
                *sources, target = instruction.words()
                for source in sources:
                    into = folder / target if target.endswith("/") else (folder / target).parent
                    subprocess.run(["cp", "-R", context / source, into], check=True)
            case "RUN":
                command = BUILD_FOLDERS.sub(rf"{top}/\1", instruction.text)
                ran = subprocess.run(
                    ["sh", "-euc", command], cwd=folder, env=variables, capture_output=True, text=True, check=False
                )
                assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
            case keyword:
                assert keyword == "FROM", f"{keyword} has no place in the build stage"
    return Image(top)


@pytest.mark.index
class TestBuild:
    def test_the_entry_point_starts_from_the_installed_wheel(self, image: Image) -> None:
        answer = image.run(*json.loads(last_stage("ENTRYPOINT")), "--help")

        assert answer.returncode == 0, answer.stderr
        assert "serve" in answer.stdout

    def test_the_command_of_the_image_is_one_that_the_entry_point_knows(self, image: Image) -> None:
        command, *options = json.loads(last_stage("CMD"))
        answer = image.run(*json.loads(last_stage("ENTRYPOINT")), command, "--help")

        assert answer.returncode == 0, answer.stderr
        assert [option for option in options if option.startswith("--") and option not in answer.stdout] == []

    def test_a_configuration_that_is_missing_gets_a_sentence_and_no_traceback(self, image: Image) -> None:
        answer = image.run("calbridge", "serve", "--config", "nowhere/bridge.yaml")

        assert answer.returncode != 0
        assert "nowhere/bridge.yaml" in answer.stderr
        assert "Traceback" not in answer.stderr

    def test_the_wheel_holds_every_file_of_the_package_and_no_other(self, image: Image) -> None:
        package = {path.relative_to(TOP).as_posix() for path in files() if path.is_relative_to(TOP / "bridge")}
        with ZipFile(image.wheel) as wheel:
            held = {name for name in wheel.namelist() if ".dist-info/" not in name}

        assert held == package | {"bridge/demo.yaml"}

    def test_the_wheel_brings_the_license(self, image: Image) -> None:
        with ZipFile(image.wheel) as wheel:
            assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())

    def test_what_is_installed_has_exactly_the_versions_of_the_constraints(self, image: Image) -> None:
        frozen = image.run("python", "-m", "pip", "freeze", "--exclude", "calbridge").stdout.splitlines()

        assert len(frozen) > len(["calbridge alone"])
        assert set(frozen) - set((TOP / "constraints.txt").read_text().splitlines()) == set()

    def test_what_is_installed_fits_together(self, image: Image) -> None:
        answer = image.run("python", "-m", "pip", "check")
        assert answer.returncode == 0, answer.stdout

    def test_nothing_needs_to_be_compiled_on_a_read_only_root(self, image: Image) -> None:
        modules = list((image.top / "opt/calbridge").glob("lib/*/site-packages/bridge/**/*.py"))

        assert modules
        assert [path for path in modules if not list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc"))] == []

    def test_of_googles_interfaces_only_the_one_that_is_used_is_described(self, image: Image) -> None:
        described = list((image.top / "opt/calbridge").glob("lib/*/site-packages/googleapiclient/**/*.json"))
        made = image.run("python", "-c", "from bridge.upstream.google.service import Service; print(Service().events)")

        assert [path.name for path in described] == ["calendar.v3.json"]
        assert made.returncode == 0, made.stderr

    def test_the_final_image_copies_the_environment_to_the_place_where_it_was_made(self) -> None:
        copied = [
            instruction.words()
            for instruction in stages()[-1]
            if instruction.keyword == "COPY" and "--from=build" in instruction.text
        ]
        assert copied == [["/opt/calbridge", "/opt/calbridge"]]


class TestDockerfile:
    def test_every_base_image_has_a_tag_that_names_a_python_and_a_debian(self) -> None:
        bases = [stage[0].words()[0] for stage in stages()]
        assert [base for base in bases if not re.fullmatch(r"python:3\.\d+(\.\d+)?-slim-[a-z]+", base)] == []

    def test_every_stage_has_the_same_base_so_that_the_environment_finds_its_python(self) -> None:
        assert len({stage[0].words()[0] for stage in stages()}) == 1

    def test_every_copied_file_is_in_the_repository(self) -> None:
        sources = [
            source
            for stage in stages()
            for instruction in stage
            if instruction.keyword == "COPY" and "--from" not in instruction.text
            for source in instruction.words()[:-1]
        ]
        assert sources
        assert [source for source in sources if not (TOP / source).exists()] == []

    def test_only_what_is_copied_reaches_the_build_and_nothing_else_does(self) -> None:
        rules = [
            line
            for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
            if line and not line.startswith("#")
        ]
        copied = {
            source
            for stage in stages()
            for instruction in stage
            if instruction.keyword == "COPY" and "--from" not in instruction.text
            for source in instruction.words()[:-1]
        }
        assert rules[0] == "*"
        assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied

    def test_no_secret_is_written_into_the_image(self) -> None:
        secret = re.compile(r"\b\w*(password|secret|token|api_key)\w*\s*[=:]", re.IGNORECASE)
        assert secret.findall((DOCKER / "Dockerfile").read_text()) == []

    def test_the_server_runs_as_a_user_with_a_fixed_number_that_is_not_root(self) -> None:
        user, group = last_stage("USER").split(":")
        made = " ".join(instruction.text for instruction in stages()[-1] if instruction.keyword == "RUN")

        assert int(user) > 0
        assert f"--uid {user} --gid {group}" in made
        assert f"--owner={user} --group={group} --mode=0700 /data" in made

    def test_nothing_runs_as_another_user_after_the_server_has_its_own(self) -> None:
        keywords = [instruction.keyword for instruction in stages()[-1]]
        assert {"RUN", "COPY", "USER"} & set(keywords[keywords.index("USER") + 1 :]) == set()

    def test_data_stays_in_a_volume_and_the_port_is_the_usual_one(self) -> None:
        assert json.loads(last_stage("VOLUME")) == ["/data"]
        assert last_stage("WORKDIR") == "/data"
        assert last_stage("EXPOSE") == "5232"


class TestCompose:
    @pytest.fixture
    def services(self) -> dict[str, dict[str, object]]:
        compose = YAML(typ="safe", pure=True).load(DOCKER / "compose.yaml")
        services: dict[str, dict[str, object]] = compose["services"]
        return services

    def test_every_service_has_the_least_that_it_needs(self, services: dict[str, dict[str, object]]) -> None:
        for service in services.values():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert "privileged" not in service
            assert service["healthcheck"]

    def test_every_image_has_a_tag_that_does_not_move_on_its_own(self, services: dict[str, dict[str, object]]) -> None:
        tags = [str(service["image"]).rpartition(":")[2] for service in services.values()]
        assert [tag for tag in tags if not tag[0].isdigit()] == []

    def test_postgresql_starts_only_where_it_is_asked_for(self, services: dict[str, dict[str, object]]) -> None:
        assert services["postgresql"]["profiles"] == ["postgresql"]
        assert services["calbridge"]["depends_on"] == {
            "postgresql": {"condition": "service_healthy", "required": False}
        }

    def test_no_password_stands_in_the_file(self, services: dict[str, dict[str, object]]) -> None:
        environment = services["postgresql"]["environment"]

        assert isinstance(environment, dict)
        assert [name for name in environment if fnmatch.fnmatch(name, "*PASSWORD")] == []
        assert environment["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgresql-password"

    def test_the_server_is_reached_from_this_machine_only(self, services: dict[str, dict[str, object]]) -> None:
        assert services["calbridge"]["ports"] == ["127.0.0.1:5232:5232"]

    def test_the_configuration_for_it_keeps_everything_in_the_volume(self) -> None:
        configuration = load(DOCKER / "bridge.example.yaml", environ={})

        assert configuration.database.file == Path("/data/calbridge.sqlite3")
        assert configuration.secret_key_file.parent == Path("/data")
        assert str(configuration.server.listen) == "0.0.0.0:5232"
