"""A refusal as Google words it: status, domain, reason and message, in one table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# The page "Handle API errors" gives status, domain, reason and message of those that it names.
_KNOWN: dict[str, tuple[int, str, str]] = {
    "badRequest": (400, "global", "Bad Request"),
    "invalid": (400, "global", "Invalid Value"),
    "required": (400, "global", "Required"),
    "invalidParameter": (400, "global", "Invalid value for a parameter."),
    "timeRangeEmpty": (400, "calendar", "The specified time range is empty."),
    "cannotUseDefaultRemindersAndSpecifyOverride": (
        400,
        "calendar",
        "Cannot use default reminders and specify overrides at the same time.",
    ),
    "eventTypeRestriction": (400, "calendar", "The event type cannot be changed or does not allow this."),
    "push.webhookUrlNotHttps": (400, "global", "WebHook callback must be HTTPS"),
    "push.webhookUrlUnauthorized": (401, "global", "Unauthorized WebHook callback channel"),
    "channelIdNotUnique": (400, "global", "Channel id not unique"),
    "channelUnknown": (404, "global", "Channel not found for project"),
    "authError": (401, "global", "Invalid Credentials"),
    "insufficientPermissions": (403, "global", "Request had insufficient authentication scopes."),
    "rateLimitExceeded": (403, "usageLimits", "Rate Limit Exceeded"),
    "userRateLimitExceeded": (403, "usageLimits", "User Rate Limit Exceeded"),
    "quotaExceeded": (403, "usageLimits", "Calendar usage limits exceeded."),
    "tooManyRequests": (429, "usageLimits", "Rate Limit Exceeded"),
    "forbidden": (403, "global", "Forbidden"),
    "requiredAccessLevel": (403, "calendar", "You need to have writer access to this calendar."),
    "forbiddenForNonOrganizer": (
        403,
        "calendar",
        "Shared properties can only be changed by the organizer of the event.",
    ),
    "forbiddenForServiceAccounts": (
        403,
        "calendar",
        "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority.",
    ),
    "accessNotConfigured": (403, "usageLimits", "Google Calendar API has not been used in this project before."),
    "notFound": (404, "global", "Not Found"),
    "duplicate": (409, "global", "The requested identifier already exists."),
    "conflict": (409, "global", "Conflict"),
    "deleted": (410, "global", "Resource has been deleted"),
    "fullSyncRequired": (410, "calendar", "Sync token is no longer valid, a full sync is required."),
    "updatedMinTooLongAgo": (410, "calendar", "The requested minimum modification time lies too far in the past."),
    "conditionNotMet": (412, "global", "Precondition Failed"),
    "backendError": (500, "global", "Backend Error"),
    "notImplemented": (501, "global", "The fake does not know this method."),
    "serviceUnavailable": (503, "global", "Service unavailable"),
}


@dataclass(slots=True)
class Refused(Exception):
    """A request that is not done.

    Attributes:
        reason: One of the table; decides status, domain and message.
        message: In place of the one in the table.
        location: The parameter or header that is at fault.
    """

    reason: str
    message: str = ""
    location: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _KNOWN[self.reason][0]

    def answer(self) -> dict[str, Any]:
        """The body of the answer, as the page "Handle API errors" shows it."""
        status, domain, message = _KNOWN[self.reason]
        one: dict[str, Any] = {
            "domain": domain,
            "reason": "rateLimitExceeded" if self.reason == "tooManyRequests" else self.reason,
            "message": self.message or message,
        }
        if self.location:
            one["locationType"] = "header" if self.location[0].isupper() else "parameter"
            one["location"] = self.location
        return {"error": {"errors": [one], "code": status, "message": one["message"]}}

    def body(self) -> bytes:
        """The answer as bytes."""
        return json.dumps(self.answer()).encode()
