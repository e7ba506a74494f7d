"""What one part of the file names must stand in another part of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.config.problems import Problem
from bridge.config.words import nearest, one_of, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config.problems import Place
    from bridge.config.tree import Node

COMMON_OPTIONS = (
    "cache_failed_logins_expiry",
    "cache_logins",
    "cache_successful_logins_expiry",
    "delay",
    "lc_username",
    "realm",
    "remote_ip_source",
    "strip_domain",
    "uc_username",
    "urldecode_username",
)
"""Options of Radicale's [auth] section that count for every type."""

OPTION_PREFIX = {"htpasswd": "htpasswd_", "ldap": "ldap_"}
"""What the names of a type's own options begin with."""

OPTIONS = (
    "htpasswd_cache",
    "htpasswd_encryption",
    "htpasswd_filename",
    "ldap_base",
    "ldap_filter",
    "ldap_group_base",
    "ldap_group_filter",
    "ldap_group_members_attribute",
    "ldap_groups_attribute",
    "ldap_ignore_attribute_create_modify_timestamp",
    "ldap_reader_dn",
    "ldap_secret",
    "ldap_secret_file",
    "ldap_security",
    "ldap_ssl_ca_file",
    "ldap_ssl_verify_mode",
    "ldap_uri",
    "ldap_user_attribute",
    *COMMON_OPTIONS,
)
"""The options of Radicale's [auth] section for the types that are served here."""


def unknown_names(tree: Node) -> Iterator[Problem]:
    """The grants, feeds and rules that name what is not there, and the options that Radicale does not have."""
    scopes = _scopes(tree)
    for user in tree.mapping("users"):
        for name, grant in tree.mapping("users", user, "grants").items():
            yield from _missing(name, grant.line, ("users", user, "grants", name), scopes)
    for feed in tree.mapping("feeds"):
        of = tree.mapping("feeds", feed).get("of")
        if of is not None and isinstance(of.value, str):
            yield from _missing(of.value, of.line, ("feeds", feed, "of"), scopes)
    for rule in tree.mapping("rules"):
        entries = tree.mapping("rules", rule)
        resource, connection = entries.get("resource"), entries.get("connection")
        if resource is not None and isinstance(resource.value, str) and "/" in resource.value:
            yield from _missing(resource.value, resource.line, ("rules", rule, "resource"), scopes, "ACCOUNT/RESOURCE")
        if connection is not None and isinstance(connection.value, str):
            yield from _missing_connection(tree, connection.value, connection.line, ("rules", rule, "connection"))
    yield from _unknown_options(tree)


def _scopes(tree: Node) -> list[str]:
    accounts = tree.mapping("accounts")
    resources = [f"{account}/{key}" for account in accounts for key in tree.mapping("accounts", account, "resources")]
    return [*accounts, *resources]


def _missing(
    name: str, line: int, place: Place, scopes: list[str], allowed: str = "ACCOUNT or ACCOUNT/RESOURCE"
) -> Iterator[Problem]:
    # What is not even well formed is refused by its type.
    if name in scopes or not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?", name):
        return
    word = "a resource" if "/" in name else "an account"
    resources = [each for each in scopes if each.endswith(f"/{name}")]
    suggestion = resources[0] if resources else nearest(name, scopes)
    yield Problem(line, place, f"{quote(name)}, {word} that is not in `accounts`", allowed, suggestion)


def _missing_connection(tree: Node, name: str, line: int, place: Place) -> Iterator[Problem]:
    connections = tree.mapping("connections")
    if name not in connections:
        found = f"{quote(name)}, a connection that is not in `connections`"
        allowed = one_of(connections) if connections else "the key of one that stands there"
        yield Problem(line, place, found, allowed, nearest(name, connections))


def _unknown_options(tree: Node) -> Iterator[Problem]:
    kind = tree.mapping("auth").get("type")
    prefix = OPTION_PREFIX.get(str(kind.value) if kind else "", "")
    known = [each for each in OPTIONS if each in COMMON_OPTIONS or (prefix and each.startswith(prefix))]
    for name, option in tree.mapping("auth", "options").items():
        if name not in known:
            yield Problem(
                option.line,
                ("auth", "options", name),
                "an option that this type does not have",
                ", ".join(known),
                nearest(name, known),
            )
