"""What a person has to do differs by provider: app passwords, switches, and those that are no CalDAV servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import AddressRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

_APP_PASSWORD: Mapping[str, str] = {
    "icloud.com": "Make an app-specific password at https://account.apple.com and enter that; changing the Apple "
    "password revokes all of them.",
    "me.com": "Make an app-specific password at https://account.apple.com, and name caldav.icloud.com as the address.",
    "fastmail.com": "Make an app password for calendars in the Fastmail settings under Privacy & Security.",
    "yahoo.com": "Make an app password in the Yahoo account under Security.",
    "zoho.com": "Make an app-specific password in the Zoho account under Security.",
    "zoho.eu": "Make an app-specific password in the Zoho account under Security.",
    "yandex.ru": "Make an app password for the calendar in the Yandex ID settings.",
    "yandex.com": "Make an app password for the calendar in the Yandex ID settings.",
    "mailbox.org": "With two-factor login, make an application password in the mailbox.org settings.",
    "posteo.de": "Check user (the whole mail address) and password; with two-factor login the mail password is right.",
}
"""The registrable domain of a provider, and what it takes where the usual password is refused."""

_USE_GOOGLE = "Use 'type: google' for this connection; docs/google.md says what Google has to be told first."
_NO_MICROSOFT = (
    "Microsoft cannot be connected both ways yet: publish the calendar, and read its address by 'type: ics'."
)
_OTHER_WAYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("google.com", "gmail.com", "googlemail.com", "googleusercontent.com", "googleapis.com"), _USE_GOOGLE
    ),
    **dict.fromkeys(
        ("outlook.com", "hotmail.com", "live.com", "msn.com", "office.com", "office365.com", "microsoft.com"),
        _NO_MICROSOFT,
    ),
    "exchangelabs.com": _NO_MICROSOFT,
}
"""Domains whose calendars are not reached by CalDAV, and what to do instead."""

_SERVICES: Mapping[str, str] = dict.fromkeys(("icloud.com", "mac.com", "me.com"), "https://caldav.icloud.com/")
"""Mail domains whose calendars are at another site, and do not say so in their DNS."""

_FORBIDDEN = 403


def login_remedy(host: str, status: int) -> str:
    """What to do where the server `host` does not let the user in."""
    known = _of_domain(host, _APP_PASSWORD)
    if known:
        return known
    if status == _FORBIDDEN:
        return "The server knows the user, but not the right to these calendars: have CalDAV allowed for this user."
    return (
        "Check user and password; with two-factor login most providers want an app password. Nextcloud: make one under "
        "Settings, Security."
    )


def service_of(domain: str) -> str:
    """Where the calendars of a mail domain are known to be; empty where the domain has to be asked."""
    return _SERVICES.get(domain, "")


def check_type(host: str) -> None:
    """Passes where `host` may be a CalDAV server.

    Raises:
        AddressRefused: Its calendars are reached in another way; the remedy names it.
    """
    remedy = _of_domain(host, _OTHER_WAYS)
    if remedy:
        raise AddressRefused(f"The calendars of {host} are not reached by CalDAV with a password.", remedy=remedy)


def _of_domain(host: str, table: Mapping[str, str]) -> str:
    labels = host.lower().rstrip(".").split(".")
    return next((table[name] for start in range(len(labels)) if (name := ".".join(labels[start:])) in table), "")
