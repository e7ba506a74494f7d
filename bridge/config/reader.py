"""A YAML text becomes a tree; what the text cannot mean is a problem with its line, never a crash.

Scalars mean what YAML 1.2 says: `yes`, `no`, `on`, `off` and times of day are text, not booleans and numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bridge.config.problems import Problem
from bridge.config.tree import Node, Scalar
from bridge.config.words import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml.nodes import Node as YamlNode

    from bridge.config.problems import Place

DEEPEST = 16
"""Levels of nesting; the deepest setting stands on the sixth."""

LARGEST = 100_000
"""Values in one file, with those that aliases repeat: a short text can otherwise stand for a billion."""

_TAG = "tag:yaml.org,2002:"
_SUBSTITUTION = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME_AND_DEFAULT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)

# What ruamel.yaml lets through beside its own errors: code points out of range, hopeless nesting, odd directives.
_STRAY_ERRORS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, AssertionError)


def read_tree(text: str, environ: Mapping[str, str] | None) -> tuple[Node, list[Problem]]:
    """The tree that `text` holds, with the environment put in, and what is wrong with it.

    `${NAME}` stands for the environment variable NAME, `${NAME:-word}` for `word` where NAME is not set, and `$${`
    for `${` itself. Where `environ` is None, such text stays as it is.
    """
    try:
        root = compose(text)
    except MarkedYAMLError as error:
        return Node(0, {}), [_broken(error)]
    except YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
        return Node(0, {}), [Problem(line, (), "a character that YAML does not allow", "printable text")]
    except _STRAY_ERRORS:
        return Node(0, {}), [Problem(0, (), "text that is no YAML", "YAML, as in bridge.example.yaml")]
    if root is None:
        return Node(1, {}), []
    building = _Building(environ)
    tree = building.node(root, (), root.start_mark.line + 1)
    return tree, building.problems


def compose(text: str) -> YamlNode | None:
    """The nodes of the one document in `text`, as ruamel.yaml gives them; None when it is empty."""
    yaml = YAML(typ="safe", pure=True)
    # A second anchor of one name is legal YAML; ruamel.yaml would write a warning on the terminal.
    yaml.composer.warn_double_anchors = False
    root: YamlNode | None = yaml.compose(text)
    return root


def _broken(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    # Its own words begin with 'found' or 'expected' and may quote the text over several lines.
    said = " ".join(re.sub(r"\s+", " ", said).split())
    said = said.replace("'\\t'", "a tab").replace("<stream end>", "the end of the file")
    hint = ""
    if "mapping values are not allowed" in said:
        hint = "text that holds ': ' in quotes, and each setting on a line of its own"
    elif "flow" in said and "'{'" in said:
        hint = "text that holds ${NAME} in quotes, inside { }"
    elif "alias" in said:
        hint = "text that begins with * in quotes"
    elif "a tab" in said:
        hint = "spaces for indentation"
    return Problem(mark.line + 1 if mark else 0, (), f"text that is no YAML ({said})", hint)


class _Building:
    """Builds the tree of one file and collects what is wrong on the way."""

    def __init__(self, environ: Mapping[str, str] | None) -> None:
        self.problems: list[Problem] = []
        self._environ = environ
        self._count = 0

    def node(self, source: YamlNode, place: Place, line: int) -> Node:
        self._count += 1
        if len(place) > DEEPEST or self._count > LARGEST:
            if self._count <= LARGEST + 1:
                self._count = LARGEST + 2 if self._count > LARGEST else self._count
                self.problems.append(Problem(line, place[:3], "more, or deeper, settings than a configuration has"))
            return Node(line, None)
        if isinstance(source, MappingNode):
            return self._mapping(source, place, line)
        if isinstance(source, SequenceNode):
            if source.tag != f"{_TAG}seq":
                self._tagged(source, place, line)
            items = [self.node(item, (*place, at), item.start_mark.line + 1) for at, item in enumerate(source.value)]
            return Node(line, tuple(items))
        return self._scalar(source, place, line)

    def _tagged(self, source: YamlNode, place: Place, line: int) -> None:
        self.problems.append(Problem(line, place, f"the tag {quote(str(source.tag))}", "values without tags"))

    def _mapping(self, source: MappingNode, place: Place, line: int) -> Node:
        if source.tag != f"{_TAG}map":
            self._tagged(source, place, line)
        entries: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in source.value:
            at = key.start_mark.line + 1
            if isinstance(key, ScalarNode) and key.tag == f"{_TAG}merge":
                merged = {**self._merged(value, place, at), **merged}
                continue
            name = self._name(key, place, at)
            if name is None:
                continue
            if name in entries:
                first = entries[name].line
                self.problems.append(
                    Problem(
                        at, (*place, name), f"this setting a second time (first on line {first})", "each setting once"
                    )
                )
                continue
            entries[name] = self.node(value, (*place, name), at)
        return Node(line, {**merged, **entries})

    def _merged(self, source: YamlNode, place: Place, line: int) -> dict[str, Node]:
        parts = source.value if isinstance(source, SequenceNode) else [source]
        merged: dict[str, Node] = {}
        for part in parts:
            node = self.node(part, (*place, "<<"), line)
            if not isinstance(node.value, dict):
                self.problems.append(Problem(line, (*place, "<<"), node.found(), "the alias of a mapping"))
                continue
            merged = {**node.value, **merged}
        return merged

    def _name(self, key: YamlNode, place: Place, line: int) -> str | None:
        if isinstance(key, ScalarNode):
            text = str(key.value)
            if key.tag == f"{_TAG}str":
                return text
            what = text or "nothing"
            suggestion = f'"{text}"' if text else ""
            self.problems.append(Problem(line, (*place, text), f"the name {what}", "names that are text", suggestion))
            return None
        self.problems.append(Problem(line, place, "a name that is a list or a mapping", "names that are text"))
        return None

    def _scalar(self, source: YamlNode, place: Place, line: int) -> Node:
        text = str(source.value)
        kind = str(source.tag).removeprefix(_TAG)
        if kind == "str":
            value, substituted = self._substituted(text, place, line)
            return Node(line, value, text, substituted)
        if kind in {"null", "bool", "int", "float", "timestamp"}:
            return Node(line, _plain(kind, text), text)
        self._tagged(source, place, line)
        return Node(line, text, text)

    def _substituted(self, text: str, place: Place, line: int) -> tuple[str, bool]:
        environ = self._environ
        if environ is None:
            return text, False
        used: list[str] = []

        def put_in(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            used.append(match[0])
            named = _NAME_AND_DEFAULT.fullmatch(match[1] or "")
            value = environ.get(named[1], named[2]) if named else None
            if named is None:
                allowed = "${NAME} with the name of an environment variable, or $${ for ${"
                self.problems.append(Problem(line, place, quote(match[0]), allowed))
            elif value is None:
                found = f"the environment variable {named[1]}, which is not set"
                self.problems.append(Problem(line, place, found, "one that is set, or ${NAME:-word}"))
            return value or ""

        return _SUBSTITUTION.sub(put_in, text), bool(used)


def _plain(kind: str, text: str) -> Scalar:
    if kind == "null":
        return None
    if kind == "bool":
        # Under a %YAML 1.1 directive `yes` arrives here, and stays the text that it looks like.
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "timestamp":
        return text
    number = text.replace("_", "").lower()
    try:
        if kind == "float":
            return float(number)
        return int(number) if re.fullmatch(r"[+-]?[0-9]+", number) else int(number, 0)
    except ValueError:
        # '.inf', '.nan', numbers to base 60: no setting takes them, so the text may be refused as text.
        return text
