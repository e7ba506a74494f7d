"""What every database must do for sync tokens and tags: inherited beside `tests.contracts.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import SyncTokenRefused
from bridge.store import collection, placement
from bridge.store.collection import Address, Change, Kind
from tests.store.appointments import appointment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.store.desk import Desk


class SyncContract:
    """What changed since a token (RFC 6578)."""

    def test_a_first_sync_lists_everything_and_nothing_that_was_deleted(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "x.ics", appointment("a"))
        desk.put(anna, "y.ics", appointment("b"))
        desk.remove(anna, "x.ics")

        changes = desk.changes()

        assert changes.changes == (Change("y.ics", appointment("b").etag),)
        assert (changes.token, changes.truncated) == (desk.state().sync_token, False)

    def test_a_later_sync_lists_what_changed_each_href_once(self, desk: Desk) -> None:
        anna = desk.calendar()
        for uid in "abc":
            desk.put(anna, f"{uid}.ics", appointment(uid))
        token = desk.changes().token
        desk.put(anna, "a.ics", appointment("a", "Shave"))
        desk.remove(anna, "b.ics")
        desk.put(anna, "a.ics", appointment("a", "Colour"))
        desk.put(anna, "d.ics", appointment("d"))
        desk.remove(anna, "d.ics")

        changes = desk.changes(token=token)

        assert changes.changes == (
            Change("b.ics", None),
            Change("a.ics", appointment("a", "Colour").etag),
            Change("d.ics", None),
        )

    def test_deleted_and_put_again_is_put(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "a.ics", appointment())
        token = desk.changes().token
        desk.remove(anna, "a.ics")
        desk.put(anna, "a.ics", appointment())

        assert desk.changes(token=token).changes == (Change("a.ics", appointment().etag),)

    def test_nothing_changed_gives_nothing_and_the_same_token(self, desk: Desk) -> None:
        desk.put(desk.calendar(), "a.ics", appointment())
        token = desk.changes().token

        assert (desk.changes(token=token).changes, desk.changes(token=token).token) == ((), token)

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    def test_pages_lead_to_the_present_state_while_it_changes(self, desk: Desk, limit: int) -> None:
        anna = desk.calendar()
        for uid in "abcdef":
            desk.put(anna, f"{uid}.ics", appointment(uid))
        desk.remove(anna, "f.ics")
        client: dict[str, str] = {}
        disturbances: Iterator[Callable[[], object]] = iter(
            [
                lambda: desk.remove(anna, "a.ics"),
                lambda: desk.put(anna, "e.ics", appointment("e", "Changed")),
                lambda: desk.put(anna, "g.ics", appointment("g")),
                lambda: desk.remove(anna, "e.ics"),
            ]
        )
        listed_as_gone: list[str] = []

        def catch_up(token: str) -> str:
            while True:
                page = desk.changes(token=token, limit=limit)
                assert len(page.changes) <= limit
                for change in page.changes:
                    if change.etag is None:
                        client.pop(change.href, None)
                        listed_as_gone.append(change.href)
                    else:
                        client[change.href] = change.etag
                token = page.token
                if not page.truncated:
                    return token
                next(disturbances, dict)()

        token = catch_up("")
        assert "f.ics" not in listed_as_gone, "what was gone before the client came is no news to it"
        for disturb in disturbances:
            disturb()
        catch_up(token)

        with desk.database.reading() as tx:
            assert client == dict(placement.etags(tx, anna))

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "x",
            "urn:calbridge:sync:{incarnation}:9",
            "urn:calbridge:sync:{incarnation}:1:9",
            "urn:calbridge:sync:{incarnation}:-1",
            "urn:calbridge:sync:{incarnation}:1\n",
            "urn:calbridge:sync:{incarnation}:" + "9" * 40,
            "urn:calbridge:sync:0123456789abcdef:1",
        ],
    )
    def test_a_token_that_is_not_of_this_state_is_refused(self, desk: Desk, token: str) -> None:
        desk.put(desk.calendar(), "a.ics", appointment())
        other = token.format(incarnation=desk.state().incarnation)
        if not other:
            other = desk.changes("anna").token.replace("sync:", "sync:f", 1)

        with pytest.raises(SyncTokenRefused):
            desk.changes(token=other)

    def test_a_renewed_calendar_refuses_the_tokens_of_before(self, desk: Desk) -> None:
        anna = desk.calendar()
        token, tag = desk.changes().token, desk.state().tag

        with desk.database.writing() as tx:
            collection.renew(tx, anna)

        assert desk.state().tag != tag
        with pytest.raises(SyncTokenRefused):
            desk.changes(token=token)

    def test_a_calendar_made_anew_refuses_the_tokens_of_its_predecessor(self, desk: Desk) -> None:
        desk.put(desk.calendar(), "a.ics", appointment())
        desk.remove(desk.calendar(), "a.ics")
        token = desk.changes().token
        with desk.database.writing() as tx:
            collection.remove(tx, collection.get(tx, Address(Kind.RESOURCE, "salon", "anna")).id)
        again = desk.calendar()
        desk.put(again, "b.ics", appointment())
        desk.put(again, "b.ics", appointment(summary="Colour"))

        with pytest.raises(SyncTokenRefused):
            desk.changes(token=token)

    def test_forgotten_deletions_refuse_the_tokens_that_need_them_and_no_others(self, desk: Desk) -> None:
        anna = desk.calendar()
        desk.put(anna, "a.ics", appointment("a"))
        desk.put(anna, "b.ics", appointment("b"))
        needs_it = desk.changes().token
        desk.remove(anna, "a.ics")
        knows_it = desk.changes().token
        desk.clock.go_on(timedelta(days=10))
        desk.remove(anna, "b.ics")

        with desk.database.writing() as tx:
            assert collection.expire_tombstones(tx, tx.now - timedelta(days=1)) == 1

        with pytest.raises(SyncTokenRefused):
            desk.changes(token=needs_it)
        assert desk.changes(token=knows_it).changes == (Change("b.ics", None),)
        assert desk.changes().changes == ()

    def test_a_first_sync_in_pages_survives_the_forgetting_of_older_deletions(self, desk: Desk) -> None:
        anna = desk.calendar()
        for uid in "abc":
            desk.put(anna, f"{uid}.ics", appointment(uid))
        desk.remove(anna, "a.ics")
        page = desk.changes(limit=1)
        desk.clock.go_on(timedelta(days=10))

        with desk.database.writing() as tx:
            collection.expire_tombstones(tx, tx.now - timedelta(days=1))

        assert desk.changes(token=page.token).changes == (Change("c.ics", appointment("c").etag),)

    def test_the_tag_changes_exactly_when_an_object_does(self, desk: Desk) -> None:
        anna = desk.calendar()
        tags = [desk.state().tag]
        desk.put(anna, "a.ics", appointment())
        tags.append(desk.state().tag)
        desk.put(anna, "a.ics", appointment())
        with desk.database.writing() as tx:
            collection.set_properties(tx, anna, "", {"D:displayname": "Anna"})
        assert desk.state().tag == tags[-1]
        desk.remove(anna, "a.ics")
        tags.append(desk.state().tag)

        assert len(set(tags)) == len(tags)
