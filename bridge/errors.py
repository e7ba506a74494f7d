"""Every error that Calbridge raises on purpose, in one tree.

::

    CalbridgeError                   whose turn is it?
    ├── ConfigurationError           person   the YAML file (or a file that it names) is wrong
    ├── ObjectRefused                never    bytes that cannot be kept as one calendar object
    │   ├── NotACalendar             never    not iCalendar, not UTF-8, or empty
    │   ├── WrongComponents          never    no component, several UIDs, or a type that is not held here
    │   └── TooManyInstances         never    a recurrence set denser or larger than the limit
    ├── QueryRefused                 never    a filter or time range that a client sent cannot be evaluated
    ├── Conflict                     person   the request contradicts what is stored
    │   ├── PreconditionFailed       person   If-Match or If-None-Match does not hold any more
    │   ├── UidConflict              person   the UID stands in this collection under another href
    │   ├── TooManyProperties        person   a user gave a calendar more DAV properties than are kept
    │   └── NothingToUndo            person   the journal entry cannot be undone any more
    ├── NotFound                     person   no such account, resource, user, feed, object or entry
    ├── AddressTaken                 person   connections cannot be taken on the address that was chosen
    ├── BrokenOff                    retry    the program is to end, so what it was doing ends between two steps
    ├── SyncTokenRefused             never    the token is not one of ours, or is too old
    ├── UpstreamError                         the remote provider did not do what was asked
    │   ├── UpstreamUnavailable      retry    it is out of reach, slow, overloaded or broken for now
    │   │   ├── Throttled            retry    it asks to be asked later, and may say when
    │   │   └── ListingDoubtful      retry    its answer is empty, cut off, or no calendar: nothing is concluded from it
    │   ├── HostUnknown              person   no such host
    │   ├── CertificateRefused       person   its certificate cannot be trusted
    │   ├── AddressRefused           person   its address is one that this server may not ask
    │   ├── LoginRefused             person   user, password or token is wrong, revoked, or lacks a right
    │   ├── CalendarGone             person   the remote calendar does not exist any more
    │   ├── CalendarReadOnly         person   nothing may be written there
    │   ├── QuotaExceeded            person   there is no room left there
    │   ├── CursorExpired            never    the cursor is not valid any more; everything is read anew and compared
    │   ├── RemoteChanged            retry    the remote object is not the one that was to be replaced or removed
    │   ├── UidTaken                 never    the UID stands at another place of the same remote user
    │   └── RemoteRefused            never    it refuses this one object for good; it is parked
    └── StoreError
        ├── StoreUnavailable         retry    the database is locked, restarting or out of reach
        │   └── StoreContended       retry    another change got in the way of this one, which was undone
        ├── LeaseLost                retry    another worker has taken a rule over, or it was changed meanwhile
        ├── StoreFull                person   no space left for the database
        ├── StoreReadOnly            person   the database or its folder may not be written
        ├── StoreNewer               person   a newer Calbridge made this database
        └── SealBroken               person   a secret was sealed with a key that is not in the key file

A message is one sentence for the person who meets it: what happened, to which appointment or setting.
`remedy` says what to do now.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class Turn(Enum):
    """Whose turn it is after an error."""

    RETRY = "retry"
    PERSON = "person"
    NEVER = "never"


class CalbridgeError(Exception):
    """A failure with a sentence for the person who meets it.

    Args:
        message: What happened, to which appointment or setting.
        remedy: What to do now; may be empty where the message says it all.
    """

    turn = Turn.PERSON

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(CalbridgeError):
    """The YAML file, or a file that it names, is wrong; `problems` lists every fault with its line."""

    def __init__(self, message: str, *, remedy: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = problems


class ObjectRefused(CalbridgeError):
    """Bytes that cannot be kept as one calendar object (RFC 4791 section 4.1)."""

    turn = Turn.NEVER


class NotACalendar(ObjectRefused):
    """The bytes are no iCalendar stream: not UTF-8, not a VCALENDAR, or an empty one."""


class WrongComponents(ObjectRefused):
    """The stream holds no component, several UIDs, or a component type that is not held here."""


class TooManyInstances(ObjectRefused):
    """The recurrence set is denser or larger than the configured limit."""


class QueryRefused(CalbridgeError):
    """A filter or a time range that a client sent cannot be evaluated (RFC 4791 sections 7.8 and 9)."""

    turn = Turn.NEVER


class Conflict(CalbridgeError):
    """The request contradicts what is stored."""


class PreconditionFailed(Conflict):
    """If-Match or If-None-Match does not hold any more (RFC 9110 section 13.1)."""


class UidConflict(Conflict):
    """The UID stands in this collection under another href (RFC 4791 section 5.3.2.1).

    Args:
        message: The sentence.
        href: The href under which the UID stands.
    """

    def __init__(self, message: str, *, href: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.href = href


class TooManyProperties(Conflict):
    """The DAV properties of one user on one calendar are more, or larger, than are kept (RFC 4918 section 11.5)."""


class NothingToUndo(Conflict):
    """A journal entry that cannot be undone any more."""


class NotFound(CalbridgeError):
    """No such account, resource, user, feed, calendar object or journal entry."""


class AddressTaken(CalbridgeError):
    """The server cannot take connections on the address that was chosen."""


class BrokenOff(CalbridgeError):
    """The program is to end, so what it was doing ended between two steps; the next start goes on from there."""

    turn = Turn.RETRY


class SyncTokenRefused(CalbridgeError):
    """The sync token is not one of ours, or older than the change log (RFC 6578 section 3.2)."""

    turn = Turn.NEVER


class StoreError(CalbridgeError):
    """The database could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database is locked, restarting or out of reach; the same request may succeed soon."""

    turn = Turn.RETRY


class StoreContended(StoreUnavailable):
    """Another change got in the way of this one, which was undone; the same again at once may succeed."""


class LeaseLost(StoreError):
    """A worker may write nothing more for a rule: another has taken it over, or it was changed meanwhile."""

    turn = Turn.RETRY


class StoreFull(StoreError):
    """There is no space left for the database."""


class StoreReadOnly(StoreError):
    """The database, or its folder, may not be written."""


class StoreNewer(StoreError):
    """A newer Calbridge made this database."""


class SealBroken(StoreError):
    """A secret was sealed with a key that is not in the key file any more."""


class UpstreamError(CalbridgeError):
    """A remote provider did not do what was asked; adapters translate its answers into these, in one place each."""


class UpstreamUnavailable(UpstreamError):
    """The provider is out of reach, slow, overloaded or broken for now; the same request may succeed later."""

    turn = Turn.RETRY


class Throttled(UpstreamUnavailable):
    """The provider asks to be asked later (RFC 9110 section 10.2.3).

    Args:
        message: The sentence.
        after: How long it wants to be left alone, or None where it did not say.
    """

    def __init__(self, message: str, *, after: timedelta | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.after = after


class ListingDoubtful(UpstreamUnavailable):
    """An answer that is empty, cut off, or no calendar: nothing is concluded from it, least of all a deletion."""


class HostUnknown(UpstreamError):
    """There is no such host, as far as this machine's name servers know."""


class CertificateRefused(UpstreamError):
    """The provider's certificate has expired, belongs to another name, or is signed by nobody known here."""


class AddressRefused(UpstreamError):
    """The address is a private one, or of a scheme that may not be asked, and the configuration does not allow it."""


class LoginRefused(UpstreamError):
    """The provider refuses user, password or token, or has taken back a right."""


class CalendarGone(UpstreamError):
    """The remote calendar does not exist any more, or this user may not see it."""


class CalendarReadOnly(UpstreamError):
    """Nothing may be written to the remote calendar."""


class QuotaExceeded(UpstreamError):
    """The provider has no room left for this user (RFC 4331)."""


class CursorExpired(UpstreamError):
    """The cursor is not valid any more: everything has to be listed anew, and compared."""

    turn = Turn.NEVER


class RemoteChanged(UpstreamError):
    """The remote object is not in the state that was to be replaced or removed (RFC 9110 section 13.1.1)."""

    turn = Turn.RETRY


class UidTaken(UpstreamError):
    """The UID stands elsewhere in the same remote account, which holds each only once (RFC 4791 section 5.3.2.1)."""

    turn = Turn.NEVER


class RemoteRefused(UpstreamError):
    """The provider refuses this one object for good; it is parked while the rest goes on.

    Args:
        message: The sentence.
        property_name: Which property it stumbles over, as far as it says; empty where it does not.
    """

    turn = Turn.NEVER

    def __init__(self, message: str, *, property_name: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.property_name = property_name
