"""From what a person knows (a host, a mail address, some address of the server) to the calendars.

The order: the address itself, its principal, the calendar homes (there may be several, also on other hosts of the
site), their members; then the well-known place (RFC 6764), the root, what the DNS says, and the places where common
servers keep their calendars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from bridge.errors import (
    AddressRefused,
    CalendarGone,
    ListingDoubtful,
    LoginRefused,
    Throttled,
    UpstreamError,
)
from bridge.upstream.caldav.address import absolute, collection_url, host_of, is_loopback, resource_url, same_site
from bridge.upstream.caldav.bodies import CALDAV, DAV, propfind
from bridge.upstream.caldav.calendars import LIST, LISTED, calendars_in
from bridge.upstream.caldav.multistatus import Multistatus, Response, read
from bridge.upstream.caldav.providers import check_type, login_remedy, service_of
from bridge.upstream.caldav.refusals import Deed, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.upstream.answers import Answer
    from bridge.upstream.caldav.services import Resolver
    from bridge.upstream.caldav.wire import Wire
    from bridge.upstream.protocol import RemoteCalendar

_WELL_KNOWN = "/.well-known/caldav"
# The last one is where Radicale keeps the calendars of a user, also where its root may not be read.
_COMMON_PLACES = ("/principals/", "/dav/", "/caldav.php/", "/remote.php/dav/", "/{user}/")
_LOOK = propfind(f"{DAV}current-user-principal", f"{DAV}principal-URL", f"{CALDAV}calendar-home-set", *LISTED)
_MOST_LOGINS = 2
"""Refused logins after which nothing further is tried, since some providers lock an account after a few."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        calendars: In the server's order; one that was named by its own address comes first.
        notes: Sentences about the way there that a person should see.
    """

    calendars: tuple[RemoteCalendar, ...]
    notes: tuple[str, ...]


def named_host(named: str) -> str:
    """The host that a person named: of a URL, a bare host or a mail address.

    Raises:
        AddressRefused: It is none of these, or its calendars are reached by another type of connection.
    """
    domain = _mail_domain(named)
    host = host_of(service_of(domain)) or domain or host_of(_address(named))
    check_type(host)
    return host


def is_secure(named: str) -> bool:
    """Whether everything has to be asked by https: unless the person named an http address."""
    return not named.strip().lower().startswith("http:")


def discover(wire: Wire, named: str, *, resolver: Resolver) -> Discovery:
    """Finds the calendars of a user.

    Args:
        wire: The connection.
        named: What the person named.
        resolver: Finds the services of a mail domain.

    Raises:
        LoginRefused: The server does not let the user in.
        CalendarGone: There is no CalDAV server, or the user has no calendars there.
        AddressRefused: The calendars are at another site than the one that was named.
    """
    search = _Search(wire, named, resolver)
    if not is_secure(named) and not is_loopback(named_host(named)):
        search.notes.append("The address begins with http, so anybody on the way can read the password.")
    return search.run()


@dataclass(slots=True)
class _Search:
    """One search, and what it has met so far."""

    wire: Wire
    named: str
    resolver: Resolver
    notes: list[str] = field(default_factory=list)
    failures: list[UpstreamError] = field(default_factory=list)

    def run(self) -> Discovery:
        logins = 0
        for url in dict.fromkeys(self._starts()):
            try:
                found = self._from(url)
            except UpstreamError as error:
                self.failures.append(error)
                logins += isinstance(error, LoginRefused)
                # What is no answer at all, or a wish to be left alone, concerns the other places of the host as well.
                hopeless = error.__cause__ is not None or isinstance(error, Throttled)
                if hopeless or logins == _MOST_LOGINS or (logins and urlsplit(url).path not in {"", "/"}):
                    break
            else:
                if found is not None:
                    return found
        raise self._why_nothing()

    def _starts(self) -> Iterator[str]:
        domain = _mail_domain(self.named)
        if domain:
            yield from self._of_domain(domain)
            root = service_of(domain) or f"https://{domain}/"
        else:
            root = urljoin(_address(self.named), "/")
            named = resource_url(_address(self.named))
            yield named
            shorter = _without_one(named)
            if shorter:
                self.notes.append("The last part of the address, '/1/', was left out: All-Inkl's servers refuse it.")
                yield shorter
        yield urljoin(root, _WELL_KNOWN)
        yield root
        if not domain:
            yield from self._of_domain(host_of(root))
        for path in _COMMON_PLACES:
            yield urljoin(root, path.format(user=quote(self.wire.user, safe="@")))

    def _of_domain(self, domain: str) -> Iterator[str]:
        if "." not in domain or domain.replace(".", "").isdecimal():
            return
        for service in self.resolver(domain):
            if same_site(domain, service.host):
                yield service.url
            else:
                self.failures.append(
                    AddressRefused(
                        f"{domain} says that its calendars are at {service.host}, which is another site.",
                        remedy=f"If that is right, name {service.url} as the address of the connection.",
                    )
                )

    def _from(self, url: str) -> Discovery | None:
        """The calendars that can be reached from one address; None where it knows of none."""
        looked = self._look(url)
        if looked is None:
            return None
        base, told = looked
        own = told.responses[0]
        principal, homes = self._principal_and_homes(base, own)
        calendars = {each.id: each for each in calendars_in(Multistatus((own,)), base)}
        listed = [self._home(home) for home in homes]
        if not homes and not calendars:
            homes = (collection_url(base),)
            listed = [tuple(self._members(homes[0]))]
        for calendar in (each for home in listed for each in home):
            calendars[calendar.id] = calendar
        if not calendars and not principal:
            return None
        if not calendars and self.failures:
            raise self._why_nothing()
        if not calendars:
            raise CalendarGone(
                f"{self.wire.user or 'Nobody'} has no calendars at {host_of(base)}.",
                remedy="Make one there first, or have one shared with this user.",
            )
        return Discovery(calendars=tuple(calendars.values()), notes=tuple(self.notes))

    def _principal_and_homes(self, base: str, own: Response) -> tuple[str, tuple[str, ...]]:
        if f"{DAV}unauthenticated" in own.names(f"{DAV}current-user-principal"):
            raise LoginRefused(
                f"{host_of(base)} does not take {self.wire.user} for logged in.",
                remedy=login_remedy(host_of(base), HTTPStatus.UNAUTHORIZED),
            )
        hrefs = own.hrefs(f"{DAV}current-user-principal") or own.hrefs(f"{DAV}principal-URL")
        principal = _resolved(base, hrefs[:1])[0] if hrefs else ""
        homes = own.hrefs(f"{CALDAV}calendar-home-set")
        if not homes and principal:
            looked = self._look(principal)
            if looked is not None:
                base, told = looked
                homes = told.responses[0].hrefs(f"{CALDAV}calendar-home-set")
        return principal, tuple(dict.fromkeys(map(collection_url, _resolved(base, homes))))

    def _home(self, home: str) -> Sequence[RemoteCalendar]:
        """The calendars of one home; a home that cannot be read is noted, the others go on."""
        try:
            answer = self.wire.propfind(home, LIST, depth=1)
            if answer.status != HTTPStatus.MULTI_STATUS:
                raise refusal(answer, Deed.READ, self.wire.user)
            return tuple(calendars_in(read(answer.body, place=home), answer.url))
        except Throttled:
            raise
        except UpstreamError as error:
            self.notes.append(f"The calendars at {home} could not be listed: {error}")
            self.failures.append(error)
            return ()

    def _members(self, url: str) -> Iterator[RemoteCalendar]:
        """The calendars within an address that may be a home, without being told for one."""
        answer = self.wire.propfind(url, LIST, depth=1)
        if answer.status == HTTPStatus.MULTI_STATUS:
            yield from calendars_in(read(answer.body, place=url), answer.url)

    def _look(self, url: str) -> tuple[str, Multistatus] | None:
        """What an address says of itself, and where it said so; None where it is no DAV resource."""
        answer = self.wire.propfind(url, _LOOK, depth=0)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}:
            raise refusal(answer, Deed.READ, self.wire.user)
        if answer.status != HTTPStatus.MULTI_STATUS:
            self._remember(answer)
            return None
        told = read(answer.body, place=url)
        if not told.responses:
            raise ListingDoubtful(f"{host_of(url)} was asked about {url}, and does not speak of it.")
        return answer.url, told

    def _remember(self, answer: Answer) -> None:
        if answer.status == HTTPStatus.FORBIDDEN or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failures.append(refusal(answer, Deed.READ, self.wire.user))

    def _why_nothing(self) -> UpstreamError:
        """The failure that tells most, of those that were met."""
        for kind in (LoginRefused, AddressRefused, CalendarGone):
            told = next((error for error in self.failures if isinstance(error, kind)), None)
            if told is not None:
                return told
        if self.failures:
            return self.failures[0]
        return CalendarGone(
            f"No CalDAV server answers at {self.named}.",
            remedy="Take the CalDAV address from your provider's help; for Nextcloud it ends in /remote.php/dav/.",
        )


def _mail_domain(named: str) -> str:
    """The domain of a mail address; empty for anything else."""
    local, at, domain = named.strip().removeprefix("mailto:").rpartition("@")
    return domain.lower() if at and local and not {"/", ":", "@"} & set(f"{local}{domain}") else ""


def _address(named: str) -> str:
    """The URL of what a person named, with https where they named no scheme."""
    text = named.strip()
    url = text if "://" in text else f"https://{text}"
    try:
        return resource_url(url)
    except ValueError as error:
        raise AddressRefused(
            f"{named[:200]!r} is no address of a CalDAV server.",
            remedy="Name a host, a mail address, or an address that begins with https://.",
        ) from error


def _resolved(base: str, hrefs: Sequence[str]) -> list[str]:
    """The addresses that an answer from `base` names."""
    try:
        return [absolute(base, href) for href in hrefs]
    except ValueError as error:
        raise ListingDoubtful(
            f"{host_of(base)} names its users or calendars by something that is no address: {error}.",
            remedy="Name the address of the calendar itself.",
        ) from error


def _without_one(url: str) -> str:
    """The address without a trailing `/1/`, which All-Inkl shows to its customers and then refuses."""
    path = urlsplit(url).path.rstrip("/")
    return f"{url.rstrip('/').removesuffix('1')}" if path.endswith("/1") else ""
