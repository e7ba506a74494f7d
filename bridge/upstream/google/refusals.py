"""Every refusal of Google Calendar becomes one of our errors, here and nowhere else.

The answers are those of https://developers.google.com/workspace/calendar/api/guides/errors: a status, and a reason
within the body. One table says what a reason means, another what a status means where no reason is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.errors import (
    CalendarGone,
    CalendarReadOnly,
    CursorExpired,
    LoginRefused,
    QuotaExceeded,
    RemoteChanged,
    RemoteRefused,
    Throttled,
    UpstreamError,
    UpstreamUnavailable,
)
from bridge.upstream.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


class Deed(Enum):
    """What was asked for; the same status means something else for each."""

    CALENDARS = "calendars"
    READ = "read"
    WRITE = "write"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Refused:
    """What Google said in place of doing what was asked.

    Attributes:
        status: The HTTP status.
        reason: The word by which Google tells one cause from another; empty where it gave none.
        message: Its sentence for people; may name what the request was about, so it is never logged.
        place: Which parameter or field it is about, as far as it says.
        after: How long it wants to be left alone; None where it does not say.
    """

    status: int
    reason: str = ""
    message: str = field(default="", repr=False)
    place: str = ""
    after: timedelta | None = None

    @property
    def is_about_notices(self) -> bool:
        """Whether it is the address for notices that is not let in, rather than the user."""
        return self.reason.startswith("push.")

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> Refused:
        """What an answer says.

        Args:
            status: The HTTP status.
            headers: By lower-case name.
            body: The resource that came, or an empty one.
        """
        error = body.get("error")
        told = error if isinstance(error, dict) else {}
        several = told.get("errors")
        first = several[0] if isinstance(several, list) and several and isinstance(several[0], dict) else {}
        return cls(
            status=status,
            reason=str(first.get("reason") or told.get("status") or ""),
            message=str(first.get("message") or told.get("message") or ""),
            place=str(first.get("location") or ""),
            after=retry_after(headers),
        )


class _Meaning(NamedTuple):
    kind: type[UpstreamError]
    sentence: str
    remedy: str = ""


_LATER = "It is asked again later."
_SCOPES = _Meaning(
    LoginRefused,
    "Google lets {who} in, but not to what Calbridge needs",
    "Connect again, and tick every box on the page where Google asks for permission.",
)
_READ_ONLY = _Meaning(
    CalendarReadOnly,
    "Google lets {who} read this calendar, but not write to it",
    "Its owner has to share it with the right to make changes. For a calendar of another person in a Workspace, an "
    "administrator must allow that in the admin console (Calendar, sharing settings); it can take up to 24 hours until "
    "it counts. Or set `direction: pull` in the rule.",
)
_TOO_FAST = _Meaning(
    Throttled,
    "Google asks to be asked less often",
    "It goes on by itself. Where it stays so, lower `rate` of the connection, or ask Google for a larger quota.",
)
_FULL = _Meaning(
    QuotaExceeded,
    "Google has reached a limit on what one user may keep or change in its calendars",
    "Google lifts it by itself, usually within a day (https://support.google.com/a/answer/2905486); nothing is lost "
    "meanwhile.",
)
_NOT_ENABLED = _Meaning(
    LoginRefused,
    "The Google Cloud project of the client has no Google Calendar API",
    "Open its page 'APIs & Services', enable the Google Calendar API, and wait a few minutes.",
)
_NO_CALENDAR = _Meaning(
    CalendarGone,
    "Google has no such calendar, or {who} may not see it",
    "List the calendars of the connection, and name one of them in the rule; or have it shared with this user again.",
)
_NOT_OURS = _Meaning(
    RemoteRefused,
    "Only who organises an appointment may change it at Google",
    "Have its organiser change it, or change it in a copy of your own.",
)
_LOGIN = _Meaning(
    LoginRefused,
    "Google does not accept the permission of {who} any more",
    "Connect again; the rule, its links and what was read so far stay as they are.",
)
_REFUSED = _Meaning(
    RemoteRefused,
    "Google does not take an appointment as it is",
    "Look at the appointment, change what it stumbles over, and try it again.",
)
_EXPIRED = _Meaning(CursorExpired, "Google does not know any more what was read of the calendar the last time")
_OVERTAKEN = _Meaning(RemoteChanged, "The appointment at Google is not the version any more that was read")
_AWAY = _Meaning(UpstreamUnavailable, "Google Calendar does not do what was asked for now", _LATER)
_NO_NOTICES = _Meaning(
    RemoteRefused,
    "Google sends no notices of this calendar to that address",
    "Nothing is lost by that, it is asked at each poll. `public_url` has to be an https address that the internet "
    "reaches, with a certificate that is generally trusted; some calendars of others cannot be watched at all.",
)

_BY_REASON: Mapping[tuple[int, str], _Meaning] = {
    (400, "fullSyncRequired"): _EXPIRED,
    (400, "updatedMinTooLongAgo"): _EXPIRED,
    (401, "push.webhookUrlUnauthorized"): _NO_NOTICES,
    (403, "accessNotConfigured"): _NOT_ENABLED,
    (403, "SERVICE_DISABLED"): _NOT_ENABLED,
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"): _SCOPES,
    (403, "insufficientPermissions"): _SCOPES,
    (403, "PERMISSION_DENIED"): _SCOPES,
    (403, "requiredAccessLevel"): _READ_ONLY,
    (403, "insufficientAccess"): _READ_ONLY,
    (403, "forbiddenForNonOrganizer"): _NOT_OURS,
    (403, "forbiddenForServiceAccounts"): _Meaning(
        RemoteRefused,
        "A service account may not invite people",
        "Name as `subject` of the connection the person for whom it writes, or set 'attendees: false' in the rule.",
    ),
    (403, "notACalendarUser"): _Meaning(
        LoginRefused,
        "{who} has no Google Calendar",
        "Let the user open https://calendar.google.com once, or have an administrator switch Calendar on for the user.",
    ),
    (403, "domainPolicy"): _Meaning(
        LoginRefused,
        "The administrator of the Workspace does not let other programs use Google Calendar",
        "Have the client of the connection trusted in the admin console (Security, API controls).",
    ),
    (403, "rateLimitExceeded"): _TOO_FAST,
    (403, "userRateLimitExceeded"): _TOO_FAST,
    (403, "rateLimitExceededUnreg"): _TOO_FAST,
    (403, "dailyLimitExceeded"): _TOO_FAST,
    (403, "RESOURCE_EXHAUSTED"): _TOO_FAST,
    (403, "quotaExceeded"): _FULL,
    (403, "calendarUsageLimitsExceeded"): _FULL,
    (410, "fullSyncRequired"): _EXPIRED,
    (410, "updatedMinTooLongAgo"): _EXPIRED,
}
_BY_STATUS: Mapping[Deed, Mapping[int, _Meaning]] = {
    Deed.CALENDARS: {403: _SCOPES},
    Deed.READ: {403: _NO_CALENDAR, 404: _NO_CALENDAR, 410: _EXPIRED},
    Deed.WRITE: {
        400: _REFUSED, 403: _READ_ONLY, 404: _NO_CALENDAR, 409: _REFUSED, 410: _OVERTAKEN, 412: _OVERTAKEN,
        413: _REFUSED, 414: _REFUSED, 422: _REFUSED,
    },
    Deed.WATCH: {400: _NO_NOTICES, 403: _NO_NOTICES, 404: _NO_CALENDAR, 410: _NO_NOTICES},
}  # fmt: skip
_PROPERTIES = {
    "recurrence": "RRULE", "rrule": "RRULE", "timezone": "DTSTART", "time zone": "DTSTART", "start": "DTSTART",
    "end": "DTEND", "time range": "DTEND", "attendee": "ATTENDEE", "reminder": "VALARM", "color": "COLOR",
    "source": "URL", "description": "DESCRIPTION", "summary": "SUMMARY", "location": "LOCATION",
}  # fmt: skip
"""Words by which Google names what an event cannot have, and what iCalendar calls it."""


def error(refused: Refused, deed: Deed, *, who: str, delta: bool = False) -> UpstreamError:
    """The error that a refusal stands for.

    Args:
        refused: What Google said.
        deed: What was asked for.
        who: Whom it speaks to; for the sentence.
        delta: Whether a sync token was sent: a token that Google cannot read is one that does not count any more.
    """
    if delta and refused.status == 400:  # noqa: PLR2004 -- bad request
        meaning = _EXPIRED
    elif refused.status == 429 or (refused.status == 503 and refused.after is not None):  # noqa: PLR2004
        meaning = _TOO_FAST
    elif refused.status == 401 and not refused.is_about_notices:  # noqa: PLR2004 -- unauthorised
        meaning = _LOGIN
    else:
        meaning = _BY_REASON.get((refused.status, refused.reason)) or _BY_STATUS[deed].get(refused.status, _AWAY)
    sentence = f"{meaning.sentence.format(who=who)} ({refused.reason or refused.status})."
    if meaning.kind is Throttled:
        return Throttled(sentence, after=refused.after, remedy=meaning.remedy)
    if meaning.kind is RemoteRefused:
        named = f" Google says: {refused.message}" if refused.message and meaning is _REFUSED else ""
        return RemoteRefused(f"{sentence}{named}", property_name=_property(refused), remedy=meaning.remedy)
    return meaning.kind(sentence, remedy=meaning.remedy)


def _property(refused: Refused) -> str:
    said = f"{refused.place} {refused.message}".lower()
    return next((name for word, name in _PROPERTIES.items() if re.search(rf"\b{word}", said)), "")
