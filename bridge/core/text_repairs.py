"""What producers get wrong in the text of a stream is repaired before the text is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, AnyStr, Generic

from bridge.core.zones import iana_key

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_STRAY_LINE = re.compile(r"\n(?![A-Za-z][\w.-]*[ \t]*[;:]|\Z)")
_TEXT_PROPERTY = re.compile(r"(?:SUMMARY|DESCRIPTION|LOCATION|COMMENT|CONTACT|X-[\w-]+)[;:]", re.IGNORECASE)
_BARE_SEPARATOR = re.compile(
    r'^((?:SUMMARY|DESCRIPTION|LOCATION)(?:;(?:[^":\n]|"[^"\n]*")*)?:)((?:[^\\\n,;]|\\.)*[,;].*)$',
    re.MULTILINE | re.IGNORECASE,
)
_SEPARATOR = re.compile(r"(\\.)|([,;])")
_TZID = re.compile(r"(;TZID=)([^\":;\n]+|\"[^\"\n]*\")(?=[;:])", re.IGNORECASE)
_OCTET_FOLD = re.compile(rb"\r?\n[ \t]")
_BORDER = re.compile(r"^(BEGIN|END):([^ \t\n]*)", re.MULTILINE)
_BORDER_LINE = re.compile(r"^(BEGIN|END):([^ \t\n]*)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_COLON_TZID = re.compile(r"(;TZID=)([^\"\s;:]*:\d\d)(?=:\d{8}(?:T\d{6})?$)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextRepair(Generic[AnyStr]):
    """A named repair of the text of a stream, or of its bytes before they are decoded.

    Attributes:
        name: What is wrong, in small letters with dashes.
        producer: Who writes it so.
        why: What it would do to the reading.
        applies: Whether a stream has it.
        mend: The stream without it.
    """

    name: str
    producer: str
    why: str
    applies: Callable[[AnyStr], bool]
    mend: Callable[[AnyStr], AnyStr]


def unfolded(text: str) -> str:
    """The text with LF line ends and each content line on one line (RFC 5545 section 3.1)."""
    text = text.replace("\r\n", "\n")
    return text.replace("\n ", "").replace("\n\t", "")


def _bare_line_ends(text: str) -> bool:
    return text.count("\n") != text.count("\r\n") or text.count("\r") != text.count("\r\n")


def _uniform(text: str) -> str:
    while "\r\r" in text:
        text = text.replace("\r\r", "\r")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _joined(text: str) -> str:
    """Puts lines that begin like no property back where a raw line break tore them from a text."""
    lines: list[str] = []
    for line in text.split("\n"):
        stray = _STRAY_LINE.match("\n" + line)
        if stray and line and lines and _TEXT_PROPERTY.match(lines[-1]):
            lines[-1] += "\\n" + line
        else:
            lines.append(line)
    return "\n".join(lines)


def _escaped(text: str) -> str:
    def line(match: re.Match[str]) -> str:
        return match[1] + _SEPARATOR.sub(lambda part: part[1] or "\\" + part[2], match[2])

    return _BARE_SEPARATOR.sub(line, text)


def _foreign_zone(text: str) -> bool:
    return any(_better_tzid(match[2]) != match[2] for match in _TZID.finditer(text))


def _better_tzid(tzid: str) -> str:
    """The IANA name where a TZID means one by another name; else without the blanks around it."""
    return iana_key(tzid) or tzid.strip()


def _mistyped_end(text: str) -> bool:
    borders = _BORDER.findall(text.upper())
    return (
        sorted(name for kind, name in borders if kind == "BEGIN")
        != sorted(name for kind, name in borders if kind == "END")
        and len(borders) % 2 == 0
    )


def _typed_end(text: str) -> str:
    """Lets each END name the component that is open, where it names none that is."""
    opened: list[str] = []

    def line(match: re.Match[str]) -> str:
        name = match[2].upper()
        if match[1].upper() == "BEGIN":
            opened.append(name)
        elif opened:
            meant = opened.pop()
            return match[0] if name in {meant, *opened} else f"END:{meant}"
        return match[0]

    return _BORDER_LINE.sub(line, text)


def _torn_characters(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return _OCTET_FOLD.search(raw) is not None
    return False


BYTE_REPAIRS = (
    TextRepair(
        "fold-within-character",
        "PHP exporters that fold by octets",
        "A fold between the octets of one character makes both halves unreadable (RFC 5545 section 3.1 warns of it).",
        _torn_characters,
        lambda raw: _OCTET_FOLD.sub(b"", raw),
    ),
)

# These concern the text as it came, with its line ends and folds.
EARLY_REPAIRS = (
    TextRepair(
        "byte-order-mark",
        "Windows editors, Outlook exports",
        "The first line would not be BEGIN:VCALENDAR.",
        lambda text: text.startswith("\ufeff"),
        lambda text: text.lstrip("\ufeff"),
    ),
    TextRepair(
        "control-characters",
        "Text pasted from office programs",
        "RFC 5545 section 3.1 forbids them, and XML cannot carry them to a DAV client.",
        lambda text: _CONTROL.search(text) is not None,
        lambda text: text.translate(_CONTROLS),
    ),
    TextRepair(
        "line-ends",
        "Unix tools, hand-written exporters",
        "Lines end in CRLF (RFC 5545 section 3.1); bare LF, bare CR and mixtures are read alike.",
        _bare_line_ends,
        _uniform,
    ),
    TextRepair(
        "blank-lines",
        "Web templates",
        "A blank line before a fold would tear the line apart.",
        lambda text: "\n\n" in text or "\n\r\n" in text or "\n \n" in text or "\n \r\n" in text,
        lambda text: _BLANK_LINES.sub("\n", text.replace("\r\n", "\n")),
    ),
)

# These concern the text with LF line ends and without folds.
LINE_REPAIRS = (
    TextRepair(
        "raw-line-breaks",
        "Hand-written exporters",
        "The rest of a DESCRIPTION would be taken for unreadable properties.",
        lambda text: _STRAY_LINE.search(text) is not None and _joined(text) != text,
        _joined,
    ),
    TextRepair(
        "mistyped-end",
        "Hand-written exporters",
        "A component that ends under another name than it began with would be taken for one that does not end.",
        _mistyped_end,
        _typed_end,
    ),
    TextRepair(
        "colon-in-tzid",
        "Google Calendar with events of Indian phones",
        "The value would begin at the colon of GMT+05:30; a parameter with a colon is quoted (RFC 5545 section 3.2).",
        lambda text: _COLON_TZID.search(text) is not None,
        lambda text: _COLON_TZID.sub(r'\1"\2"', text),
    ),
    TextRepair(
        "bare-separators",
        "Hand-written exporters",
        "Commas and semicolons in a text are escaped (RFC 5545 section 3.3.11); who splits there loses the rest.",
        lambda text: _BARE_SEPARATOR.search(text) is not None,
        _escaped,
    ),
    TextRepair(
        "foreign-tzid",
        "Outlook and Exchange (Windows names), libical and Mozilla (prefixes), Zimbra (quotes), trailing blanks",
        "A zone under another name than its IANA name is a stranger to other clients.",
        _foreign_zone,
        lambda text: _TZID.sub(lambda match: match[1] + _better_tzid(match[2]), text),
    ),
)
