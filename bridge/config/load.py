"""A configuration file is read as a whole, or refused with every fault that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bridge.config.connections import ConnectionType
from bridge.config.google_files import unfit_google_files
from bridge.config.graph import contradictions
from bridge.config.locations import without_password
from bridge.config.login_needs import unmet_needs
from bridge.config.model import Configuration, Document
from bridge.config.problems import MISSING, Problem, write_place
from bridge.config.reader import read_tree
from bridge.config.references import unknown_names
from bridge.config.remote_urls import shown_url, shown_user
from bridge.config.rule_warnings import rule_warnings
from bridge.config.secret_files import Unreadable, is_exposed, read_text
from bridge.config.secrets import (
    HIDDEN,
    PASSWORD_SOURCES,
    exposed_files,
    put_in_secrets,
    unreadable_certificates,
)
from bridge.config.server import AuthType
from bridge.config.shape import settings_at
from bridge.config.upstream_needs import faults_by_type
from bridge.config.words import nearest, quote
from bridge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from bridge.config.problems import Place
    from bridge.config.tree import Node

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes; thousands of users and resources fit in a tenth of it."""

UNKNOWN = "an unknown setting"

_PARTLY_SHOWN = {"url": shown_url, "user": shown_user}


def load(path: Path, *, environ: Mapping[str, str]) -> Configuration:
    """Reads and checks the configuration in `path`, with the files that it names.

    Args:
        path: The YAML file; relative paths in it count from its folder.
        environ: What `${NAME}` stands for.

    Raises:
        ConfigurationError: `problems` holds every fault, each with its line, in the order of the file.
    """
    text = read_text(path, largest=LARGEST_FILE)
    if isinstance(text, Unreadable):
        problem = f"The configuration file {path} {text.reason}."
        remedy = "" if path.exists() else "`calbridge init` makes one."
        raise ConfigurationError(problem, remedy=remedy, problems=(problem,))
    return read(text, path, environ=environ)


def read(text: str, path: Path, *, environ: Mapping[str, str]) -> Configuration:
    """Checks `text` as what stands, or is to stand, in the file `path`, with the files that it names.

    Args:
        text: The YAML text.
        path: Names the file in sentences; relative paths count from its folder.
        environ: What `${NAME}` stands for.

    Raises:
        ConfigurationError: As `load` says.
    """
    tree, problems = read_tree(text, environ)
    folder = path.absolute().parent
    document: Document | None = None
    if not isinstance(tree.value, dict):
        problems.append(Problem(1, (), tree.found(), "a mapping of settings, as in bridge.example.yaml"))
    elif tree.line:
        plain = tree.plain()
        problems += put_in_secrets(tree, plain, folder)
        problems += unreadable_certificates(tree, folder)
        problems += unfit_google_files(tree, folder)
        problems += unknown_names(tree)
        problems += faults_by_type(tree)
        try:
            document = Document.model_validate(plain, context={"folder": folder})
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            problems += [_problem(each, tree) for each in errors if not _only_follows(each, tree)]
        if document is not None and not problems:
            problems += unmet_needs(tree, document.auth)
            problems += contradictions(tree, document)
    if problems or document is None:
        raise _refusal(path, problems)
    warnings = tuple(_warnings(document, tree, path, folder))
    settings = {name: getattr(document, name) for name in Document.model_fields}
    return Configuration.model_construct(document.model_fields_set, **settings, path=path.absolute(), warnings=warnings)


def _refusal(path: Path, problems: Iterable[Problem]) -> ConfigurationError:
    problems = list(problems)
    misspelt = {(*problem.place[:-1], problem.suggestion) for problem in problems if problem.found == UNKNOWN}
    # One setting, one sentence: what follows from the first fault of a setting would only hide it.
    first: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        if problem.found != MISSING or problem.place not in misspelt:
            first.setdefault((problem.line, problem.place), problem)
    ordered = sorted(first.values(), key=lambda problem: problem.line)
    sentences = tuple(problem.sentence(str(path)) for problem in ordered)
    count = "1 fault" if len(sentences) == 1 else f"{len(sentences)} faults"
    return ConfigurationError(f"The configuration file {path} has {count}.", problems=sentences)


def _only_follows(error: ErrorDetails, tree: Node) -> bool:
    """Whether `error` is no fault of its own: what it comes from is said already."""
    *steps, last = map(str, error["loc"] or ("",))
    section = tree.mapping(*steps)
    kind = section.get("type")
    # Which settings an upstream has depends on its type.
    is_unknown_upstream = steps[:1] == ["connections"] and kind is not None and kind.value not in tuple(ConnectionType)
    return (
        (error["type"] == "missing" and (f"{last}_file" in section or is_unknown_upstream))
        or (error["type"] == "extra_forbidden" and is_unknown_upstream)
        or error["type"] == "default_factory_not_called"
    )


def _problem(error: ErrorDetails, tree: Node) -> Problem:
    kind, place = error["type"], error["loc"]
    context = error.get("ctx", {})
    if place and place[-1] == "[key]":
        place, found = place[:-1], quote(str(place[-2]))
    else:
        place, found = _found(place, tree)
    line = tree.at(place).line
    section = settings_at(place[:-1])
    allowed, suggestion = str(error["msg"]), ""
    if kind == "refused":
        allowed, suggestion = str(context["allowed"]), str(context["suggestion"])
    elif kind == "missing":
        found, allowed = MISSING, str(section[str(place[-1])].description)
    elif kind == "extra_forbidden":
        found, allowed, suggestion = UNKNOWN, ", ".join(section), nearest(str(place[-1]), section)
    elif kind == "too_short":
        found, allowed = "no entry", "at least one entry"
    elif kind == "tuple_type":
        scalar = tree.at(place).written
        allowed, suggestion = "a list", f"[{scalar}]" if re.fullmatch(r"[\w./:-]+", scalar) else ""
    elif kind.endswith("_type"):
        allowed = "a mapping of settings"
    return Problem(line, place, found, allowed, suggestion)


def _found(place: Place, tree: Node) -> tuple[Place, str]:
    """The setting to change for the value at `place`, and what stands there, as far as it may be shown."""
    section = tree.mapping(*(str(step) for step in place[:-1]))
    last = str(place[-1]) if place else ""
    if last in HIDDEN and last not in section and f"{last}_file" in section:
        return (*place[:-1], f"{last}_file"), f"a wrong value in the file {section[f'{last}_file'].found()}"
    node = tree.at(place)
    secret = HIDDEN.intersection(map(str, place))
    if place == ("database",) and isinstance(node.value, str):
        return place, quote(without_password(node.written))
    if place[:1] == ("connections",) and last in _PARTLY_SHOWN and isinstance(node.value, str) and not node.substituted:
        return place, quote(_PARTLY_SHOWN[last](node.written))
    if not secret or node.substituted or node.value is None or isinstance(node.value, Mapping | tuple):
        return place, node.found()
    return place, "a value that is not shown"


def _warnings(document: Document, tree: Node, path: Path, folder: Path) -> Iterator[str]:
    def warning(place: Place, line: int, sentence: str) -> str:
        return f"{path}:{line}: {write_place(place)}: {sentence}"

    for place, node in exposed_files(tree, folder):
        yield warning(place, node.line, f"every user of this machine may read {node.found()}; take that right away")
    for place, sentence in rule_warnings(document):
        yield warning(place, tree.at(place).line, sentence)
    database = tree.mapping().get("database")
    if database is not None and not database.substituted and "…@" in document.database.shown and is_exposed(path):
        sentence = "every user of this machine may read the password; use ${NAME} or database_file"
        yield warning(("database",), database.line, sentence)
    for name, user in tree.mapping("users").items():
        given = [each for each in PASSWORD_SOURCES if getattr(document.users[name], each) is not None]
        own = document.auth.type is AuthType.CALBRIDGE
        if own and not given:
            yield warning(("users", name), user.line, "no password; this user can log in with app passwords only")
        elif given and not own:
            yield warning(("users", name), user.line, f"the password is not used, as auth.type is {document.auth.type}")


def fingerprint(paths: Iterable[Path]) -> tuple[Any, ...]:
    """A value that differs as soon as one of `paths` is changed, replaced, made or deleted."""

    def state(path: Path) -> tuple[int, int, int] | None:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    return tuple((str(path), state(path)) for path in paths)
