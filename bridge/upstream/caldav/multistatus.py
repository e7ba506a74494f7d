"""A 207 answer is read whole and strictly: what cannot be a complete multistatus raises, it never looks empty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from bridge.errors import ListingDoubtful
from bridge.upstream.caldav.bodies import DAV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Response:
    """What a server says of one resource (RFC 4918 section 14.24).

    Attributes:
        href: As it stands in the answer.
        status: Of the resource itself; None where it speaks of properties only.
        properties: Those that were found, by `{namespace}name`.
        refused: The statuses of the properties that were not, 404 left out.
    """

    href: str
    status: int | None
    properties: Mapping[str, Element] = field(repr=False)
    refused: tuple[int, ...] = ()

    def text(self, name: str) -> str | None:
        """The text of a property, or None where it was not told."""
        element = self.properties.get(name)
        return None if element is None else (element.text or "").strip()

    def hrefs(self, name: str) -> tuple[str, ...]:
        """The hrefs that a property holds."""
        element = self.properties.get(name)
        if element is None:
            return ()
        return tuple((href.text or "").strip() for href in element.iter(f"{DAV}href") if (href.text or "").strip())

    def names(self, name: str) -> frozenset[str]:
        """The names of all elements within a property."""
        element = self.properties.get(name)
        return frozenset() if element is None else frozenset(each.tag for each in element.iter()) - {element.tag}


@dataclass(frozen=True, slots=True)
class Multistatus:
    """An answer about several resources (RFC 4918 section 13).

    Attributes:
        responses: In the order in which they came.
        sync_token: Where the answer carries one (RFC 6578 section 6.4), else empty.
    """

    responses: tuple[Response, ...]
    sync_token: str = ""


def read(raw: bytes, *, place: str) -> Multistatus:
    """Reads the body of a 207 answer.

    Args:
        raw: The body.
        place: What was asked, for the sentence.

    Raises:
        ListingDoubtful: It is empty, cut off, no multistatus, or speaks of a resource without saying what.
    """
    root = xml(raw)
    if root is None or root.tag != f"{DAV}multistatus":
        what = "is empty" if not raw.strip() else "was cut off, or is no DAV answer" if root is None else "is none"
        raise ListingDoubtful(
            f"The answer of {place} {what}.", remedy="Nothing was concluded from it; it is asked again later."
        )
    return Multistatus(
        responses=tuple(_responses(root, place)), sync_token=(root.findtext(f"{DAV}sync-token") or "").strip()
    )


def xml(raw: bytes) -> Element | None:
    """The root element of a body; None where it is no XML, cut off, or declares entities."""
    if not raw.lstrip().startswith((b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        root: Element = defusedxml.ElementTree.fromstring(raw, forbid_dtd=True)
    except (DefusedXmlException, ParseError, LookupError, ValueError):
        return None
    return root


def preconditions(raw: bytes) -> Mapping[str, Element]:
    """The preconditions that an error answer names (RFC 4918 section 16), by `{namespace}name`."""
    root = xml(raw)
    if root is None:
        return {}
    errors = [root] if root.tag == f"{DAV}error" else list(root.iter(f"{DAV}error"))
    return {each.tag: each for error in errors for each in error}


def _responses(root: Element, place: str) -> Iterator[Response]:
    for element in root.iterfind(f"{DAV}response"):
        hrefs = [(href.text or "").strip() for href in element.iterfind(f"{DAV}href")]
        status = element.findtext(f"{DAV}status")
        propstats = element.findall(f"{DAV}propstat")
        if not all(hrefs) or not hrefs or (status is None and not propstats):
            raise ListingDoubtful(
                f"The answer of {place} speaks of a resource without saying which, or what became of it.",
                remedy="Nothing was concluded from it; it is asked again later.",
            )
        properties: dict[str, Element] = {}
        refused: list[int] = []
        for propstat in propstats:
            code = _code(propstat.findtext(f"{DAV}status"), place)
            if code in _OK:
                properties.update((child.tag, child) for prop in propstat.iterfind(f"{DAV}prop") for child in prop)
            elif code != 404:  # noqa: PLR2004 -- "there is no such property"
                refused.append(code)
        whole = None if status is None else _code(status, place)
        for href in hrefs:
            yield Response(href=href, status=whole, properties=properties, refused=tuple(refused))


def _code(status: str | None, place: str) -> int:
    words = (status or "").split()
    if len(words) < len(("HTTP/1.1", "200")) or not words[1].isdecimal():
        raise ListingDoubtful(
            f"The answer of {place} holds the status {(status or '')[:60]!r}, which means nothing.",
            remedy="Nothing was concluded from it; it is asked again later.",
        )
    return int(words[1])
