"""The client is how a provider knows this installation: an id, and a secret that shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Client:
    """An installation as its provider has registered it.

    Attributes:
        id: Public.
        secret: Of a desktop app no real secret, yet never shown; empty where there is none (RFC 6749 section 2.1).
        redirects: The only addresses that a browser may be sent back to; empty where any on the person's own machine
            will do (RFC 8252 section 7.3).
    """

    id: str
    secret: str = field(repr=False)
    redirects: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Client:
        """The client in a file that Google's console gives out, of the type 'Desktop app' or 'Web application'.

        Raises:
            ConfigurationError: It is something else.
        """
        try:
            content: Any = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        kinds = content if isinstance(content, dict) else {}
        for kind in ("installed", "web"):
            client = kinds.get(kind)
            if not isinstance(client, dict):
                continue
            name, secret = client.get("client_id"), client.get("client_secret")
            redirects = client.get("redirect_uris", []) if kind == "web" else []
            if isinstance(name, str) and name and isinstance(secret, str) and secret and isinstance(redirects, list):
                # A web client without redirects could never come back; one that fits nothing says so later.
                listed = tuple(str(each) for each in redirects) or (() if kind == "installed" else ("",))
                return cls(id=name, secret=secret, redirects=listed)
        raise ConfigurationError(
            "This is no OAuth client of Google's console: it lacks client_id and client_secret under 'installed' or "
            "'web'.",
            remedy="Make an OAuth client of the type 'Desktop app', download its JSON file, and name that file as "
            "`client_file` of the connection.",
        )
