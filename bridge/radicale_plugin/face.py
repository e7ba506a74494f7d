"""What all methods of the CalDAV face share: reading requests, rights, the transaction, answers to errors."""

from __future__ import annotations

import base64
import binascii
import functools
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import radicale.app
from radicale import httputils

from bridge.errors import CalbridgeError, NotFound, StoreContended, StoreError
from bridge.radicale_plugin import xml_body
from bridge.radicale_plugin.put_body import reading_places, take
from bridge.radicale_plugin.refusal import Refused, refusal, refuse
from bridge.radicale_plugin.request import CONTENT_TYPE, Request

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from radicale.config import Configuration as RadicaleConfiguration
    from radicale.types import WSGIResponse

    from bridge.radicale_plugin.backing import Backing, HomeCalendar, Place
    from bridge.store.collection import Collection
    from bridge.store.database import Transaction

DAV = "1, 3, calendar-access, extended-mkcol"
"""We hold neither locks (class 2) nor address books, whatever Radicale announces."""

_FEW_TRIES = 3
_Face = TypeVar("_Face", bound="Face")
_Result = TypeVar("_Result")


def answering(method: Callable[[_Face, Request], WSGIResponse]) -> Callable[..., WSGIResponse]:
    """Makes a method of a face one that Radicale calls: a stranger is asked to log in, an error becomes an answer."""

    @functools.wraps(method)
    def answered(self: _Face, environ: dict[str, Any], base_prefix: str, path: str, user: str, *rest: Any) -> Any:
        if not user:
            return httputils.NOT_ALLOWED
        try:
            limit = self.backing.configuration().limits.max_body
            body = take(environ, limit=limit, places=self._reading, whose=user)
            return method(self, Request(environ, base_prefix, path, user, rest, body))
        except Refused as error:
            return error.answer()
        except CalbridgeError as error:
            return refusal(error)

    return answered


class Face(radicale.app.Application):
    """Radicale's application, with our store behind it.

    Args:
        configuration: Radicale's configuration, with our storage, auth and rights in it.
        backing: Store and configuration of ours.
    """

    def __init__(self, configuration: RadicaleConfiguration, *, backing: Backing) -> None:
        super().__init__(configuration)
        self.backing = backing
        self._reading = reading_places(backing.configuration().server.threads)

    def __call__(self, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers one request (PEP 3333)."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [(name, DAV if name == "DAV" else value) for name, value in headers], *rest)

        own = dict(environ)
        own[CONTENT_TYPE] = own.pop("CONTENT_TYPE", "")
        _settle_login(own)
        with self.backing.request(client=own.get("HTTP_USER_AGENT", "")):
            answered: Iterable[bytes] = super().__call__(own, start)
            return answered

    def _handle_request(self, environ: Mapping[str, Any]) -> Any:
        # Login and the look for the user's home come before any method of ours.
        try:
            return super()._handle_request(environ)
        except StoreError as error:
            status, headers, body, _ = refusal(error)
            content = body if isinstance(body, bytes) else b""
            line = f"{HTTPStatus(status).value} {HTTPStatus(status).phrase}"
            return line, [*dict(headers).items(), ("Content-Length", str(len(content)))], [content]

    def _read_xml_request_body(self, environ: Mapping[str, Any], request_info: dict[str, Any]) -> ET.Element | None:  # noqa: ARG002 -- Radicale's signature
        environ["wsgi.input"].seek(0)
        try:
            return xml_body.read(environ["wsgi.input"].read())
        except Refused as error:
            # What Radicale takes for a bad request.
            raise RuntimeError(error.sentence) from error

    @contextmanager
    def opened(self, request: Request, *, writing: bool) -> Iterator[tuple[Transaction, HomeCalendar, Collection, str]]:
        """The transaction of a request, with the calendar and the href that its path leads to.

        Raises:
            NotFound: There is no such calendar.
        """
        place = request.place
        calendar = None
        if place is not None and place.user == request.user:
            calendar = self.backing.calendar(request.user, place.calendar)
        database = self.backing.database
        with database.writing() if writing else database.reading() as tx:
            record = None if calendar is None else self.backing.find(tx, calendar)
            if place is None or calendar is None or record is None:
                raise NotFound("There is no such calendar.")
            yield tx, calendar, record, place.href

    def may(self, letter: str, place: Place | None, user: str) -> bool:
        """Whether `user` may read (`r`) or write (`w`) in the calendar that `place` is, or is in."""
        if place is None or not place.calendar:
            return False
        return letter in self._rights.authorization(user, set(), f"/{place.user}/{place.calendar}/")

    def check_parent(self, request: Request) -> None:
        """Passes where the path is not deeper than homes, calendars and objects go.

        Raises:
            Refused: What it stands in cannot be there (RFC 4918 sections 9.3.1 and 9.7.1).
        """
        if request.place is None and request.path.startswith(f"/{request.user}/"):
            raise Refused(
                HTTPStatus.CONFLICT, "A calendar holds appointments and no folders, so nothing can stand here."
            )

    def check_may_write(self, place: Place | None, user: str) -> Place:
        """Gives `place` back where `user` may write in the calendar that it is, or is in.

        Raises:
            Refused: They may not, or there is no such place.
        """
        if place is not None and self.may("w", place, user):
            return place
        if self.may("r", place, user):
            sentence = "This calendar can only be read: the administrator has not granted you to change it."
        else:
            sentence = "There is no calendar here that you may write."
        raise Refused(HTTPStatus.FORBIDDEN, sentence, "D:need-privileges")

    def check_may_read(self, place: Place | None, user: str) -> Place:
        """Gives `place` back where `user` may read the calendar that it is, or is in.

        Raises:
            Refused: They may not, or there is no such place.
        """
        if place is None or not self.may("r", place, user):
            raise Refused(HTTPStatus.FORBIDDEN, "There is no calendar here that you may read.", "D:need-privileges")
        return place

    def do_POST(self, *_: Any) -> WSGIResponse:  # noqa: N802 -- Radicale's name
        """Refuses what Radicale would give to its own web pages."""
        return refuse(HTTPStatus.METHOD_NOT_ALLOWED, "Nothing takes a POST here.")


def with_few_tries(write: Callable[[], _Result]) -> _Result:
    """Repeats a write that another one got in the way of: on PostgreSQL one of two that deadlock is undone.

    Raises:
        StoreContended: It was in the way each time.
        StoreError: Anything else, at once: who waited in vain for a lock must not wait again.
    """
    for left in reversed(range(_FEW_TRIES)):
        try:
            return write()
        except StoreContended:
            if not left:
                raise
    raise AssertionError  # pragma: no cover -- the loop returns or raises


def _settle_login(environ: dict[str, Any]) -> None:
    """Writes the Authorization header as Radicale can read it, or takes it away where nobody could."""
    scheme, _, packed = environ.pop("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        octets = base64.b64decode(packed.strip(), validate=True)
    except (binascii.Error, ValueError):
        return
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    if ":" in text:
        environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(text.encode()).decode()
