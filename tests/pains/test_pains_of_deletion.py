"""What was deleted for users of other systems, though nobody had deleted it (pains 1 to 4 and 20)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bridge.core.decision import Move
from bridge.errors import CalendarGone, UpstreamUnavailable
from bridge.sync.sighting import Hint, Sighting
from tests.pains.desk import unlisted
from tests.pains.lessons import always, instead, kept_away_by
from tests.sync.appointments import START, event

if TYPE_CHECKING:
    from tests.pains.desk import PainDesk

MANY = [f"uid-{number}" for number in range(40)]
DAY = timedelta(days=1)


def filled(desk: PainDesk, uids: list[str] = MANY, **options: Any) -> None:
    """The same appointments stand on both sides."""
    desk.rule(**options)
    for uid in uids:
        desk.resource().put(event(uid))
    desk.sync()
    desk.poll()
    assert set(desk.remote().titles()) == set(uids)
    # What we have just written is left alone for a while; here it is not about that.
    desk.wait(DAY)
    desk.sync()


def expire(desk: PainDesk) -> None:
    """The next reading has to list everything."""
    desk.remote().shelf.number += 1
    desk.remote().shelf.forget_changes()


def believing_failures(original: Any) -> Any:
    """A reading that takes what came before the failure for all there is."""

    def read(upstream: Any, calendar: str, cursor: str | None) -> Any:
        listed: dict[str, Any] = {}
        fresh = cursor
        try:
            for page in upstream.changes(calendar, cursor):
                listed |= {item.remote_id: item for item in page.items}
                fresh = page.cursor
        except UpstreamUnavailable:
            fresh = str(int(cursor or 0) + 2)
        return listed, set(), fresh

    assert original
    return read


def believing_listings(original: Any) -> Any:
    """Pairs for which what a listing leaves out is gone, without a question."""

    def look(self: Any, by_remote: Any) -> Any:
        found, gone = original(self, by_remote)
        absent = {remote_id for remote_id, hint in self._hints.items() if hint is Hint.ABSENT}
        return {remote_id: each for remote_id, each in found.items() if remote_id not in absent}, gone | absent

    return look


def taking_errors_for_deletions(original: Any) -> Any:
    """Pairs for which what the upstream could not tell of is gone."""

    def look(self: Any, by_remote: Any) -> Any:
        set_aside: set[str] = set()
        self._set_aside = lambda _links, remote_id, *_, **__: set_aside.add(remote_id)
        found, gone = original(self, by_remote)
        return found, gone | set_aside

    return look


@kept_away_by("bridge.sync.engine:guarded", lambda _: lambda _a, verdicts, **_k: list(verdicts))
def test_pain_01_an_upstream_that_is_suddenly_empty_empties_nothing_here(desk: PainDesk) -> None:
    filled(desk)
    for uid in MANY:
        desk.remote().delete(uid)

    report = desk.poll()

    assert set(desk.resource().titles()) == set(MANY)
    assert report is not None
    assert report.counts == {Move.HELD: len(MANY)}
    (hold,) = desk.holds()
    assert desk.held_uids(hold) == set(MANY)


@kept_away_by("bridge.sync.engine:guarded", lambda _: lambda _a, verdicts, **_k: list(verdicts))
def test_pain_01_a_calendar_here_that_is_suddenly_empty_empties_nothing_there(desk: PainDesk) -> None:
    filled(desk)
    for uid in MANY:
        desk.resource().delete(uid)

    desk.poll()

    assert set(desk.remote().titles()) == set(MANY)
    (hold,) = desk.holds()
    desk.approve(hold)
    desk.run_due()
    assert desk.remote().titles() == {}


@kept_away_by("bridge.sync.sighting:_read", believing_failures)
def test_pain_01_of_a_reading_that_failed_half_way_nothing_is_concluded(desk: PainDesk) -> None:
    filled(desk, ["one", "two", "three", "four"])
    for uid in ("one", "four"):
        desk.remote().put(event(uid, "Colour"))
    desk.remote().shelf.misdeeds = ["cut"]

    desk.sync(fails=True)
    desk.wait(timedelta(hours=1))
    desk.sync()

    titles = {"one": "Colour", "two": "Haircut", "three": "Haircut", "four": "Colour"}
    assert desk.resource().titles() == desk.remote().titles() == titles


@kept_away_by("bridge.sync.pairing:_Pairing._look", believing_listings)
def test_pain_01_half_a_listing_that_looks_whole_deletes_nothing(desk: PainDesk) -> None:
    filled(desk, ["one", "two", "three", "four"])
    shelf = desk.remote().shelf
    whole = dict(shelf.objects)
    # The listing leaves one out, the question for it finds it.
    left_out = list(whole)[:1]
    expire(desk)
    shelf.objects = Shy(whole, left_out)

    desk.sync()

    assert set(desk.resource().titles()) == {"one", "two", "three", "four"}
    assert desk.holds() == []


class Shy(dict[str, tuple[int, bytes]]):
    """Objects of which some are left out of a listing."""

    def __init__(self, whole: dict[str, tuple[int, bytes]], left_out: list[str]) -> None:
        super().__init__(whole)
        self._left_out = left_out

    def items(self) -> Any:
        return [(remote_id, each) for remote_id, each in super().items() if remote_id not in self._left_out]


@kept_away_by("bridge.sync.pairing:_Pairing._look", taking_errors_for_deletions)
def test_pain_02_an_item_of_which_the_upstream_cannot_tell_stays(desk: PainDesk) -> None:
    filled(desk, ["one", "two"])
    desk.remote().put(event("one", "Colour"))
    # The listing comes through; the question for what changed does not.
    desk.remote().shelf.misdeeds = [None, "cut"]

    desk.sync()
    assert set(desk.resource().titles()) == {"one", "two"}

    desk.wait(timedelta(hours=1))
    desk.sync()
    assert desk.resource().titles() == {"one": "Colour", "two": "Haircut"}


@kept_away_by("bridge.sync.pairing:_Pairing._look", taking_errors_for_deletions)
def test_pain_02_an_item_that_cannot_be_read_stays_and_is_shown(desk: PainDesk) -> None:
    filled(desk, ["one", "two"])
    broken = desk.remote().id_of("one")
    desk.remote().put(event("two", "Colour"))
    desk.remote().shelf.put(broken, b"<html>Not now</html>")

    desk.sync()

    assert desk.resource().titles() == {"one": "Haircut", "two": "Colour"}
    assert [each.uid for each in desk.parked()] == ["one"]


@kept_away_by("bridge.sync.grace:GRACE", instead(timedelta()))
def test_pain_03_what_we_have_just_put_there_may_be_listed_late(desk: PainDesk) -> None:
    filled(desk, ["old"])
    desk.resource().put(event("new"))
    desk.run_due()

    with unlisted(desk.remote(), "new"):
        desk.poll()
        assert set(desk.resource().titles()) == {"old", "new"}
    desk.rest()

    assert set(desk.resource().titles()) == set(desk.remote().titles()) == {"old", "new"}


def test_pain_03_what_somebody_made_there_and_deleted_again_goes_at_once(desk: PainDesk) -> None:
    filled(desk, ["old"])
    desk.remote().put(event("short"))
    desk.poll()
    desk.remote().delete("short")
    expire(desk)

    report = desk.sync()

    assert set(desk.resource().titles()) == {"old"}
    assert report is not None
    assert report.counts == {Move.DELETE_HERE: 1}


def test_pain_03_an_absence_that_proves_nothing_is_not_logged_as_a_deletion(desk: PainDesk) -> None:
    filled(desk, ["old"])
    desk.resource().put(event("new"))
    desk.run_due()

    with unlisted(desk.remote(), "new"):
        report = desk.poll()

    assert report is not None
    assert not report.counts


def test_pain_03_what_stays_unlisted_after_a_while_was_deleted(desk: PainDesk) -> None:
    filled(desk, ["old"])
    desk.resource().put(event("new"))
    desk.run_due()

    with unlisted(desk.remote(), "new"):
        desk.poll()
        desk.rest()
        assert set(desk.resource().titles()) == {"old"}


@kept_away_by("bridge.core.window:Window.may_delete", always(value=True))
def test_pain_04_what_an_upstream_forgets_after_a_while_is_kept_here(desk: PainDesk) -> None:
    filled(desk, ["old", "new"], window={"past": "30d", "future": "1y"})
    desk.resource().put(event("later", start=START + timedelta(days=100)))
    desk.sync()
    desk.wait(timedelta(days=60))

    desk.remote().delete("old")
    desk.sync()

    assert set(desk.resource().titles()) == {"old", "new", "later"}


@kept_away_by("bridge.core.window:MARGIN", instead(timedelta()))
def test_pain_04_at_the_edge_of_the_window_nothing_is_deleted(desk: PainDesk) -> None:
    filled(desk, ["one"], window={"past": "30d", "future": "1y"})
    edge = START + timedelta(days=30)
    # An upstream that counts in another zone is some hours ahead of us.
    desk.wait(edge - timedelta(hours=2) - desk.clock.now)

    desk.remote().delete("one")
    desk.sync()

    assert set(desk.resource().titles()) == {"one"}


@kept_away_by("bridge.sync.engine:reconcile_due", always(value=False))
def test_pain_04_what_enters_the_window_by_itself_comes_without_an_edit(desk: PainDesk) -> None:
    filled(desk, ["now"], window={"past": "30d", "future": "30d"})
    desk.remote().put(event("later", start=START + timedelta(days=60)))
    desk.poll()
    assert set(desk.resource().titles()) == {"now"}

    desk.wait(timedelta(days=40))
    desk.sync()

    assert set(desk.resource().titles()) == {"now", "later"}
    desk.rest()
    assert set(desk.remote().titles()) == {"now", "later"}


def reading_on(original: Any) -> Any:
    """A look at the upstream that takes a fresh cursor in place of the one that has expired, and goes on."""

    def look(upstream: Any, calendar: str, cursor: str | None, *known: Any) -> Any:
        if cursor is None:
            return original(upstream, calendar, cursor, *known)
        fresh = [page.cursor for page in upstream.changes(calendar, None)][-1]
        return Sighting({}, {}, fresh, whole=False, total=0)

    return look


@kept_away_by("bridge.sync.engine:look", reading_on)
def test_pain_20_a_cursor_that_has_expired_forgets_nothing_and_doubles_nothing(desk: PainDesk) -> None:
    filled(desk, ["one", "two", "three"])
    desk.remote().delete("one")
    desk.remote().put(event("two", "Colour"))
    desk.remote().put(event("four", "New"))
    desk.remote().shelf.forget_changes()

    desk.poll()

    titles = {"two": "Colour", "three": "Haircut", "four": "New"}
    assert desk.resource().titles() == desk.remote().titles() == titles
    desk.rest()
    assert desk.remote().titles() == titles


@kept_away_by(
    "bridge.sync.judging:decide", lambda original: lambda here, there: taking_deletions(original, here, there)
)
def test_near_miss_an_edit_beats_a_deletion_on_either_side(desk: PainDesk) -> None:
    filled(desk, ["one", "two"])
    desk.remote().delete("one")
    desk.resource().put(event("one", "Colour"))
    desk.resource().delete("two")
    desk.remote().put(event("two", "Beard"))

    desk.poll()
    desk.rest()

    assert desk.resource().titles() == desk.remote().titles() == {"one": "Colour", "two": "Beard"}


def taking_deletions(original: Any, here: Any, there: Any) -> Any:
    move = original(here, there)
    return {Move.RECREATE_THERE: Move.DELETE_HERE, Move.RESTORE_HERE: Move.DELETE_THERE}.get(move, move)


@kept_away_by("bridge.sync.deletions:exceeded", lambda _: lambda count, of, *_, **__: count >= of)
def test_near_miss_a_small_calendar_may_be_emptied(desk: PainDesk) -> None:
    filled(desk, ["one", "two", "three"])
    for uid in ("one", "two", "three"):
        desk.remote().delete(uid)

    desk.poll()

    assert desk.resource().titles() == {}
    assert desk.holds() == []
    # Nor is an empty calendar beside an empty one any reason to ask.
    desk.night()
    assert desk.holds() == []


@kept_away_by("bridge.sync.engine:Occasion", lambda original: lambda **said: original(**{**said, "anew": False}))
def test_near_miss_a_calendar_that_is_made_anew_is_filled_again(desk: PainDesk) -> None:
    filled(desk, ["one", "two"])
    shelf = desk.remote().shelf
    shelf.exists = False
    desk.poll(fails=True)
    problem = desk.rule_now().problem
    assert problem is not None
    assert problem.code == CalendarGone.__name__
    shelf.exists = True
    shelf.objects.clear()
    shelf.forget_changes()

    desk.rest()

    assert set(desk.resource().titles()) == set(desk.remote().titles()) == {"one", "two"}
