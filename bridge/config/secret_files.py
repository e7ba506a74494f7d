"""A secret comes from the environment or from a file of its own, which strangers should not be able to read."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_SECRET = 64 * 1024
"""Bytes; a file that is larger was named by mistake."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file that a setting names cannot serve, to follow its name: 'does not exist'."""

    reason: str


def read_secret(path: Path) -> str | Unreadable:
    """The one line of `path`, without its end."""
    text = read_text(path, largest=LARGEST_SECRET)
    if isinstance(text, Unreadable):
        return text
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        return Unreadable("is empty")
    return secret if secret.isprintable() else Unreadable("holds more than one line of text")


def read_text(path: Path, *, largest: int) -> str | Unreadable:
    """The text of a file in UTF-8, of at most `largest` bytes."""
    try:
        # A pipe or a device would block the server, or never end.
        is_file = stat.S_ISREG(path.stat().st_mode)
        content = _beginning(path, largest + 1) if is_file else b""
    except (OSError, ValueError) as error:
        return Unreadable(_why(error))
    if not is_file or len(content) > largest:
        return Unreadable(f"is larger than {largest // 1024} KiB" if is_file else "is no file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Unreadable(f"is not in UTF-8 (line {line})")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read by this user"
    return f"cannot be read ({getattr(error, 'strerror', None) or 'the path is not valid'})"


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def is_exposed(path: Path) -> bool:
    """Whether every user of the machine may read `path`."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
