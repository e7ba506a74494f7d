"""What must be true of the small world around the sync engine when everything has come to rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from bridge.store.schema import body, conflict, journal
from tests.laws.sync_edits import Slot, made_as
from tests.laws.sync_places import GROUPS, PLACES, RULES
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from tests.laws.sync_places import Deed
    from tests.laws.sync_world import World

_TWO_PLACES = frozenset({"share", "hand over"})
_OF_SERIES = frozenset({Slot.TIME, Slot.INSTANCE, Slot.MOVED, Slot.CANCELLED})


def check(world: World) -> None:
    """Raises AssertionError where something is not as it has to be at rest."""
    with world.desk.database.reading() as tx:
        kept = b"\n".join(
            tx.connection.execute(
                select(body.c.raw).where(
                    body.c.etag.in_(select(journal.c.after)) | body.c.etag.in_(select(conflict.c.lost))
                )
            ).scalars()
        )
    for key, (resource, remote) in RULES.items():
        world.check_rule(key, resource, remote)
    for uid in world.uids:
        deeds = world.deeds[uid]
        for group in sorted(set(GROUPS.values())):
            _check_presence(world, uid, group, deeds)
        _check_words(world, uid, deeds, kept)
        _check_alone(world, uid, deeds)
    for place in PLACES:
        made_in = Counter(made_as(each) for each in world.objects(place).values())
        assert all(times == 1 for times in made_in.values()), f"doubled in {place}: {made_in}"
    assert world.desk.parked() == []
    assert world.desk.holds() == []
    for key in RULES:
        assert world.desk.waiting(key) == (0, 0)
    check_integrity(world.desk.database)


def _check_presence(world: World, uid: str, group: str, deeds: list[Deed]) -> None:
    places = [place for place, each in GROUPS.items() if each == group]
    present = {uid in world.objects(place) for place in places}
    assert len(present) == 1, f"{uid} stands in a part of {places} only"
    mine = [deed for deed in deeds if GROUPS[deed.place] == group]
    deleted = any(deed.act == "delete" for deed in mine)
    stood = group in world.standing[uid]
    put = any(deed.act == "put" for deed in mine)
    if (stood or put) and not deleted:
        assert present == {True}, f"{uid} is lost in {places}: {deeds}"
    if deleted and len(deeds) == 1:
        assert present == {False}, f"{uid} was deleted and is there again in {places}"
    if not stood and not put:
        assert present == {False}, f"nobody made {uid} in {places}"


def _check_words(world: World, uid: str, deeds: list[Deed], kept: bytes) -> None:
    """An edit that nobody contradicted stands everywhere; the last one of each place is kept in any case."""
    texts = {
        place: world.objects(place)[uid].raw.replace(b"\r\n ", b"") for place in GROUPS if uid in world.objects(place)
    }
    if any(deed.act in {"delete", "put"} for deed in deeds):
        return
    for deed in deeds:
        if deed.act != "edit":
            continue
        rivals = [
            each
            for each in deeds
            if each.act == "edit" and (each.slot == deed.slot or {each.slot, deed.slot} <= _OF_SERIES)
        ]
        if len(rivals) == 1 and deed.slot not in {Slot.TIME, Slot.CANCELLED, Slot.MOVED}:
            for place, text in texts.items():
                if GROUPS[place] == GROUPS[deed.place]:
                    assert deed.word.encode() in text, f"the edit {deed} is not in {place}"
        last = [each for each in deeds if each.act == "edit" and each.slot == deed.slot and each.place == deed.place][
            -1
        ]
        if deed is last and deed.slot in {Slot.TITLE, Slot.PLACE, Slot.INSTANCE}:
            word = deed.word.encode()
            assert word in kept.replace(b"\r\n ", b"") or any(word in text for text in texts.values()), (
                f"the edit {deed} is lost"
            )


def _check_alone(world: World, uid: str, deeds: list[Deed]) -> None:
    """What one person does while nobody else does anything is what stands everywhere, and contradicts nobody."""
    authored = [deed for deed in deeds if deed.act != "rename"]
    if len({deed.place for deed in authored}) != 1 or any(deed.slot in _TWO_PLACES for deed in authored):
        return
    last, group = authored[-1], GROUPS[authored[-1].place]
    texts = {
        place: world.objects(place)[uid].raw.replace(b"\r\n ", b"")
        for place in PLACES
        if GROUPS[place] == group and uid in world.objects(place)
    }
    if last.act == "delete":
        assert texts == {}, f"{uid} was deleted and is there again in {list(texts)}: {deeds}"
        return
    since = max((number for number, deed in enumerate(authored) if deed.act == "put"), default=0)
    final = {deed.slot: deed.word for deed in authored[since:] if deed.slot in {Slot.TITLE, Slot.PLACE}}
    for slot, word in final.items():
        for place, text in texts.items():
            assert word.encode() in text, f"{slot} of {uid} is not {word} in {place}: {deeds}"
    conflicts = world.desk.conflicts()
    clashing = [each.uid for each in conflicts[: len(conflicts) - world.clashes]]
    assert uid not in clashing, f"{uid} clashed, and nobody contradicted: {deeds}"
