from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, cast

import pytest

from bridge.config.shape import walk
from tests.repository import TOP

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = TOP / "docs/generate.py"


def generated_pages() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Callable[[], dict[str, str]]", module.pages)()


def test_the_reference_is_what_the_code_says_now() -> None:
    folder = TOP / "docs/reference"
    pages = generated_pages()
    assert {path.name for path in folder.iterdir()} == set(pages)
    for name, text in pages.items():
        assert (folder / name).read_text() == text, f"{name} is out of date; run python docs/generate.py"


@pytest.mark.parametrize("place", [place for place, _ in walk()], ids=".".join)
def test_the_reference_explains_every_setting(place: tuple[str, ...]) -> None:
    assert f"\n| `{place[-1]}` | " in (TOP / "docs/reference/configuration.md").read_text()
