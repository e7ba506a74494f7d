from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from bridge import config
from bridge.config.shape import ANY, walk
from tests.config.named_files import CLIENT, SERVICE_ACCOUNT
from tests.docs.documents import Block, Document, documents
from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNIPPETS = [(document, block) for document in documents() for block in document.blocks("yaml")]
WHOLE = {
    "accounts": {
        "salon": {
            "name": "Salon Anna",
            "time_zone": "Europe/Amsterdam",
            "resources": {
                "anna": {"kind": "employee", "name": "Anna"},
                "room-1": {"kind": "location", "name": "Room 1"},
                "laser": {"kind": "instrument", "name": "Laser"},
            },
        }
    }
}
"""What a snippet that shows one section is put into."""
SECTIONS = {place[0] for place, _ in walk()}
PLACES = {".".join(step for step in place if step != ANY) for place, _ in walk()}


def named_files(value: Any) -> set[str]:
    if not isinstance(value, dict):
        return set()
    here = {
        str(name)
        for key, name in value.items()
        if isinstance(name, str) and (key.endswith(("_file", "_filename")) or key in {"certificate", "key"})
    }
    return here.union(*map(named_files, value.values()))


A_SECRET = "a-word-that-is-long-enough-for-each-setting"
OTHERWISE = {
    "database": "postgresql://calbridge:word@db.example.org/calbridge",
    "url": "https://partner.example.org/rota.ics",
    "ca": "-----BEGIN CERTIFICATE-----",
    "client": json.dumps(CLIENT),
    "service": json.dumps(SERVICE_ACCOUNT),
}
"""What stands in a file that is no secret word, by a part of its name."""


@pytest.mark.parametrize(
    ("document", "block"), SNIPPETS, ids=[f"{document.name}:{block.line}" for document, block in SNIPPETS]
)
def test_a_yaml_snippet_is_a_configuration_that_the_server_takes(
    document: Document, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the text beside the snippet says to install.
    (tmp_path / "ldap3.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yaml = YAML(typ="safe", pure=True)
    shown = yaml.load(block.text)
    whole = {**WHOLE, **shown}
    for name in named_files(shown):
        if not name.startswith("/") and name != shown.get("secret_key_file"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            parts = re.split(r"[^a-z]", name)
            path.write_text(next((text for part, text in OTHERWISE.items() if part in parts), A_SECRET))
            path.chmod(0o600)
    path = tmp_path / "bridge.yaml"
    with path.open("w") as file:
        yaml.dump(whole, file)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", block.text), "word")
    loaded = config.load(path, environ=environ)
    assert loaded.accounts, document.name


def test_every_setting_that_a_message_names_exists() -> None:
    names = {step for place in PLACES for step in place.split(".")}
    # A setting is told by its underscore, by the section before it, or by the value behind it.
    setting = re.compile(r"`((?:[a-z]+\.)?[a-z]+(?:_[a-z]+)+|[a-z]+\.[a-z_]+|[a-z_.]+(?=: ))(?:: \w+)?`")
    named = {
        (path.name, name)
        for path in (TOP / "bridge").rglob("*.py")
        for text in said(ast.parse(path.read_text()))
        for name in setting.findall(text)
    }
    assert len(named) > 10
    assert {each for each in named if each[1] not in (PLACES if "." in each[1] else names)} == set()


def said(module: ast.Module) -> Iterator[str]:
    """The texts of a module but its docstrings, with what is filled in left out."""
    explained = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.value


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_every_setting_that_a_document_names_exists(document: Document) -> None:
    named = {span for span in document.spans() if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", span)}
    unknown = {
        span
        for span in named
        if span.partition(".")[0] in SECTIONS and span not in PLACES and not span.endswith((".yaml", ".py"))
    }
    assert not unknown
