"""Google's console gives out files for different purposes; one that stands in another's place is told what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bridge.config.locations import in_folder, is_path
from bridge.config.secret_files import LARGEST_SECRET, Unreadable, read_text
from bridge.config.secrets import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.config.problems import Problem
    from bridge.config.tree import Node

_CLIENT_FILE = "client_file"
_SERVICE_ACCOUNT_FILE = "service_account_file"
_CLIENT_NEEDS = ("client_id", "client_secret")
_SERVICE_ACCOUNT_NEEDS = ("client_email", "client_id", "private_key_id", "private_key", "token_uri")


def unfit_google_files(tree: Node, folder: Path) -> Iterator[Problem]:
    """The files of Google connections that cannot be read, or are made for something else.

    Args:
        tree: Of the configuration file.
        folder: Its folder.
    """
    for name in tree.mapping("connections"):
        for setting in (_CLIENT_FILE, _SERVICE_ACCOUNT_FILE):
            node = tree.mapping("connections", name).get(setting)
            if node is None or not is_path(node.value):
                continue
            text = read_text(in_folder(str(node.value), folder), largest=LARGEST_SECRET)
            why = text.reason if isinstance(text, Unreadable) else _why_unfit(text, setting)
            if why:
                yield unreadable(node, ("connections", name, setting), Unreadable(why))


def _why_unfit(text: str, setting: str) -> str:
    """Why the file cannot serve for `setting`, to follow its name; "" where it can."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return "is no JSON object, as Google's console gives it out"
    is_service_account = content.get("type") == "service_account"
    client = next((content[kind] for kind in ("installed", "web") if isinstance(content.get(kind), dict)), None)
    if setting == _CLIENT_FILE:
        return _why_no_client(client, is_service_account=is_service_account)
    if client is not None:
        return "is an OAuth client, which belongs under client_file"
    if not is_service_account:
        return "is no key of a service account: its type is not 'service_account'"
    return _lacking(content, _SERVICE_ACCOUNT_NEEDS)


def _why_no_client(client: dict[str, Any] | None, *, is_service_account: bool) -> str:
    if is_service_account:
        return "is the key of a service account, which belongs under service_account_file, with a subject"
    if client is None:
        return "is no OAuth client of Google's console: it has neither 'installed' nor 'web'"
    return _lacking(client, _CLIENT_NEEDS)


def _lacking(content: dict[str, Any], needed: tuple[str, ...]) -> str:
    missing = [each for each in needed if not isinstance(content.get(each), str) or not content[each]]
    return f"lacks {' and '.join(missing)}; download it anew" if missing else ""
