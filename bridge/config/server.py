"""The server answers somewhere, lets some people in, and refuses what is too much."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from bridge.config.locations import FilePath, folder_of, in_folder
from bridge.config.passwords import ProxySecret
from bridge.config.settings import Frozen, Settings
from bridge.config.values import (
    ByteCount,
    Duration,
    Listen,
    ListenAddress,
    Network,
    Option,
    PathPrefix,
    PublicUrl,
    Size,
    Switch,
    choice,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationInfo


class AuthType(StrEnum):
    """Who says whether a password is right: this file and the database, or one of Radicale's own ways."""

    CALBRIDGE = "calbridge"
    HTPASSWD = "htpasswd"
    LDAP = "ldap"
    HTTP_X_REMOTE_USER = "http_x_remote_user"


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
    sync: Switch = Field(
        default=True, description="whether `serve` also keeps the rules; if not, `calbridge worker` has to"
    )


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
    keep_runs: Duration = Field(
        default=timedelta(days=30), description="age up to which the log tells what each pass over a rule did"
    )
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
