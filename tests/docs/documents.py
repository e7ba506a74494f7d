"""Reads the documents: their links, headings and the blocks of code in them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tests.repository import TOP

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+?)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code.

    Attributes:
        line: Where it begins, counted from 1.
        language: The word behind the fence, possibly empty.
        text: What stands in it, without the indent of a list.
    """

    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file of the repository."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.relative_to(TOP).as_posix()

    def blocks(self, language: str = "") -> list[Block]:
        """The blocks of code in that language, or all of them."""
        found = []
        for match in _FENCE.finditer(self.text):
            indent, word, text = match.groups()
            if language in {"", word}:
                lines = text.splitlines(keepends=True)
                bare = "".join(line.removeprefix(indent) for line in lines)
                found.append(Block(self.text.count("\n", 0, match.start()) + 1, word, bare))
        return found

    @property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return _FENCE.sub("", self.text)

    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def spans(self) -> list[str]:
        """What stands between backticks in the prose."""
        return _SPAN.findall(self.prose)

    def anchors(self) -> set[str]:
        """The anchors that a reader of Markdown makes of the headings."""
        made: set[str] = set()
        for heading in _HEADING.findall(self.prose):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
            # Letters, marks, digits and joining signs stay; a superscript is none of these.
            bare = "".join(each for each in text if each in "- " or _kept(each)).strip().lower()
            made.add(bare.replace(" ", "-"))
        return made


def _kept(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] in "LM" or kind in {"Nd", "Pc"}


@cache
def documents() -> tuple[Document, ...]:
    """The README, the changelog and everything below docs."""
    paths = [TOP / "README.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").rglob("*.md"))]
    return tuple(Document(path, path.read_text()) for path in paths)


def document(name: str) -> Document:
    return next(each for each in documents() if each.name == name)
