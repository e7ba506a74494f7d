"""Names (hrefs, UIDs, keys of calendars) are text that both databases can keep in an index."""

from __future__ import annotations

LONGEST_NAME = 2000
"""In octets of UTF-8; PostgreSQL indexes no entry of more than 2,704, all columns together."""


def can_be_kept(name: str) -> bool:
    """Whether `name` can be kept: not empty, not too long, no zero byte, and nothing that is not Unicode."""
    try:
        return 0 < len(name.encode()) <= LONGEST_NAME and "\0" not in name
    except UnicodeEncodeError:
        return False


def legible(text: str, most: int = 1000) -> str:
    """The text as both databases can keep it: no zero byte, nothing that is not Unicode, at most `most` characters."""
    return text[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
