from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.config import Grant, load
from bridge.config.model import Document
from bridge.config.reader import read_tree
from bridge.config.schema import json_schema, schema_text, written
from bridge.config.shape import ANY, settings_at, walk
from tests.config.named_files import EXAMPLE, put_files_of_the_example

if TYPE_CHECKING:
    from bridge.config.tree import Node

CONFIG = Path(__file__).parents[2] / "config"
SAID_IN_A_COMMENT = {
    ("database_file",),
    ("auth", "proxy_secret"),
    ("auth", "proxy_secret_file"),
    ("connections", ANY, "url_file"),
    ("connections", ANY, "password"),
    ("connections", ANY, "ca_file"),
}
"""What cannot stand beside another setting of the example, or says nothing there."""
EXPLAINED_OTHERWISE = {("secret_key_file",), ("users", ANY, "password_hash")}
"""What `calbridge init` and `calbridge user password` write."""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.yaml"
    path.write_text(EXAMPLE.read_text())
    put_files_of_the_example(tmp_path)
    return path


def test_the_example_is_valid_and_gives_no_warning(example: Path) -> None:
    configuration = load(example, environ={"ROBOT_PASSWORD": "a secret"})
    assert configuration.warnings == ()
    assert set(configuration.users) == {"anna", "boss", "robot"}


@cache
def example_tree() -> Node:
    return read_tree(EXAMPLE.read_text(), None)[0]


def lines_of(place: tuple[str, ...]) -> list[str]:
    """The lines of the example on which the setting stands."""
    sections = [example_tree()]
    for step in place[:-1]:
        sections = [node for each in sections for key, node in each.mapping().items() if step in {ANY, key}]
    lines = EXAMPLE.read_text().splitlines()
    return [lines[entries[place[-1]].line - 1] for each in sections if place[-1] in (entries := each.mapping())]


@pytest.mark.parametrize("place", [place for place, _ in walk()], ids=".".join)
def test_the_example_shows_every_setting(place: tuple[str, ...]) -> None:
    if place in SAID_IN_A_COMMENT:
        assert f"# {place[-1]}: " in EXAMPLE.read_text()
    else:
        assert lines_of(place)


def test_the_example_says_of_every_setting_whether_it_is_required_or_what_its_default_is() -> None:
    for place, field in walk():
        if settings_at(place) or place in SAID_IN_A_COMMENT or place in EXPLAINED_OTHERWISE:
            continue
        expected = "required" if field.is_required() else "default|instead"
        assert any(re.search(rf":.* # ({expected})\b", line) for line in lines_of(place)), place


def test_what_the_example_calls_a_default_is_the_default() -> None:
    checked = 0
    for place, field in walk():
        for line in lines_of(place):
            found = re.fullmatch(rf" *{place[-1]}: (.+?) # default; .*", line)
            if found and field.default_factory is None and not field.is_required():
                default = json.dumps(written(field.default)).replace('"', "")
                assert found[1].replace('"', "") == default, line
                checked += 1
    assert checked > 40


def test_the_demo_is_valid_once_it_has_a_password(tmp_path: Path) -> None:
    for folder in ("config", "data"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "config/demo.yaml"
    path.write_text((CONFIG / "demo.yaml").read_text())
    (tmp_path / "data/demo-password").write_text("sesame\n")
    (tmp_path / "data/demo-password").chmod(0o600)
    configuration = load(path, environ={})
    assert configuration.warnings == ()
    assert configuration.database.file == tmp_path / "config/../data/demo.sqlite3"
    grants = configuration.grants_of("demo")
    first = next(each for each, grant in grants.items() if grant is Grant.WRITE)
    # People are told the first feed: it shows what they can write to.
    assert configuration.resources_of(next(iter(configuration.feeds.values())).of) == (first,)
    assert grants["salon", "laser"] is Grant.READ


def test_the_demo_with_google_is_valid_once_it_has_its_files(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text((CONFIG / "demo-google.yaml").read_text())
    (tmp_path / "password").write_text("sesame\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "google-client.json").write_text('{"installed": {"client_id": "id", "client_secret": "word"}}')
    (tmp_path / "google-client.json").chmod(0o600)
    assert load(path, environ={}).warnings == ()


def test_the_schema_in_the_repository_is_the_generated_one() -> None:
    assert (CONFIG / "bridge.schema.json").read_text() == schema_text()


def test_the_schema_describes_every_setting() -> None:
    definitions = json_schema()["$defs"]
    for model in [json_schema(), *definitions.values()]:
        assert model["additionalProperties"] is False
        for name, setting in model["properties"].items():
            assert setting["description"], name


def test_editors_are_told_which_settings_a_connection_of_each_type_needs() -> None:
    connection = json_schema()["$defs"]["Connection"]
    needed = {each["if"]["properties"]["type"]["const"]: each["then"] for each in connection["allOf"]}
    assert needed["caldav"]["required"] == ["url"]
    assert needed["ics"]["anyOf"] == [{"required": ["url"]}, {"required": ["url_file"]}]
    assert {"required": ["service_account_file", "subject"]} in needed["google"]["oneOf"]
    assert set(needed["caldav"]["properties"]) == {
        "url_file", "allow_private", "client_file", "service_account_file", "subject", "endpoints"
    }  # fmt: skip
    assert {"url", "user", "password", "password_file"} <= set(needed["google"]["properties"])
    assert all(allowed is False for each in needed.values() for allowed in each["properties"].values())
    assert connection["required"] == ["type"]


@pytest.mark.parametrize("name", ["bridge.example.yaml", "demo.yaml", "demo-google.yaml"])
def test_editors_are_told_where_the_schema_is(name: str) -> None:
    first = (CONFIG / name).read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=bridge.schema.json"


def test_every_setting_has_a_description_of_one_line() -> None:
    for place, field in walk(Document):
        assert field.description, place
        assert "\n" not in field.description
