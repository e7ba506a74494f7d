"""What a DAV client is told when something is refused: a status, a precondition by name, and a sentence."""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bridge import errors
from bridge.radicale_plugin.xml_text import text

if TYPE_CHECKING:
    from radicale.types import WSGIResponse


class Refused(Exception):
    """A request that this face refuses before the store is asked.

    Args:
        status: Of the answer.
        sentence: What is wrong with the request and what to do now.
        condition: Name of the DAV precondition with prefix `D:` or `C:`, or empty.
    """

    def __init__(self, status: HTTPStatus, sentence: str, condition: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.condition = condition

    def answer(self) -> WSGIResponse:
        """The answer that says so."""
        return refuse(self.status, self.sentence, self.condition)


_STATUS: tuple[tuple[type[errors.CalbridgeError], HTTPStatus, str], ...] = (
    (errors.NotACalendar, HTTPStatus.BAD_REQUEST, "C:valid-calendar-data"),
    (errors.WrongComponents, HTTPStatus.FORBIDDEN, "C:valid-calendar-object-resource"),
    (errors.TooManyInstances, HTTPStatus.FORBIDDEN, "C:max-instances"),
    (errors.ObjectRefused, HTTPStatus.FORBIDDEN, "C:valid-calendar-data"),
    (errors.QueryRefused, HTTPStatus.FORBIDDEN, "C:valid-filter"),
    (errors.PreconditionFailed, HTTPStatus.PRECONDITION_FAILED, ""),
    (errors.UidConflict, HTTPStatus.CONFLICT, "C:no-uid-conflict"),
    (errors.TooManyProperties, HTTPStatus.INSUFFICIENT_STORAGE, ""),
    (errors.Conflict, HTTPStatus.CONFLICT, ""),
    (errors.NotFound, HTTPStatus.NOT_FOUND, ""),
    (errors.SyncTokenRefused, HTTPStatus.FORBIDDEN, "D:valid-sync-token"),
    (errors.StoreFull, HTTPStatus.INSUFFICIENT_STORAGE, "D:quota-not-exceeded"),
    (errors.StoreError, HTTPStatus.SERVICE_UNAVAILABLE, ""),
)


def refuse(status: HTTPStatus, sentence: str, condition: str = "", *, inner: str = "") -> WSGIResponse:
    """An answer with `status`, a DAV error body (RFC 4918 section 16) and `sentence` in it for people.

    Args:
        status: Of the answer.
        sentence: What happened and what to do now.
        condition: Name of the precondition with prefix `D:` or `C:`, or empty.
        inner: XML inside the precondition element.
    """
    element = f"<{condition}>{inner}</{condition}>" if condition else ""
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:B="urn:calbridge">'
        f"{element}<B:sentence>{text(sentence)}</B:sentence></D:error>"
    )
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return status, headers, body.encode(), None


def refusal(error: errors.CalbridgeError, *, collection_href: str = "") -> WSGIResponse:
    """The answer that says `error`; `collection_href` completes the href of a UID conflict."""
    for kind, status, condition in _STATUS:
        if isinstance(error, kind):
            inner = ""
            if isinstance(error, errors.UidConflict) and collection_href:
                inner = f"<D:href>{escape(collection_href)}</D:href>"
            return refuse(status, str(error), condition, inner=inner)
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))


_ERRNO: tuple[tuple[type[errors.CalbridgeError], int], ...] = (
    (errors.StoreFull, errno.ENOSPC),
    (errors.TooManyProperties, errno.ENOSPC),
    (errors.StoreReadOnly, errno.EACCES),
)


def value_error(error: errors.CalbridgeError) -> ValueError:
    """The same failure as Radicale's own code expects it from a storage plugin: a ValueError, maybe with an errno."""
    for kind, number in _ERRNO:
        if isinstance(error, kind):
            return ValueError(f"[Errno {number}] {error}")
    return ValueError(str(error))
