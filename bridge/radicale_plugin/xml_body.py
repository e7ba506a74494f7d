"""The body of a DAV request as XML: read without entities, and refused where no DAV client would send it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from bridge.radicale_plugin.refusal import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEEPEST = 50


def read(raw: bytes) -> Element | None:
    """The root element of the body of a request, or None where there is no body.

    Args:
        raw: The body, in UTF-8 or as its XML declaration says.

    Raises:
        Refused: It is no XML, declares entities, nests deeper than any DAV request does, or has elements without a
            namespace, which no DAV request has.
    """
    if not raw.strip():
        return None
    try:
        root: Element = defusedxml.ElementTree.fromstring(raw)
    except DefusedXmlException as error:
        raise _bad("The request declares XML entities, which are not read here.") from error
    except (ParseError, LookupError, ValueError) as error:
        raise _bad(f"The body of the request is not XML that can be read: {error}.") from error
    level = [root]
    for _ in range(_DEEPEST):
        level = [child for element in level for child in element]
    if level:
        raise _bad(f"The body of the request nests XML elements more than {_DEEPEST} deep.")
    for element in root.iter():
        if not element.tag.startswith("{") or element.tag.startswith("{}"):
            raise _bad(f"The element {element.tag[:80]!r} of the request has no namespace.")
    return root


def _bad(sentence: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, sentence)
