"""The If header of WebDAV (RFC 4918 section 10.4), read as the preconditions of HTTP.

We hold no locks, so a lock token never holds. A header that names several alternatives is read strictly: an alternative
that cannot be said as If-Match counts as not fulfilled, so that in doubt nothing is overwritten.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bridge.core.precondition import Precondition
from bridge.radicale_plugin.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = re.compile(r"\s*(?:<(?P<tag>[^<>]*)>|\((?P<list>(?:[^()\[\]]|\[[^\[\]]*\])*)\))")
_CONDITION = re.compile(r'\s*(?P<not>Not\b)?\s*(?:<[^<>]*>|\[\s*(?P<etag>(?:W/)?"[^"]*")\s*\])\s*', re.IGNORECASE)


def precondition(header: str | None, path: str) -> Precondition:
    """What an If header demands of the object at `path`.

    Args:
        header: The field as it came, or None where there is none.
        path: Of the request, decoded, with the prefix under which we are mounted.

    Raises:
        Refused: It is not written as the RFC wants it.
    """
    if header is None:
        return Precondition()
    lists = list(_lists(header, path))
    if not lists:
        raise Refused(HTTPStatus.BAD_REQUEST, "The header If is not written as RFC 4918 section 10.4 wants it.")
    held = [each for each in lists if each is not None]
    if any(not wanted and not unwanted for wanted, unwanted in held):
        return Precondition()
    if len(lists) == 1 and held:
        wanted, unwanted = held[0]
        if len(wanted) > 1:
            return Precondition(if_match=frozenset())
        return Precondition(if_match=wanted or None, if_none_match=unwanted or None)
    single = (wanted for wanted, unwanted in held if len(wanted) == 1 and not unwanted)
    return Precondition(if_match=frozenset[str]().union(*single))


def both(one: Precondition, other: Precondition) -> Precondition:
    """What holds only where both preconditions do."""
    if one.if_match is None or other.if_match is None:
        match = other.if_match if one.if_match is None else one.if_match
    else:
        match = one.if_match & other.if_match
    none_match = (one.if_none_match or frozenset()) | (other.if_none_match or frozenset())
    return Precondition(if_match=match, if_none_match=none_match or None)


def _lists(header: str, path: str) -> Iterator[tuple[frozenset[str], frozenset[str]] | None]:
    """The alternatives: the etags that one wants and does not want, or None for one that cannot hold."""
    position, tagged = 0, path
    while position < len(header.rstrip()):
        part = _PART.match(header, position)
        if part is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "The header If is not written as RFC 4918 section 10.4 wants it.")
        position = part.end()
        if part["tag"] is not None:
            tagged = _path(part["tag"])
        else:
            conditions = _conditions(part["list"])
            yield conditions if tagged == path else None


def _conditions(text: str) -> tuple[frozenset[str], frozenset[str]] | None:
    wanted, unwanted, position, holds = set(), set(), 0, True
    while position < len(text) or not position:
        condition = _CONDITION.match(text, position)
        if condition is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "The header If is not written as RFC 4918 section 10.4 wants it.")
        position = condition.end()
        etag = condition["etag"]
        if etag is None:
            holds = holds and condition["not"] is not None
        elif condition["not"] is None:
            wanted.add(etag if etag.startswith("W/") else etag.strip('"'))
        else:
            unwanted.add(etag.removeprefix("W/").strip('"'))
    return (frozenset(wanted), frozenset(unwanted)) if holds else None


def _path(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return ""
