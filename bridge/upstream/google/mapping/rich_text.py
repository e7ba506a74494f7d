"""Google's editor writes descriptions in HTML, without saying so; people here get plain text.

A plain text that looks like HTML goes out with its signs escaped, so that it comes back as it was. Line breaks count in
both, as Google shows them.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

_TAGS: Final = (
    "a", "b", "strong", "i", "em", "u", "s", "br", "p", "div", "span", "ul", "ol", "li", "html-blob", "font", "table",
    "tbody", "thead", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "img", "hr", "blockquote", "pre", "code",
    "style", "script", "html", "head", "body", "meta", "title", "small", "big", "sub", "sup", "center", "colgroup",
    "col", "wbr", "address", "section", "article", "header", "footer", "main", "label", "del", "ins", "strike", "tt",
)  # fmt: skip
_MARKUP = re.compile(
    rf"</?(?:{'|'.join(_TAGS)})(?:\s[^<>]*)?/?>|<!--|<!doctype|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);",
    re.IGNORECASE,
)
_OPENING = re.compile(r"<[a-zA-Z/!?]")
_BLOCKS: Final = frozenset({
    "p", "div", "ul", "ol", "table", "tr", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section",
    "article", "header", "footer", "main", "address", "center",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT: Final = frozenset({"style", "script", "head", "title"})
_NO_BREAK_SPACE: Final = "\u00a0"


def is_markup(text: str) -> bool:
    """Whether a text has a tag or an entity of HTML in it."""
    return _MARKUP.search(text) is not None


def outgoing(text: str) -> str:
    """A plain text as a description at Google: what would be taken for HTML is escaped.

    So is `<anna@example.org>`, which is no tag that anybody knows, but which Google's page would not show.
    """
    return escape(text, quote=False) if is_markup(text) or _OPENING.search(text) else text


def incoming(description: str) -> str:
    """The plain text of a description at Google.

    Law: `incoming(outgoing(text)) == text` for every text.
    """
    if not is_markup(description):
        return description
    if not _has_tags(description):
        return unescape(description.replace("&nbsp;", " "))
    lines = [line.rstrip() for line in _Reader.read(description).split("\n")]
    return "\n".join(lines).strip("\n")


def _has_tags(text: str) -> bool:
    return any(found[0].startswith("<") for found in _MARKUP.finditer(text))


class _Reader(HTMLParser):
    """Writes down what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._out: list[str] = []
        self._silent = 0
        self._links: list[tuple[str, int]] = []

    @classmethod
    def read(cls, text: str) -> str:
        reader = cls()
        reader.feed(text)
        reader.close()
        return "".join(reader._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._out.append("\n")
        elif tag == "li":
            self._fresh()
            self._out.append("- ")
        elif tag in _BLOCKS:
            self._fresh()
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._out)))
        elif tag not in _TAGS:
            # `<anna@example.org>` is no tag.
            self._out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag == "a" and self._links:
            self._close_link(*self._links.pop())
        elif tag in {"td", "th"}:
            self._out.append(" ")
        elif tag in _BLOCKS or tag == "li":
            self._fresh()
            if tag in _PARAGRAPHS and self._out:
                self._out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(data)

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name};")

    def _reference(self, written: str) -> None:
        if not self._silent:
            self._out.append(unescape(written).replace(_NO_BREAK_SPACE, " "))

    def _fresh(self) -> None:
        """Begins a line, unless one has just begun."""
        written = "".join(self._out[-1:])
        if self._out and not written.endswith("\n"):
            self._out.append("\n")

    def _close_link(self, href: str, begin: int) -> None:
        shown = "".join(self._out[begin:]).strip()
        address = href.removeprefix("mailto:")
        if not shown:
            self._out.append(address)
        elif href and _bare(address) != _bare(shown):
            self._out.append(f" ({address})")


def _bare(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")
