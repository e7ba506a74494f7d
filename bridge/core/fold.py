"""Content lines are written folded and their texts escaped (RFC 5545 sections 3.1 and 3.3.11)."""

from __future__ import annotations

_LONGEST_LINE = 75
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def escaped(text: str) -> str:
    """A text as the value of a TEXT property."""
    return text.translate(_ESCAPES)


def folded(line: str) -> bytes:
    """A content line as octets that ends in CRLF, folded at 75 octets and never within a character.

    Args:
        line: The line without its end; it holds no line break.
    """
    octets = line.encode()
    if len(octets) <= _LONGEST_LINE:
        return octets + b"\r\n"
    pieces, piece = [], b""
    for character in line:
        more = character.encode()
        if len(piece) + len(more) > _LONGEST_LINE:
            pieces.append(piece)
            piece = b" "
        piece += more
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
