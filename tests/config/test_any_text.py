"""Whatever stands in the file, it is a configuration or it is refused; nothing else can happen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.config import Configuration, load
from bridge.config.shape import walk
from bridge.errors import ConfigurationError
from tests.config import named_files
from tests.config.named_files import put_files_of_the_example

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = named_files.EXAMPLE.read_text()
NAMES = sorted({step for place, _ in walk() for step in place} | {"salon", "anna", "salon/anna", "<<"})
WORDS = [
    *NAMES,
    "Europe/Amsterdam",
    "employee",
    "write",
    "90d",
    "1MiB",
    "${HOME}",
    "sqlite:///x",
    "127.0.0.1:1",
    "#aabbcc",
]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
documents = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inside),
    max_leaves=25,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("any")
    put_files_of_the_example(folder)
    return folder / "bridge.yaml"


def outcome(path: Path, content: bytes) -> Configuration | tuple[str, ...]:
    path.write_bytes(content)
    try:
        return load(path, environ={"HOME": "home", "EMPTY": "", "ROBOT_PASSWORD": "a secret"})
    except ConfigurationError as error:
        problems = error.problems
    assert problems
    # They can be printed: each on one line, and without lone surrogates.
    assert b"\n" not in "".join(problems).encode()
    return problems


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(content=b'a: "\\UFFFFFFFF"')
@example(content=b'accounts: {a: {name: "\\ud800", time_zone: "\\ud800"}}')
@example(content=b"[" * 5000)
@example(content=b"{a: " * 400)
@example(content=b"%YAML 1.1\n---\naccounts: {a: {name: yes, time_zone: 1:30}}")
@example(content=b"%YAML 9.9\n---\na: 1")
@example(content=b"&a [*a]")
@example(content=b"accounts: &a {a: *a}")
@example(content=b"a: " + b"9" * 5000)
@example(content=b"accounts: {<<: {a: b}, <<: [1, {c: d}]}")
@example(content=b"\xef\xbb\xbfaccounts: {}")
@example(content=b"? ? a : b\n: c")
@example(
    content=b"a: !!int x\nb: !!timestamp y\nc: !!float z\nd: !!bool q\ne: !!set {a, b}\nf: !<> 1\ng: !!omap [a: 1]"
)
@example(content=LAUGHS.encode())
def test_any_bytes_are_a_configuration_or_refused(path: Path, content: bytes) -> None:
    outcome(path, content)


@settings(max_examples=150, deadline=None)
@given(document=documents)
def test_any_document_is_a_configuration_or_refused(path: Path, document: Any) -> None:
    outcome(path, json.dumps(document).encode())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_broken_example_is_a_configuration_or_refused(path: Path, data: st.DataObject) -> None:
    lines = EXAMPLE.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    cut = data.draw(st.integers(0, len(line)))
    insert = data.draw(
        st.sampled_from(["", ":", "{", "}", "[", "*", "&", "!", "'", '"', "\t", "${", "- ", "#", "  ", "x"])
    )
    lines[at] = line[:cut] + insert + line[cut + data.draw(st.integers(0, 2)) :]
    outcome(path, "\n".join(lines).encode())


def test_the_example_itself_is_no_fault(path: Path) -> None:
    assert isinstance(outcome(path, EXAMPLE.encode()), Configuration)


def test_a_short_text_that_stands_for_a_billion_values_is_refused(path: Path) -> None:
    found = outcome(path, LAUGHS.encode())
    assert isinstance(found, tuple)
    assert any("more, or deeper, settings" in problem for problem in found)
