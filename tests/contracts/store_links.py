"""What every database must do for links and the texts that they keep: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.core.sides import Side
from bridge.errors import Conflict, NotFound, ObjectRefused
from bridge.store import conflict, journal, placement, texts
from bridge.store import link as links
from bridge.store import rule as rules
from bridge.store.conflict import State
from bridge.store.link import Made
from tests.store.appointments import appointment
from tests.store.assignments import MINUTE, declare, link, put_link, read
from tests.store.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.database import Database
    from tests.store.desk import Desk

MANY = 1203


def is_kept(desk: Desk, raw: bytes) -> bool:
    try:
        return read(desk, lambda tx: journal.raw(tx, texts.etag_of(raw))) == raw
    except NotFound:
        return False


class LinkContract:
    """What ties an object here to one there."""

    @pytest.fixture(autouse=True)
    def _at_rest(self, database: Database) -> Iterator[None]:
        yield
        check_integrity(database, expired=True)

    def test_a_link_comes_back_as_it_was_put(self, desk: Desk) -> None:
        rule = declare(desk)
        full = link(rule, made=Made.THERE, generation=2, written_at=desk.clock.now, streak=3, wrote="ab cd", view="v")
        full = put_link(desk, full, here=appointment(), there=appointment(summary="There"))
        bare = put_link(desk, link(rule, "new", remote_id=None, remote_etag=None))

        with desk.database.reading() as tx:
            assert (links.get(tx, rule.id, "haircut"), links.get(tx, rule.id, "new")) == (full, bare)
            assert links.get(tx, rule.id, "other") is None
            assert links.by_remotes(tx, rule.id, ["/haircut.ics", "other"]) == {"/haircut.ics": full}
            assert links.by_uids(tx, rule.id, ["new", "other"]) == {"new": bare}
            assert links.etags(tx, rule.id) == {"/haircut.ics": "1"}
            assert links.uids(tx, rule.id) == {"haircut", "new"}
            assert list(links.every(tx, rule.id)) == [full, bare]
            assert links.count(tx, rule.id) == 1, "only one of them is on both sides"

    def test_a_put_replaces_the_link_of_the_same_object(self, desk: Desk) -> None:
        rule = declare(desk)
        put_link(desk, link(rule))

        new = put_link(desk, link(rule, remote_id="/other.ics", remote_etag=None, generation=1))

        assert read(desk, lambda tx: list(links.every(tx, rule.id))) == [new]
        assert read(desk, lambda tx: links.by_remotes(tx, rule.id, ["/haircut.ics"])) == {}
        assert read(desk, lambda tx: links.etags(tx, rule.id)) == {"/other.ics": ""}

    def test_what_is_only_noted_as_left_alone_can_be_left_out(self, desk: Desk) -> None:
        rule = declare(desk)
        put_link(desk, link(rule, "alone"))
        put_link(desk, link(rule, "here"), here=appointment("here"))
        put_link(desk, link(rule, "there"), there=appointment("there"))

        assert read(desk, lambda tx: links.etags(tx, rule.id)).keys() == {"/alone.ics", "/here.ics", "/there.ics"}
        of_pairs = read(desk, lambda tx: links.etags(tx, rule.id, left_alone=False))
        assert of_pairs == {"/here.ics": "1", "/there.ics": "1"}

    def test_the_links_of_two_rules_do_not_meet(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")
        first, second = put_link(desk, link(one)), put_link(desk, link(two, streak=1))

        with desk.database.writing() as tx:
            links.remove(tx, one.id, first.uid)
            links.remove(tx, one.id, first.uid)

        assert read(desk, lambda tx: links.by_remotes(tx, one.id, ["/haircut.ics"])) == {}
        assert read(desk, lambda tx: links.by_remotes(tx, two.id, ["/haircut.ics"])) == {"/haircut.ics": second}
        assert read(desk, lambda tx: links.uids(tx, one.id)) == set()

    def test_no_remote_object_has_two_links(self, desk: Desk) -> None:
        rule = declare(desk)
        put_link(desk, link(rule))

        with pytest.raises(Conflict, match="linked to another appointment"):
            put_link(desk, link(rule, "other", remote_id="/haircut.ics"))

    def test_many_links_go_in_and_are_found(self, desk: Desk) -> None:
        rule = declare(desk)
        new = [link(rule, f"{number:04}") for number in range(MANY)]

        with desk.database.writing() as tx:
            links.put_many(tx, new)
            links.put_many(tx, [replace(each, streak=1) for each in new[:600]])
            links.put_many(tx, [])

        with desk.database.reading() as tx:
            assert [each.streak for each in links.every(tx, rule.id)] == [1] * 600 + [0] * (MANY - 600)
            assert set(links.by_uids(tx, rule.id, [each.uid for each in new])) == links.uids(tx, rule.id)
            ids = [each.remote_id or "" for each in new]
            assert set(links.by_remotes(tx, rule.id, [*ids, "\0"])) == set(links.etags(tx, rule.id)) == set(ids)

    @pytest.mark.parametrize("changed", [{"remote_id": "x" * 3000}, {"remote_id": ""}, {"uid": "\0"}])
    def test_names_that_cannot_be_kept_are_refused(self, desk: Desk, changed: dict[str, str]) -> None:
        rule = declare(desk)

        with pytest.raises(ObjectRefused, match="cannot be kept"):
            put_link(desk, replace(link(rule), **changed))  # type: ignore[arg-type]

    def test_the_texts_of_a_link_are_kept_as_long_as_it_needs_them(self, desk: Desk) -> None:
        rule = declare(desk)
        first, second = appointment(summary="First"), appointment(summary="Second")
        kept = put_link(desk, link(rule), here=first, there=second)
        assert is_kept(desk, first.raw)

        put_link(desk, kept, here=second)
        assert (is_kept(desk, first.raw), is_kept(desk, second.raw)) == (False, True)

        with desk.database.writing() as tx:
            links.remove(tx, rule.id, kept.uid)
        assert not is_kept(desk, second.raw)

    def test_texts_that_somebody_else_needs_outlive_the_link(self, desk: Desk) -> None:
        one, two = declare(desk, "one"), declare(desk, "two")
        stands, base = appointment(), appointment(summary="Base")
        desk.put(desk.calendar(), "x.ics", stands)
        put_link(desk, link(one), here=stands, there=base)
        put_link(desk, link(two), there=base)

        with desk.database.writing() as tx:
            rules.remove(tx, one.id)

        assert (is_kept(desk, stands.raw), is_kept(desk, base.raw)) == (True, True)
        with desk.database.writing() as tx:
            rules.remove(tx, two.id)
        assert (is_kept(desk, stands.raw), is_kept(desk, base.raw)) == (True, False)

    def test_the_etag_of_a_kept_text_is_that_of_the_object(self, desk: Desk) -> None:
        kept = put_link(desk, link(declare(desk)), here=appointment())

        assert kept.base_here == appointment().etag

    def test_expiry_of_the_journal_spares_what_links_and_conflicts_need(self, desk: Desk) -> None:
        rule, anna = declare(desk), desk.calendar()
        versions = [appointment(summary=str(number)) for number in range(5)]
        for version in versions:
            desk.put(anna, "x.ics", version)
        put_link(desk, link(rule), here=versions[0], there=versions[1])
        with desk.database.writing() as tx:
            conflict.note(
                tx,
                rule_id=rule.id,
                uid="haircut",
                summary="2",
                lost_side=Side.THERE,
                lost=links.keep_body(tx, versions[2].raw),
                kept=links.keep_body(tx, versions[0].raw),
                properties="SUMMARY",
            )
        desk.clock.go_on(MINUTE)

        with desk.database.writing() as tx:
            assert journal.expire(tx, tx.now) == 5

        assert [is_kept(desk, version.raw) for version in versions] == [True, True, True, False, True]

    def test_objects_are_found_by_their_uids(self, desk: Desk) -> None:
        anna = desk.calendar()
        for uid in "abc":
            desk.put(anna, f"{uid}.ics", appointment(uid))
        desk.put(desk.calendar("bert"), "a.ics", appointment("a"))

        with desk.database.reading() as tx:
            found = {each.uid: each.href for each in placement.by_uids(tx, anna, ["a", "c", "d", "\0"])}
            etags = placement.etags_by_uid(tx, anna)

        assert found == {"a": "a.ics", "c": "c.ics"}
        assert etags == {uid: appointment(uid).etag for uid in "abc"}


class ConflictContract:
    """The versions that lost."""

    @pytest.fixture(autouse=True)
    def _at_rest(self, database: Database) -> Iterator[None]:
        yield
        check_integrity(database)

    def _note(self, desk: Desk, key: str = "anna-google", *, lost: str = "Lost") -> int:
        rule = declare(desk, key)
        with desk.database.writing() as tx:
            return conflict.note(
                tx,
                rule_id=rule.id,
                uid="haircut",
                summary="Cut\0",
                lost_side=Side.THERE,
                lost=links.keep_body(tx, appointment(summary=lost).raw),
                kept=links.keep_body(tx, appointment(summary="Kept").raw),
                properties="SUMMARY, LOCATION",
            )

    def test_a_conflict_says_what_lost_and_keeps_it(self, desk: Desk) -> None:
        number = self._note(desk)

        (found,) = read(desk, conflict.every)

        assert found == read(desk, lambda tx: conflict.get(tx, number))
        assert (found.id, found.uid, found.summary) == (number, "haircut", "Cut\N{REPLACEMENT CHARACTER}")
        assert (found.at, found.lost_side, found.state) == (desk.clock.now, Side.THERE, State.OPEN)
        assert found.properties == "SUMMARY, LOCATION"
        assert read(desk, lambda tx: journal.raw(tx, found.lost)) == appointment(summary="Lost").raw
        assert read(desk, lambda tx: journal.raw(tx, found.kept)) == appointment(summary="Kept").raw

    def test_what_a_person_has_settled_is_listed_only_when_asked_for(self, desk: Desk) -> None:
        first, second = self._note(desk), self._note(desk, "other")

        with desk.database.writing() as tx:
            conflict.set_state(tx, first, State.SWAPPED)

        rule_id = read(desk, lambda tx: conflict.get(tx, first)).rule_id
        assert [each.id for each in read(desk, conflict.every)] == [second]
        assert [each.id for each in read(desk, lambda tx: conflict.every(tx, state=None))] == [second, first]
        assert [each.id for each in read(desk, lambda tx: conflict.every(tx, rule_id, state=State.SWAPPED))] == [first]

    def test_an_old_conflict_is_forgotten_with_its_versions(self, desk: Desk) -> None:
        self._note(desk)
        desk.clock.go_on(MINUTE)
        second = self._note(desk, lost="Lost later")

        with desk.database.writing() as tx:
            assert conflict.expire(tx, tx.now) == 1

        assert [each.id for each in read(desk, conflict.every)] == [second]
        desk.clock.go_on(MINUTE)
        with desk.database.writing() as tx:
            assert conflict.expire(tx, tx.now) == 1
        assert not is_kept(desk, appointment(summary="Lost").raw)
        assert not is_kept(desk, appointment(summary="Kept").raw)

    def test_a_pass_that_is_repeated_notes_its_conflict_once_until_a_person_has_settled_it(self, desk: Desk) -> None:
        first = self._note(desk)
        assert self._note(desk) == first

        with desk.database.writing() as tx:
            conflict.set_state(tx, first, State.DISMISSED)

        assert self._note(desk) != first

    def test_a_conflict_that_is_not_there_is_not_found(self, desk: Desk) -> None:
        with pytest.raises(NotFound, match="conflicts list"), desk.database.writing() as tx:
            conflict.set_state(tx, 4711, State.DISMISSED)
