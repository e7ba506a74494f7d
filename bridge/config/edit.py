"""A command changes the file in place: the lines that it does not mean stay as the person wrote them.

ruamel.yaml says where each value stands; only that stretch of the text is replaced. To load and dump the whole file
would move comments that stand between two sections and reflow what a person aligned.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bridge.config.load import LARGEST_FILE
from bridge.config.model import User
from bridge.config.passwords import PasswordHash
from bridge.config.reader import compose, read_tree
from bridge.config.references import unknown_names
from bridge.config.secret_files import Unreadable, read_text
from bridge.config.values import UserName
from bridge.config.words import nearest, quote
from bridge.errors import ConfigurationError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ruamel.yaml.nodes import Node as YamlNode

    from bridge.config.tree import Node

_PLAIN = re.compile(r"[A-Za-z_][\w./@+-]*")
_SURPRISES = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def add_user(
    path: Path,
    name: str,
    *,
    password_hash: str = "",
    grants: Mapping[str, str] | None = None,
    admin: bool = False,
    personal_calendars: bool = False,
    email: str = "",
) -> None:
    """Adds the user `name` after the other users in the file.

    Args:
        path: The configuration file.
        name: The name that the user logs in with.
        password_hash: An Argon2 hash; "" for a user of app passwords only.
        grants: "read" or "write" by ACCOUNT/RESOURCE or ACCOUNT.
        admin: Whether the user looks after the whole site.
        personal_calendars: Whether the user may make calendars of their own.
        email: The address of the user; "" when there is none.

    Raises:
        Conflict: There is a user of that name, or the file was changed meanwhile.
        ConfigurationError: A value is not allowed, or the file cannot be read or written.
    """
    given = {
        "password_hash": password_hash,
        "admin": admin,
        "personal_calendars": personal_calendars,
        "email": email,
        "grants": dict(grants or {}),
    }
    settings = {key: value for key, value in given.items() if value}
    with _alone(path):
        text, tree = _read(path)
        if name in tree.mapping("users"):
            raise Conflict(
                f"There is a user {quote(name)} already.", remedy="Use `calbridge user password` to change it."
            )
        _check(UserName, name)
        _check(User, settings)
        expected = tree.plain() or {}
        expected["users"] = {**(expected.get("users") or {}), name: settings}
        _replace(path, (text, _with_user(text, name, settings)), expected, name)


def set_password_hash(path: Path, name: str, password_hash: str) -> None:
    """Gives the user `name` a password hash, in place of the hash, file or variable that stands there.

    Raises:
        NotFound: The file has no such user.
        Conflict: The file was changed meanwhile.
        ConfigurationError: The hash is none of Argon2, or the file cannot be read or written.
    """
    with _alone(path):
        text, tree = _read(path)
        users = tree.mapping("users")
        if name not in users:
            meant = nearest(name, users)
            raise NotFound(f"There is no user {quote(name)}.", remedy=f"Did you mean {quote(meant)}?" if meant else "")
        _check(PasswordHash, password_hash)
        expected = tree.plain()
        kept = {
            key: value
            for key, value in (expected["users"][name] or {}).items()
            if key not in {"password", "password_file", "password_hash"}
        }
        expected["users"][name] = {**kept, "password_hash": password_hash}
        _replace(path, (text, _with_hash(text, name, password_hash)), expected, name)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds back other commands that change the file; an editor knows nothing of it."""
    try:
        # The file itself is another one after each change, so the lock is on the folder.
        folder = os.open(path.resolve().parent, os.O_RDONLY)
    except OSError:
        # What is wrong with the folder is said when the file is read.
        yield
        return
    try:
        # Some network file systems know no such locks; what changed meanwhile is still noticed there.
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> tuple[str, Node]:
    text = read_text(path, largest=LARGEST_FILE)
    if isinstance(text, Unreadable):
        raise ConfigurationError(f"The configuration file {path} {text.reason}.")
    tree, problems = read_tree(text, None)
    if problems:
        sentences = tuple(problem.sentence(str(path)) for problem in problems)
        message = f"The configuration file {path} must be right before it can be changed."
        raise ConfigurationError(message, problems=sentences)
    return text, tree


def _check(kind: Any, value: object) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        setting = ".".join(str(step) for step in first["loc"] if step != "[key]")
        raise ConfigurationError(f"{setting or 'the value'} is not as it should be; {first['msg']}.") from None


def _replace(path: Path, texts: tuple[str, str], expected: dict[str, Any], name: str) -> None:
    before, text = texts
    tree, problems = read_tree(text, None)
    if problems or tree.plain() != expected:
        # Anchors, merges and the like can give one stretch of text two meanings.
        message = f"{path} is written in a way that cannot be changed from here."
        raise ConfigurationError(message, remedy=f"Change the user {quote(name)} by hand.")
    wrong = [each for each in unknown_names(tree) if each.place[:2] == ("users", name)]
    if wrong:
        sentences = tuple(problem.sentence(str(path)) for problem in wrong)
        raise ConfigurationError(sentences[0], problems=sentences)
    if read_text(path, largest=LARGEST_FILE) != before:
        message = f"{path} was changed by somebody else in the meantime, and is left as it is."
        raise Conflict(message, remedy="Give the command again.")
    try:
        _write(path.resolve(), text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}).") from error


def _write(path: Path, text: str) -> None:
    status = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            # Only root may give a file away; for others the mode alone is kept.
            with suppress(PermissionError):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _with_user(text: str, name: str, settings: Mapping[str, Any]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    root = compose(text)
    found = _entry(root, "users")
    if found is None:
        block = newline.join(["users:", *_block(name, settings, "  ", "  "), ""])
        if isinstance(root, MappingNode) and root.flow_style:
            return _into_flow(text, root, f"users: {{{_flow(name, settings)}}}")
        gap = "" if not text or text.endswith(newline) else newline
        return f"{text}{gap}{newline if text else ''}{block}"
    key, users = found
    whole_flow = isinstance(root, MappingNode) and root.flow_style
    is_bare = not whole_flow and _is_bare(text, key, users)
    if isinstance(users, MappingNode) and users.flow_style and not is_bare:
        return _into_flow(text, users, _flow(name, settings))
    if isinstance(users, MappingNode) and users.value:
        indent = " " * users.value[0][0].start_mark.column
        step = " " * max(users.value[0][0].start_mark.column - key.start_mark.column, 1)
        end = _line_end(text, _last_leaf(users).end_mark.index)
        lines = newline.join(_block(name, settings, indent, step))
        return f"{text[:end]}{newline}{lines}{text[end:]}"
    indent = " " * (key.start_mark.column + 2)
    start, end = _value_range(text, key, users)
    # A `{}` gives way to a list of lines: everything in one would soon be too long to read.
    end = users.end_mark.index if is_bare else end
    at = _line_end(text, end)
    lines = newline.join(_block(name, settings, indent, "  "))
    return f"{text[:start]}{text[end:at]}{newline}{lines}{text[at:]}"


def _with_hash(text: str, name: str, password_hash: str) -> str:
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
