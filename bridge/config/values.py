"""Each value that a setting can hold has a type, a written form, and one sentence for what it takes."""

from __future__ import annotations

import functools
import ipaddress
import re
import zoneinfo
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON
from pydantic import PlainValidator, WithJsonSchema

from bridge.config.words import nearest, one_of, refusal
from bridge.core.model import ComponentType

if TYPE_CHECKING:
    from enum import StrEnum

BY_ENVIRONMENT = r"\$\{.+\}"
"""What an editor must let pass anywhere: the value comes from the environment."""

HELD_COMPONENTS = (ComponentType.VEVENT, ComponentType.VTODO)
"""The components that a resource's collection can hold (RFC 4791 section 5.2.3)."""

LONGEST_DURATION = timedelta(days=100 * 365)

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_FACTORS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_LARGEST_PORT = 65535
_LONGEST_TEXT = 200


def _pattern(form: str) -> dict[str, str]:
    return {"type": "string", "pattern": f"^(?:{form}|.*{BY_ENVIRONMENT}.*)$"}


class Size(int):
    """A number of bytes; written with a unit where it comes out even."""

    __slots__ = ()

    def __str__(self) -> str:
        for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if self and self % factor == 0:
                return f"{self // factor}{unit}"
        return f"{int(self)}B"


@dataclass(frozen=True, slots=True)
class Listen:
    """The address and port on which the server takes connections."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """An account, or one of its resources: what a grant or a feed is about.

    Attributes:
        account: The key of the account.
        resource: The key of the resource; "" stands for all resources of the account.
    """

    account: str
    resource: str = ""

    def __str__(self) -> str:
        return f"{self.account}/{self.resource}" if self.resource else self.account


def plain_text(value: object) -> str:
    """Refuses what is no text, is empty, or holds characters that no client can show."""
    if not isinstance(value, str):
        suggestion = f'"{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
        if isinstance(value, bool):
            suggestion = f'"{str(value).lower()}"'
        raise refusal("text, in quotes where YAML would take it for a number, true or false", suggestion=suggestion)
    if not value.strip() or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise refusal(f"one line of text, of 1 to {_LONGEST_TEXT} characters")
    return value


def whole(minimum: int, maximum: int) -> Any:
    """The type of a whole number within bounds, for `Annotated`."""
    allowed = f"a whole number from {minimum:,} to {maximum:,}".replace(",", "_")

    def number(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise refusal(allowed)
        if not minimum <= value <= maximum:
            raise refusal(allowed, suggestion=str(min(max(value, minimum), maximum)))
        return value

    schema = {
        "anyOf": [
            {"type": "integer", "minimum": minimum, "maximum": maximum},
            {"type": "string", "pattern": f"^{BY_ENVIRONMENT}$"},
        ]
    }
    return PlainValidator(number), WithJsonSchema(schema)


def choice(kind: type[StrEnum]) -> Any:
    """The type of one word out of an enumeration, for `Annotated`."""
    words = [each.value for each in kind]

    def member(value: object) -> StrEnum:
        if value not in words:
            raise refusal(one_of(words), suggestion=nearest(value, words) if isinstance(value, str) else "")
        return kind(value)

    return PlainValidator(member), WithJsonSchema({"type": "string", "enum": words})


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    if word in {"true", "false"}:
        return word == "true"
    meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    number = {1: "true", 0: "false"}.get(value, "") if isinstance(value, int) else ""
    raise refusal("true or false", suggestion=meant.get(word, number) or nearest(word, ("true", "false")))


@functools.cache
def _zone_names() -> frozenset[str]:
    # Listing them reads the whole folder of zone files, so it is done once, and not by importing.
    return frozenset(zoneinfo.available_timezones())


def _time_zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str) or value not in _zone_names():
        suggestion = _nearest_zone(value) if isinstance(value, str) else ""
        raise refusal("an IANA time zone, such as Europe/Amsterdam", suggestion=suggestion)
    return ZoneInfo(value)


def _nearest_zone(word: str) -> str:
    names = sorted(_zone_names())
    cities = {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in names}
    city = cities.get(word.replace("_", " ").casefold())
    # Hundreds of names are alike by 'Europe/' alone.
    return WINDOWS_TO_OLSON.get(word) or city or nearest(word, names, closeness=0.8)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    allowed = "a number and a unit: s, m (minutes), h, d, w or y (365 days), up to 100y"
    found = re.fullmatch(r"([0-9]{1,9}) ?([smhdwy])", value) if isinstance(value, str) else None
    if found is None:
        whole_number = re.fullmatch(r"[0-9]{1,9}", str(value)) if not isinstance(value, bool) else None
        raise refusal(allowed, suggestion=f"{value}d" if whole_number else "")
    count, unit = int(found[1]), _UNITS[found[2]]
    if count > LONGEST_DURATION // unit:
        raise refusal(allowed)
    return count * unit


def write_duration(length: timedelta | None) -> str:
    """The shortest written form of a duration: '2y', '90d', '12h'; None is 'all'."""
    if length is None:
        return "all"
    for unit in ("y", "w", "d", "h", "m"):
        # '90d' reads better than a number of weeks that a person must multiply.
        if length and not length % _UNITS[unit] and (unit != "w" or length < timedelta(days=28)):
            return f"{length // _UNITS[unit]}{unit}"
    return f"{length // _UNITS['s']}s"


def _stretch(value: object) -> timedelta | None:
    return None if value is None or value == "all" else _duration(value)


def _size(value: object) -> Size:
    allowed = "a number of bytes with a unit: 500KB, 20MB or 20MiB, from 1KB to 10GB"
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if isinstance(value, Size):
        text = str(int(value))
    found = re.fullmatch(r"([0-9]{1,12}) ?([A-Za-z]{0,3})", text)
    if found is None or found[2].upper() not in _FACTORS:
        short = {"K": "KB", "M": "MB", "G": "GB"}.get(found[2].upper(), "") if found else ""
        raise refusal(allowed, suggestion=f"{found[1]}{short}" if found and short else "")
    size = Size(int(found[1]) * _FACTORS[found[2].upper()])
    if not 10**3 <= size <= 10**10:
        raise refusal(allowed)
    return size


def _colour(value: object) -> str:
    text = value if isinstance(value, str) else f"{value:06d}" if type(value) is int else ""
    if isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        return value.lower()
    short = re.fullmatch(r"#?([0-9A-Fa-f])([0-9A-Fa-f])([0-9A-Fa-f])", text)
    suggestion = "#" + "".join(2 * digit for digit in short.groups()) if short else ""
    if re.fullmatch(r"[0-9A-Fa-f]{6}", text):
        suggestion = f"#{text}"
    raise refusal('a colour as "#rrggbb", in quotes', suggestion=suggestion.lower())


def _email(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[\w.-]{1,250}", value):
        raise refusal("an e-mail address, such as anna@example.org")
    return plain_text(value)


def _listen(value: object) -> Listen:
    if isinstance(value, Listen):
        return value
    found = (
        re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})", value)
        if isinstance(value, str)
        else None
    )
    if found is None or not 0 <= int(found[3]) <= _LARGEST_PORT or (found[1] and not _is_address(found[1])):
        suggestion = f"127.0.0.1:{value}" if re.fullmatch(r":?[0-9]{1,5}", str(value)) else ""
        raise refusal("host:port, such as 127.0.0.1:5232 or [::1]:5232", suggestion=suggestion.replace("::", ":"))
    return Listen(found[1] or found[2], int(found[3]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    if isinstance(value, str):
        try:
            return ipaddress.ip_network(value)
        except ValueError:
            pass
        try:
            suggestion = str(ipaddress.ip_network(value, strict=False))
        except ValueError:
            suggestion = ""
        raise refusal("an address or a network, such as 127.0.0.1 or 10.0.0.0/8", suggestion=suggestion)
    raise refusal("an address or a network, such as 127.0.0.1 or 10.0.0.0/8")


def _public_url(value: object) -> str:
    refused = refusal("an address that starts with http:// or https://, such as https://cal.example.org/planning")
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,200}", value):
        raise refused
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise refused from None
    if not parts.scheme and re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z]+(?:[:/].*)?", value):
        raise refusal(refused.context["allowed"] if refused.context else "", suggestion=f"https://{value}")
    if parts.scheme not in {"http", "https"} or not named or parts.query or parts.fragment or "@" in parts.netloc:
        raise refused
    return value.rstrip("/")


def _path_prefix(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+", value):
        bare = value.strip("/") if isinstance(value, str) else ""
        suggestion = f"/{bare}" if re.fullmatch(r"[A-Za-z0-9_~-]+", bare) else ""
        raise refusal('"" or a path that starts with / and does not end with one, such as /cal', suggestion=suggestion)
    return value


def _key(value: object) -> str:
    # The key of a resource stands in addresses as ACCOUNT.RESOURCE, so it holds no dot.
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        bare = re.sub(r"[^A-Za-z0-9_]+", "-", value).strip("-_") if isinstance(value, str) else ""
        raise refusal("a key of letters, digits, - and _, of up to 64 characters", suggestion=bare[:64])
    return value


def _user_name(value: object) -> str:
    # ':' ends the name in HTTP Basic (RFC 7617 section 2), '/' ends it in the address of the home.
    forbidden = not isinstance(value, str) or re.search(r"[/:\\]|^[.\s]|\s$", value) or not value.isprintable()
    if forbidden or not isinstance(value, str) or not 1 <= len(value) <= 128:  # noqa: PLR2004 -- said in the sentence
        raise refusal("a name of up to 128 characters without / : and \\, not starting with a dot")
    return value


def _scope(value: object) -> Scope:
    if isinstance(value, Scope):
        return value
    found = re.fullmatch(r"([^/]+)(?:/([^/]+))?", value) if isinstance(value, str) else None
    if found is None or not re.fullmatch(r"[A-Za-z0-9_/-]+", found[0]):
        bare = value.strip("/").replace(".", "/", 1) if isinstance(value, str) else ""
        suggestion = bare if re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?", bare) else ""
        raise refusal("ACCOUNT/RESOURCE, or ACCOUNT for all of its resources", suggestion=suggestion)
    return Scope(found[1], found[2] or "")


def _component(value: object) -> ComponentType:
    words = [each.value for each in HELD_COMPONENTS]
    if value not in words:
        raise refusal(one_of(words), suggestion=nearest(value, words) if isinstance(value, str) else "")
    return ComponentType(str(value))


def _option(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or not value.isprintable():
        raise refusal("one line of text, a number, true or false")
    return value


Text = Annotated[str, PlainValidator(plain_text), WithJsonSchema({"type": "string", "minLength": 1})]
Switch = Annotated[
    bool,
    PlainValidator(_switch),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^{BY_ENVIRONMENT}$"}]}),
]
TimeZone = Annotated[ZoneInfo, PlainValidator(_time_zone), WithJsonSchema({"type": "string", "minLength": 1})]
Duration = Annotated[timedelta, PlainValidator(_duration), WithJsonSchema(_pattern("[0-9]{1,9} ?[smhdwy]"))]
Stretch = Annotated[timedelta | None, PlainValidator(_stretch), WithJsonSchema(_pattern("all|[0-9]{1,9} ?[smhdwy]"))]
ByteCount = Annotated[
    Size,
    PlainValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "integer"}, _pattern("[0-9]{1,12} ?([KkMmGg][Ii]?)?[Bb]")]}),
]
Colour = Annotated[str, PlainValidator(_colour), WithJsonSchema(_pattern("#[0-9A-Fa-f]{6}"))]
Email = Annotated[str, PlainValidator(_email), WithJsonSchema(_pattern("[^@ ]+@[^@ ]+"))]
ListenAddress = Annotated[Listen, PlainValidator(_listen), WithJsonSchema(_pattern(r".+:[0-9]{1,5}"))]
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network, PlainValidator(_network), WithJsonSchema({"type": "string"})
]
PublicUrl = Annotated[str, PlainValidator(_public_url), WithJsonSchema(_pattern("https?://.+"))]
PathPrefix = Annotated[str, PlainValidator(_path_prefix), WithJsonSchema(_pattern("|/.*[^/]"))]
Key = Annotated[
    str, PlainValidator(_key), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"})
]
UserName = Annotated[
    str, PlainValidator(_user_name), WithJsonSchema({"type": "string", "pattern": r"^[^/:\\]{1,128}$"})
]
ScopeName = Annotated[
    Scope, PlainValidator(_scope), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?$"})
]
Option = Annotated[
    str,
    PlainValidator(_option),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}]}),
]
Component = Annotated[
    ComponentType,
    PlainValidator(_component),
    WithJsonSchema({"type": "string", "enum": [each.value for each in HELD_COMPONENTS]}),
]
