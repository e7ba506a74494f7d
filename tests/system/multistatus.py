"""Reads multistatus answers (RFC 4918 section 13) as a client does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.system.samples import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    from tests.system.server import Answer


@dataclass(frozen=True, slots=True)
class Part:
    """What an answer says of one href.

    Attributes:
        status: Of the href as a whole; 0 where only its properties have one.
        found: Properties with status 200, by Clark name.
        missing: Names of the properties with another status.
    """

    status: int
    found: Mapping[str, Element]
    missing: frozenset[str]

    def text(self, name: str) -> str:
        """Text of a property written as `D:getetag`; empty where it has none.

        Raises:
            KeyError: It was not found.
        """
        return self.found[clark(name)].text or ""

    def href(self, name: str) -> str:
        """The href inside a property."""
        return self.found[clark(name)].findtext("{DAV:}href") or ""

    def names_in(self, name: str) -> set[str]:
        """Names of all elements inside a property, without namespaces."""
        return {element.tag.rpartition("}")[2] for element in self.found[clark(name)].iter()} - {
            clark(name).rpartition("}")[2]
        }


def clark(name: str) -> str:
    """A name with prefix as Clark name."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def parts(answer: Answer) -> dict[str, Part]:
    """What a multistatus says, by decoded href.

    Raises:
        AssertionError: The answer is no sound multistatus: another status, an href twice, a response without content.
    """
    assert answer.status == 207, (answer.status, answer.body[:2000])
    root = answer.xml()
    assert root.tag == "{DAV:}multistatus"
    found: dict[str, Part] = {}
    for response in root.findall("{DAV:}response"):
        href = unquote(response.findtext("{DAV:}href") or "")
        assert href not in found, f"{href} stands twice in the answer"
        found[href] = _part(response)
    return found


def _part(response: Element) -> Part:
    status = response.findtext("{DAV:}status")
    propstats = response.findall("{DAV:}propstat")
    assert (status is None) != (not propstats), "a response has either a status or propstats (RFC 4918 section 14.24)"
    found: dict[str, Element] = {}
    missing: set[str] = set()
    for propstat in propstats:
        properties = propstat.find("{DAV:}prop")
        assert properties is not None
        if code(propstat.findtext("{DAV:}status")) == 200:
            found.update({each.tag: each for each in properties})
        else:
            missing.update(each.tag for each in properties)
    return Part(0 if status is None else code(status), found, frozenset(missing))


def code(line: str | None) -> int:
    """The number in a status line."""
    return int((line or "HTTP/1.1 0").split()[1])


def token(answer: Answer) -> str:
    """The sync token of a sync-collection answer."""
    return answer.xml().findtext("{DAV:}sync-token") or ""


def sentence(answer: Answer) -> str:
    """The sentence for people in a refusal."""
    return answer.xml().findtext("{urn:calbridge}sentence") or ""
