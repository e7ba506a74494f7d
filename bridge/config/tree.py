"""A configuration file is a tree in which each value knows its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.config.words import quote

if TYPE_CHECKING:
    from bridge.config.problems import Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file.

    Attributes:
        line: The line where its setting stands, counted from 1.
        value: A scalar, a mapping by key, or a sequence.
        written: The scalar as it stands in the file, before the environment was put in.
        substituted: Whether the value came from the environment.
    """

    line: int
    value: Scalar | Mapping[str, Node] | tuple[Node, ...]
    written: str = ""
    substituted: bool = False

    def plain(self) -> Any:
        """The value without its lines: scalars, dicts and lists."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, place: Place) -> Node:
        """The value at `place`, or the nearest one above it that the file holds."""
        node = self
        for step in place:
            inside = node.value
            if isinstance(inside, Mapping):
                below = inside.get(str(step))
            else:
                below = inside[step] if isinstance(inside, tuple) and isinstance(step, int) else None
            if below is None:
                break
            node = below
        return node

    def mapping(self, *place: str) -> Mapping[str, Node]:
        """The entries at `place`; none when it is absent or something else."""
        node: Node | None = self
        for step in place:
            node = node.value.get(step) if node and isinstance(node.value, Mapping) else None
        return node.value if node and isinstance(node.value, Mapping) else {}

    def found(self) -> str:
        """What stands here, in words for a message."""
        if isinstance(self.value, Mapping):
            return "a mapping of settings"
        if isinstance(self.value, tuple):
            return "a list"
        if self.value is None:
            return "nothing"
        return quote(self.written) if isinstance(self.value, str) else self.written
