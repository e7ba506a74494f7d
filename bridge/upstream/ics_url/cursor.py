"""What is remembered of a feed from one poll to the next, as a short text whatever the length of the feed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from bridge.core.adoption import content_identity
from bridge.upstream.ics_url.fetching import Validators
from bridge.upstream.ics_url.variants import quiet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import tzinfo

    from bridge.core.model import CalendarObject

_VERSION: Final = 1
_SAMPLED: Final = 64
_SHORT: Final = 8
_FEWEST: Final = 3
_STAMPS: Final = frozenset({b"DTSTAMP", b"CREATED", b"LAST-MODIFIED"})


class Identity(StrEnum):
    """What the objects of a feed go by."""

    UID = "uid"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state of a feed as it was read the last time.

    Attributes:
        mark: Which place it was read from.
        validators: What to ask with.
        text: The hash of its text without stamps.
        count: How many objects it had.
        identity: What they go by.
        sample: Of some objects, which stay the same as long as the feed does, a hash of what people recognise them by
            and one of their UID.
    """

    mark: str
    validators: Validators
    text: str
    count: int
    identity: Identity
    sample: dict[str, str] = field(default_factory=dict)

    def write(self) -> str:
        """The cursor as JSON."""
        state = {
            "version": _VERSION,
            "mark": self.mark,
            "etag": self.validators.etag,
            "modified": self.validators.modified,
            "text": self.text,
            "count": self.count,
            "identity": self.identity,
            "sample": self.sample,
        }
        return json.dumps(state, separators=(",", ":"))


def read_cursor(text: str) -> Cursor | None:
    """The cursor that was written; None where the text is none of this version."""
    try:
        state: dict[str, Any] = json.loads(text)
        if state["version"] != _VERSION:
            return None
        return Cursor(
            mark=str(state["mark"]),
            validators=Validators(str(state["etag"]), str(state["modified"])),
            text=str(state["text"]),
            count=int(state["count"]),
            identity=Identity(state["identity"]),
            sample=dict(state["sample"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def text_hash(body: bytes, identity: Identity) -> str:
    """The hash of what counts in a feed: neither stamps nor folds nor, where they change all the time, UIDs."""
    silent = _STAMPS | ({b"UID"} if identity is Identity.CONTENT else frozenset())
    return sha256(quiet(body, silent)).hexdigest()


def sample(objects: Iterable[CalendarObject], *, zone: tzinfo) -> dict[str, str]:
    """Some objects that nobody else looks like: always the same ones as long as they are there.

    Args:
        objects: All objects of a feed.
        zone: The account's zone.
    """
    uids: dict[str, str] = {}
    often: Counter[str] = Counter()
    for obj in objects:
        look = content_identity(obj, zone=zone)[:_SHORT]
        often[look] += 1
        uids[look] = _mark(obj.uid)
    alone = sorted(look for look, times in often.items() if times == 1)
    return {look: uids[look] for look in alone[:_SAMPLED]}


class Stability(StrEnum):
    """What a listing tells of the UIDs of a feed, beside what is remembered of the last one."""

    STABLE = "stable"
    CHURNING = "churning"
    UNCLEAR = "unclear"


def stability(before: dict[str, str], objects: Collection[CalendarObject], *, zone: tzinfo) -> Stability:
    """Whether objects that are still there have kept their UIDs.

    A person who deletes one and makes it anew is no churn: there have to be some that have lost their UIDs, and these
    have to be most of those that were seen before.

    Args:
        before: The sample of the last listing.
        objects: All objects of this one.
        zone: The account's zone.
    """
    after = sample(objects, zone=zone)
    there = {_mark(obj.uid) for obj in objects}
    kept = sum(uid in there for uid in before.values())
    lost = sum(after.get(look, uid) != uid for look, uid in before.items())
    if kept and kept >= lost:
        return Stability.STABLE
    return Stability.CHURNING if lost >= _FEWEST and 2 * lost > len(before) else Stability.UNCLEAR


def _mark(uid: str) -> str:
    return sha256(uid.encode()).hexdigest()[:_SHORT]
