"""A command changes the file in place: the lines that it does not mean stay as the person wrote them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bridge.config.edited_text import with_entry, with_hash
from bridge.config.load import LARGEST_FILE, read
from bridge.config.model import User
from bridge.config.passwords import PasswordHash
from bridge.config.reader import read_tree
from bridge.config.references import unknown_names
from bridge.config.secret_files import Unreadable, read_text
from bridge.config.values import Key, UserName
from bridge.config.words import nearest, quote
from bridge.errors import ConfigurationError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.config.model import Configuration
    from bridge.config.tree import Node


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
        _replace(path, (text, with_entry(text, "users", name, settings)), expected, name)


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
        _replace(path, (text, with_hash(text, name, password_hash)), expected, name)


@dataclass(frozen=True, slots=True)
class Draft:
    """A change of the file that is worked out and checked, but not written yet.

    Attributes:
        configuration: What the file will say.
        path: The file.
    """

    configuration: Configuration
    path: Path
    _before: str = field(repr=False)
    _after: str = field(repr=False)

    def write(self) -> None:
        """Writes it.

        Raises:
            Conflict: The file was changed meanwhile.
            ConfigurationError: It cannot be written.
        """
        with _alone(self.path):
            _put(self.path, self._before, self._after)


def draft_rule(path: Path, name: str, settings: Mapping[str, str], *, environ: Mapping[str, str]) -> Draft:
    """Works out the file with a rule `name` after the other rules in it.

    Args:
        path: The configuration file.
        name: The key of the rule.
        settings: What it says: `resource`, `connection`, `calendar` ...
        environ: What `${NAME}` stands for.

    Raises:
        Conflict: There is a rule of that name.
        ConfigurationError: A value is not allowed, the rule would work against another one, or the file cannot be
            read.
    """
    text, tree = _read(path)
    if name in tree.mapping("rules"):
        raise Conflict(f"There is a rule {quote(name)} already.", remedy="Give the new one another name.")
    _check(Key, name)
    after = with_entry(text, "rules", name, settings)
    expected = tree.plain() or {}
    expected["rules"] = {**(expected.get("rules") or {}), name: dict(settings)}
    _compare(path, after, expected, f"Add the rule {quote(name)} by hand.")
    return Draft(read(after, path, environ=environ), path, text, after)


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
    tree = _compare(path, text, expected, f"Change the user {quote(name)} by hand.")
    wrong = [each for each in unknown_names(tree) if each.place[:2] == ("users", name)]
    if wrong:
        sentences = tuple(problem.sentence(str(path)) for problem in wrong)
        raise ConfigurationError(sentences[0], problems=sentences)
    _put(path, before, text)


def _compare(path: Path, text: str, expected: dict[str, Any], remedy: str) -> Node:
    """What `text` says, where that is what it should."""
    tree, problems = read_tree(text, None)
    if problems or tree.plain() != expected:
        # Anchors, merges and the like can give one stretch of text two meanings.
        raise ConfigurationError(f"{path} is written in a way that cannot be changed from here.", remedy=remedy)
    return tree


def _put(path: Path, before: str, text: str) -> None:
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
