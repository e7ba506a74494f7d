"""Multistatus answers with thousands of objects, written as text (RFC 4918 section 13).

Radicale builds a tree of elements for each object, which takes most of the time of a large answer. Here one answer is
built by Radicale, and serves as the form into which the objects are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from radicale import xmlutils

from bridge.radicale_plugin.xml_text import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.placement import Entry

CALENDAR_DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"
GETETAG = "{DAV:}getetag"
GETCONTENTTYPE = "{DAV:}getcontenttype"

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
TAIL = "</D:multistatus>"


def href(base_prefix: str, path: str) -> str:
    """A path as the content of `D:href`: percent-encoded, below the prefix under which we are mounted."""
    return escape(quote(f"{base_prefix}{path}"))


def content_type(entry: Entry) -> str:
    """The media type of an object."""
    return f"text/calendar;charset=utf-8;component={entry.component}"


class ObjectAnswers:
    """Writes the `D:response` of one object after another, with the properties that a REPORT asked for.

    Args:
        base_prefix: Where we are mounted.
        collection_path: Path of the calendar, with a slash at its end.
        properties: The properties asked for, as Clark names, in order.
    """

    def __init__(self, base_prefix: str, collection_path: str, properties: Iterable[str]) -> None:
        self._base = href(base_prefix, collection_path)
        wanted = list(dict.fromkeys(properties))
        self.needs_text = CALENDAR_DATA in wanted
        self._found = [name for name in wanted if name in {CALENDAR_DATA, GETETAG, GETCONTENTTYPE}]
        self._lacking = "".join(f"<{_tag(name)} />" for name in wanted if name not in self._found)

    def found(self, entry: Entry, calendar_data: str = "") -> str:
        """The answer for an object that is there."""
        properties = "".join(self._property(name, entry, calendar_data) for name in self._found)
        answer = f"<D:response><D:href>{self._base}{escape(quote(entry.href))}</D:href>"
        if properties:
            answer += _propstat(properties, "200 OK")
        if self._lacking:
            answer += _propstat(self._lacking, "404 Not Found")
        if not self._found and not self._lacking:
            answer += "<D:status>HTTP/1.1 200 OK</D:status>"
        return f"{answer}</D:response>"

    def etag_only(self, name: str, etag: str) -> str:
        """The answer for an object of which nothing but the etag was asked."""
        return (
            f"<D:response><D:href>{self._base}{escape(quote(name))}</D:href><D:propstat><D:prop>"
            f"<D:getetag>&quot;{etag}&quot;</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
            "</D:response>"
        )

    def gone(self, name: str) -> str:
        """The answer for an href under which nothing stands (any more)."""
        return (
            f"<D:response><D:href>{self._base}{escape(quote(name))}</D:href>"
            "<D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
        )

    @property
    def asks_only_for_etags(self) -> bool:
        """Whether `etag_only` says all that was asked for."""
        return self._found == [GETETAG] and not self._lacking

    @staticmethod
    def _property(name: str, entry: Entry, calendar_data: str) -> str:
        if name == GETETAG:
            return f"<D:getetag>&quot;{entry.etag}&quot;</D:getetag>"
        if name == GETCONTENTTYPE:
            return f"<D:getcontenttype>{content_type(entry)}</D:getcontenttype>"
        return f"<C:calendar-data>{text(calendar_data)}</C:calendar-data>"


def _tag(clark: str) -> str:
    """A name as it stands in our answers; a foreign namespace is declared on the element itself."""
    human = xmlutils.make_human_tag(clark)
    if human.startswith(("D:", "C:")):
        return str(human)
    namespace, _, local = clark[1:].rpartition("}")
    return f'X:{local} xmlns:X="{escape(namespace, {chr(34): "&quot;"})}"'


def _propstat(properties: str, status: str) -> str:
    return f"<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
