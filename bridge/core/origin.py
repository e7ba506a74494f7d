"""Every object that a rule writes at an upstream carries its origin, so that no rule takes for new what one wrote.

The mark is derived from the key file and the configuration alone: it is recognised also when the database is lost.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bridge.core.content import with_line, without
from bridge.core.recurrence import held_components

if TYPE_CHECKING:
    from bridge.core.content import Content
    from bridge.core.model import CalendarObject

ORIGIN: Final = "X-CALBRIDGE-ORIGIN"
"""The property that carries the mark."""

_DIGITS: Final = 16
_REQUEST_DIGITS: Final = 32
_ALIAS: Final = "@calbridge"
_PART = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rule of which installation wrote an object.

    Attributes:
        site: The installation, 16 lower-case hex digits.
        rule: The rule and its target, 16 lower-case hex digits.

    Raises:
        ValueError: Either is something else.
    """

    site: str
    rule: str

    def __post_init__(self) -> None:
        if not (_PART.fullmatch(self.site) and _PART.fullmatch(self.rule)):
            raise ValueError(f"an origin has {_DIGITS} lower-case hex digits for its site and for its rule")

    def __str__(self) -> str:
        return f"{self.site}.{self.rule}"

    @classmethod
    def of(cls, secret: bytes, *, rule: str, target: str) -> Origin:
        """The origin of a rule.

        Args:
            secret: The site's secret, from the key file.
            rule: The rule's key in the configuration.
            target: Names resource, connection and remote calendar.
        """
        return cls(_tag(secret, "site"), _tag(secret, f"{rule}|{target}"))

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """The origin that a mark says; `None` where it says none."""
        site, _, rule = text.strip().partition(".")
        try:
            return cls(site, rule)
        except ValueError:
            return None

    def request_id(self, uid: str, generation: int) -> str:
        """Names the creation of an object, the same for every try of it: 32 lower-case hex digits.

        Args:
            uid: Its UID here.
            generation: How often it was created there before.
        """
        return sha256(f"{self}|{generation}|{uid}".encode()).hexdigest()[:_REQUEST_DIGITS]

    def alias(self, uid: str, generation: int) -> str:
        """The UID under which an object is created where its own is taken, the same for every try of it."""
        return f"{self.request_id(uid, generation)}{_ALIAS}"

    def aliases(self, uid: str, generation: int) -> list[str]:
        """Every alias that an object has had, up to the one of a generation."""
        return [self.alias(uid, each) for each in range(generation + 1)]


def is_alias(uid: str) -> bool:
    """Whether a UID can be one that `Origin.alias` gave."""
    return uid.endswith(_ALIAS)


def _tag(secret: bytes, text: str) -> str:
    return hmac.digest(secret, text.encode(), "sha256").hex()[:_DIGITS]


def mark(content: Content, origin: Origin) -> Content:
    """The same object with the mark in every component, in place of any other mark."""
    return with_line(content, ORIGIN, str(origin))


def unmarked(content: Content) -> Content:
    """The same object without a mark."""
    return without(content, {ORIGIN})


def marks(obj: CalendarObject) -> Origin | None:
    """The origin that an object carries: that of its master, else of the first override that has one.

    What is no valid mark is none.
    """
    marked = [component for component in held_components(obj.calendar) if ORIGIN in component]
    found = (component[ORIGIN] for component in sorted(marked, key=lambda component: "RECURRENCE-ID" in component))
    origins = (Origin.parse(str(prop)) for props in found for prop in (props if isinstance(props, list) else [props]))
    return next((origin for origin in origins if origin is not None), None)
