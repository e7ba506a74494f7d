"""A PROPFIND that lists a calendar: Radicale answers for one object, and its answer is the form for all others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from radicale import xmlutils
from radicale.app import propfind

from bridge.core.model import ComponentType
from bridge.radicale_plugin.collection import CalendarCollection, PlacedItem, http_date
from bridge.store.placement import Entry

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from radicale.types import WSGIResponse

    from bridge.radicale_plugin.application import Application
    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction

_HREF, _ETAG, _SIZE = "calbridge-href", "calbridge-etag", 918273645546372819
_CHANGED = datetime(1971, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """What Radicale needs to answer for one object of a calendar."""

    backing: Backing
    user: str
    calendar: HomeCalendar
    record: Collection
    tx: Transaction

    def item(self, component: ComponentType) -> PlacedItem:
        """An object whose every changing value is a mark that can be found again."""
        within = CalendarCollection(self.backing, self.user, self.calendar, self.record, self.tx)
        entry = Entry(_HREF, _ETAG, "", component, _SIZE, _CHANGED)
        return _SampleItem(within, entry, b"")


class _SampleItem(PlacedItem):
    def serialize(self) -> str:
        return _SizedText()


class _SizedText(str):
    """A text that Radicale only asks for its length."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        return _SizedBytes()


class _SizedBytes(bytes):
    __slots__ = ()

    def __len__(self) -> int:
        return _SIZE


def with_objects(
    application: Application,
    answer: bytes,
    request: ET.Element | None,
    rows: Sequence[Entry],
    sample: Sample,
    *,
    base_prefix: str,
    path: str,
) -> bytes:
    """Radicale's answer for the calendar itself, with one answer for each of its objects added.

    Args:
        application: Radicale's application.
        answer: Its answer with depth 0.
        request: The PROPFIND.
        rows: The objects.
        sample: Makes the object that serves as the form.
        base_prefix: Where we are mounted.
        path: Of the calendar.
    """
    forms = {
        component: _form(application, request, sample, component, base_prefix=base_prefix, path=path)
        for component in {row.component for row in rows}
    }
    head, end, tail = answer.rpartition(b"</multistatus>")
    parts = []
    for row in rows:
        for piece in forms[row.component]:
            if piece == _HREF:
                parts.append(escape(quote(row.href)))
            elif piece == _ETAG:
                parts.append(row.etag)
            elif piece == str(_SIZE):
                parts.append(str(row.size))
            elif piece == http_date(_CHANGED):
                parts.append(http_date(row.changed_at))
            else:
                parts.append(piece)
    return head + "".join(parts).encode() + end + tail


def _form(
    application: Application,
    request: ET.Element | None,
    sample: Sample,
    component: ComponentType,
    *,
    base_prefix: str,
    path: str,
) -> list[str]:
    """Radicale's answer for one object, cut at the values that change from object to object."""
    tree = propfind.xml_propfind(
        application,
        base_prefix,
        path,
        request,
        [(sample.item(component), "w" if sample.calendar.is_writable else "r", "", None)],
        sample.user,
        "utf-8",
        max_resource_size=application._max_resource_size,  # noqa: SLF001 -- as Radicale's own do_PROPFIND
    )
    text = application._xml_response(tree, {}).decode()  # noqa: SLF001
    start, end = text.index("<response>"), text.rindex("</response>") + len("</response>")
    # The namespaces stand on the root of this answer, which stays behind.
    declarations = text[text.index("<multistatus") + len("<multistatus") : text.index(">", text.index("<multistatus"))]
    pieces = [f"<response{declarations}>{text[start + len('<response>') : end]}"]
    for mark in (_HREF, _ETAG, str(_SIZE), http_date(_CHANGED)):
        cut: list[str] = []
        for piece in pieces:
            first, *others = piece.split(mark)
            cut.append(first)
            for other in others:
                cut += [mark, other]
        pieces = cut
    return pieces


def proppatch_answer(href: str, names: Sequence[str], protected: Sequence[str], *, dav: str) -> WSGIResponse:
    """The answer to a PROPPATCH (RFC 4918 section 9.2): all properties are set, or none.

    Args:
        href: Of the calendar, encoded.
        names: The properties of the request, as Clark names.
        protected: Those among them that clients may not set.
        dav: Value of the DAV header.
    """
    root = xmlutils.ET.Element(xmlutils.make_clark("D:multistatus"))
    response = xmlutils.ET.SubElement(root, xmlutils.make_clark("D:response"))
    xmlutils.ET.SubElement(response, xmlutils.make_clark("D:href")).text = href
    others = [name for name in names if name not in protected]
    outcome = HTTPStatus.FAILED_DEPENDENCY if protected else HTTPStatus.OK
    for group, status in ((protected, HTTPStatus.FORBIDDEN), (others, outcome)):
        if not group:
            continue
        propstat = xmlutils.ET.SubElement(response, xmlutils.make_clark("D:propstat"))
        prop = xmlutils.ET.SubElement(propstat, xmlutils.make_clark("D:prop"))
        for name in group:
            xmlutils.ET.SubElement(prop, name)
        xmlutils.ET.SubElement(propstat, xmlutils.make_clark("D:status")).text = xmlutils.make_response(status)
        if status is HTTPStatus.FORBIDDEN:
            error = xmlutils.ET.SubElement(propstat, xmlutils.make_clark("D:error"))
            xmlutils.ET.SubElement(error, xmlutils.make_clark("D:cannot-modify-protected-property"))
    body = xmlutils.ET.tostring(root, "utf-8", xml_declaration=True)
    return HTTPStatus.MULTI_STATUS, {"DAV": dav, "Content-Type": "text/xml; charset=utf-8"}, body, None
