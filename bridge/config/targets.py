"""What a rule is about has a text of its own: two rules with one text are one rule, whatever their options are."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.config.connections import ConnectionType
from bridge.config.remote_urls import Spot, is_mail, path_of, spot_of
from bridge.errors import NotFound

if TYPE_CHECKING:
    from bridge.config.connections import Connection
    from bridge.config.model import Configuration


def rule_target(configuration: Configuration, name: str) -> str:
    """The resource, the connection and the remote calendar of the rule `name`, as one line of text.

    It stays the same while options and credentials change, and where an address is only written in another way. For
    type ics the key of the connection stands for its address, which may be secret and is changed when it leaks; for
    type google it stands for the account of whoever consents, where no `subject` names one.

    Raises:
        NotFound: There is no such rule.
    """
    rule = configuration.rule(name)
    connection = configuration.connection(rule.connection)
    parts = (str(rule.resource), _identity(rule.connection, connection), str(calendar_of(connection, rule.calendar)))
    return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule is about, read from its text.

    Attributes:
        resource: ACCOUNT/RESOURCE.
        connection: Which server and user, as text.
        calendar: What the rule calls the remote calendar; empty where it does not say.
    """

    resource: str
    connection: str
    calendar: str


def read_target(text: str) -> Target:
    """What `rule_target` wrote; of a rule that has left the configuration nothing else is known."""
    resource, connection, calendar = (part.replace("%7C", "|").replace("%25", "%") for part in text.split("|"))
    return Target(resource, connection, calendar)


def connection_for(configuration: Configuration, target: Target) -> str:
    """The key of a connection that leads where a rule of this target went.

    Raises:
        NotFound: None does.
    """
    for key, connection in configuration.connections.items():
        if _identity(key, connection) == target.connection:
            return key
    raise NotFound(
        f"No connection in the configuration leads to {target.connection!r} any more.",
        remedy="Put it back under `connections`, or keep what stands there.",
    )


def _identity(key: str, connection: Connection) -> str:
    if connection.type is ConnectionType.ICS:
        return f"ics:{key}"
    if connection.type is ConnectionType.GOOGLE:
        return f"google:{account_of(key, connection)}"
    return f"{connection.type}:{spot_of(connection.url)} {user_of(connection)}"


def account_of(key: str, connection: Connection) -> str:
    """The Google account of a connection: the mail address where the file says it, else the connection's key.

    A key has no @, so the two are never taken for each other.
    """
    return str(connection.subject).lower() if connection.subject else key


def user_of(connection: Connection) -> str:
    """The user of `connection`; of a mail address capitals do not count."""
    return connection.user.lower() if is_mail(connection.user) else connection.user


def calendar_of(connection: Connection, calendar: str) -> Spot | str:
    """The remote calendar that a rule names: a place, where it is an address or a path, else a name."""
    if connection.type is ConnectionType.GOOGLE:
        return unicodedata.normalize("NFC", calendar.strip())
    if calendar.startswith("/"):
        return Spot(spot_of(connection.url).host, path_of(urlsplit(calendar).path))
    if calendar.lower().startswith(("http://", "https://")):
        return spot_of(calendar)
    return unicodedata.normalize("NFC", calendar.strip())
