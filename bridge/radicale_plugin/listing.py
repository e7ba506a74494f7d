"""A PROPFIND that lists a calendar: Radicale answers for one object, and its answer is the form for all others.

The values that differ from object to object are marks in the form, drawn at random so that nothing else can hold them.
"""

from __future__ import annotations

import secrets
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from radicale import xmlutils
from radicale.app import propfind

from bridge.radicale_plugin.collection import CalendarCollection, PlacedItem, http_date
from bridge.store.placement import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from radicale.types import WSGIResponse

    from bridge.core.model import ComponentType
    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.radicale_plugin.face import Face
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction

_HREF, _ETAG = (f"calbridge-{secrets.token_hex(16)}" for _ in range(2))
_SIZE = 2**62 + secrets.randbits(60)
_CHANGED = datetime(1971, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """One PROPFIND on one calendar.

    Attributes:
        root: The request; None asks for everything.
        base_prefix: Where we are mounted.
        path: Of the calendar.
    """

    root: ET.Element | None
    base_prefix: str
    path: str


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


def with_objects(face: Face, answer: bytes, asked: Asked, rows: Sequence[Entry], sample: Sample) -> bytes:
    """Radicale's answer for the calendar itself, with one answer for each of its objects added.

    Args:
        face: Radicale's application.
        answer: Its answer with depth 0.
        asked: The PROPFIND.
        rows: The objects.
        sample: Makes the object that serves as the form.
    """
    forms = {component: _form(face, asked, sample, component) for component in {row.component for row in rows}}
    head, end, tail = answer.rpartition(b"</multistatus>")
    parts = []
    for row in rows:
        values = {
            _HREF: escape(quote(row.href)),
            _ETAG: row.etag,
            str(_SIZE): str(row.size),
            http_date(_CHANGED): http_date(row.changed_at),
        }
        parts += [values.get(piece, piece) for piece in forms[row.component]]
    return head + "".join(parts).encode() + end + tail


def _form(face: Face, asked: Asked, sample: Sample, component: ComponentType) -> list[str]:
    """Radicale's answer for one object, cut at the values that change from object to object."""
    rights = "rw" if sample.calendar.is_writable else "r"
    tree = propfind.xml_propfind(
        face,
        asked.base_prefix,
        asked.path,
        asked.root,
        [(sample.item(component), "w" if sample.calendar.is_writable else "r", rights, "")],
        sample.user,
        "utf-8",
        max_resource_size=face._max_resource_size,  # noqa: SLF001 -- as Radicale's own do_PROPFIND
    )
    assert tree is not None  # noqa: S101 -- only for strangers, who do not get here
    text = face._xml_response(tree, {}).decode()  # noqa: SLF001
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
    root = ET.Element(xmlutils.make_clark("D:multistatus"))
    response = ET.SubElement(root, xmlutils.make_clark("D:response"))
    ET.SubElement(response, xmlutils.make_clark("D:href")).text = href
    others = [name for name in names if name not in protected]
    outcome = HTTPStatus.FAILED_DEPENDENCY if protected else HTTPStatus.OK
    for group, status in ((protected, HTTPStatus.FORBIDDEN), (others, outcome)):
        if not group:
            continue
        propstat = ET.SubElement(response, xmlutils.make_clark("D:propstat"))
        prop = ET.SubElement(propstat, xmlutils.make_clark("D:prop"))
        for name in group:
            ET.SubElement(prop, name)
        ET.SubElement(propstat, xmlutils.make_clark("D:status")).text = xmlutils.make_response(status)
        if status is HTTPStatus.FORBIDDEN:
            error = ET.SubElement(propstat, xmlutils.make_clark("D:error"))
            ET.SubElement(error, xmlutils.make_clark("D:cannot-modify-protected-property"))
    body = ET.tostring(root, "utf-8", xml_declaration=True)
    return HTTPStatus.MULTI_STATUS, {"DAV": dav, "Content-Type": "text/xml; charset=utf-8"}, body, None
