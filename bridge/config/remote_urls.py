"""The address of a connection is checked for its type, shown without what is secret, and compared in a normal form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote as percent_encoded
from urllib.parse import unquote, urlsplit

from bridge.config.locations import in_folder, is_path
from bridge.config.words import refusal

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

CALDAV = "an https:// address, the name of a host such as dav.example.org, or a mail address such as anna@example.org"
"""What the address of a CalDAV connection can be."""

ICS = "an address that starts with https://, http://, webcal:// or file:"
"""What the address of an ICS connection can be."""

_LONGEST_URL = 4096
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]|localhost"
_MAIL = re.compile(rf"[^@\s<>,;:\"()\[\]\\/]{{1,64}}@(?:{_HOST})")
_DEFAULT_PORTS = {"http": 80, "https": 443, "webcal": 80, "webcals": 443}
_BEGINNING = re.compile(r"([A-Za-z]+:/{0,2}(?![0-9]+(?:/|$))|)([^/?#]*)(.*)", re.DOTALL)
_SHOWN_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]|)(?::[0-9]{1,5})?")
_WELL_KNOWN = re.compile(r"^/\.well-known/caldav$")


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where an address leads, in the one form in which two addresses of the same place are equal.

    The scheme is no part of it: a server that can be reached by http and by https is one server.

    Attributes:
        host: In small letters, with its port where that is not the usual one; "" for a file of this machine.
        path: Without a slash at its end; "" for the top.
        query: What follows the question mark.
    """

    host: str
    path: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.host}{self.path}{'?' if self.query else ''}{self.query}"

    def within(self, other: Spot) -> bool:
        """Whether this lies at `other` or below."""
        return self.host == other.host and f"{self.path}/".startswith(f"{other.path}/")


def is_mail(url: str) -> bool:
    """Whether `url` is a mail address, whose domain says where the calendars are (RFC 6764 section 6)."""
    return _MAIL.fullmatch(url) is not None


def caldav_url(value: object) -> str:
    """The address of a CalDAV server, principal, home or calendar, as discovery takes it. Refuses what is none."""
    if not isinstance(value, str):
        raise refusal(CALDAV)
    if is_mail(value) or re.fullmatch(_HOST, value):
        return value
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query:
        bare = re.fullmatch(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^\s@?#]*)?", value)
        raise refusal(CALDAV, suggestion=f"https://{value}" if bare else "")
    return _without_user(value, parts)


def ics_url(value: object, folder: Path) -> str:
    """The address of an ICS file. Refuses what is none.

    Args:
        value: What stands in the file.
        folder: Where the path of a local file counts from; its address becomes a file URI (RFC 8089).
    """
    if not isinstance(value, str):
        raise refusal(ICS)
    scheme, _, path = value.partition(":")
    if scheme.lower() == "file":
        path = re.sub(r"^//(localhost)?(?=/)", "", path)
        if not is_path(path) or path.startswith("//"):
            raise refusal("file: and the path of a file of this machine, such as file:///srv/rota.ics")
        return in_folder(unquote(path), folder.absolute()).as_uri()
    parts = _split(value)
    if parts is None or parts.scheme not in _DEFAULT_PORTS:
        # What follows may be secret.
        bare = re.match(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]+(?:[:/]|$)", value)
        local = value.startswith(("/", "./", "../"))
        raise refusal(ICS, suggestion="https://…" if bare else "file:…" if local else "")
    return _without_user(value, parts)


def endpoint_url(value: object) -> str:
    """An address that stands in for a provider's own. Refuses what is none; "" stands for the provider's."""
    allowed = "an https:// address without a query; http:// only within this machine"
    if value == "":
        return ""
    parts = _split(value) if isinstance(value, str) else None
    if parts is None or parts.query or parts.scheme not in {"http", "https"}:
        raise refusal(allowed)
    if parts.scheme == "http" and not is_loopback(str(value)):
        # Whoever reads the tokens on the way is let in as well.
        raise refusal(allowed, suggestion=f"https{str(value)[4:]}")
    return _without_user(str(value), parts)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this very machine, as far as it says itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(value: str) -> SplitResult | None:
    if re.search(r"\s", value.strip()) and "://" in value:
        raise refusal("an address without blanks; %20 stands for one")
    if not value.isprintable() or len(value) > _LONGEST_URL or re.search(r"[\s<>\"\\^`{|}]", value):
        return None
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if usable else None


def _without_user(value: str, parts: SplitResult) -> str:
    if "@" in parts.netloc:
        raise refusal("an address without user and password; they are settings of their own: user, password_file")
    return value.partition("#")[0]


def shown_url(written: str) -> str:
    """`written` up to the end of its host: what follows, and a user before it, may be secret."""
    if is_mail(written):
        return written
    scheme, authority, rest = _BEGINNING.match(written).groups()  # type: ignore[union-attr]  # any text matches
    user, at, host = authority.rpartition("@")
    is_url = scheme.endswith("//") if scheme else not user
    if not is_url or not _SHOWN_HOST.fullmatch(host):
        # What does not look like a host may be anything.
        return f"{scheme}{'…' if authority or rest else ''}"
    return f"{scheme}{'…' if user else ''}{at}{host}{rest[:1]}{'…' if rest else ''}"


def shown_user(written: str) -> str:
    """`written` up to a colon: people write the password behind the user, as in a URL."""
    name, colon, _ = written.partition(":")
    return f"{name}:…" if colon else name


def spot_of(url: str) -> Spot:
    """Where `url` leads: the address of a connection, as it was checked.

    A bare host and a mail address stand for the top of their host.
    """
    if "://" not in url:
        return Spot(url.rpartition("@")[2].lower(), "")
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Spot("", unquote(parts.path))
    port = parts.port if parts.port != _DEFAULT_PORTS.get(parts.scheme) else None
    host = (parts.hostname or "").rstrip(".")
    path = _WELL_KNOWN.sub("", path_of(parts.path))
    return Spot(f"{host}:{port}" if port else host, path, parts.query)


def path_of(written: str) -> str:
    """The path in the one way in which it is percent-encoded (RFC 3986 section 6.2.2), without a slash at its end."""
    steps: list[str] = []
    for step in written.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in {"", "."}:
            steps.append(percent_encoded(unquote(step), safe="!$&'()*+,;=:@"))
    return "".join(f"/{step}" for step in steps)
