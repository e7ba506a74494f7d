"""Tests of what both databases can keep as text."""

from __future__ import annotations

import pytest

from bridge.store.names import legible


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("Föhnen 💇", "Föhnen 💇"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\ud800b", "a?b"),
        ("x" * 1001, "x" * 1000),
    ],
)
def test_text_is_made_so_that_it_can_be_kept(text: str, kept: str) -> None:
    assert legible(text) == kept
