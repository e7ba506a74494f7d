"""The configuration is a tree of frozen, typed values; a value that stands here has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from bridge.config.locations import Database, DatabaseUrl, FilePath, folder_of, in_folder
from bridge.config.passwords import PasswordHash, PlainPassword, ProxySecret
from bridge.config.values import (
    HELD_COMPONENTS,
    ByteCount,
    Colour,
    Component,
    Duration,
    Email,
    Key,
    Listen,
    ListenAddress,
    Network,
    Option,
    PathPrefix,
    PublicUrl,
    Scope,
    ScopeName,
    Size,
    Stretch,
    Switch,
    Text,
    TimeZone,
    UserName,
    choice,
    whole,
)
from bridge.config.words import nearest, quote
from bridge.core.model import ComponentType
from bridge.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import ValidationInfo

K = TypeVar("K")
V = TypeVar("V")

Frozen = Annotated[Mapping[K, V], AfterValidator(lambda entries: MappingProxyType(dict(entries)))]


class Kind(StrEnum):
    """What a resource is to the organisation."""

    EMPLOYEE = "employee"
    LOCATION = "location"
    INSTRUMENT = "instrument"


class Grant(StrEnum):
    """What a user may do with a resource; to write includes to read."""

    READ = "read"
    WRITE = "write"


class Detail(StrEnum):
    """How much of an appointment a feed shows."""

    FULL = "full"
    TITLES = "titles"
    BUSY = "busy"


class AuthType(StrEnum):
    """Who says whether a password is right: this file and the database, or one of Radicale's own ways."""

    CALBRIDGE = "calbridge"
    HTPASSWD = "htpasswd"
    LDAP = "ldap"
    HTTP_X_REMOTE_USER = "http_x_remote_user"


class Settings(BaseModel):
    """A section of the file: it takes the settings that it names, and no others."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _take_an_empty_setting_for_an_absent_one(cls, given: Any) -> Any:
        # People comment the lines of a section out and leave its name: YAML reads that as null.
        if given is None:
            return {}
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value is not None or name not in cls.model_fields}
        return given


class Tls(Settings):
    """The files with which the server answers https by itself."""

    certificate: FilePath = Field(description="PEM file of the certificate and its chain")
    key: FilePath = Field(description="PEM file of the private key")


class Server(Settings):
    """Where and how the server answers."""

    listen: ListenAddress = Field(
        default=Listen("127.0.0.1", 5232), description="address and port to take connections on"
    )
    public_url: PublicUrl | None = Field(default=None, description="address under which people reach the server")
    workers: Annotated[int, *whole(1, 64)] = Field(default=1, description="processes that answer requests")
    threads: Annotated[int, *whole(1, 256)] = Field(default=16, description="requests that one process answers at once")
    tls: Tls | None = Field(default=None, description="certificate and key; without them the server speaks http")
    trusted_proxies: tuple[Network, ...] = Field(
        default=(), description="addresses or networks whose X-Forwarded-* headers are believed"
    )
    path_prefix: PathPrefix = Field(default="", description="path under which a proxy passes requests on, such as /cal")


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


class Feed(Settings):
    """A secret-URL ICS view of a resource or of a whole account.

    Attributes:
        past: How far back the window reaches; None is without limit.
        future: How far ahead the window reaches; None is without limit.
        categories: Only these are shown; empty shows all.
        name: Its own, or the name of the resource or account that it shows.
    """

    of: ScopeName = Field(description="ACCOUNT/RESOURCE, or ACCOUNT for all of its resources")
    detail: Annotated[Detail, *choice(Detail)] = Field(
        default=Detail.FULL, description="full, titles, or busy times only"
    )
    past: Stretch = Field(default=timedelta(days=90), description="how far back it reaches; `all` has no limit")
    future: Stretch = Field(default=timedelta(days=730), description="how far ahead it reaches; `all` has no limit")
    components: Annotated[tuple[Component, ...], Field(min_length=1)] = Field(
        default=(ComponentType.VEVENT, ComponentType.VTODO), description="what it shows: VEVENT, VTODO"
    )
    categories: tuple[Text, ...] = Field(default=(), description="shows only these categories; empty shows all")
    alarms: Switch = Field(default=False, description="whether the alarms of appointments are passed on")
    name: Text = Field(default_factory=str, validate_default=False, description="calendar name that subscribers see")


class Limits(Settings):
    """What the server refuses, and how long it remembers."""

    max_object: ByteCount = Field(default=Size(2**20), description="size of one appointment or task")
    max_body: ByteCount = Field(default=Size(20 * 2**20), description="size of one request, unpacked")
    max_instances: Annotated[int, *whole(1, 1_000_000)] = Field(
        default=10_000, description="instances of one series that are expanded"
    )
    max_report_occurrences: Annotated[int, *whole(1, 100_000_000)] = Field(
        default=1_000_000, description="occurrences that one query of a client may touch"
    )
    keep_changes: Duration = Field(
        default=timedelta(days=180), description="age of the change log; a client that was away longer reads all anew"
    )
    keep_journal: Duration = Field(default=timedelta(days=400), description="age up to which a change can be undone")
    login_failures: Annotated[int, *whole(1, 10_000)] = Field(
        default=10, description="wrong passwords from one address before it must wait"
    )
    login_window: Duration = Field(default=timedelta(minutes=10), description="how long a wrong password counts")
    login_cache: Duration = Field(
        default=timedelta(minutes=5),
        description="how long a verified login is remembered, so that requests cost no hash",
    )


FILE_OPTIONS = ("htpasswd_filename", "ldap_secret_file", "ldap_ssl_ca_file")
"""Options of Radicale's [auth] section that name files."""


class Auth(Settings):
    """Who says whether a password is right."""

    type: Annotated[AuthType, *choice(AuthType)] = Field(
        default=AuthType.CALBRIDGE,
        description="calbridge (this file), htpasswd, ldap or http_x_remote_user (a proxy)",
    )
    proxy_secret: ProxySecret | None = Field(
        default=None,
        repr=False,
        description="for http_x_remote_user: what the proxy writes before the name, ${NAME} from the environment",
    )
    proxy_secret_file: FilePath | None = Field(
        default=None, description="for http_x_remote_user: file with what the proxy writes before the name"
    )
    options: Frozen[str, Option] = Field(
        default_factory=dict, repr=False, description="options of Radicale's [auth] section for that type"
    )

    @field_validator("options")
    @classmethod
    def _count_paths_from_the_folder(cls, options: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        folder = folder_of(info)
        return MappingProxyType(
            {name: str(in_folder(value, folder)) if name in FILE_OPTIONS else value for name, value in options.items()}
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
