"""A connection says where another calendar server is, and who we are there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from bridge.config.locations import FilePath, folder_of
from bridge.config.passwords import PlainPassword
from bridge.config.remote_urls import caldav_url, endpoint_url, ics_url, is_mail, shown_url
from bridge.config.settings import Settings
from bridge.config.values import Email, Switch, plain_text, whole
from bridge.config.words import nearest, one_of, refusal


class ConnectionType(StrEnum):
    """The kinds of upstream that a connection can lead to."""

    CALDAV = "caldav"
    GOOGLE = "google"
    ICS = "ics"


NOT_YET = ("microsoft", "exchange")
"""Kinds of upstream that people ask for, and that are not there yet."""

_MEANT = {
    "apple": "caldav",
    "dav": "caldav",
    "gmail": "google",
    "icloud": "caldav",
    "nextcloud": "caldav",
    "webdav": "caldav",
    "url": "ics",
    "webcal": "ics",
    "ical": "ics",
}


def _type(value: object) -> ConnectionType:
    words = [each.value for each in ConnectionType]
    if value not in words:
        word = value.casefold() if isinstance(value, str) else ""
        meant = _MEANT.get(word) or nearest(word, words)
        raise refusal(f"{one_of(words)} ({one_of(NOT_YET)} cannot be connected yet)", suggestion=meant)
    return ConnectionType(value)


def _url(value: object, info: ValidationInfo) -> str:
    kind = info.data.get("type")
    if kind is ConnectionType.ICS:
        return ics_url(value, folder_of(info))
    if kind is ConnectionType.CALDAV:
        return caldav_url(value)
    # What it should be depends on a type that is refused already.
    return value if isinstance(value, str) else ""


def _remote_user(value: object) -> str:
    text = plain_text(value)
    if ":" in text:
        # It ends the name in HTTP Basic (RFC 7617 section 2).
        raise refusal("a name without a colon")
    return text


def _user_of(data: dict[str, Any]) -> str:
    url = data.get("url", "")
    return url if data.get("type") is ConnectionType.CALDAV and is_mail(url) else ""


RemoteUrl = Annotated[str, PlainValidator(_url), WithJsonSchema({"type": "string", "minLength": 1})]
Endpoint = Annotated[str, PlainValidator(endpoint_url), WithJsonSchema({"type": "string"})]
RemoteUser = Annotated[str, PlainValidator(_remote_user), WithJsonSchema({"type": "string", "minLength": 1})]


SETTINGS_OF = {
    "url": (ConnectionType.CALDAV, ConnectionType.ICS),
    "url_file": (ConnectionType.ICS,),
    "user": (ConnectionType.CALDAV, ConnectionType.ICS),
    "password_file": (ConnectionType.CALDAV, ConnectionType.ICS),
    "password": (ConnectionType.CALDAV, ConnectionType.ICS),
    "ca_file": (ConnectionType.CALDAV, ConnectionType.ICS),
    "allow_private": (ConnectionType.ICS,),
    "client_file": (ConnectionType.GOOGLE,),
    "service_account_file": (ConnectionType.GOOGLE,),
    "subject": (ConnectionType.GOOGLE,),
    "endpoints": (ConnectionType.GOOGLE,),
}
"""The types that have a setting; one that is not named here belongs to all of them."""

_NEEDED: dict[ConnectionType, dict[str, Any]] = {
    ConnectionType.CALDAV: {"required": ["url"]},
    ConnectionType.ICS: {"anyOf": [{"required": ["url"]}, {"required": ["url_file"]}]},
    ConnectionType.GOOGLE: {
        "oneOf": [
            {"required": ["client_file"], "properties": {"subject": False}},
            {"required": ["service_account_file", "subject"]},
        ]
    },
}


def _tell_editors(schema: dict[str, Any]) -> None:
    """Says in the JSON Schema which settings each type needs, and which it does not have."""
    schema["required"] = ["type"]
    schema["allOf"] = []
    for kind, needed in _NEEDED.items():
        foreign = {name: False for name, kinds in SETTINGS_OF.items() if kind not in kinds}
        then = {**needed, "properties": foreign}
        schema["allOf"].append({"if": {"properties": {"type": {"const": kind.value}}}, "then": then})


class Endpoints(Settings):
    """Where a provider is reached in place of its public addresses; each "" stands for the public one."""

    api: Endpoint = Field(default="", description="address of its calendars, in place of the public one")
    auth: Endpoint = Field(default="", description="address of its consent page")
    token: Endpoint = Field(default="", description="address that gives out access tokens")
    revoke: Endpoint = Field(default="", description="address that takes tokens back")


class Connection(Settings):
    """Credentials for one user of an upstream.

    A certificate that no public authority has signed is trusted by `ca_file`; there is no way to trust any
    certificate, as whoever stands between could then read the password and change every appointment.

    Attributes:
        url: The address; for type ics it may be secret as a whole, so it never shows; "" for type google.
        user: Its own, or the mail address that stands in `url`; "" where there is none.
        password: From the environment or from `password_file`; None where `calbridge connect` has sealed it in the
            database, or none is needed.
        client_file: What the provider gave the administrator to ask people for their consent with; None with a
            service account.
        service_account_file: The key of a service account that may act for others; None where people consent.
        subject: For whom the service account acts; None without one.
    """

    model_config = ConfigDict(json_schema_extra=_tell_editors)

    type: Annotated[
        ConnectionType,
        PlainValidator(_type),
        WithJsonSchema({"type": "string", "enum": [each.value for each in ConnectionType]}),
    ] = Field(description="caldav or google (both two-way), or ics (a calendar file by its address, read only)")
    url: RemoteUrl = Field(
        default_factory=str,
        validate_default=False,
        repr=False,
        description="caldav: https address, host or mail address; ics: https, http, webcal or file address",
    )
    url_file: FilePath | None = Field(
        default=None, description="ics: file that holds the address, as whoever knows it can read the calendar"
    )
    user: RemoteUser = Field(
        default_factory=_user_of, validate_default=False, description="name that the other server knows us by"
    )
    password_file: FilePath | None = Field(
        default=None, description="file that holds the password; without one `calbridge connect` asks and seals it"
    )
    password: PlainPassword | None = Field(
        default=None, description="the password, by ${NAME} from the environment only"
    )
    ca_file: FilePath | None = Field(
        default=None, description="PEM file of the authority that signed the server's certificate, where it is private"
    )
    allow_private: Switch = Field(
        default=False, description="ics: whether the address may lead into this machine or a private network"
    )
    client_file: FilePath | None = Field(
        default=None, description="google: file of the OAuth client, as Google's console gives it out"
    )
    service_account_file: FilePath | None = Field(
        default=None, description="google: instead of client_file, key of a service account of a Workspace"
    )
    subject: Email | None = Field(
        default=None, description="google: mail address of the person or room for whom the service account acts"
    )
    endpoints: Endpoints = Field(
        default_factory=Endpoints, description="google: other addresses of the service, for tests and special clouds"
    )
    rate: Annotated[int, *whole(1, 60_000)] = Field(default=600, description="requests in a minute, at most")
    parallel: Annotated[int, *whole(1, 32)] = Field(default=4, description="requests at once, at most")

    @property
    def asks_for_consent(self) -> bool:
        """Whether a person lets us in on a page of the provider, instead of telling a password."""
        return self.client_file is not None

    @property
    def shown(self) -> str:
        """The address as a person may see it: of an ICS address the host alone, as the rest may be secret."""
        if self.type is ConnectionType.GOOGLE:
            return f"Google Calendar as {self.subject}" if self.subject else "Google Calendar"
        return shown_url(self.url) if self.type is ConnectionType.ICS else self.url
