"""Calendar objects and XML bodies that the tests of the CalDAV face send."""

from __future__ import annotations

from xml.sax.saxutils import escape

NAMESPACES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


def event(uid: str, start: str = "20270104T090000Z", *, lines: str = "", summary: str = "Haircut") -> bytes:
    """One appointment of an hour.

    Args:
        uid: Its UID.
        start: DTSTART in UTC.
        lines: More content lines, each ending in CRLF.
        summary: Its title.
    """
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\n{lines}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def todo(uid: str, *, lines: str = "") -> bytes:
    """One task."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//EN\r\nBEGIN:VTODO\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Order towels\r\n{lines}END:VTODO\r\nEND:VCALENDAR\r\n"
    ).encode()


def xml(root: str, inner: str) -> str:
    """A body with the usual namespaces: `D`, `C`, `CS` (calendarserver.org) and `A` (Apple)."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root} {_DECLARATIONS}>{inner}</{root}>'


def propfind(*names: str) -> str:
    """A PROPFIND for properties such as `D:getetag`."""
    return xml("D:propfind", "<D:prop>" + "".join(f"<{name}/>" for name in names) + "</D:prop>")


def proppatch(**values: str) -> str:
    """A PROPPATCH that sets properties, written as `D_displayname="..."`."""
    properties = "".join(
        f"<{name.replace('_', ':', 1)}>{escape(value)}</{name.replace('_', ':', 1)}>" for name, value in values.items()
    )
    return xml("D:propertyupdate", f"<D:set><D:prop>{properties}</D:prop></D:set>")


def sync(token: str = "", *, limit: int | None = None) -> str:
    """A sync-collection for etags."""
    limited = "" if limit is None else f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>"
    return xml(
        "D:sync-collection",
        f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{limited}<D:prop><D:getetag/></D:prop>",
    )


def multiget(*hrefs: str) -> str:
    """A multiget for texts and etags."""
    inner = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    return xml("C:calendar-multiget", f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{inner}")


def query(inner: str = '<C:comp-filter name="VEVENT"/>', *, data: str = "<C:calendar-data/>") -> str:
    """A calendar-query whose filter below VCALENDAR is `inner`."""
    return xml(
        "C:calendar-query",
        f"<D:prop><D:getetag/>{data}</D:prop>"
        f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>',
    )
