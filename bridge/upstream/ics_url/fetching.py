"""A feed is fetched within limits of time, size and redirects, and only from where it may be."""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from requests import Request, RequestException
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from bridge.errors import AddressRefused, CalendarGone, ListingDoubtful, UpstreamError, UpstreamUnavailable
from bridge.upstream.ics_url.addresses import allowed
from bridge.upstream.ics_url.connection import PinnedAdapter, Watch
from bridge.upstream.ics_url.location import place
from bridge.upstream.ics_url.trouble import is_unconnected, refusal, speaks_no_tls, translated
from bridge.upstream.retry_after import retry_after
from bridge.upstream.tally import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from urllib.parse import SplitResult

    from requests import PreparedRequest, Response

    from bridge.upstream.ics_url.location import Location

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 1 << 16
_GZIP: Final = 16 + zlib.MAX_WBITS
_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final = {
    "Accept": "text/calendar, */*;q=0.5",
    "Accept-Encoding": "gzip",
    "User-Agent": "Calbridge (iCalendar subscription)",
}
# A cache on the way must ask the origin (RFC 9111 section 5.2.1.4); HTTP/1.0 caches know Pragma only.
_PAST_CACHES: Final = {"Cache-Control": "no-cache", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a feed may ask of us.

    Attributes:
        connect: How long a connection may take to come about.
        silence: How long the server may say nothing.
        total: How long all of it may take, redirects included.
        octets: How long the calendar may be, unpacked.
        redirects: How many redirects are followed.
    """

    connect: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=30)
    total: timedelta = timedelta(minutes=2)
    octets: int = 64 * 1024 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gives to ask later whether anything has changed (RFC 9110 section 8.8), as it gave it.

    Attributes:
        etag: The ETag header, or empty.
        modified: The Last-Modified header, or empty.
    """

    etag: str = ""
    modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a conditional request (RFC 9110 section 13.1)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that was received to its end.

    Attributes:
        body: The octets, unpacked.
        charset: How they are written, as the server says; empty where it does not.
        validators: What to ask with the next time.
    """

    body: bytes = field(repr=False)
    charset: str = ""
    validators: Validators = field(default=Validators(), repr=False)


LIMITS: Final = Limits()
"""What is allowed where nothing else is said."""


class Fetcher:
    """Fetches a feed; each time over connections of its own, so that it holds nothing between two polls.

    Proxies and passwords of the environment (HTTP_PROXY, .netrc) are not used: through a proxy no address could be
    checked, and no password goes where it was not meant to.

    Args:
        place: Where the feed is.
        limits: How much it may ask of us.
        allow_private: Whether private addresses may be asked.
        allow_files: Whether files of this machine may be read.
        resolve: Tells the addresses of a host.
        ca_file: The authorities whose certificates are trusted, as PEM; None for those that everybody trusts.
    """

    def __init__(
        self,
        place: Location,
        *,
        limits: Limits,
        allow_private: bool,
        allow_files: bool,
        resolve: Callable[[str, int], Sequence[str]],
        ca_file: Path | None,
    ) -> None:
        self._place = place
        self._limits = limits
        self._allow_private = allow_private
        self._allow_files = allow_files
        self._resolve = resolve
        self._verify = True if ca_file is None else str(ca_file)
        self._speaks_tls = False

    def fetch(self, validators: Validators = Validators(), *, past_caches: bool) -> Fetched | None:
        """Fetches the feed.

        Args:
            validators: What it had the last time; without any, the whole feed is asked for.
            past_caches: Whether caches on the way have to ask the origin.

        Returns:
            None where the server says that nothing has changed since.

        Raises:
            UpstreamError: It could not be fetched, or not as a whole.
        """
        if self._place.path is not None:
            return self._read(self._place.path)
        headers = _HEADERS | validators.headers | (_PAST_CACHES if past_caches else {})
        with Watch(self._limits.total.total_seconds()) as watch:
            for url in self._place.urls[:-1]:
                try:
                    return self._follow(url, headers, watch)
                except UpstreamError as error:
                    cause = error.__cause__
                    if self._speaks_tls or not isinstance(cause, Exception) or not speaks_no_tls(cause):
                        raise
            return self._follow(self._place.urls[-1], headers, watch)

    def _follow(self, url: str, headers: Mapping[str, str], watch: Watch) -> Fetched | None:
        """Asks a URL and those that it leads to."""
        first = urlsplit(url)
        for _ in range(self._limits.redirects + 1):
            parts = urlsplit(url)
            answer = self._ask(parts, headers, watch, known=_origin(parts) == _origin(first))
            if not isinstance(answer, str):
                return answer
            url = self._next(parts, answer)
        raise UpstreamUnavailable(
            f"'{first.hostname}' leads from one address to the next more than {self._limits.redirects} times.",
            remedy="Open the address in a browser and copy the one that it ends at.",
        )

    def _next(self, parts: SplitResult, target: str) -> str:
        """Where a redirect leads."""
        try:
            joined = urljoin(urlunsplit(parts), target)
            new = urlsplit(joined)
            _ = new.port
        except ValueError as error:
            raise AddressRefused(f"'{parts.hostname}' leads to an address that cannot be read.") from error
        scheme = {"webcal": parts.scheme, "webcals": "https"}.get(new.scheme, new.scheme)
        if scheme not in _PORTS or not new.hostname:
            raise AddressRefused(f"'{parts.hostname}' leads to an address of a kind that is not asked.")
        if (parts.scheme, scheme) == ("https", "http"):
            raise AddressRefused(
                f"'{parts.hostname}' leads from https to http, where everybody on the way can read along.",
                remedy="Ask its owner for an address with https.",
            )
        return urlunsplit(new._replace(scheme=scheme, fragment=""))

    def _ask(
        self, parts: SplitResult, headers: Mapping[str, str], watch: Watch, *, known: bool
    ) -> Fetched | str | None:
        """One request; gives the target of a redirect as it stands.

        Args:
            parts: The URL.
            headers: What to send.
            watch: The time for all of it.
            known: Whether this is the host that the password is meant for.
        """
        host = parts.hostname or ""
        login = self._login(parts) if known else None
        addresses = allowed(
            host, self._resolve(host, parts.port or _PORTS[parts.scheme]), allow_private=self._allow_private
        )
        headers = {**headers, "Host": place(parts)}
        url = urlunsplit(parts._replace(netloc=place(parts)))
        waiting = list(addresses)
        while True:
            try:
                return self._at(waiting.pop(0), Request("GET", url, headers=headers, auth=login).prepare(), host, watch)
            except (RequestException, HTTPError, OSError, UnicodeError) as error:
                if not waiting or watch.over or not is_unconnected(error):
                    raise translated(error, host=host, timed_out=watch.over) from error

    def _at(self, address: str, request: PreparedRequest, host: str, watch: Watch) -> Fetched | str | None:
        """One request to one address."""
        timeout = (self._limits.connect.total_seconds(), self._limits.silence.total_seconds())
        count()
        with (
            closing(PinnedAdapter(address, watch=watch)) as adapter,
            adapter.send(request, stream=True, timeout=timeout, verify=self._verify) as response,
        ):
            self._speaks_tls = self._speaks_tls or str(request.url).startswith("https:")
            conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
            answer = self._answer(response, host, conditional=conditional)
            if watch.over:
                # A connection that is cut looks like one that has come to its end.
                raise TimeoutError
            return answer

    def _login(self, parts: SplitResult) -> HTTPBasicAuth | None:
        if not self._place.user:
            return None
        if parts.scheme != "https":
            raise AddressRefused(
                f"A password for '{parts.hostname}' is not sent over http, where everybody on the way can read it.",
                remedy="Write the address with https://.",
            )
        return HTTPBasicAuth(self._place.user.encode(), self._place.password.encode())

    def _answer(self, response: Response, host: str, *, conditional: bool) -> Fetched | str | None:
        status = int(response.status_code)
        if status in _REDIRECTS and "Location" in response.headers:
            return _octets_of(response.headers["Location"])
        if status == 304 and conditional:  # noqa: PLR2004 -- RFC 9110 section 15.4.5
            return None
        if status != 200:  # noqa: PLR2004 -- the only one that comes with a whole calendar
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise refusal(status, host=host, after=retry_after(headers))
        body = b"".join(self._body(response, host))
        return Fetched(body, _charset(response.headers.get("Content-Type", "")), _validators(response))

    def _body(self, response: Response, host: str) -> Iterator[bytes]:
        """The octets of the calendar, as far as they keep to the limit.

        Raises:
            ListingDoubtful: They go beyond it, are fewer than announced, or are packed in another way than asked for.
        """
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise ListingDoubtful(f"'{host}' packs the calendar in a way that nobody asked for ('{coding[:20]}').")
        unpacked = _Gunzip(host) if coding.endswith("gzip") else None
        came = length = 0
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            came += len(chunk)
            for piece in unpacked.pieces(chunk) if unpacked else (chunk,):
                length += len(piece)
                if length > self._limits.octets:
                    raise _too_long(host, self._limits.octets)
                yield piece
        announced = response.headers.get("Content-Length", "").strip()
        if (announced.isdecimal() and int(announced) != came) or (unpacked and not unpacked.ended):
            raise ListingDoubtful(f"The calendar from '{host}' is cut off.")

    def _read(self, path: Path) -> Fetched:
        """Reads a file."""
        if not self._allow_files:
            raise AddressRefused(
                f"The file '{path}' is not read: this connection may not read files.",
                remedy="If it is yours, allow files for this connection.",
            )
        try:
            # Opening a pipe would wait for whoever writes into it.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise AddressRefused(f"'{path}' is no file.")
                body = file.read(self._limits.octets + 1)
        except FileNotFoundError as error:
            raise CalendarGone(
                f"There is no file '{path}'.", remedy="Check its name, and whether its folder is mounted."
            ) from error
        except (IsADirectoryError, PermissionError) as error:
            raise AddressRefused(f"The file '{path}' may not be read.", remedy="Check its permissions.") from error
        except OSError as error:
            raise UpstreamUnavailable(f"The file '{path}' cannot be read for now ({error.strerror}).") from error
        if len(body) > self._limits.octets:
            raise _too_long(str(path), self._limits.octets)
        return Fetched(body)


class _Gunzip:
    """Unpacks bit by bit, so that no bomb goes off between two looks at the limit.

    Args:
        host: Who packed it.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._stream = zlib.decompressobj(_GZIP)
        self._begun = False

    @property
    def ended(self) -> bool:
        """Whether the last member is whole (RFC 1952 section 2.2)."""
        return self._stream.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What is in the next octets, in pieces of a limited length."""
        while packed:
            if self._stream.eof:
                self._stream = zlib.decompressobj(_GZIP)
            try:
                yield self._stream.decompress(packed, _CHUNK)
            except zlib.error as error:
                raise ListingDoubtful(f"The calendar from '{self._host}' cannot be unpacked.") from error
            packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail


def _too_long(host: str, octets: int) -> ListingDoubtful:
    return ListingDoubtful(
        f"The calendar from '{host}' is longer than {octets // 1_000_000} MB.",
        remedy="Ask its owner for a calendar with fewer appointments.",
    )


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


def _octets_of(target: str) -> str:
    """A Location header as text: headers are read as Latin-1, and servers write UTF-8."""
    try:
        return target.encode("latin-1").decode()
    except UnicodeError:
        return target


def _charset(content_type: str) -> str:
    """The charset parameter of a Content-Type header (RFC 9110 section 8.3.2); empty where there is none."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return ""


def _validators(response: Response) -> Validators:
    return Validators(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
