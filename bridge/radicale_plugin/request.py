"""One DAV request: what it asks for, where, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from radicale import pathutils

from bridge.core.precondition import Precondition
from bridge.radicale_plugin import if_header, xml_body
from bridge.radicale_plugin.backing import Place
from bridge.radicale_plugin.if_header import both
from bridge.radicale_plugin.put_body import as_utf8
from bridge.radicale_plugin.refusal import Refused

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

CONTENT_TYPE = "calbridge.content_type"
"""Where the environment holds the Content-Type: Radicale would decode user names by its charset."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME_OCTETS = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One DAV request of a user who has logged in.

    Attributes:
        environ: The WSGI environment.
        base_prefix: Where we are mounted, without a slash at the end.
        path: Sanitised, below `base_prefix`.
        user: Who sends it.
        rest: What Radicale's own methods want beyond these: the user's groups, and a dictionary for its log.
        body: All of it, unpacked.
    """

    environ: dict[str, Any]
    base_prefix: str
    path: str
    user: str
    rest: tuple[Any, ...]
    body: bytes

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What Radicale's own methods take."""
        return (self.environ, self.base_prefix, self.path, self.user, *self.rest)

    @property
    def place(self) -> Place | None:
        """Where `path` leads."""
        return Place.of(self.path)

    @property
    def content_type(self) -> str:
        """The Content-Type header."""
        return str(self.environ.get(CONTENT_TYPE) or "")

    @property
    def depth(self) -> str:
        """The Depth header in lower case; `0` where there is none, as calendar clients mean it.

        Raises:
            Refused: It is neither 0, 1 nor infinity (RFC 4918 section 10.2).
        """
        depth = str(self.environ.get("HTTP_DEPTH", "0")).strip().lower()
        if depth not in {"0", "1", "infinity"}:
            raise Refused(HTTPStatus.BAD_REQUEST, f"The Depth {depth[:20]!r} is neither 0, 1 nor infinity.")
        return depth

    @property
    def precondition(self) -> Precondition:
        """If-Match, If-None-Match and If.

        Raises:
            Refused: The header If cannot be read.
        """
        http = Precondition.from_headers(self.environ.get("HTTP_IF_MATCH"), self.environ.get("HTTP_IF_NONE_MATCH"))
        return both(http, if_header.precondition(self.environ.get("HTTP_IF"), f"{self.base_prefix}{self.path}"))

    def text(self) -> bytes:
        """The body in UTF-8.

        Raises:
            NotACalendar: It is not in the character set that its Content-Type names.
        """
        return as_utf8(self.body, self.content_type)

    def xml(self) -> ET.Element | None:
        """The body as XML, or None where there is none.

        Raises:
            Refused: It is no XML of DAV.
        """
        return xml_body.read(self.body)

    def destination(self, *, public_url: str) -> str:
        """The sanitised path, below `base_prefix`, that the Destination header names (RFC 4918 section 10.3).

        Args:
            public_url: The address under which people reach the server, or empty.

        Raises:
            Refused: There is none, it cannot be read, or it leads to another server.
        """
        header = str(self.environ.get("HTTP_DESTINATION", "")).strip()
        if not header:
            raise Refused(HTTPStatus.BAD_REQUEST, "The request lacks the header Destination.")
        try:
            target = urlsplit(header)
            wanted = _authority(target, target.scheme)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "The header Destination is no address.") from error
        if target.netloc and wanted not in self._authorities(target.scheme, public_url):
            raise _elsewhere()
        path = pathutils.sanitize_path(unquote(target.path))
        if not path.startswith(f"{self.base_prefix}/"):
            raise _elsewhere()
        return path[len(self.base_prefix) :]

    def _authorities(self, scheme: str, public_url: str) -> set[tuple[str, int | None]]:
        # A proxy that ends TLS hands on the name of the server, but speaks http itself: the scheme of the
        # destination tells which port goes without saying.
        own = {f"//{self.environ.get('HTTP_HOST', '')}", public_url}
        found = set()
        for address in own:
            try:
                found.add(_authority(urlsplit(address), scheme))
            except ValueError:
                continue
        return found


def _authority(address: SplitResult, scheme: str) -> tuple[str, int | None]:
    return (address.hostname or "", address.port or _DEFAULT_PORTS.get(scheme.lower()))


def _elsewhere() -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, "The header Destination leads to another server.")


def check_name(name: str) -> None:
    """Passes where a calendar or an object may be called `name`.

    Raises:
        Refused: The name is too long to be kept, or holds what no path can carry.
    """
    if len(name.encode(errors="replace")) > _LONGEST_NAME_OCTETS:
        raise Refused(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            f"The name in the address has more than {_LONGEST_NAME_OCTETS} octets, which is too long to be kept.",
        )
    if not name.isprintable():
        raise Refused(HTTPStatus.BAD_REQUEST, "The name in the address holds characters that cannot be shown.")
