"""Radicale's application with our answers where it falls short: PUT keeps the bytes, listings come from the index.

Routing, login, rights and the general PROPFIND stay Radicale's. Every error of ours becomes an answer with a sentence.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import radicale.app
from defusedxml.common import DefusedXmlException
from radicale import httputils, pathutils, xmlutils

from bridge.core.precondition import Precondition
from bridge.errors import CalbridgeError, NotFound, PreconditionFailed, StoreUnavailable
from bridge.radicale_plugin import listing, reports
from bridge.radicale_plugin.backing import Place
from bridge.radicale_plugin.collection import http_date
from bridge.radicale_plugin.put_body import BodyRefused, as_utf8, take
from bridge.radicale_plugin.refusal import refusal, refuse
from bridge.store import calendar_object, collection, placement

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Iterable, Iterator

    from radicale.config import Configuration as RadicaleConfiguration
    from radicale.types import WSGIResponse

    from bridge.radicale_plugin.backing import Backing, HomeCalendar
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction

Environ = dict[str, Any]
_Method = TypeVar("_Method", bound="Callable[..., WSGIResponse]")

# We hold neither locks (class 2) nor address books, whatever Radicale announces.
_DAV = "1, 3, calendar-access, extended-mkcol"
_FEW_TRIES = 3
_PROTECTED = frozenset(
    xmlutils.make_clark(name)
    for name in (
        "D:getetag", "D:getlastmodified", "D:getcontenttype", "D:getcontentlength", "D:resourcetype", "D:sync-token",
        "D:current-user-privilege-set", "D:owner", "D:supported-report-set", "D:creationdate", "D:lockdiscovery",
        "CS:getctag", "C:supported-calendar-component-set", "C:supported-calendar-data", "C:max-resource-size",
    )
)  # fmt: skip


def _answering(method: _Method) -> _Method:
    """Makes every error of ours an answer with a sentence."""

    @functools.wraps(method)
    def answered(self: Application, environ: Environ, *args: Any) -> WSGIResponse:
        try:
            return method(self, environ, *args)
        except CalbridgeError as error:
            return refusal(error)

    return answered  # type: ignore[return-value]


class Application(radicale.app.Application):
    """The CalDAV face.

    Args:
        configuration: Radicale's configuration, with our storage, auth and rights in it.
        backing: Store and configuration of ours.
    """

    def __init__(self, configuration: RadicaleConfiguration, *, backing: Backing) -> None:
        super().__init__(configuration)
        self._backing = backing

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answers one request (PEP 3333)."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [(name, _DAV if name == "DAV" else value) for name, value in headers], *rest)

        try:
            take(environ, limit=self._backing.configuration().limits.max_body)
        except BodyRefused as error:
            status, headers, body, _ = refuse(error.status, error.sentence)
            start(f"{status.value} {status.phrase}", [*headers.items(), ("Content-Length", str(len(body)))])
            return [body]
        with self._backing.request(client=environ.get("HTTP_USER_AGENT", "")):
            answered: Iterable[bytes] = super().__call__(environ, start)
            return answered

    def _read_xml_request_body(self, environ: Environ, request_info: dict[str, Any]) -> ET.Element | None:
        try:
            return super()._read_xml_request_body(environ, request_info)
        except DefusedXmlException as error:
            # Radicale takes a RuntimeError for a bad request, and this one for a failure of its own.
            raise RuntimeError(f"The request declares XML entities, which are not read here: {error}") from error

    @contextmanager
    def _calendar(
        self, path: str, user: str, *, writing: bool
    ) -> Iterator[tuple[Transaction, HomeCalendar, Collection, str]]:
        """The transaction of a request, with the calendar and the href that `path` leads to.

        Raises:
            NotFound: There is no such calendar.
        """
        place = Place.of(path)
        calendar = None if place is None or place.user != user else self._backing.calendar(user, place.calendar)
        database = self._backing.database
        with database.writing() if writing else database.reading() as tx:
            record = None if calendar is None else self._backing.find(tx, calendar)
            if place is None or calendar is None or record is None:
                raise NotFound("There is no such calendar.")
            yield tx, calendar, record, place.href

    def _may(self, letter: str, path: str, user: str) -> bool:
        """Whether `user` may read (`r`) or write (`w`) in the calendar that `path` is, or is in."""
        place = Place.of(path)
        if place is None or not place.calendar:
            return False
        return letter in self._rights.authorization(user, set(), f"/{place.user}/{place.calendar}/")

    @_answering
    def do_PUT(self, environ: Environ, base_prefix: str, path: str, user: str, *_: Any) -> WSGIResponse:  # noqa: N802 -- Radicale's name
        """Stores the bytes exactly as they came, where they are one calendar object (RFC 4791 section 5.3.2)."""
        place = Place.of(path)
        if not self._may("w", path, user) or place is None:
            return httputils.NOT_ALLOWED
        if not place.href or path.endswith("/"):
            return refuse(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "A whole calendar cannot be replaced by one PUT; `calbridge import` takes in a file.",
            )
        limit = self._backing.configuration().limits.max_object
        body = environ["wsgi.input"].read()
        if len(body) > limit:
            return refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The appointment has {len(body)} octets; limits.max_object allows {limit}.",
                "C:max-resource-size",
            )
        calendar = self._backing.calendar(user, place.calendar)
        if calendar is None:
            raise NotFound("There is no such calendar.")
        new = self._backing.parse(as_utf8(body, environ.get("CONTENT_TYPE", "")), calendar)
        if calendar.resource is not None and new.component not in calendar.resource.components:
            return refuse(
                HTTPStatus.FORBIDDEN,
                f"This calendar does not hold components of type {new.component}.",
                "C:supported-calendar-component",
            )
        precondition = Precondition.from_headers(environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH"))

        def put() -> calendar_object.Put:
            with self._calendar(path, user, writing=True) as (tx, _, record, href):
                return calendar_object.put(
                    tx,
                    record.id,
                    href,
                    new,
                    author=self._backing.author(user),
                    precondition=precondition,
                    joinable=self._backing.joinable(tx, user),
                )

        try:
            done = _with_few_tries(put)
        except CalbridgeError as error:
            home = f"/{place.user}/{place.calendar}/"
            other = getattr(error, "href", "")
            return refusal(error, collection_href=xmlutils.make_href(base_prefix, f"{home}{other}"))
        return (HTTPStatus.CREATED if done.created else HTTPStatus.NO_CONTENT), {"ETag": f'"{done.etag}"'}, None, None

    @_answering
    def do_DELETE(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Deletes an object, under the lock that its precondition is checked under."""
        place = Place.of(path)
        if place is None or not place.href:
            return super().do_DELETE(environ, base_prefix, path, user, *rest)
        if not self._may("w", path, user):
            return httputils.NOT_ALLOWED
        precondition = Precondition.from_headers(environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH"))

        def remove() -> None:
            with self._calendar(path, user, writing=True) as (tx, _, record, href):
                calendar_object.remove(
                    tx, record.id, href, author=self._backing.author(user), precondition=precondition
                )

        _with_few_tries(remove)
        return HTTPStatus.NO_CONTENT, {}, None, None

    @_answering
    def do_MOVE(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Moves an object between two calendars that the user may write (RFC 4918 section 9.9)."""
        destination = urlsplit(environ.get("HTTP_DESTINATION", ""))
        if destination.netloc and destination.netloc != environ.get("HTTP_HOST"):
            return httputils.REMOTE_DESTINATION
        to_path = pathutils.sanitize_path(unquote(destination.path))
        if not to_path.startswith(f"{base_prefix}/"):
            return httputils.REMOTE_DESTINATION
        to_path = to_path[len(base_prefix) :]
        source, target = Place.of(path), Place.of(to_path)
        if not self._may("w", path, user) or not self._may("w", to_path, user):
            return httputils.NOT_ALLOWED
        if source is None or target is None or not source.href or not target.href:
            return refuse(HTTPStatus.FORBIDDEN, "Calendars cannot be moved; appointments in them can.")
        precondition = Precondition.from_headers(environ.get("HTTP_IF_MATCH"), None)

        def move() -> bool:
            with self._calendar(path, user, writing=True) as (tx, calendar, record, href):
                to_calendar = self._backing.calendar(user, target.calendar)
                to_record = None if to_calendar is None else self._backing.find(tx, to_calendar)
                if to_record is None:
                    raise PreconditionFailed("The calendar to move to does not exist.")
                stored = placement.get(tx, record.id, href)
                if stored is None:
                    raise NotFound(f"There is no appointment under {href!r}.")
                precondition.check(stored.etag, href=href)
                return calendar_object.move(
                    tx,
                    (record.id, href),
                    (to_record.id, target.href),
                    moved=self._backing.parse(stored.raw, calendar),
                    author=self._backing.author(user),
                    overwrite=environ.get("HTTP_OVERWRITE", "T").upper() != "F",
                    joinable=self._backing.joinable(tx, user),
                )

        replaced = _with_few_tries(move)
        return (HTTPStatus.NO_CONTENT if replaced else HTTPStatus.CREATED), {}, None, None

    @_answering
    def do_GET(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Gives an object as it came, or says that the client has it already (RFC 9110 section 13.1)."""
        place = Place.of(path)
        if place is None or not place.href:
            return super().do_GET(environ, base_prefix, path, user, *rest)
        if not self._may("r", path, user):
            return httputils.NOT_ALLOWED
        with self._calendar(path, user, writing=False) as (tx, _, record, href):
            stored = placement.get(tx, record.id, href)
        if stored is None:
            return httputils.NOT_FOUND
        headers = {"ETag": f'"{stored.etag}"', "Last-Modified": http_date(stored.changed_at)}
        precondition = Precondition.from_headers(environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH"))
        Precondition(if_match=precondition.if_match).check(stored.etag, href=href)
        try:
            precondition.check(stored.etag, href=href)
        except PreconditionFailed:
            return HTTPStatus.NOT_MODIFIED, headers, None, None
        if precondition.if_none_match is None and environ.get("HTTP_IF_MODIFIED_SINCE") == headers["Last-Modified"]:
            return HTTPStatus.NOT_MODIFIED, headers, None, None
        headers["Content-Type"] = f"text/calendar; charset=utf-8; component={stored.component}"
        return HTTPStatus.OK, headers, stored.raw, None

    @_answering
    def do_REPORT(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Answers from the index what it can, and leaves the rest to Radicale."""
        place = Place.of(path)
        if place is not None and place.calendar and not place.href and self._may("r", path, user):
            try:
                root = self._read_xml_request_body(environ, rest[-1])
            except RuntimeError as error:
                return refuse(HTTPStatus.BAD_REQUEST, f"The body of the request is not XML that can be read: {error}")
            environ["wsgi.input"].seek(0)
            if root is not None:
                with self._calendar(path, user, writing=False) as (tx, calendar, record, _):
                    asked = reports.Asked(root, base_prefix, f"/{place.user}/{place.calendar}/", calendar, record)
                    answer = reports.answer(tx, asked, self._backing)
                if answer is not None:
                    return answer
        return super().do_REPORT(environ, base_prefix, path, user, *rest)

    @_answering
    def do_PROPFIND(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Lists the objects of a calendar from the index; everything else is Radicale's answer."""
        place = Place.of(path)
        if place is None or not place.calendar or place.href or environ.get("HTTP_DEPTH", "0") == "0":
            return super().do_PROPFIND(environ, base_prefix, path, user, *rest)
        status, headers, body, request = super().do_PROPFIND(
            {**environ, "HTTP_DEPTH": "0"}, base_prefix, path, user, *rest
        )
        if status != HTTPStatus.MULTI_STATUS or not isinstance(body, bytes):
            return status, headers, body, request
        with self._calendar(path, user, writing=False) as (tx, calendar, record, _):
            environ["wsgi.input"].seek(0)
            root = self._read_xml_request_body(environ, rest[-1])
            rows = placement.listing(tx, record.id)
            sample = listing.Sample(self._backing, user, calendar, record, tx)
            with_objects = listing.with_objects(self, body, root, rows, sample, base_prefix=base_prefix, path=path)
        return status, headers, with_objects, request

    @_answering
    def do_PROPPATCH(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Renames or recolours a calendar for this user alone, also where they may only read it."""
        place = Place.of(path)
        if place is None or not place.calendar or place.href:
            return super().do_PROPPATCH(environ, base_prefix, path, user, *rest)
        if not self._may("r", path, user):
            return httputils.NOT_ALLOWED
        try:
            root = self._read_xml_request_body(environ, rest[-1])
            changed: dict[str, str | None] = xmlutils.props_from_request(root)
        except (RuntimeError, ValueError) as error:
            return refuse(HTTPStatus.BAD_REQUEST, f"The body of the request is not XML that can be read: {error}")
        protected = [each for each in _names(root) if each in _PROTECTED]
        if not protected:
            with self._calendar(path, user, writing=True) as (tx, _, record, _):
                collection.set_properties(tx, record.id, user, changed)
        return listing.proppatch_answer(xmlutils.make_href(base_prefix, path), _names(root), protected, dav=_DAV)

    @_answering
    def do_MKCALENDAR(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Makes a calendar of the user's own, where the configuration lets them."""
        return self._not_a_resource(path, user) or super().do_MKCALENDAR(environ, base_prefix, path, user, *rest)

    @_answering
    def do_MKCOL(self, environ: Environ, base_prefix: str, path: str, user: str, *rest: Any) -> WSGIResponse:  # noqa: N802
        """Makes a calendar of the user's own (RFC 5689), and nothing else."""
        return self._not_a_resource(path, user) or super().do_MKCOL(environ, base_prefix, path, user, *rest)

    def _not_a_resource(self, path: str, user: str) -> WSGIResponse | None:
        place = Place.of(path)
        if place is None or place.user != user or self._backing.makes_calendars(user):
            return None
        return refuse(
            HTTPStatus.FORBIDDEN,
            "Calendars are made by the administrator here; "
            "`personal_calendars: true` in the configuration lets a user make their own.",
            "D:need-privileges",
        )


def _names(root: ET.Element | None) -> list[str]:
    if root is None:
        return []
    return [
        prop.tag
        for action in root
        if action.tag in {xmlutils.make_clark("D:set"), xmlutils.make_clark("D:remove")}
        for prop in action.findall(f"./{xmlutils.make_clark('D:prop')}/*")
    ]


_Result = TypeVar("_Result")


def _with_few_tries(write: Callable[[], _Result]) -> _Result:
    """Repeats a write that another one got in the way of: on PostgreSQL one of two that deadlock is undone."""
    for left in reversed(range(_FEW_TRIES)):
        try:
            return write()
        except StoreUnavailable:
            if not left:
                raise
    raise AssertionError  # pragma: no cover -- the loop returns or raises
