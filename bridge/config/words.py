"""A misspelt word has a nearest right spelling, and a wrong value can be quoted without harm."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_QUOTE = 80
"""Characters of a wrong value that a message repeats."""


def nearest(word: str, words: Iterable[str], *, closeness: float = 0.6) -> str:
    """The one of `words` that is spelt most like `word`, or "" when none is close; capitals do not count.

    Args:
        word: What a person wrote.
        words: What would have been right.
        closeness: How alike they must be, from 0 (anything) to 1 (equal).
    """
    folded = {each.casefold(): each for each in words}
    # The comparison takes quadratic time, and what is longer than any right word is near to none of them.
    close = difflib.get_close_matches(word[:LONGEST_QUOTE].casefold(), folded, n=1, cutoff=closeness)
    return folded[close[0]] if close else ""


def quote(text: str) -> str:
    """`text` in quotes, on one line, cut when it is long; characters that cannot be shown are escaped."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…")


def one_of(words: Iterable[str]) -> str:
    """The words as a choice in a sentence: 'a, b or c'."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def refusal(allowed: str, *, suggestion: str = "") -> PydanticCustomError:
    """The error by which a value type says what it takes, and what the person may have meant.

    Args:
        allowed: What the setting takes: 'an IANA time zone'.
        suggestion: A right value close to the wrong one; "" when there is none.
    """
    return PydanticCustomError("refused", "allowed: {allowed}", {"allowed": allowed, "suggestion": suggestion})
