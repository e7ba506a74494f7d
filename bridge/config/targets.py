"""What a rule is about has a text of its own: two rules with one text are one rule, whatever their options are."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.config.connections import ConnectionType
from bridge.config.remote_urls import Spot, is_mail, path_of, spot_of

if TYPE_CHECKING:
    from bridge.config.connections import Connection
    from bridge.config.model import Configuration


def rule_target(configuration: Configuration, name: str) -> str:
    """The resource, the connection and the remote calendar of the rule `name`, as one line of text.

    It stays the same while options and credentials change, and where an address is only written in another way. For
    type ics the key of the connection stands for its address, which may be secret and is changed when it leaks.

    Raises:
        NotFound: There is no such rule.
    """
    rule = configuration.rule(name)
    connection = configuration.connection(rule.connection)
    parts = (str(rule.resource), _identity(rule.connection, connection), str(calendar_of(connection, rule.calendar)))
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)


def _identity(key: str, connection: Connection) -> str:
    if connection.type is ConnectionType.ICS:
        return f"ics:{key}"
    return f"{connection.type}:{spot_of(connection.url)} {user_of(connection)}"


def user_of(connection: Connection) -> str:
    """The user of `connection`; of a mail address capitals do not count."""
    return connection.user.lower() if is_mail(connection.user) else connection.user


def calendar_of(connection: Connection, calendar: str) -> Spot | str:
    """The remote calendar that a rule names: a place, where it is an address or a path, else a name."""
    if calendar.startswith("/"):
        return Spot(spot_of(connection.url).host, path_of(urlsplit(calendar).path))
    if calendar.lower().startswith(("http://", "https://")):
        return spot_of(calendar)
    return unicodedata.normalize("NFC", calendar.strip())
