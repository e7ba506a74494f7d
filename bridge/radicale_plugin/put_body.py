"""The body of a DAV request: the raw bytes, whole, bounded, and as the client meant them."""

from __future__ import annotations

import io
import zlib
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bridge.errors import NotACalendar
from bridge.radicale_plugin.refusal import Refused
from bridge.store.places import NoPlace, Places

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_CHUNK = 1 << 16


def reading_places(threads: int) -> Places:
    """Places for bodies that are being read: half of the threads, and of them half for one user.

    A client can send as slowly as it likes; the other threads are left for everybody else.

    Args:
        threads: How many requests this process answers at once.
    """
    return Places(threads // 2, each=threads // 4, in_line=threads // 4, patience=2.0, stuck=0.5)


def take(environ: MutableMapping[str, Any], *, limit: int, places: Places | None = None, whose: str = "") -> bytes:
    """Reads the body of a request, and puts it back so that Radicale can read it too.

    A body without Content-Length (chunked) is read to its end, which Radicale by itself would take for an empty one;
    one with `Content-Encoding: gzip` is unpacked. Both stop at `limit` octets.

    Args:
        environ: The WSGI environment; its `wsgi.input`, `CONTENT_LENGTH` and `HTTP_CONTENT_ENCODING` are replaced.
        limit: The most octets, unpacked.
        places: One of them is held while the body is read.
        whose: The user who sends it.

    Raises:
        Refused: The body is longer than `limit`, shorter than announced, or packed in another way; or too many bodies
            are being read.
    """
    announced = environ.get("CONTENT_LENGTH") or ""
    if announced and (not announced.isascii() or not announced.isdigit()):
        raise Refused(HTTPStatus.BAD_REQUEST, "The Content-Length of the request is not a number.")
    if announced and int(announced) > limit:
        raise _too_large(limit)
    try:
        with nullcontext() if places is None or _has_no_body(environ) else places.one(whose):
            raw = _read(environ["wsgi.input"], int(announced) if announced else None, limit)
    except NoPlace as error:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Too many other requests are still being sent, so this one was not read. Try again in a moment.",
        ) from error
    if announced and len(raw) < int(announced):
        raise Refused(HTTPStatus.BAD_REQUEST, "The request ended before all of its body arrived.")
    coding = environ.pop("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if coding in {"gzip", "x-gzip"}:
        raw = _unpack(raw, limit)
    elif coding not in {"", "identity"}:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is packed with {coding[:40]!r}; send it plain or with gzip."
        )
    environ["wsgi.input"] = io.BytesIO(raw)
    environ["CONTENT_LENGTH"] = str(len(raw))
    return raw


def as_utf8(raw: bytes, content_type: str) -> bytes:
    """The bytes in UTF-8: as they came, or recoded where the Content-Type names another character set.

    Raises:
        NotACalendar: The Content-Type names a character set that is not known, or that the bytes are not in.
    """
    _, _, after = content_type.lower().partition("charset=")
    charset = after.split(";")[0].strip().strip('"')
    if not charset or charset in {"utf-8", "utf8", "us-ascii"}:
        return raw
    try:
        return raw.decode(charset).encode()
    except (LookupError, UnicodeDecodeError) as error:
        raise NotACalendar(
            f"The body is not in the character set {charset[:40]!r} that its Content-Type names.",
            remedy="Send it in UTF-8.",
        ) from error


def _has_no_body(environ: MutableMapping[str, Any]) -> bool:
    """Whether nothing can follow the headers (RFC 9112 section 6.3); HTTP/2 says so in no header."""
    if environ.get("CONTENT_LENGTH"):
        return int(environ["CONTENT_LENGTH"]) == 0
    return environ.get("SERVER_PROTOCOL", "").startswith("HTTP/1") and "HTTP_TRANSFER_ENCODING" not in environ


def _read(source: Any, length: int | None, limit: int) -> bytes:
    chunks = []
    missing = limit + 1 if length is None else length
    while missing > 0:
        chunk = source.read(min(_CHUNK, missing))
        if not chunk:
            break
        chunks.append(chunk)
        missing -= len(chunk)
    raw = b"".join(chunks)
    if len(raw) > limit:
        raise _too_large(limit)
    return raw


def _unpack(packed: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        raw = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is announced as gzip but cannot be unpacked.") from error
    if len(raw) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is announced as gzip but ends too early.")
    return raw


def _too_large(limit: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {int(limit)} octets, which limits.max_body in the server's configuration allows.",
    )
