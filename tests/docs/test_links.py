from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.docs.documents import Document, document, documents
from tests.repository import files


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(document: Document) -> None:
    known = {each.path: each for each in documents()}
    for link in document.links():
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            continue
        target = (document.path.parent / parts.path).resolve() if parts.path else document.path
        assert target in files() or target.is_dir(), f"{document.name}: {link}"
        if parts.fragment:
            assert parts.fragment in known[target].anchors(), f"{document.name}: {link}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    known = {each.path: each for each in documents()}
    waiting, reached = [document("README.md")], set()
    while waiting:
        here = waiting.pop()
        if here.path in reached:
            continue
        reached.add(here.path)
        targets = ((here.path.parent / urlsplit(link).path).resolve() for link in here.links())
        waiting += [known[target] for target in targets if target in known]
    assert {each.name for each in documents()} == {known[path].name for path in reached}


def test_the_readme_names_both_commands_in_its_first_lines() -> None:
    head = "\n".join(document("README.md").text.splitlines()[:20])
    assert "make run" in head
    assert "make test" in head
