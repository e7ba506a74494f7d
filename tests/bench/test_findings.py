"""Tests of how the bench shows what it found."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.bench import picture, table
from tests.bench.findings import Bound, Comparison, Cost, Findings, FirstSync, Growth, Memory, middle
from tests.bench.load import Throughput

FOUND = Findings(
    count=10_000,
    peer="Radicale 3.9.0",
    comparisons=(Comparison("ctag", 0.001, 1.0, 400), Comparison("PUT <new>", 0.01, 0.1, 25)),
    growths=(Growth("ctag", {1_000: 0.001, 100_000: 0.002}, bounded=True),),
    throughputs=(Throughput("304", 30_000.0, 90_000.0, 10_000.0),),
    memories=(Memory("Calbridge, 10,000 appointments", 120.0, bounded=True),),
    machine=("2 cores.",),
    method=("In turns.",),
)


def test_the_table_says_which_goals_are_reached_and_which_are_not() -> None:
    lines = table.text(FOUND).splitlines()

    assert next(line for line in lines if line.startswith("ctag")).split()[-3:] == ["1,000x", "400x", "ok"]
    assert next(line for line in lines if line.startswith("PUT")).split()[-1] == "SHORT"
    assert [line.split()[-2:] for line in lines if line.startswith("ctag")][1] == ["1.5", "SHORT"]


def test_the_columns_stand_below_each_other() -> None:
    rows = [line for line in table.text(FOUND).splitlines() if line.startswith(("ctag", "PUT"))][:2]

    assert rows[0].index(" ms") == rows[1].index(" ms")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.00042, "0.42 ms"), (0.0421, "42.1 ms"), (1.07, "1,070 ms"), (321.0, "321.0 s")]
)
def test_a_time_reads_with_three_digits(seconds: float, shown: str) -> None:
    assert table.duration(seconds) == shown


def test_the_picture_is_one_document_that_reads_in_light_and_dark() -> None:
    drawn = picture.svg(FOUND)

    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in drawn
    assert "PUT &lt;new&gt;" in drawn
    assert "1,000x faster" in drawn
    assert re.findall(r">([\d.]+ m?s)</text>", drawn)[:4] == ["1 ms", "10 ms", "100 ms", "1 s"]


def test_what_rules_cost_stands_beside_what_it_may_be() -> None:
    first_syncs = [
        FirstSync("2,000 from there", Cost(2.0, 1.2, 0.5), Cost(5.0, 2.0, 1.0), 2),
        FirstSync("2,000 to there", Cost(2.0, 0.5, 1.5), Cost(3.0, 0.5, 1.5), 2),
    ]
    bounds = [Bound("requests", 1, 1, ""), Bound("own time", 21.0, 20, "ms")]
    lines = "\n".join(table.rules(first_syncs, bounds)).splitlines()

    shown = {line.split("  ")[0]: line.split()[-1] for line in lines}
    assert [line.split()[-3:] for line in lines if line.startswith("2,000")][:2] == [
        ["6.0x", "2x", "ok"],
        ["1.3x", "2x", "SHORT"],
    ]
    assert (shown["requests"], shown["own time"]) == ("ok", "SHORT")


def test_the_middle_of_several_rounds_is_not_moved_by_one_that_was_disturbed() -> None:
    assert middle([Cost(1.0, 0.5, 0.2), Cost(9.0, 0.6, 0.3), Cost(1.1, 0.4, 0.9)]) == Cost(1.1, 0.5, 0.3)
