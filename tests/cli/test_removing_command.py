"""Tests `rule remove`: what a rule wrote goes or stays, on a real server, and nothing is doubled or left behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge import bootstrap
from bridge.cli.outcome import Exit
from tests.cli.conftest import calendar, event
from tests.cli.remote import PASSWORD, Remote, events

if TYPE_CHECKING:
    from typing import Any


def left_over(clinic: Remote, *others: str) -> None:
    """Takes the rule `work` out of the file; `others` stand there instead."""
    clinic.configure(*others)


def remove(clinic: Remote, *words: str, upstream: str = "remove", here: str = "remove") -> Any:
    answer = clinic.run("rule", "remove", "work", "--yes", "--upstream", upstream, "--here", here, "--json", *words)
    assert answer.code in {0, Exit.PART}, answer
    return answer.json


def both_sides(clinic: Remote) -> None:
    """Two appointments from here, one from there, and one that both had beforehand."""
    clinic.put_here(event("ours-1", "Cut"), event("ours-2", "Colour"), event("both", "Meeting"))
    clinic.put_there(event("theirs", "Dentist"), event("both", "Meeting"))
    clinic.sync()


def test_everything_that_a_rule_wrote_goes_and_the_rest_stays(clinic: Remote) -> None:
    both_sides(clinic)
    left_over(clinic)
    removed = remove(clinic)

    assert (removed["removed_upstream"], removed["removed_here"], removed["kept"]) == (2, 1, [])
    assert clinic.here() == {"ours-1": "Cut", "ours-2": "Colour", "both": "Meeting"}
    assert clinic.there() == {"theirs": "Dentist", "both": "Meeting"}
    assert clinic.run("rule", "list", "--json").json["rules"] == []


def test_everything_stays_where_a_person_wants_it(clinic: Remote) -> None:
    both_sides(clinic)
    before = clinic.here(), clinic.there()
    left_over(clinic)
    answer = clinic.run("rule", "remove", "work", typed="\n\ny\n")

    assert answer.code == 0
    assert (clinic.here(), clinic.there()) == before
    assert clinic.run("rule", "list", "--json").json["rules"] == []


def test_a_person_is_asked_and_may_say_no(clinic: Remote) -> None:
    both_sides(clinic)
    before = clinic.here(), clinic.there()
    left_over(clinic)
    answer = clinic.run("rule", "remove", "work", typed="remove\nremove\nn\n")

    assert answer.code == Exit.INTERRUPTED
    assert (clinic.here(), clinic.there()) == before
    assert [each["status"] for each in clinic.run("rule", "list", "--json").json["rules"]] == ["left over"]


def test_without_a_terminal_both_fates_have_to_be_said(clinic: Remote) -> None:
    left_over(clinic)
    assert clinic.run("rule", "remove", "work", "--yes", "--upstream", "keep").code in {Exit.USAGE, Exit.FAILED}


def test_what_somebody_changed_since_stays_and_is_named(clinic: Remote) -> None:
    both_sides(clinic)
    left_over(clinic)
    clinic.put_there(event("ours-1", "Cut and shave"))
    clinic.put_here(event("theirs", "Dentist later"))
    removed = remove(clinic)

    assert [(each["side"], each["uid"]) for each in removed["kept"]] == [("there", "ours-1"), ("here", "theirs")]
    assert clinic.there() == {"ours-1": "Cut and shave", "theirs": "Dentist", "both": "Meeting"}
    assert clinic.here()["theirs"] == "Dentist later"


def test_a_rule_that_still_stands_in_the_file_begins_anew_but_paused(clinic: Remote) -> None:
    both_sides(clinic)
    answer = clinic.run("rule", "remove", "work", "--yes", "--upstream", "remove", "--here", "keep")

    assert answer.code == 0
    assert "Take it out of the file" in answer.stdout
    assert clinic.there() == {"theirs": "Dentist", "both": "Meeting"}
    rule = clinic.rule()
    assert rule.paused
    assert rule.adopted_at is None
    clinic.done("rule", "resume", "work")
    clinic.sync()
    assert clinic.here() == clinic.there()


def test_a_rule_that_is_removed_and_made_again_doubles_nothing(clinic: Remote) -> None:
    both_sides(clinic)
    before = clinic.here()
    for upstream in ("keep", "remove"):
        for here in ("keep", "remove"):
            left_over(clinic)
            remove(clinic, upstream=upstream, here=here)
            clinic.configure(clinic.rule_line())
            clinic.sync()
            assert clinic.here() == clinic.there() == before
            assert clinic.sync() == {}


def test_a_rule_that_is_made_again_under_another_name_takes_over_what_the_old_one_wrote(clinic: Remote) -> None:
    both_sides(clinic)
    before = clinic.here()
    clinic.configure(clinic.rule_line("fresh"))
    clinic.sync("fresh")
    assert clinic.here() == clinic.there() == before

    removed = remove(clinic)
    # The new rule keeps all of it, so nothing may go under its feet.
    assert (removed["removed_upstream"], removed["removed_here"]) == (0, 0)
    assert clinic.sync("fresh") == {}
    assert clinic.here() == clinic.there() == before

    # And nothing that was made here is left behind when that goes too.
    clinic.configure()
    answer = clinic.run("rule", "remove", "fresh", "--yes", "--upstream", "remove", "--here", "keep", "--json")
    assert answer.json["removed_upstream"] == 2
    assert clinic.there() == {"theirs": "Dentist", "both": "Meeting"}


def test_the_old_rule_of_one_name_is_removed_beside_the_new_one_to_another_calendar(clinic: Remote) -> None:
    both_sides(clinic)
    second = clinic.name + "-2"
    path = clinic.server.make_calendar(second)
    clinic.configure(clinic.rule_line(name=second))
    clinic.sync()
    ambiguous = clinic.run("rule", "remove", "work", "--yes", "--upstream", "remove", "--here", "keep", "--json")
    assert ambiguous.code == Exit.FAILED
    target = next(each for each in re.findall(r"--target '([^']+)'", ambiguous.error["remedy"]) if second not in each)

    removed = remove(clinic, "--target", target, here="keep")
    assert removed["removed_upstream"] == 2
    assert clinic.there() == {"theirs": "Dentist", "both": "Meeting"}
    assert clinic.sync() == {}
    assert len(clinic.here()) == 4
    assert clinic.server.ask("PROPFIND", path, None, Depth="1").body.count(b".ics") == 4


def test_what_a_rule_wrote_is_found_by_its_marks_when_the_database_is_lost(clinic: Remote) -> None:
    clinic.put_here(*events(5))
    clinic.put_there(event("theirs", "Dentist"))
    clinic.sync()
    for file in (clinic.installation.config.parent / "data").glob("calbridge.sqlite3*"):
        file.unlink()
    bootstrap.initialise(clinic.installation.config).database.close()
    clinic.connect()
    assert clinic.here() == {}

    removed = remove(clinic, "--by-marks", here="keep")
    assert removed["removed_upstream"] == 5
    assert clinic.there() == {"theirs": "Dentist"}


def test_marks_spare_what_another_rule_keeps_and_what_somebody_changed(clinic: Remote) -> None:
    clinic.put_here(*events(3))
    clinic.sync()
    left_over(clinic)
    changed = clinic.bob.read("e1").replace(b"Cut 1", b"Mine now")
    clinic.bob.put(changed)
    removed = remove(clinic, "--by-marks", here="keep")

    assert removed["removed_upstream"] == 2
    assert clinic.there() == {"e1": "Mine now"}


def test_a_removal_that_the_upstream_breaks_off_can_be_repeated(clinic: Remote) -> None:
    both_sides(clinic)
    left_over(clinic)
    clinic.run("connect", "clinic", "--password-stdin", typed=f"{PASSWORD}\n")
    config = clinic.installation.config
    right = config.read_text()
    config.write_text(right.replace(clinic.server.url, "http://127.0.0.1:9/"))
    # The connection leads elsewhere now, so this rule has none.
    lost = clinic.run("rule", "remove", "work", "--yes", "--upstream", "remove", "--here", "keep", "--json")
    assert lost.code == Exit.FAILED
    assert "connection" in lost.error["error"].lower()
    config.write_text(right)
    assert remove(clinic)["removed_upstream"] == 2


def test_a_calendar_that_is_gone_took_everything_with_it(clinic: Remote) -> None:
    both_sides(clinic)
    left_over(clinic)
    clinic.bob.erase_calendar()
    assert remove(clinic)["removed_here"] == 1
    assert clinic.run("rule", "list", "--json").json["rules"] == []


def test_what_goes_here_can_be_taken_back(clinic: Remote) -> None:
    both_sides(clinic)
    left_over(clinic)
    remove(clinic, upstream="keep")
    assert "theirs" not in clinic.here()
    newest = clinic.run("history", "salon/anna", "--json").json["entries"][0]
    assert newest["via"] == "calbridge rule remove work"
    clinic.done("undo", str(newest["id"]))
    assert clinic.here()["theirs"] == "Dentist"


def test_a_series_with_a_moved_instance_is_removed_as_one(clinic: Remote) -> None:
    series = event("series", "Daily", extra="RRULE:FREQ=DAILY;COUNT=5")
    moved = event(
        "series", "Daily", start="20261124T110000", extra="RECURRENCE-ID;TZID=Europe/Amsterdam:20261124T090000"
    )
    assert clinic.run("import", "-", "--into", "salon/anna", typed=calendar(series, moved)).code == 0
    clinic.sync()
    left_over(clinic)
    assert remove(clinic)["removed_upstream"] == 1
    assert clinic.there() == {}
