"""What the documents claim of the code, where a program can tell."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.docs.documents import Document, document, documents
from tests.repository import TOP


def table_below(name: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    text = document(name).text.partition(f"\n{heading}")[2]
    rows = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert rows is not None, heading
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[0].splitlines()[2:]]


def test_the_guide_explains_every_event_that_is_logged() -> None:
    sources = [path.read_text() for path in (TOP / "bridge").rglob("*.py")]
    logged = {name for text in sources for name in re.findall(r"_log\.\w+\(\s*\"([a-z_]+)\"", text)}
    explained = {row[0].strip("`") for row in table_below("docs/admin.md", "Logs go to stderr")}
    assert explained == logged


def test_the_decision_on_dependencies_names_each_with_a_reason_and_a_licence() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=~!]", each)[0].lower() for each in project["dependencies"]}
    rows = table_below("docs/decisions/0009-dependencies.md", "")
    assert {row[0] for row in rows} == needed
    assert all(len(row) == 3 and all(row) for row in rows)


def test_every_decision_stands_in_the_index_with_its_title() -> None:
    rows = dict(table_below("docs/decisions/README.md", ""))
    for path in (TOP / "docs/decisions").glob("0*.md"):
        title = path.read_text().partition("\n")[0].removeprefix("# ")
        assert rows[f"[{path.name[:4]}]({path.name})"] == title


def test_the_readme_says_where_each_part_of_the_package_lives() -> None:
    said = {row[0].strip("`") for row in table_below("README.md", "## How it is built")}
    for path in (TOP / "bridge").iterdir():
        is_part = path.is_dir() and any(len(each.read_text()) > 200 for each in path.glob("*.py"))
        if is_part:
            assert f"bridge/{path.name}/" in said
    assert all((TOP / name).exists() for name in said)


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_every_file_and_folder_that_a_document_names_exists(document: Document) -> None:
    named = {span for span in document.spans() if re.fullmatch(r"(bridge|config|docker|docs|tests)/[\w./-]+", span)}
    for name in named:
        assert (TOP / name).exists(), name
