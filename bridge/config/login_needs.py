"""A login from elsewhere needs a package or a file that may not be there: said before anybody tries to log in."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config.problems import Problem
from bridge.config.secret_files import Unreadable, read_text
from bridge.config.secrets import unreadable
from bridge.config.server import AuthType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config.server import Auth
    from bridge.config.tree import Node

_LARGEST_HTPASSWD = 16 * 1024 * 1024
_BCRYPT = re.compile(r"^[^:\n]+:\$2[abxy]?\$", re.MULTILINE)


def unmet_needs(tree: Node, auth: Auth) -> Iterator[Problem]:
    """What `auth` needs and does not find."""
    line = tree.at(("auth", "type")).line
    if auth.type is AuthType.LDAP and not (_is_installed("ldap3") or _is_installed("ldap")):
        yield Problem(line, (), advice="auth.type ldap needs the package ldap3: pip install 'calbridge[ldap]'")
    if auth.type is AuthType.HTTP_X_REMOTE_USER and auth.proxy_secret is None:
        sentence = (
            "auth.type http_x_remote_user needs auth.proxy_secret_file: without a secret between the proxy and the "
            "server anybody could name any user; `openssl rand -hex 32` makes one"
        )
        yield Problem(line, (), advice=sentence)
    file = auth.options.get("htpasswd_filename")
    if auth.type is AuthType.HTPASSWD and file is not None:
        text = read_text(Path(file), largest=_LARGEST_HTPASSWD)
        if isinstance(text, Unreadable):
            place = ("auth", "options", "htpasswd_filename")
            yield unreadable(tree.at(place), place, text)
            return
        encryption = auth.options.get("htpasswd_encryption", "autodetect")
        is_bcrypt = encryption == "bcrypt" or (encryption == "autodetect" and _BCRYPT.search(text))
        if is_bcrypt and not _is_installed("bcrypt"):
            sentence = "an htpasswd file with bcrypt hashes needs the package bcrypt: pip install 'calbridge[bcrypt]'"
            yield Problem(line, (), advice=sentence)


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
