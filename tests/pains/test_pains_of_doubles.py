"""What was doubled, rewritten without end or left behind for users of other systems (pains 12 to 15 and 25)."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config import load
from bridge.core.content import read, with_uid, write
from bridge.core.decision import Existing, Move
from bridge.errors import ConfigurationError
from bridge.sync.removal import Fate
from bridge.upstream.ics_url.cursor import Stability
from tests.fakes.shelf import WEAK
from tests.pains.lessons import always, kept_away_by
from tests.store.appointments import parse
from tests.sync.appointments import START, event
from tests.upstream.ics_url.feed_server import Answer, feed, serving
from tests.upstream.ics_url.feed_server import event as fed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pains.desk import PainDesk

HOUR = timedelta(hours=1)


def keeping_what_was_sent(original: Any) -> Any:
    """Links that remember what was sent, in place of what the server made of it."""

    def keep(tx: Any, a: Any, link: Any, *, here: Any, stored: Any, view: Any) -> None:
        original(tx, a, link, here=here, stored=replace(stored, object=here), view=view)

    return keep


@kept_away_by("bridge.sync.push:keep", keeping_what_was_sent)
def test_pain_12_a_server_that_rewrites_what_it_is_given_is_not_written_to_for_ever(desk: PainDesk) -> None:
    desk.remote(capabilities=WEAK, rewrites=True)
    desk.rule()
    desk.resource().put(event("one", "Haircut 💇", "X-COLOR:red", "DESCRIPTION:Bring a <b>photo</b>"))
    desk.sync()
    before = desk.resource().text("one")
    desk.remote().writes()
    for _ in range(3):
        # A server that indexes anew gives everything another version, though nothing has changed.
        shelf = desk.remote().shelf
        for remote_id, (_, raw) in list(shelf.objects.items()):
            shelf.put(remote_id, raw)
        desk.poll()

    assert desk.remote().writes() == []
    assert desk.resource().text("one") == before
    assert desk.parked() == []


@kept_away_by("bridge.sync.doing:does_not_converge", always(value=False))
def test_pain_12_whoever_changes_it_back_each_time_is_noticed_and_named(desk: PainDesk) -> None:
    desk.rule(on_conflict="ours")
    desk.resource().put(event("one", "Haircut"))
    desk.sync()
    desk.remote().writes()
    for _ in range(20):
        # Another program over there insists on its title, and the booking system here on its own.
        desk.remote().put(event("one", "HAIRCUT"))
        desk.poll()
        if desk.resource().titles()["one"] != "Haircut":
            desk.resource().put(event("one", "Haircut"))
        desk.poll()
        if desk.parked():
            break

    assert len(desk.parked()) == 1
    (parked,) = desk.parked()
    assert "SUMMARY" in parked.property
    assert parked.remedy
    assert len(desk.remote().writes()) < 10


def recreating(original: Any) -> Any:
    def decide(here: Any, there: Any) -> Move:
        move: Move = original(here, there)
        return Move.RECREATE_THERE if move is Move.PUSH else move

    return decide


@kept_away_by("bridge.sync.judging:decide", recreating)
def test_pain_12_a_change_is_made_in_place(desk: PainDesk) -> None:
    desk.rule()
    desk.resource().put(event("one"))
    desk.sync()
    name = desk.remote().id_of("one")
    desk.remote().writes()
    desk.resource().put(event("one", "Colour"))

    desk.poll()

    assert desk.remote().writes() == ["replace"]
    assert desk.remote().id_of("one") == name


@kept_away_by("bridge.upstream.ics_url.adapter:stability", always(Stability.STABLE))
def test_pain_13_a_feed_with_new_uids_on_each_fetch_doubles_nothing(desk: PainDesk) -> None:
    numbers = itertools.count()

    def made(_path: str) -> Any:
        number = next(numbers)
        return Answer(feed(*(fed(f"{number}-{each}", title=f"Class {each}", day=each + 1) for each in range(5))))

    with serving(by_path=made) as server:
        desk.feeds["rota"] = server.url()
        desk.rule(remote="rota", direction="pull")
        desk.sync()
        known = {link.remote_id for link in desk.links().values()}
        for _ in range(3):
            desk.poll()
        desk.night()

    assert {link.remote_id for link in desk.links().values()} == known
    assert sorted(desk.resource().titles().values()) == [f"Class {each}" for each in range(5)]
    assert desk.resource_revision() == 5


@kept_away_by("bridge.sync.judging:adoption.matches", always(()))
def test_pain_13_an_upstream_that_names_everything_anew_doubles_nothing(desk: PainDesk) -> None:
    remote = desk.remote()
    for number in range(5):
        remote.put(event(f"first-{number}", f"Class {number}", start=START + number * HOUR))
    desk.rule()
    desk.sync()
    before = desk.resource_revision()
    for number in range(5):
        remote.delete(f"first-{number}")
        remote.put(event(f"second-{number}", f"Class {number}", start=START + number * HOUR))

    desk.poll()
    desk.rest()

    assert sorted(desk.resource().titles().values()) == [f"Class {number}" for number in range(5)]
    assert len(remote.titles()) == 5
    assert desk.resource_revision() == before


@kept_away_by("bridge.sync.judging:adoption.matches", always(()))
def test_pain_14_what_stands_on_both_sides_beforehand_is_linked_and_the_plan_says_so(desk: PainDesk) -> None:
    starts = [START + number * HOUR for number in range(30)]
    for number, start in enumerate(starts):
        desk.resource().put(event(f"ours-{number}", f"Customer {number}", start=start))
        desk.remote().put(event(f"theirs-{number}", f"customer  {number}.", start=start))
    desk.rule()

    plan = desk.plan()
    assert {step.move for step in plan.steps} == {Move.ADOPT}
    assert len(plan.steps) == len(starts)
    desk.sync()
    desk.rest()

    assert len(desk.resource().titles()) == len(desk.remote().titles()) == len(starts)
    assert len(desk.links()) == len(starts)


@kept_away_by("bridge.sync.judging:origin.marks", always(None))
def test_pain_15_what_one_rule_wrote_is_never_taken_for_new_by_another(desk: PainDesk) -> None:
    desk.rule("one", "anna", "shelf")
    desk.rule("two", "room", "mirror")
    desk.resource("anna").put(event("ours"))
    desk.sync("one")
    # The provider shows the whole first calendar in the second one as well, under other names.
    (copy,) = desk.remote("shelf").objects().values()
    renamed = parse(write(with_uid(read(copy), "copied")))
    desk.remote("mirror").put(renamed)
    desk.remote("mirror").put(event("theirs", "Yoga"))

    desk.sync("two")
    desk.rest()

    assert set(desk.resource("room").titles()) == {"theirs"}
    assert set(desk.resource("anna").titles()) == {"ours"}


def settings(rules: dict[str, Any]) -> str:
    shown = {"resource": "salon/anna", "connection": "there", "calendar": "Work"}
    return json.dumps({
        "accounts": {"salon": {"name": "Salon", "time_zone": "Europe/Amsterdam", "resources": {
            "anna": {"kind": "employee", "name": "Anna"}, "room": {"kind": "location", "name": "Room"}}}},
        "connections": {"there": {"type": "caldav", "url": "https://dav.example.org/", "user": "anna",
                                  "password": "${WORD}"}},
        "rules": {key: {**shown, **options} for key, options in rules.items()},
    })  # fmt: skip


@kept_away_by("bridge.config.load:contradictions", always(()))
def test_pain_15_rules_that_would_feed_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(settings({"one": {}, "two": {"resource": "salon/room"}}))

    with pytest.raises(ConfigurationError) as refused:
        load(path, environ={"WORD": "secret"})

    (sentence,) = refused.value.problems
    assert "two" in sentence
    assert "one" in sentence


@kept_away_by("bridge.sync.terms:Options", lambda made: lambda **said: made(**{**said, "existing": Existing.NONE}))
def test_pain_25_what_stood_there_before_the_rule_is_brought_over_both_ways(desk: PainDesk) -> None:
    desk.resource().put(event("ours", "Cut"))
    desk.remote().put(event("theirs", "Yoga"))
    desk.rule(existing="both")
    desk.sync()
    assert desk.resource().titles() == desk.remote().titles() == {"ours": "Cut", "theirs": "Yoga"}

    desk.resource("bob").put(event("bobs", "Beard"))
    desk.remote("other").put(event("others", "Golf"))
    desk.rule("send", "bob", "other", existing="send")
    desk.sync("send")
    assert set(desk.remote("other").titles()) == {"bobs", "others"}
    assert set(desk.resource("bob").titles()) == {"bobs"}


@kept_away_by("bridge.sync.removal:Removal._clean_there", always(0))
def test_pain_25_a_rule_that_goes_takes_away_what_it_wrote_and_nothing_else(desk: PainDesk) -> None:
    filled(desk)

    removed = desk.remove_rule(there=Fate.REMOVE, here=Fate.KEEP)

    assert removed.there == 1
    assert desk.remote().titles() == {"theirs": "Yoga"}
    assert desk.resource().titles() == {"ours": "Cut", "theirs": "Yoga"}


@kept_away_by("bridge.sync.removal:origins.marks", always(None))
def test_pain_25_what_a_rule_wrote_is_found_by_its_marks_when_the_database_is_lost(desk: PainDesk) -> None:
    filled(desk)
    kept = dict(desk.remote().shelf.objects)
    desk.lose_links()

    removed = desk.remove_rule(there=Fate.REMOVE, here=Fate.KEEP, by_marks=True)

    assert len(kept) == 2
    assert removed.there == 1
    assert desk.remote().titles() == {"theirs": "Yoga"}


def filled(desk: PainDesk) -> None:
    desk.resource().put(event("ours", "Cut"))
    desk.remote().put(event("theirs", "Yoga"))
    desk.rule()
    desk.sync()
    desk.poll()


UNLIKE: Iterator[str] = (f"{number:032x}" for number in itertools.count())


@kept_away_by("bridge.core.origin:Origin.request_id", lambda _: lambda *_: next(UNLIKE))
def test_near_miss_a_creation_whose_answer_was_lost_is_not_repeated(desk: PainDesk) -> None:
    desk.rule()
    desk.sync()
    desk.resource().put(event("one"))
    desk.remote().shelf.takes_uid_twice = True
    desk.remote().shelf.misdeeds = [None, "lost"]

    desk.sync(fails=True)
    desk.wait(timedelta(minutes=1))
    # Nor does it list yet what it has taken.
    desk.remote().shelf.misdeeds = ["stale"]
    desk.sync()
    desk.rest()

    assert desk.remote().titles() == {"one": "Haircut"}
    assert len(desk.remote().shelf.objects) == 1
    assert set(desk.links()) == {"one"}
    (link,) = desk.links().values()
    assert link.remote_id is not None
    assert desk.parked() == []


@kept_away_by("bridge.sync.pairing:_Pairing._is_gone", always(value=False))
def test_near_miss_what_gets_another_id_there_stays_one_appointment(desk: PainDesk) -> None:
    desk.rule()
    desk.resource().put(event("one"))
    desk.sync()
    remote = desk.remote()
    moved = remote.objects()[remote.id_of("one")]
    remote.delete("one")
    remote.put(moved, "moved.ics")
    before = desk.resource_revision()

    desk.poll()
    assert desk.resource_revision() == before
    desk.wait(timedelta(days=1))
    desk.rest()

    assert desk.resource().titles() == remote.titles() == {"one": "Haircut"}
    assert desk.links()["one"].remote_id == "moved.ics"
    desk.resource().put(event("one", "Colour"))
    desk.poll()
    assert remote.titles() == {"one": "Colour"}


def test_near_miss_a_shared_appointment_reaches_both_calendars_of_one_remote_account(desk: PainDesk) -> None:
    desk.rule("one", "anna", "shelf")
    desk.rule("two", "room", "second")
    desk.remote("shelf").shelf.neighbours = [desk.remote("second").shelf]
    desk.remote("second").shelf.neighbours = [desk.remote("shelf").shelf]
    desk.resource("anna").put(event("shared"))
    desk.resource("room").put(event("shared"))

    desk.sync("one")
    desk.sync("two")

    assert list(desk.remote("shelf").titles().values()) == list(desk.remote("second").titles().values()) == ["Haircut"]
    (second,) = desk.remote("second").titles()
    desk.remote("second").put(event(second, "Colour"))
    desk.poll("two")
    desk.rest()
    assert list(desk.remote("shelf").titles().values()) == ["Colour"]
    assert desk.resource("anna").titles() == {"shared": "Colour"}


def test_near_miss_a_rule_that_is_reset_reads_everything_and_doubles_nothing(desk: PainDesk) -> None:
    filled(desk)
    desk.reset()

    desk.sync()
    desk.rest()

    assert desk.resource().titles() == desk.remote().titles() == {"ours": "Cut", "theirs": "Yoga"}


@pytest.mark.parametrize("fate", [Fate.KEEP, Fate.REMOVE])
def test_near_miss_a_rule_that_is_made_anew_doubles_nothing(desk: PainDesk, fate: Fate) -> None:
    filled(desk)
    options = dict(desk.by_key["r"])
    desk.drop_rule()
    desk.remove_rule(there=fate, here=Fate.KEEP)
    desk.by_key["r"] = options
    desk.reload()

    desk.sync()
    desk.rest()

    assert desk.resource().titles() == desk.remote().titles() == {"ours": "Cut", "theirs": "Yoga"}
