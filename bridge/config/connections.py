"""A connection says where another calendar server is, and who we are there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from bridge.config.locations import FilePath, folder_of
from bridge.config.passwords import PlainPassword
from bridge.config.remote_urls import caldav_url, ics_url, is_mail, shown_url
from bridge.config.settings import Settings
from bridge.config.values import Switch, plain_text, whole
from bridge.config.words import nearest, one_of, refusal


class ConnectionType(StrEnum):
    """The kinds of upstream that a connection can lead to."""

    CALDAV = "caldav"
    ICS = "ics"


NOT_YET = ("google", "microsoft", "exchange")
"""Kinds of upstream that people ask for, and that are not there yet."""

_MEANT = {
    "apple": "caldav",
    "dav": "caldav",
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
RemoteUser = Annotated[str, PlainValidator(_remote_user), WithJsonSchema({"type": "string", "minLength": 1})]


def _tell_editors(schema: dict[str, Any]) -> None:
    """Says in the JSON Schema what depends on the type, and that a file can stand for the address."""
    schema["required"] = ["type"]
    schema["if"] = {"properties": {"type": {"const": ConnectionType.ICS.value}}}
    schema["then"] = {"anyOf": [{"required": ["url"]}, {"required": ["url_file"]}]}
    schema["else"] = {"required": ["url"], "properties": {"url_file": False, "allow_private": False}}


class Connection(Settings):
    """Credentials for one user of an upstream.

    A certificate that no public authority has signed is trusted by `ca_file`; there is no way to trust any
    certificate, as whoever stands between could then read the password and change every appointment.

    Attributes:
        url: The address; for type ics it may be secret as a whole, so it never shows.
        user: Its own, or the mail address that stands in `url`; "" where there is none.
        password: From the environment or from `password_file`; None where `calbridge connect` has sealed it in the
            database, or none is needed.
    """

    model_config = ConfigDict(json_schema_extra=_tell_editors)

    type: Annotated[
        ConnectionType,
        PlainValidator(_type),
        WithJsonSchema({"type": "string", "enum": [each.value for each in ConnectionType]}),
    ] = Field(description="caldav (two-way) or ics (a calendar file by its address, read only)")
    url: RemoteUrl = Field(
        repr=False, description="caldav: https address, host or mail address; ics: https, http, webcal or file address"
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
    rate: Annotated[int, *whole(1, 60_000)] = Field(default=600, description="requests in a minute, at most")
    parallel: Annotated[int, *whole(1, 32)] = Field(default=4, description="requests at once, at most")

    @property
    def shown(self) -> str:
        """The address as a person may see it: of an ICS address the host alone, as the rest may be secret."""
        return shown_url(self.url) if self.type is ConnectionType.ICS else self.url
