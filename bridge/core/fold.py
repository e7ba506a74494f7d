"""Content lines are written folded and their texts escaped (RFC 5545 sections 3.1 and 3.3.11)."""

from __future__ import annotations

_LONGEST_LINE = 75
# Octets 10xxxxxx stand inside of a UTF-8 character.
_INSIDE_MASK, _INSIDE = 0xC0, 0x80
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def escaped(text: str) -> str:
    """A text as the value of a TEXT property."""
    return text.translate(_ESCAPES)


def folded(line: str) -> bytes:
    """A content line as octets that ends in CRLF, folded at 75 octets and never within a character.

    Args:
        line: The line without its end; it holds no line break.
    """
    return folded_octets(line.encode())


def folded_octets(line: bytes) -> bytes:
    """The same of a line that is UTF-8 already."""
    if len(line) <= _LONGEST_LINE:
        return line + b"\r\n"
    pieces: list[bytes] = []
    start, room = 0, _LONGEST_LINE
    while len(line) - start > room:
        end = start + room
        while line[end] & _INSIDE_MASK == _INSIDE:
            end -= 1
        pieces.append(line[start:end])
        # The blank that begins a folded line counts.
        start, room = end, _LONGEST_LINE - 1
    pieces.append(line[start:])
    return b"\r\n ".join(pieces) + b"\r\n"
