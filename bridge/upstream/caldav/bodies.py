"""The XML bodies that are sent to a server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CALENDAR_SERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"
_PREFIXES = {DAV: "d", CALDAV: "c", CALENDAR_SERVER: "s", APPLE: "a"}
_NAMESPACES = " ".join(f'xmlns:{prefix}="{name[1:-1]}"' for name, prefix in _PREFIXES.items())
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def propfind(*properties: str) -> bytes:
    """A PROPFIND of named properties (RFC 4918 section 9.1); names as `{namespace}name`."""
    return f"{_HEAD}<d:propfind {_NAMESPACES}>{_prop(properties)}</d:propfind>".encode()


def sync_collection(token: str) -> bytes:
    """What has changed since `token` among the members (RFC 6578 section 3.2).

    A limit is never sent: some servers cut the answer there without saying so.
    """
    return (
        f"{_HEAD}<d:sync-collection {_NAMESPACES}><d:sync-token>{escape(token)}</d:sync-token>"
        f"<d:sync-level>1</d:sync-level>{_prop(MEMBER)}</d:sync-collection>"
    ).encode()


def multiget(paths: Sequence[str]) -> bytes:
    """The texts of several objects (RFC 4791 section 7.9)."""
    hrefs = "".join(f"<d:href>{escape(path)}</d:href>" for path in paths)
    return (
        f"{_HEAD}<c:calendar-multiget {_NAMESPACES}>{_prop((*MEMBER, f'{CALDAV}calendar-data'))}{hrefs}"
        "</c:calendar-multiget>"
    ).encode()


def query_all() -> bytes:
    """The texts of all objects (RFC 4791 section 7.8)."""
    return (
        f"{_HEAD}<c:calendar-query {_NAMESPACES}>{_prop((f'{DAV}getetag', f'{CALDAV}calendar-data'))}"
        '<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>'
    ).encode()


def query_uid(uid: str, component: str) -> bytes:
    """The objects of one UID (RFC 4791 section 7.8.6)."""
    return (
        f"{_HEAD}<c:calendar-query {_NAMESPACES}>{_prop((*MEMBER, f'{CALDAV}calendar-data'))}"
        f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="{component}"><c:prop-filter name="UID">'
        f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
        "</c:prop-filter></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    ).encode()


def _prop(properties: Sequence[str]) -> str:
    return f"<d:prop>{''.join(map(_element, properties))}</d:prop>"


def _element(name: str) -> str:
    namespace, _, local = name.rpartition("}")
    return f"<{_PREFIXES[namespace + '}']}:{local}/>"


MEMBER = (f"{DAV}getetag", f"{DAV}getcontenttype", f"{DAV}resourcetype")
"""What is asked of each member: its version, and whether it is a calendar object at all."""
