from __future__ import annotations

from bridge.feed.lines import Line


def test_a_line_is_split_at_the_first_colon_outside_quotes() -> None:
    line = Line.read('attendee;CN="A: B;C";ROLE=CHAIR:mailto:a@example.org')
    assert line == Line("ATTENDEE", ';CN="A: B;C";ROLE=CHAIR', "mailto:a@example.org")
    assert (line.param("CN"), line.param("ROLE"), line.param("X")) == ("A: B;C", "CHAIR", "")


def test_a_line_without_value_is_none() -> None:
    assert Line.read("NOTHING") is None


def test_a_parameter_that_needs_quotes_gets_them() -> None:
    line = Line("DTSTART", ";TZID=Old;VALUE=DATE-TIME", "20261201T100000")
    assert line.with_param("TZID", 'A, B: "C"').params == ";VALUE=DATE-TIME;TZID=\"A, B: 'C'\""
    assert line.with_param("TZID", "").params == ";VALUE=DATE-TIME"
    assert line.with_only_params({"TZID"}).params == ";TZID=Old"
