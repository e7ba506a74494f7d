"""One stretch of a YAML text is replaced or added; everything else stays as the person wrote it.

ruamel.yaml says where each value stands. To load and dump the whole file would move comments that stand between two
sections and reflow what a person aligned.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bridge.config.reader import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml.nodes import Node as YamlNode

_PLAIN = re.compile(r"[A-Za-z_][\w./@+-]*")
_SURPRISES = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def with_entry(text: str, section: str, name: str, settings: Mapping[str, Any]) -> str:
    """`text` with an entry `name` of these settings behind the others of a section, which is made where it lacks.

    Args:
        text: Of a file that is right.
        section: Of the top of the file: `users`, `rules`.
        name: The key of the entry.
        settings: Its settings, as in YAML.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    root = compose(text)
    found = _entry(root, section)
    if found is None:
        block = newline.join([f"{section}:", *_block(name, settings, "  ", "  "), ""])
        if isinstance(root, MappingNode) and root.flow_style:
            return _into_flow(text, root, f"{section}: {{{_flow(name, settings)}}}")
        gap = "" if not text or text.endswith(newline) else newline
        return f"{text}{gap}{newline if text else ''}{block}"
    key, entries = found
    whole_flow = isinstance(root, MappingNode) and root.flow_style
    is_bare = not whole_flow and _is_bare(text, key, entries)
    if isinstance(entries, MappingNode) and entries.flow_style and not is_bare:
        return _into_flow(text, entries, _flow(name, settings))
    if isinstance(entries, MappingNode) and entries.value:
        indent = " " * entries.value[0][0].start_mark.column
        step = " " * max(entries.value[0][0].start_mark.column - key.start_mark.column, 1)
        end = _line_end(text, _last_leaf(entries).end_mark.index)
        lines = newline.join(_block(name, settings, indent, step))
        return f"{text[:end]}{newline}{lines}{text[end:]}"
    indent = " " * (key.start_mark.column + 2)
    start, end = _value_range(text, key, entries)
    # A `{}` gives way to a list of lines: everything in one would soon be too long to read.
    end = entries.end_mark.index if is_bare else end
    at = _line_end(text, end)
    lines = newline.join(_block(name, settings, indent, "  "))
    return f"{text[:start]}{text[end:at]}{newline}{lines}{text[at:]}"


def with_hash(text: str, name: str, password_hash: str) -> str:
    """`text` with a password hash for the user `name`, in place of the hash, file or variable that stands there."""
    users = _entry(compose(text), "users")
    found = _entry(users[1], name) if users else None
    if found is None:
        return text
    key, user = found
    setting = f"password_hash: {json.dumps(password_hash)}"
    if not isinstance(user, MappingNode):
        start, end = _value_range(text, key, user)
        return f"{text[:start]} {{{setting}}}{text[end:]}"
    for source in ("password_hash", "password_file", "password"):
        entry = _entry(user, source)
        if entry:
            return f"{text[: entry[0].start_mark.index]}{setting}{text[entry[1].end_mark.index :]}"
    if user.flow_style:
        return _into_flow(text, user, setting)
    first = user.value[0][0].start_mark
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text[: first.index]}{setting}{newline}{' ' * first.column}{text[first.index :]}"


def _entry(node: YamlNode | None, name: str) -> tuple[YamlNode, YamlNode] | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next(((key, value) for key, value in pairs if isinstance(key, ScalarNode) and key.value == name), None)


def _into_flow(text: str, node: MappingNode, entry: str) -> str:
    closing = node.end_mark.index - 1
    before = text[:closing].rstrip()
    comma = "" if before.endswith(("{", ",")) else ","
    space = "" if before.endswith("{") else " "
    return f"{before}{comma}{space}{entry}{text[len(before) :]}"


def _value_range(text: str, key: YamlNode, value: YamlNode) -> tuple[int, int]:
    """Where the scalar after `key` stands: from its colon to its end; an empty one has no place of its own."""
    colon = text.index(":", key.end_mark.index) + 1
    written = str(value.value) if isinstance(value, ScalarNode) else ""
    return (colon, value.end_mark.index) if written else (colon, colon)


def _is_bare(text: str, key: YamlNode, value: YamlNode) -> bool:
    """Whether nothing but `{}` stands after `key`: no entry, comment or anchor."""
    return bool(re.fullmatch(r":\s*\{\s*\}", text[key.end_mark.index : value.end_mark.index].lstrip()))


def _last_leaf(node: YamlNode) -> YamlNode:
    # A block collection ends where the next token begins, after the comments that follow it.
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        if isinstance(node, SequenceNode):
            node = node.value[-1]
            continue
        key, value = node.value[-1]
        # An empty value is said to stand where the next token begins.
        node = key if isinstance(value, ScalarNode) and not value.value else value
    return node


def _line_end(text: str, index: int) -> int:
    # A block text ends on the line after it.
    index -= 1 if index and text[index - 1] == "\n" else 0
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return end - 1 if end and text[end - 1 : end] == "\r" else end


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.casefold() not in _SURPRISES
    return text if plain else json.dumps(text, ensure_ascii=False)


def _flow(name: str, settings: Mapping[str, Any]) -> str:
    parts = [
        _flow(key, value) if isinstance(value, dict) else f"{key}: {_word(value)}" for key, value in settings.items()
    ]
    return f"{_word(name)}: {{{', '.join(parts)}}}"


def as_block(name: str, settings: Mapping[str, Any]) -> str:
    """An entry as it is to be written, each setting on a line of its own."""
    return "\n".join(_block(name, settings, "  ", "  "))


def _block(name: str, settings: Mapping[str, Any], indent: str, step: str) -> list[str]:
    if not settings:
        return [f"{indent}{_word(name)}: {{}}"]
    lines = [f"{indent}{_word(name)}:"]
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += _block(key, value, indent + step, step)
        else:
            lines.append(f"{indent}{step}{_word(key)}: {_word(value)}")
    return lines
