"""Each secret has one source: a hash, the environment, or a file of its own; none stands in the file in the clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bridge.config.locations import in_folder, is_path
from bridge.config.problems import Problem
from bridge.config.secret_files import Unreadable, is_exposed, read_secret, read_text
from bridge.config.words import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.config.problems import Place
    from bridge.config.tree import Node

PASSWORD_SOURCES = ("password_hash", "password_file", "password")
HIDDEN = frozenset({"password", "password_hash", "database", "options", "proxy_secret", "url"})
"""Settings whose values no message shows, or only the harmless part of, with what stands in them."""

# A default after :- would stand in the clear as well.
_BY_NAME = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_CONNECTION_FILES = ("url_file", "password_file", "client_file", "service_account_file")
_LARGEST_PEM = 1024 * 1024


def put_in_secrets(tree: Node, plain: dict[str, Any], folder: Path) -> Iterator[Problem]:
    """Puts the content of each `*_file` beside its setting in `plain`; yields what is wrong with a secret."""
    for name, user in tree.mapping("users").items():
        place = ("users", name)
        entries = tree.mapping(*place)
        given = [each for each in PASSWORD_SOURCES if each in entries and entries[each].value is not None]
        if len(given) > 1:
            yield Problem(user.line, place, " and ".join(given), f"one of {', '.join(PASSWORD_SOURCES)}")
        if "password" in given and not _BY_NAME.fullmatch(entries["password"].written):
            yield Problem(
                entries["password"].line,
                (*place, "password"),
                "a password in the clear",
                "${NAME} from the environment, password_file, or the password_hash that "
                "`calbridge user password NAME` writes",
            )
        elif given == ["password_file"]:
            yield from _put_in(tree, plain["users"][name], (*place, "password"), folder)
    yield from _put_in_from_one_source(tree, plain, ("auth", "proxy_secret"), folder, in_the_clear="a secret")
    for name in tree.mapping("connections"):
        place = ("connections", name)
        yield from _put_in_from_one_source(tree, plain, (*place, "url"), folder)
        yield from _put_in_from_one_source(tree, plain, (*place, "password"), folder, in_the_clear="a password")
    yield from _put_in_from_one_source(tree, plain, ("database",), folder)


def _put_in_from_one_source(
    tree: Node, plain: dict[str, Any], place: tuple[str, ...], folder: Path, *, in_the_clear: str = ""
) -> Iterator[Problem]:
    """Puts in what stands in `*_file`; where `in_the_clear` is said, the value itself may only be a ${NAME}."""
    *steps, name = place
    entries = {key: node for key, node in tree.mapping(*steps).items() if node.value is not None}
    written, file = entries.get(name), entries.get(f"{name}_file")
    if written is not None and file is not None:
        yield Problem(file.line, (*steps, f"{name}_file"), f"{name} as well", "one of the two")
    elif written is not None and in_the_clear and not _BY_NAME.fullmatch(written.written):
        found, allowed = f"{in_the_clear} in the clear", f"${{NAME}} from the environment, or {name}_file"
        yield Problem(written.line, place, found, allowed)
    elif file is not None:
        section = plain
        for step in steps:
            section = section[step]
        yield from _put_in(tree, section, place, folder)


def _put_in(tree: Node, section: dict[str, Any], place: tuple[str, ...], folder: Path) -> Iterator[Problem]:
    file_place = (*place[:-1], f"{place[-1]}_file")
    node = tree.at(file_place)
    if not isinstance(node.value, str) or not is_path(node.value):
        return
    secret = read_secret(in_folder(node.value, folder))
    if isinstance(secret, Unreadable):
        yield unreadable(node, file_place, secret)
    else:
        section[place[-1]] = secret


def unreadable(node: Node, place: Place, why: Unreadable) -> Problem:
    """The problem of a setting that names a file which cannot serve."""
    return Problem(node.line, place, f"{quote(node.written)}, which {why.reason}", "a file that the server may read")


def unreadable_certificates(tree: Node, folder: Path) -> Iterator[Problem]:
    """The files of `server.tls` and of connections that cannot be read, or hold no certificate."""
    places = [("server", "tls", "certificate"), ("server", "tls", "key")]
    places += [("connections", name, "ca_file") for name in tree.mapping("connections")]
    for place in places:
        node = tree.mapping(*place[:-1]).get(place[-1])
        if node is None or not is_path(node.value):
            continue
        text = read_text(in_folder(str(node.value), folder), largest=_LARGEST_PEM)
        if isinstance(text, str) and place[-1] == "ca_file" and "-----BEGIN CERTIFICATE-----" not in text:
            text = Unreadable("holds no certificate in the form PEM")
        if isinstance(text, Unreadable):
            yield unreadable(node, place, text)


def exposed_files(tree: Node, folder: Path) -> Iterator[tuple[Place, Node]]:
    """The settings that name a file with a secret which every user of the machine may read."""
    places: list[tuple[str, ...]] = [("secret_key_file",), ("database_file",), ("server", "tls", "key")]
    places += [("auth", "proxy_secret_file")]
    places += [("users", name, "password_file") for name in tree.mapping("users")]
    places += [("connections", name, file) for name in tree.mapping("connections") for file in _CONNECTION_FILES]
    for place in places:
        node = tree.mapping(*place[:-1]).get(place[-1])
        if node is not None and is_path(node.value) and is_exposed(in_folder(str(node.value), folder)):
            yield place, node
