"""Text as XML can carry it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

# XML 1.0 cannot carry these, not even escaped (section 2.2).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def text(raw: str) -> str:
    """A text as XML character data; line ends survive, since a reader would make `CR LF` a bare `LF`."""
    return _FORBIDDEN.sub("\ufffd", escape(raw)).replace("\r", "&#13;")
