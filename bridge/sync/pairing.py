"""Pairs: what stands here and there under one link, or alone on one side, and whether each side has changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bridge.core.origin import is_alias
from bridge.core.sides import Side
from bridge.store import journal, parked, placement
from bridge.store import link as links
from bridge.store.names import LONGEST_NAME, can_be_kept
from bridge.sync.copies import Copies
from bridge.sync.crew import in_parts
from bridge.sync.sighting import Hint
from bridge.upstream.powers import TellsAll
from bridge.upstream.protocol import Found, Gone, Unknown, Unreadable

_Value = TypeVar("_Value")
_TOGETHER = 100
_COPY = "The remote calendar holds this appointment a second time, as after an import; the one that is linked counts."
_NO_NAME = f"The upstream names it by an id that is empty, no text, or longer than {LONGEST_NAME} octets."
_MANY = range(100, 5_001)
"""How many objects there are in a calendar that is read as a whole: not too few to be worth it, nor too many for one
answer."""

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from bridge.core.model import CalendarObject
    from bridge.store.link import Link
    from bridge.store.outbox import Intent
    from bridge.store.placement import Stored
    from bridge.sync.assignment import Assignment
    from bridge.sync.sighting import Sighting
    from bridge.upstream.protocol import Upstream


@dataclass(frozen=True, slots=True)
class Pair:
    """One object on both sides, as far as it is there.

    Attributes:
        uid: Its UID here; of an object that is only there, that of the remote object.
        link: What is known of it from earlier, or None.
        here: What stands here now.
        there: What stands there now; None where it is gone, or was not looked at.
        remote_id: Of the remote object, or None.
        seen: Whether it was looked at there; otherwise it is taken to be as the link says, and a write finds out.
        hint: Why it was looked at there.
        intents: What is settled when the pair is.
    """

    uid: str
    link: Link | None
    here: Stored | None
    there: Found | None
    remote_id: str | None
    seen: bool
    hint: Hint | None
    intents: tuple[Intent, ...] = field(repr=False)

    @property
    def remote(self) -> CalendarObject | None:
        """The remote object, where it was looked at and is there."""
        return None if self.there is None or isinstance(self.there.object, Unreadable) else self.there.object

    @property
    def unfinished(self) -> bool:
        """Whether a write of ours was broken off there, and is to be done once more."""
        return self.there is not None and self.there.unfinished

    @property
    def theirs(self) -> Found:
        """What stands there, for a verdict that is about it."""
        return present(self.there)

    @property
    def their_object(self) -> CalendarObject:
        """The remote object, for a verdict that is about it."""
        return present(self.remote)

    @property
    def ours(self) -> Stored:
        """What stands here, for a verdict that is about it."""
        return present(self.here)

    @property
    def linked(self) -> Link:
        """The link, for a verdict on a pair that has one."""
        return present(self.link)


def present(value: _Value | None) -> _Value:
    """The value that a verdict is about."""
    if value is None:
        raise ValueError("the verdict is about something that is not there")
    return value


@dataclass(frozen=True, slots=True)
class Aside:
    """What cannot be paired now.

    Attributes:
        intent: The intent that asked for it, or None.
        remote_id: The remote object.
        uid: Of the link, or empty.
        reason: A sentence that says why.
        lasting: Whether it stays so until somebody changes it there.
        summary: Title of the remote object, or empty.
        is_copy: Whether it stands beside the one that is linked.
    """

    intent: Intent | None
    remote_id: str
    uid: str
    reason: str
    lasting: bool
    summary: str = field(default="", repr=False)
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class Pairing:
    """What intents and a sighting led to."""

    pairs: tuple[Pair, ...]
    aside: tuple[Aside, ...]


def pair_up(a: Assignment, sighting: Sighting, intents: Sequence[Intent], uids: Iterable[str] = ()) -> Pairing:
    """Looks at both sides of everything that intents, the sighting or `uids` name.

    Args:
        a: The rule.
        sighting: What was read there.
        intents: Those that are due.
        uids: Objects here to look at as well.
    """
    return _Pairing(a, sighting, intents).run(uids)


class _Pairing:
    def __init__(self, a: Assignment, sighting: Sighting, intents: Sequence[Intent]) -> None:
        self._a = a
        self._sighting = sighting
        self._here = {intent.key: intent for intent in intents if intent.side is Side.HERE}
        self._there = {intent.key: intent for intent in intents if intent.side is Side.THERE}
        self._hints: dict[str, Hint] = {key: Hint(intent.hint) for key, intent in self._there.items()}
        # What was just read is newer than what an intent remembers.
        self._hints.update(sighting.hints)
        self._aside: list[Aside] = []
        self._aliases: dict[str, str] = {}
        self._copies = Copies(a)
        self._successors: frozenset[str] = frozenset()
        self._others: dict[str, bool] = {}

    def run(self, uids: Iterable[str]) -> Pairing:
        a = self._a
        with a.database.reading() as tx:
            for link in links.by_uids(tx, a.rule.id, self._here).values():
                # What both sides are is not known: that has to be seen before anything is written.
                if link.remote_id is not None and not _is_agreed(link):
                    self._hints.setdefault(link.remote_id, Hint.CHANGED)
            by_remote = links.by_remotes(tx, a.rule.id, self._hints)
        found, gone = self._look(by_remote)
        wanted = {*self._here, *uids, *(link.uid for link in by_remote.values())}
        self._learn_aliases(found, by_remote, gone)
        wanted |= {self._uid(each.object) for each in found.values() if not isinstance(each.object, Unreadable)}
        with a.database.reading() as tx:
            here = {each.uid: each for each in placement.by_uids(tx, a.rule.collection_id, wanted)}
            by_uid = links.by_uids(tx, a.rule.id, wanted)
        pairs = {
            uid: Pair(
                uid,
                by_uid.get(uid),
                here.get(uid),
                there=None,
                remote_id=None,
                seen=False,
                hint=None,
                intents=self._intents(uid, None),
            )
            for uid in dict.fromkeys((*self._here, *uids))
        }
        for remote_id, link in by_remote.items():
            if remote_id not in found and remote_id not in gone:
                continue
            pairs[link.uid] = Pair(
                link.uid,
                link,
                here.get(link.uid),
                there=found.get(remote_id),
                remote_id=remote_id,
                seen=True,
                hint=self._hints[remote_id],
                intents=self._intents(link.uid, remote_id),
            )
        for remote_id in gone - by_remote.keys():
            # It came and went before anybody looked, was set aside, or was untied since.
            pairs[f"\0{remote_id}"] = Pair(
                remote_id,
                None,
                None,
                there=None,
                remote_id=remote_id,
                seen=True,
                hint=Hint.GONE,
                intents=self._intents("", remote_id),
            )
        self._look_for_others(found, by_remote, by_uid, gone)
        unlinked = [each for remote_id, each in found.items() if remote_id not in by_remote]
        # Of two that have one UID here, the one that was linked goes before what was made beside it.
        for each in sorted(unlinked, key=self._is_new):
            self._add_unlinked(each, pairs, by_uid, here, gone)
        return Pairing(tuple(pairs.values()), tuple(self._aside))

    def _learn_aliases(self, found: Mapping[str, Found], by_remote: Mapping[str, Link], gone: set[str]) -> None:
        """Reads under which other UIDs objects of ours stand there: created under an alias, or adopted under their own.

        Such an object may have got another remote id, or the answer to its creation may have been lost.
        """
        a = self._a
        unlinked = [each.object for id_, each in found.items() if id_ not in by_remote]
        if not unlinked:
            return
        with a.database.reading() as tx:
            for remote_id in gone & by_remote.keys():
                link = by_remote[remote_id]
                if link.base_there is not None:
                    self._aliases[a.parse(journal.raw(tx, link.base_there)).uid] = link.uid
            if any(not isinstance(obj, Unreadable) and is_alias(obj.uid) for obj in unlinked):
                self._aliases |= {
                    alias: each.uid
                    for each in links.every(tx, a.rule.id)
                    for alias in a.origin.aliases(each.uid, each.generation)
                }
        self._aliases |= self._copies.learn(obj for obj in unlinked if not isinstance(obj, Unreadable))

    def _uid(self, there: CalendarObject) -> str:
        """The UID here of an object that no link names."""
        return self._aliases.get(there.uid, there.uid)

    def _is_new(self, each: Found) -> bool:
        """Whether no link ever knew a remote object, under whichever id."""
        return isinstance(each.object, Unreadable) or each.object.uid not in self._aliases

    def _intents(self, uid: str, remote_id: str | None) -> tuple[Intent, ...]:
        named = (self._here.get(uid), None if remote_id is None else self._there.get(remote_id))
        return tuple(intent for intent in named if intent is not None)

    def _look(self, by_remote: Mapping[str, Link]) -> tuple[dict[str, Found], set[str]]:
        """What stands there now under the ids that were named, and which of them are proven to be gone."""
        found: dict[str, Found] = {}
        gone: set[str] = set()
        ask: list[str] = []
        for remote_id, hint in self._hints.items():
            listed = self._sighting.listed.get(remote_id)
            if hint is Hint.CHANGED and listed is not None and listed.object is not None:
                found[remote_id] = Found(remote_id, listed.etag, listed.object, unfinished=listed.unfinished)
            else:
                ask.append(remote_id)
        self._ask(ask, by_remote, found, gone)
        twins = self._twins({by_remote[remote_id].uid for remote_id in gone if remote_id in by_remote})
        self._ask(twins, by_remote, found, gone)
        for remote_id, each in list(found.items()):
            if not can_be_kept(remote_id):
                del found[remote_id]
                self._set_aside(by_remote, remote_id, _NO_NAME, lasting=True)
            elif isinstance(each.object, Unreadable) and not (each.unfinished and _is_agreed(by_remote.get(remote_id))):
                del found[remote_id]
                self._set_aside(by_remote, remote_id, each.object.reason, lasting=True)
        return found, gone

    def _ask(self, ids: Sequence[str], by_remote: Mapping[str, Link], found: dict[str, Found], gone: set[str]) -> None:
        for answer in self._fetched(ids):
            match answer:
                case Found():
                    found[answer.remote_id] = answer
                case Gone():
                    gone.add(answer.remote_id)
                case Unknown():
                    self._set_aside(by_remote, answer.remote_id, answer.reason, lasting=False)

    def _twins(self, uids: Collection[str]) -> list[str]:
        """What was set aside for standing there beside one that is gone now: it takes its place."""
        if not uids:
            return []
        with self._a.database.reading() as tx:
            aside = parked.every(tx, self._a.rule.id)
        twins = [each.key for each in aside if each.side is Side.THERE and each.uid in uids]
        twins = [remote_id for remote_id in twins if remote_id not in self._hints]
        self._hints.update(dict.fromkeys(twins, Hint.CHANGED))
        self._successors = frozenset(twins)
        return twins

    def _fetched(self, remote_ids: Sequence[str]) -> Iterator[Found | Gone | Unknown]:
        """What became of remote objects; of many, some are read while others are still on their way."""

        def fetch(upstream: Upstream, part: Sequence[str]) -> list[Found | Gone | Unknown]:
            return list(upstream.fetch(self._a.calendar, part))

        waiting = dict.fromkeys(remote_ids)
        if self._is_most(remote_ids) and isinstance(self._a.upstream, TellsAll):
            for found in self._a.upstream.everything(self._a.calendar):
                if found.remote_id in waiting:
                    del waiting[found.remote_id]
                    yield found
        remote_ids = list(waiting)
        parts = [remote_ids[start : start + _TOGETHER] for start in range(0, len(remote_ids), _TOGETHER)]
        with closing(in_parts(self._a, parts, fetch)) as answers:
            for some in answers:
                yield from some

    def _is_most(self, remote_ids: Sequence[str]) -> bool:
        """Whether most of what there is in the remote calendar is asked for, as when a rule is new."""
        total = self._sighting.total
        return self._sighting.whole and total in _MANY and 2 * len(remote_ids) > total

    def _set_aside(self, by_remote: Mapping[str, Link], remote_id: str, reason: str, *, lasting: bool) -> None:
        uid = by_remote[remote_id].uid if remote_id in by_remote else ""
        self._aside.append(Aside(self._there.get(remote_id), remote_id, uid, reason, lasting))

    def _add_unlinked(
        self,
        each: Found,
        pairs: dict[str, Pair],
        by_uid: Mapping[str, Link],
        here: Mapping[str, Stored],
        gone: set[str],
    ) -> None:
        """Pairs a remote object that no link names with what has its UID here."""
        if isinstance(each.object, Unreadable):
            return
        uid = self._uid(each.object)
        link = by_uid.get(uid)
        intents = self._intents(uid, each.remote_id)
        other = None if link is None else link.remote_id
        is_second = uid in pairs and pairs[uid].there is not None
        is_beside = other is not None and not self._is_gone(other, gone)
        is_left = link is None and uid not in here and each.remote_id not in self._successors
        is_veiled = self._copies.is_veiled(each.object.uid)
        if is_second or is_beside or is_veiled or (is_left and self._copies.is_known(each.remote_id)):
            # What a busy feed showed takes the place of nothing.
            of = "" if is_veiled else uid
            there = self._there.get(each.remote_id)
            copy = Aside(there, each.remote_id, of, _COPY, lasting=True, summary=each.object.summary, is_copy=True)
            self._aside.append(copy)
            return
        if link is not None and other is not None:
            # It was moved there: deleted under one id, created under another.
            intents += tuple(intent for key, intent in self._there.items() if key == other)
        pairs[uid] = Pair(
            uid,
            link,
            here.get(uid),
            there=each,
            remote_id=each.remote_id,
            seen=True,
            hint=Hint.CHANGED,
            intents=intents,
        )

    def _look_for_others(
        self, found: Mapping[str, Found], by_remote: Mapping[str, Link], by_uid: Mapping[str, Link], gone: set[str]
    ) -> None:
        """Asks what became of the linked objects beside which others have turned up, of all of them together."""
        uids = {
            self._uid(each.object)
            for remote_id, each in found.items()
            if remote_id not in by_remote and not isinstance(each.object, Unreadable)
        }
        others = {link.remote_id for uid, link in by_uid.items() if uid in uids and link.remote_id is not None}
        listed = self._sighting.listed if self._sighting.whole else {}
        unknown = sorted(others - self._hints.keys() - gone - listed.keys())
        self._others = {answer.remote_id: isinstance(answer, Gone) for answer in self._fetched(unknown)}

    def _is_gone(self, remote_id: str, gone: set[str]) -> bool:
        return remote_id in gone or self._others.get(remote_id, False)


def _is_agreed(link: Link | None) -> bool:
    """Whether it is known what both sides of a link were."""
    return link is not None and link.base_here is not None and link.base_there is not None
