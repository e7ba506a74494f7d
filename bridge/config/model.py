"""The configuration is a tree of frozen, typed values; a value that stands here has been checked."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bridge.config.connections import Connection, ConnectionType
from bridge.config.feeds import Feed
from bridge.config.locations import Database, DatabaseUrl, FilePath
from bridge.config.passwords import PasswordHash, PlainPassword
from bridge.config.rules import Rule
from bridge.config.server import FILE_OPTIONS, Auth, Limits, Server
from bridge.config.settings import Frozen, Settings
from bridge.config.values import (
    HELD_COMPONENTS,
    Colour,
    Component,
    Email,
    Key,
    Scope,
    ScopeName,
    Switch,
    Text,
    TimeZone,
    UserName,
    choice,
    whole,
)
from bridge.config.words import nearest, quote
from bridge.core.decision import Direction
from bridge.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import ValidationInfo

V = TypeVar("V")


class Kind(StrEnum):
    """What a resource is to the organisation."""

    EMPLOYEE = "employee"
    LOCATION = "location"
    INSTRUMENT = "instrument"


class Grant(StrEnum):
    """What a user may do with a resource; to write includes to read."""

    READ = "read"
    WRITE = "write"


class Resource(Settings):
    """An employee, a location or an instrument, with one calendar.

    Attributes:
        time_zone: Its own, or the account's.
        order: Its own, or its place in the file, counted from 1.
    """

    kind: Annotated[Kind, *choice(Kind)] = Field(description="employee, location or instrument")
    name: Text = Field(description="the name of the calendar that people see")
    email: Email | None = Field(default=None, description="address of the person or the room; has no effect yet")
    color: Colour | None = Field(default=None, description="colour that clients give the calendar")
    time_zone: TimeZone = Field(
        default_factory=lambda: ZoneInfo("UTC"), description="time zone, where it is not the account's"
    )
    order: Annotated[int, *whole(0, 1_000_000)] = Field(
        default_factory=int, description="place in a client's list of calendars"
    )
    components: Annotated[tuple[Component, ...], Field(min_length=1)] = Field(
        default=HELD_COMPONENTS, description="what the calendar holds: appointments (VEVENT), tasks (VTODO)"
    )


class Account(Settings):
    """An organisation whose resources are bridged."""

    name: Text = Field(description="the name of the organisation")
    time_zone: TimeZone = Field(description="IANA time zone in which the organisation plans")
    resources: Frozen[Key, Resource] = Field(
        default_factory=dict, description="employees, locations and instruments, each under a key of its own"
    )

    @field_validator("resources")
    @classmethod
    def _complete(cls, resources: Mapping[str, Resource], info: ValidationInfo) -> Mapping[str, Resource]:
        def completed(place: int, resource: Resource) -> Resource:
            own = resource.model_fields_set
            missing: dict[str, object] = {} if "order" in own else {"order": place}
            if "time_zone" not in own and "time_zone" in info.data:
                missing["time_zone"] = info.data["time_zone"]
            return resource.model_copy(update=missing)

        return MappingProxyType(
            {key: completed(place, resource) for place, (key, resource) in enumerate(resources.items(), start=1)}
        )


class User(Settings):
    """Someone who logs in.

    Attributes:
        password: The plain password, from the environment or from `password_file`.
    """

    password_hash: PasswordHash | None = Field(
        default=None, description="Argon2 hash, as `calbridge user password` writes it"
    )
    password_file: FilePath | None = Field(default=None, description="file that holds the password, instead of a hash")
    password: PlainPassword | None = Field(
        default=None, description="the password, by ${NAME} from the environment only"
    )
    admin: Switch = Field(default=False, description="marks who looks after the whole site; has no effect yet")
    personal_calendars: Switch = Field(default=False, description="whether the user may make calendars of their own")
    email: Email | None = Field(default=None, description="address of the user; has no effect yet")
    grants: Frozen[ScopeName, Annotated[Grant, *choice(Grant)]] = Field(
        default_factory=dict, description="read or write, for ACCOUNT/RESOURCE or for a whole ACCOUNT"
    )


class Document(Settings):
    """Everything that can stand in the file."""

    server: Server = Field(default_factory=Server, description="where and how the server answers")
    database: DatabaseUrl = Field(
        default=Database.embedded(), description="sqlite:///FILE or postgresql://USER@HOST/NAME"
    )
    database_file: FilePath | None = Field(
        default=None, description="file that holds the database address, as it has a password"
    )
    secret_key_file: FilePath = Field(
        default=Path("data/secret.key"), description="key that seals secrets in the database"
    )
    accounts: Annotated[Frozen[Key, Account], Field(min_length=1)] = Field(
        description="organisations, each under a key of its own"
    )
    users: Frozen[UserName, User] = Field(default_factory=dict, description="people who log in, by name")
    feeds: Frozen[Key, Feed] = Field(default_factory=dict, description="secret ICS addresses, by name")
    connections: Frozen[Key, Connection] = Field(
        default_factory=dict, description="calendar servers and calendar files elsewhere, by name"
    )
    rules: Frozen[Key, Rule] = Field(
        default_factory=dict, description="resources that are kept the same as calendars elsewhere, by name"
    )
    limits: Limits = Field(default_factory=Limits, description="what is refused, and how long is remembered")
    auth: Auth = Field(default_factory=Auth, description="who says whether a password is right")

    @field_validator("feeds")
    @classmethod
    def _name(cls, feeds: Mapping[str, Feed], info: ValidationInfo) -> Mapping[str, Feed]:
        accounts: Mapping[str, Account] = info.data.get("accounts", {})

        def named(feed: Feed) -> Feed:
            account = accounts.get(feed.of.account)
            shown = account.resources.get(feed.of.resource) if account and feed.of.resource else account
            # A feed of what does not exist is refused elsewhere, with the nearest name that does.
            return feed if feed.name or shown is None else feed.model_copy(update={"name": shown.name})

        return MappingProxyType({key: named(feed) for key, feed in feeds.items()})

    @field_validator("rules")
    @classmethod
    def _direct(cls, rules: Mapping[str, Rule], info: ValidationInfo) -> Mapping[str, Rule]:
        connections: Mapping[str, Connection] = info.data.get("connections", {})

        def directed(rule: Rule) -> Rule:
            connection = connections.get(rule.connection)
            read_only = connection is not None and connection.type is ConnectionType.ICS
            if not read_only or "direction" in rule.model_fields_set:
                return rule
            return rule.model_copy(update={"direction": Direction.PULL})

        return MappingProxyType({key: directed(rule) for key, rule in rules.items()})


class Configuration(Document):
    """A configuration that has been read and checked.

    Attributes:
        path: The file that it was read from.
        warnings: Sentences about what works, but should be changed.
    """

    path: Path = Path("bridge.yaml")
    warnings: tuple[str, ...] = ()

    def user(self, name: str) -> User:
        """The user `name`. Raises NotFound."""
        return _known(self.users, name, "user")

    def feed(self, name: str) -> Feed:
        """The feed `name`. Raises NotFound."""
        return _known(self.feeds, name, "feed")

    def connection(self, name: str) -> Connection:
        """The connection `name`. Raises NotFound."""
        return _known(self.connections, name, "connection")

    def rule(self, name: str) -> Rule:
        """The rule `name`. Raises NotFound."""
        return _known(self.rules, name, "rule")

    def account(self, key: str) -> Account:
        """The account under `key`. Raises NotFound."""
        return _known(self.accounts, key, "account")

    def resource(self, name: str) -> Resource:
        """The resource that is written as ACCOUNT/RESOURCE. Raises NotFound."""
        account, _, key = name.partition("/")
        if account in self.accounts and key in self.accounts[account].resources:
            return self.accounts[account].resources[key]
        names = [f"{account_key}/{resource_key}" for account_key, resource_key, _ in self.resources()]
        raise _unknown(names, name, "resource")

    @property
    def usual_zone(self) -> ZoneInfo:
        """The zone of what belongs to no resource: the first account's, or UTC where there is none."""
        return next((account.time_zone for account in self.accounts.values()), ZoneInfo("UTC"))

    def resources(self) -> Iterator[tuple[str, str, Resource]]:
        """Each resource with the keys of its account and its own, in the order of the file."""
        for account_key, account in self.accounts.items():
            for resource_key, resource in account.resources.items():
                yield account_key, resource_key, resource

    def resources_of(self, scope: Scope) -> tuple[tuple[str, str], ...]:
        """The keys of what `scope` names: one resource, or all of an account. Raises NotFound."""
        if scope.resource:
            self.resource(str(scope))
            return ((scope.account, scope.resource),)
        return tuple((scope.account, key) for key in self.account(scope.account).resources)

    def grants_of(self, name: str) -> Mapping[tuple[str, str], Grant]:
        """What the user may do, for each resource by (account, resource), in the order of the file.

        A grant on a resource goes before one on its whole account, so that one calendar of many can be made
        read-only. Raises NotFound.
        """
        grants = self.user(name).grants
        found = {
            (account, resource): grants.get(Scope(account, resource)) or grants.get(Scope(account))
            for account, resource, _ in self.resources()
        }
        return MappingProxyType({each: grant for each, grant in found.items() if grant is not None})


def files(configuration: Configuration) -> tuple[Path, ...]:
    """All files that `configuration` depends on, the configuration itself first."""
    tls = configuration.server.tls
    named = [
        configuration.path,
        configuration.secret_key_file,
        configuration.database_file,
        *((tls.certificate, tls.key) if tls else ()),
        configuration.auth.proxy_secret_file,
        *(user.password_file for user in configuration.users.values()),
        *(file for each in configuration.connections.values() for file in (each.url_file, each.password_file)),
        *(
            file
            for each in configuration.connections.values()
            for file in (each.client_file, each.service_account_file)
        ),
        *(each.ca_file for each in configuration.connections.values()),
        *(Path(value) for name, value in configuration.auth.options.items() if name in FILE_OPTIONS),
    ]
    return tuple(dict.fromkeys(file for file in named if file is not None))


def _known(entries: Mapping[str, V], name: str, word: str) -> V:
    if name in entries:
        return entries[name]
    raise _unknown(entries, name, word)


def _unknown(names: Iterable[str], name: str, word: str) -> NotFound:
    meant = nearest(name, names)
    return NotFound(f"There is no {word} {quote(name)}.", remedy=f"Did you mean {quote(meant)}?" if meant else "")
