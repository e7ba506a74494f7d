from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.fold import escaped, folded, folded_octets


def test_a_text_is_escaped() -> None:
    assert escaped("a,b;c\\d\r\ne") == "a\\,b\\;c\\\\d\\ne"


def test_a_short_line_stays_on_one_line() -> None:
    assert folded("SUMMARY:" + "x" * 67) == b"SUMMARY:" + b"x" * 67 + b"\r\n"


def test_a_long_line_is_folded_at_75_octets_and_never_within_a_character() -> None:
    line = "SUMMARY:" + "é€😀" * 40
    pieces = folded(line).split(b"\r\n")
    assert pieces.pop() == b""
    assert all(len(piece) <= 75 for piece in pieces)
    assert all(piece.decode() for piece in pieces)
    assert folded(line).replace(b"\r\n ", b"").decode() == line + "\r\n"


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300))
def test_a_folded_line_is_short_and_unfolds_to_itself(text: str) -> None:
    octets = folded_octets(text.encode())
    assert octets == folded(text)
    assert all(len(piece) <= 75 for piece in octets.split(b"\r\n"))
    assert all(piece.decode() is not None for piece in octets.split(b"\r\n"))
    assert octets.replace(b"\r\n ", b"").removesuffix(b"\r\n").decode() == text
