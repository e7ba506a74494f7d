"""What a person wrote as the address of a feed says where to ask, in which order, and what may be shown of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from bridge.errors import AddressRefused

_SCHEMES: Final = {
    "https": ("https",),
    "http": ("http",),
    "webcal": ("https", "http"),
    "webcals": ("https",),
}
_ALLOWED = "Write an address that begins with https://, http:// or webcal://."
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Location:
    """Where a feed is.

    `webcal` is http by another name, yet https is tried first, and http only where nobody speaks https there and no
    password would be sent. `webcals` is https.

    Attributes:
        urls: What to ask, one after another, without user and password; empty for a file.
        path: The file, or None.
        user: Whom to log in as; empty for nobody.
        password: The password for it.
        shown: What a message or a list may show of it: never the path or the query of a URL, which are often secret.
        mark: 16 hex digits that tell whether it is still the same place.
    """

    urls: tuple[str, ...] = field(repr=False)
    path: Path | None
    user: str = field(repr=False)
    password: str = field(repr=False)
    shown: str
    mark: str = field(repr=False)


def location(url: str, *, user: str = "", password: str = "") -> Location:
    """Reads what a person wrote.

    Args:
        url: http, https, webcal, webcals or file, or the absolute path of a file; it may hold user and password.
        user: Whom to log in as; goes before a user in `url`.
        password: The password for it.

    Raises:
        AddressRefused: It is none of these, or names no host.
    """
    url = url.strip()
    parts = _split(url)
    scheme = parts.scheme.lower()
    if url.startswith("/") or scheme == "file":
        return _file(url if not scheme else unquote(parts.path), host="" if not scheme else parts.netloc)
    if scheme not in _SCHEMES:
        raise AddressRefused(
            f"The address of the calendar begins with '{scheme[:20]}:', which is not understood."
            if scheme and "." not in scheme
            else "The address of the calendar does not say how to ask for it.",
            remedy=_ALLOWED,
        )
    if not parts.hostname:
        raise AddressRefused("The address of the calendar names no host.", remedy=_ALLOWED)
    if not user:
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    urls = tuple(urlunsplit((each, place(parts), parts.path or "/", parts.query, "")) for each in _SCHEMES[scheme])
    if user:
        urls = urls[:1]
    return Location(urls, None, user, password, parts.hostname, sha256(urls[-1].encode()).hexdigest()[:_DIGITS])


def place(parts: SplitResult) -> str:
    """Host and port of a URL, without user and password."""
    return parts.netloc.rpartition("@")[2]


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # An impossible port is only noticed when it is asked for.
        _ = parts.port
    except ValueError as error:
        raise AddressRefused("The address of the calendar cannot be read.", remedy=_ALLOWED) from error
    return parts


def _file(name: str, *, host: str) -> Location:
    path = Path(name)
    if host not in ("", "localhost") or not path.is_absolute():
        raise AddressRefused(
            "The address of the calendar names a file on another machine, or none.",
            remedy="Write file:/// and the absolute path of a file on this machine.",
        )
    return Location((), path, "", "", str(path), sha256(str(path).encode()).hexdigest()[:_DIGITS])
