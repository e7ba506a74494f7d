"""Google's authorisation server: its addresses, the scopes of a calendar, and what its refusals mean.

https://developers.google.com/identity/protocols/oauth2 and .../oauth2/native-app#errors; the names of the scopes are
those of the discovery document of Calendar v3.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Final

from bridge.upstream.oauth.provider import Cause, Deed, Ending, Provider

AUTH_URL: Final = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address, no secret
REVOKE_URL: Final = "https://oauth2.googleapis.com/revoke"

SCOPES: Final = MappingProxyType(
    {
        "https://www.googleapis.com/auth/calendar.events": "View and edit events on all your calendars",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly": (
            "See the list of Google calendars you're subscribed to"
        ),
    }
)

_DELEGATION: Final = (
    "A Workspace administrator allows it at admin.google.com, Security, API controls, Domain-wide delegation: "
    "client ID {client}, scopes {scopes}. It can take up to 24 hours to work."
)
_CONSOLE: Final = "console.cloud.google.com, APIs & Services, Credentials"
_AT_PAGE: Final = frozenset({Deed.CONSENT})
_AS_SERVICE: Final = frozenset({Deed.ASSERTION})
_ALONE: Final = frozenset({Deed.CODE, Deed.RENEWAL})

_CAUSES: Final = (
    Cause(
        "invalid_grant",
        "Google wants the person to log in anew: the Workspace of this account limits how long a login lasts "
        "(invalid_rapt).",
        "Run `{connect}`. So that it does not happen again, a Workspace administrator marks the app as trusted under "
        "Security, Google Cloud session control.",
        says="rapt",
    ),
    Cause(
        "invalid_grant",
        "The Google account that had granted the access was deleted or suspended.",
        "Have it restored, or run `{connect}` with another account.",
        says="account has been",
        deeds=_ALONE,
    ),
    Cause(
        "invalid_grant",
        "The clock of this machine is wrong: Google does not take what it signs as made now.",
        "Have the clock set by a time server (NTP).",
        says="reasonable timeframe",
        deeds=_AS_SERVICE,
    ),
    Cause(
        "invalid_grant",
        "Google does not know the signature: the key of the service account was deleted or replaced.",
        "Make a new key at " + _CONSOLE + ", and name its file as `service_account_file`.",
        says="signature",
        deeds=_AS_SERVICE,
    ),
    Cause(
        "invalid_grant",
        "There is no user {subject} in this Workspace.",
        "Write the mail address of a user as `subject` of the connection. A room or a group is none: for its calendar, "
        "name somebody who may edit it.",
        says="invalid email",
        deeds=_AS_SERVICE,
    ),
    Cause(
        "invalid_grant",
        "The service account does not exist any more.",
        "Make a new one at " + _CONSOLE + ", and name the file of its key as `service_account_file`.",
        says="account not found",
        deeds=_AS_SERVICE,
    ),
    Cause(
        "unauthorized_client",
        "The service account may not act for {subject}: domain-wide delegation is not allowed, or not for these "
        "scopes.",
        _DELEGATION,
        deeds=_AS_SERVICE,
    ),
    Cause(
        "access_denied",
        "The service account may not act for {subject}: domain-wide delegation does not allow all of these scopes.",
        _DELEGATION,
        deeds=_AS_SERVICE,
    ),
    Cause(
        "invalid_scope",
        "The service account may not ask for these scopes in the name of {subject}.",
        _DELEGATION,
        deeds=_AS_SERVICE,
    ),
    Cause(
        "admin_policy_enforced",
        "The administrator of this Google Workspace does not let apps have these rights.",
        "Ask the administrator to allow client {client} at admin.google.com, Security, API controls, App access "
        "control; that can take up to 24 hours. Then run `{connect}`.",
    ),
    Cause(
        "org_internal",
        "The app is for one Google Workspace only, and this account does not belong to it.",
        "Run `{connect}` with an account of that Workspace, or set the user type of the app to External at "
        "console.cloud.google.com, Google Auth Platform, Audience.",
    ),
    Cause(
        "access_denied",
        "Google did not let this account grant the access, or the person cancelled.",
        "Run `{connect}` again and allow it. An app in testing lets only its test users in: add the account at "
        "console.cloud.google.com, Google Auth Platform, Audience, or publish the app there.",
        deeds=_AT_PAGE,
    ),
    Cause(
        "disallowed_useragent",
        "Google does not show its consent page in a browser that is embedded in another program.",
        "Open the address in an ordinary browser.",
    ),
    Cause(
        "deleted_client",
        "The OAuth client {client} was deleted at Google.",
        "Make a new one at " + _CONSOLE + ", name its file as `client_file`, and run `{connect}`.",
    ),
    Cause(
        "invalid_client",
        "Google does not know the OAuth client {client}, or its secret is not the right one.",
        "Download the client's file anew at " + _CONSOLE + ", name it as `client_file`, and run `{connect}`.",
    ),
    Cause(
        "redirect_uri_mismatch",
        "Google does not know the address that the browser is to come back to as one of client {client}.",
        "Make an OAuth client of the type 'Desktop app', which may come back to this machine, or add the address to "
        "the client at " + _CONSOLE + ".",
    ),
    Cause(
        "invalid_scope",
        "Google does not know one of the scopes, or the project may not ask for it.",
        "Enable the Google Calendar API in the project at console.cloud.google.com, and add the scopes {scopes} under "
        "Google Auth Platform, Data access.",
    ),
    Cause(
        "unauthorized_client",
        "Google does not let the OAuth client {client} log people in this way.",
        "Make an OAuth client of the type 'Desktop app' at " + _CONSOLE + ", and name its file as `client_file`.",
    ),
)

_TRIAL: Final = Ending(
    timedelta(days=7),
    "The access that was granted on {granted} ended after 7 days, as Google ends every one of an app whose publishing "
    "status is 'Testing'.",
    "Set the status to 'In production' (or the user type to Internal, within one Workspace) at "
    "console.cloud.google.com, Google Auth Platform, Audience; then run `{connect}`.",
)
_UNUSED: Final = Ending(
    timedelta(days=180),
    "The access that was granted on {granted} has not been used since {used}, and Google ends what nobody uses for "
    "six months.",
    "Run `{connect}`.",
)


def google(*, auth_url: str = AUTH_URL, token_url: str = TOKEN_URL, revoke_url: str = REVOKE_URL) -> Provider:
    """Google as a provider, at its own addresses or at others that stand in for them.

    Raises:
        ConfigurationError: An address is neither https nor on this machine.
    """
    return Provider(
        name="Google",
        auth_url=auth_url,
        token_url=token_url,
        revoke_url=revoke_url,
        scopes=SCOPES,
        # Without `consent` Google gives a refresh token only the first time, and a reconnect would have none.
        extra=MappingProxyType({"access_type": "offline", "prompt": "consent"}),
        trial=_TRIAL,
        unused=_UNUSED,
        causes=_CAUSES,
    )
