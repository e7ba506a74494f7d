"""Radicale's application with our answers where it falls short: PUT keeps the bytes, listings come from the index.

Routing, login and the general PROPFIND stay Radicale's. Every error of ours becomes an answer with a sentence. Here
stand the methods on calendars; those on the objects in them are in `object_methods`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import radicale.item
from radicale import xmlutils

from bridge.radicale_plugin import listing, reports
from bridge.radicale_plugin.backing import can_be_personal
from bridge.radicale_plugin.face import DAV, answering
from bridge.radicale_plugin.object_methods import ObjectMethods
from bridge.radicale_plugin.refusal import Refused, refuse
from bridge.radicale_plugin.request import check_name
from bridge.store import collection, placement

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from radicale.types import WSGIResponse

    from bridge.radicale_plugin.request import Request

_ALLOWED = "DELETE, GET, HEAD, MKCALENDAR, MKCOL, MOVE, OPTIONS, PROPFIND, PROPPATCH, PUT, REPORT"
_LEFT_TO_RADICALE = frozenset(
    xmlutils.make_clark(name)
    for name in ("D:expand-property", "D:principal-search-property-set", "D:principal-property-search")
)
_KINDS_OF_PROPFIND = frozenset(xmlutils.make_clark(name) for name in ("D:allprop", "D:propname", "D:prop"))
_PROTECTED = frozenset(
    xmlutils.make_clark(name)
    for name in (
        "D:getetag", "D:getlastmodified", "D:getcontenttype", "D:getcontentlength", "D:resourcetype", "D:sync-token",
        "D:current-user-privilege-set", "D:owner", "D:supported-report-set", "D:creationdate", "D:lockdiscovery",
        "D:supportedlock", "D:current-user-principal", "D:principal-URL", "D:principal-collection-set",
        "CS:getctag", "C:supported-calendar-component-set", "C:supported-calendar-data", "C:max-resource-size",
        "C:calendar-home-set", "C:calendar-user-address-set",
    )
)  # fmt: skip
_LONGEST_PROPERTY_OCTETS = 100_000


class Application(ObjectMethods):
    """The CalDAV face.

    Args:
        configuration: Radicale's configuration, with our storage, auth and rights in it.
        backing: Store and configuration of ours.
    """

    def do_OPTIONS(self, *_: object) -> WSGIResponse:  # noqa: N802 -- Radicale's name
        """Says what can be done here, to anybody (RFC 4918 section 10.1)."""
        return HTTPStatus.OK, {"Allow": _ALLOWED, "DAV": DAV}, None, None

    @answering
    def do_REPORT(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Answers from the index."""
        root = request.xml()
        if root is None:
            return refuse(HTTPStatus.BAD_REQUEST, "A REPORT needs a body that says what is asked for.")
        place = request.place
        if root.tag in _LEFT_TO_RADICALE or place is None or not place.calendar:
            return super().do_REPORT(*request.arguments)
        self.check_may_read(place, request.user)
        with self.opened(request, writing=False) as (tx, calendar, record, href):
            if href and placement.entry(tx, record.id, href) is None:
                return refuse(HTTPStatus.NOT_FOUND, "There is no such appointment.")
            path = f"/{place.user}/{place.calendar}/"
            asked = reports.Asked(root, request.base_prefix, path, calendar, record, href)
            return reports.answer(tx, asked, self.backing)

    @answering
    def do_PROPFIND(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Lists the objects of a calendar from the index; everything else is Radicale's answer."""
        place, depth = request.place, request.depth
        root = _propfind(request.xml())
        if depth == "infinity" and (place is None or not place.calendar):
            return refuse(
                HTTPStatus.FORBIDDEN,
                "A home can be listed with Depth 1, and each calendar in it by itself.",
                "D:propfind-finite-depth",
            )
        if place is None or not place.calendar or place.href or depth == "0":
            return super().do_PROPFIND(*request.arguments)
        flat = {**request.environ, "HTTP_DEPTH": "0"}
        status, headers, body, log = super().do_PROPFIND(flat, *request.arguments[1:])
        if status != HTTPStatus.MULTI_STATUS or not isinstance(body, bytes):
            return status, headers, body, log
        with self.opened(request, writing=False) as (tx, calendar, record, _):
            rows = placement.listing(tx, record.id)
            sample = listing.Sample(self.backing, request.user, calendar, record, tx)
            asked = listing.Asked(root, request.base_prefix, request.path)
            with_objects = listing.with_objects(self, body, asked, rows, sample)
        return status, headers, with_objects, log

    @answering
    def do_PROPPATCH(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Renames or recolours a calendar for this user alone, also where they may only read it."""
        place, root = request.place, request.xml()
        if place is None or not place.calendar or place.href:
            return refuse(HTTPStatus.FORBIDDEN, "Only calendars have properties that a client may set.")
        self.check_may_read(place, request.user)
        names = _names(root)
        if not names:
            return refuse(HTTPStatus.BAD_REQUEST, "The PROPPATCH names no property.")
        changed = _properties(root)
        protected = [each for each in names if each in _PROTECTED]
        if not protected:
            with self.opened(request, writing=True) as (tx, _, record, _):
                collection.set_properties(tx, record.id, request.user, changed)
        return listing.proppatch_answer(
            xmlutils.make_href(request.base_prefix, request.path), names, protected, dav=DAV
        )

    @answering
    def do_MKCALENDAR(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Makes a calendar of the user's own, where the configuration lets them (RFC 4791 section 5.3.1)."""
        self._check_may_make(request)
        return super().do_MKCALENDAR(*request.arguments)

    @answering
    def do_MKCOL(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Makes a calendar of the user's own: a home holds nothing else, so one without a type is a calendar too."""
        if request.body and "xml" not in request.content_type.lower():
            # RFC 4918 section 9.3
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body of a MKCOL is XML.")
        self._check_may_make(request)
        if not request.body:
            return super().do_MKCALENDAR(*request.arguments)
        return super().do_MKCOL(*request.arguments)

    def _check_may_make(self, request: Request) -> None:
        """Passes where the user may make a calendar here.

        Raises:
            Refused: They may not, or the request is no good.
        """
        place, user = request.place, request.user
        self.check_parent(request)
        if place is None or place.user != user or not place.calendar:
            raise Refused(HTTPStatus.FORBIDDEN, "A calendar can only be made in your own home.", "D:need-privileges")
        if place.href:
            sentence = "A calendar can only be made in your home, not within another calendar."
            raise Refused(HTTPStatus.FORBIDDEN, sentence, "C:calendar-collection-location-ok")
        if not self.backing.makes_calendars(user):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "Calendars are made by the administrator here; "
                "`personal_calendars: true` in the configuration lets a user make their own.",
                "D:need-privileges",
            )
        check_name(place.calendar)
        if not can_be_personal(place.calendar):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "The address of a calendar of your own holds no dot, for that is how those of resources are written. "
                "Choose another one; the name that is shown may hold dots.",
                "C:calendar-collection-location-ok",
            )
        properties = _properties(request.xml())
        try:
            radicale.item.check_and_sanitize_props(properties)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"A property of the calendar is no good: {error}.") from error


def _propfind(root: Element | None) -> Element | None:
    """The request, checked: Radicale takes its first element for what is asked, whatever it is.

    Raises:
        Refused: It is no PROPFIND (RFC 4918 section 14.20).
    """
    if root is None:
        return None
    if root.tag != xmlutils.make_clark("D:propfind") or not len(root) or root[0].tag not in _KINDS_OF_PROPFIND:
        raise Refused(
            HTTPStatus.BAD_REQUEST, "The body of a PROPFIND is a D:propfind that begins with prop, allprop or propname."
        )
    return root


def _properties(root: Element | None) -> dict[str, str | None]:
    """The properties that a request sets, or removes (None), by Radicale's names.

    Raises:
        Refused: One of them cannot be read, or is too long to be kept.
    """
    try:
        properties: dict[str, str | None] = xmlutils.props_from_request(root)
    except (ValueError, KeyError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "A property of the request cannot be read.") from error
    for name, value in properties.items():
        if len(name) + len(value or "") > _LONGEST_PROPERTY_OCTETS:
            raise Refused(HTTPStatus.INSUFFICIENT_STORAGE, f"The property {name[:80]!r} is too long to be kept.")
    return properties


def _names(root: Element | None) -> list[str]:
    if root is None:
        return []
    return [
        prop.tag
        for action in root
        if action.tag in {xmlutils.make_clark("D:set"), xmlutils.make_clark("D:remove")}
        for prop in action.findall(f"./{xmlutils.make_clark('D:prop')}/*")
    ]
