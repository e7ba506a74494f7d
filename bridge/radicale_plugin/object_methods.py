"""GET, PUT, DELETE and MOVE of calendar objects keep the bytes, and check each precondition under a lock."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from radicale import httputils, xmlutils

from bridge.core.precondition import Precondition
from bridge.errors import CalbridgeError, Conflict, NotFound, PreconditionFailed
from bridge.radicale_plugin.backing import Place
from bridge.radicale_plugin.collection import CalendarCollection, http_date
from bridge.radicale_plugin.face import Face, answering, with_few_tries
from bridge.radicale_plugin.refusal import Refused, refusal, refuse
from bridge.radicale_plugin.request import check_name
from bridge.store import calendar_object, placement

if TYPE_CHECKING:
    from radicale.types import WSGIResponse

    from bridge.core.model import CalendarObject
    from bridge.radicale_plugin.backing import HomeCalendar
    from bridge.radicale_plugin.request import Request
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction


class ObjectMethods(Face):
    """GET, HEAD, PUT, DELETE and MOVE."""

    @answering
    def do_PUT(self, request: Request) -> WSGIResponse:  # noqa: N802 -- Radicale's name
        """Stores the bytes exactly as they came, where they are one calendar object (RFC 4791 section 5.3.2)."""
        self.check_parent(request)
        place = self.check_may_write(request.place, request.user)
        if not place.href or request.path.endswith("/"):
            return refuse(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "A whole calendar cannot be replaced by one PUT; `calbridge import` takes in a file.",
            )
        check_name(place.href)
        if "HTTP_CONTENT_RANGE" in request.environ:
            # RFC 9110 section 14.5: part of an appointment must not be stored as the whole.
            return refuse(HTTPStatus.BAD_REQUEST, "An appointment is stored as a whole, not in ranges.")
        calendar = self.backing.calendar(request.user, place.calendar)
        if calendar is None:
            raise NotFound("There is no such calendar.")
        new = self._parsed(request, calendar)
        precondition = request.precondition

        def put() -> calendar_object.Put:
            with self.opened(request, writing=True) as (tx, _, record, href):
                self._check_held(tx, new, calendar, record)
                return calendar_object.put(
                    tx,
                    record.id,
                    href,
                    new,
                    author=self.backing.author(request.user),
                    precondition=precondition,
                    joinable=self.backing.joinable(tx, request.user),
                )

        try:
            done = with_few_tries(put)
        except NotFound as error:
            # RFC 4918 section 9.7.1: there is no collection to put it in.
            return refuse(HTTPStatus.CONFLICT, str(error))
        except CalbridgeError as error:
            return _with_href(error, request, place)
        headers = {"ETag": f'"{done.etag}"'} if new.raw == request.body else {}
        return (HTTPStatus.CREATED if done.created else HTTPStatus.NO_CONTENT), headers, None, None

    def _parsed(self, request: Request, calendar: HomeCalendar) -> CalendarObject:
        limit = self.backing.configuration().limits.max_object
        if len(request.body) > limit:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The appointment has {len(request.body)} octets; limits.max_object allows {int(limit)}.",
                "C:max-resource-size",
            )
        return self.backing.parse(request.text(), calendar)

    def _check_held(self, tx: Transaction, new: CalendarObject, calendar: HomeCalendar, record: Collection) -> None:
        """Passes where `calendar` holds components of this type.

        Raises:
            Refused: It does not.
        """
        held = self.backing.components(tx, calendar, record)
        if held and new.component not in held:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"This calendar does not hold components of type {new.component}, but {' and '.join(held)}.",
                "C:supported-calendar-component",
            )

    @answering
    def do_DELETE(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Deletes an object, under the lock that its precondition is checked under."""
        place = self.check_may_write(request.place, request.user)
        if not place.href:
            calendar = self.backing.calendar(request.user, place.calendar)
            if calendar is not None and calendar.resource is not None:
                return refuse(
                    HTTPStatus.FORBIDDEN,
                    "This calendar belongs to the configuration of the server; a client cannot delete it.",
                    "D:need-privileges",
                )
            return super().do_DELETE(*request.arguments)
        precondition = request.precondition

        def remove() -> None:
            with self.opened(request, writing=True) as (tx, _, record, href):
                calendar_object.remove(
                    tx, record.id, href, author=self.backing.author(request.user), precondition=precondition
                )

        with_few_tries(remove)
        return HTTPStatus.NO_CONTENT, {}, None, None

    @answering
    def do_MOVE(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Moves an object between two calendars that the user may write (RFC 4918 section 9.9)."""
        public_url = str(self.backing.configuration().server.public_url or "")
        source = self.check_may_write(request.place, request.user)
        target = self.check_may_write(Place.of(request.destination(public_url=public_url)), request.user)
        if not source.href or not target.href:
            return refuse(HTTPStatus.FORBIDDEN, "Calendars cannot be moved; appointments in them can.")
        if source == target:
            return refuse(HTTPStatus.FORBIDDEN, "The appointment cannot be moved to where it stands.")
        check_name(target.href)
        to_calendar = self.backing.calendar(request.user, target.calendar)
        precondition = Precondition(if_match=request.precondition.if_match)

        def move() -> bool:
            with self.opened(request, writing=True) as (tx, _, record, href):
                to_record = None if to_calendar is None else self.backing.find(tx, to_calendar)
                if to_calendar is None or to_record is None:
                    raise Conflict("The calendar to move to does not exist.")
                stored = placement.get(tx, record.id, href)
                if stored is None:
                    raise NotFound(f"There is no appointment under {href!r}.")
                precondition.check(stored.etag, href=href)
                moved = self.backing.parse(stored.raw, to_calendar)
                self._check_held(tx, moved, to_calendar, to_record)
                return calendar_object.move(
                    tx,
                    (record.id, href),
                    (to_record.id, target.href),
                    moved=moved,
                    author=self.backing.author(request.user),
                    overwrite=request.environ.get("HTTP_OVERWRITE", "T").strip().upper() != "F",
                    joinable=self.backing.joinable(tx, request.user),
                )

        try:
            replaced = with_few_tries(move)
        except CalbridgeError as error:
            return _with_href(error, request, target)
        return (HTTPStatus.NO_CONTENT if replaced else HTTPStatus.CREATED), {}, None, None

    @answering
    def do_GET(self, request: Request) -> WSGIResponse:  # noqa: N802
        """Gives an object as it came, or says that the client has it already (RFC 9110 section 13.1)."""
        place = request.place
        if place is None or not place.calendar:
            return refuse(
                HTTPStatus.FORBIDDEN,
                "This address is for calendar programs: give it to one as that of a CalDAV server.",
            )
        self.check_may_read(place, request.user)
        with self.opened(request, writing=False) as (tx, calendar, record, href):
            if not href:
                return self._whole(request, CalendarCollection(self.backing, request.user, calendar, record, tx))
            stored = placement.get(tx, record.id, href)
        if stored is None:
            return httputils.NOT_FOUND
        headers = {"ETag": f'"{stored.etag}"', "Last-Modified": http_date(stored.changed_at)}
        if _is_known(request, stored.etag, headers["Last-Modified"]):
            return HTTPStatus.NOT_MODIFIED, headers, None, None
        headers["Content-Type"] = f"text/calendar; charset=utf-8; component={stored.component}"
        return HTTPStatus.OK, headers, stored.raw, None

    def _whole(self, request: Request, found: CalendarCollection) -> WSGIResponse:
        headers = {"ETag": found.etag, "Last-Modified": found.last_modified}
        if _is_known(request, found.record.tag, headers["Last-Modified"]):
            return HTTPStatus.NOT_MODIFIED, headers, None, None
        name = quote(f"{found.get_meta('D:displayname')}.ics")
        headers["Content-Type"] = "text/calendar; charset=utf-8"
        headers["Content-Disposition"] = f"attachment; filename*=utf-8''{name}"
        return HTTPStatus.OK, headers, found.serialize().encode(), None


def _is_known(request: Request, etag: str, changed: str) -> bool:
    """Whether the client has this state already.

    Raises:
        PreconditionFailed: It wants another state than this one (If-Match).
    """
    precondition = request.precondition
    Precondition(if_match=precondition.if_match).check(etag, href=request.path)
    try:
        precondition.check(etag, href=request.path)
    except PreconditionFailed:
        return True
    return "HTTP_IF_NONE_MATCH" not in request.environ and request.environ.get("HTTP_IF_MODIFIED_SINCE") == changed


def _with_href(error: CalbridgeError, request: Request, place: Place) -> WSGIResponse:
    """The answer to an error, with the href under which the UID stands where that is the reason."""
    other = getattr(error, "href", "")
    path = f"/{place.user}/{place.calendar}/{other}"
    return refusal(error, collection_href=xmlutils.make_href(request.base_prefix, path))
