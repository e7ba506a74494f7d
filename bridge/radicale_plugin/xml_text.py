"""Texts of calendar objects as characters, and as XML can carry them."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

# XML 1.0 cannot carry these, not even escaped (section 2.2).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FOLD = re.compile(rb"\r?\n[ \t]")


def characters(raw: bytes) -> str:
    """The text of a calendar object as characters.

    Some producers fold in the midst of a character (RFC 5545 section 3.1 warns of it): such a text is unfolded.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _FOLD.sub(b"", raw).decode(errors="replace")


def text(raw: str) -> str:
    """A text as XML character data; line ends survive, since a reader would make `CR LF` a bare `LF`."""
    return _FORBIDDEN.sub("\ufffd", escape(raw)).replace("\r", "&#13;")
