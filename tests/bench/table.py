"""Findings as aligned text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.findings import MOST_GROWTH, MOST_MEMORY_MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.findings import Bound, Findings, FirstSync


def duration(seconds: float) -> str:
    """Seconds as a person reads them, with three digits."""
    milliseconds = seconds * 1000
    if milliseconds >= 10_000:
        return f"{seconds:,.1f} s"
    if milliseconds >= 100:
        return f"{milliseconds:,.0f} ms"
    return f"{milliseconds:.1f} ms" if milliseconds >= 10 else f"{milliseconds:.2f} ms"


def ratio(times: float) -> str:
    """A factor as a person reads it."""
    return f"{times:,.0f}x" if times >= 10 else f"{times:.1f}x"


def verdict(*, reached: bool, has_goal: bool) -> str:
    """Whether a goal is reached, in a word."""
    if not has_goal:
        return ""
    return "ok" if reached else "SHORT"


def text(findings: Findings) -> str:
    """All tables, and how they came about."""
    parts = [
        _table(
            (f"Each with {findings.count:,} appointments", "Calbridge", findings.peer, "ratio", "goal", ""),
            [
                (
                    each.label,
                    duration(each.ours),
                    duration(each.peer),
                    ratio(each.ratio),
                    "" if each.goal is None else f"{each.goal:,}x",
                    verdict(reached=each.is_reached, has_goal=each.goal is not None),
                )
                for each in findings.comparisons
            ],
        )
    ]
    counts = sorted(findings.growths[0].seconds) if findings.growths else []
    if len(counts) > 1:
        parts.append(
            _table(
                ("Calbridge, appointments:", *(f"{count:,}" for count in counts), "growth", "goal", ""),
                [
                    (
                        each.label,
                        *(duration(each.seconds[count]) for count in counts),
                        f"{each.factor:.2f}",
                        f"{MOST_GROWTH}" if each.bounded else "",
                        verdict(reached=each.is_reached, has_goal=each.bounded),
                    )
                    for each in findings.growths
                ],
            )
        )
    parts.append(
        _table(
            ("Answers a second, one worker", "Calbridge", "nginx", "goal", ""),
            [
                (
                    each.label,
                    f"{each.ours:,.0f}",
                    "" if each.other is None else f"{each.other:,.0f}",
                    "" if each.goal is None else f"{each.goal:,.0f}",
                    verdict(reached=each.goal is None or each.ours >= each.goal, has_goal=each.goal is not None),
                )
                for each in findings.throughputs
            ],
        )
    )
    parts.append(
        _table(
            ("Resident memory, idle", "MiB", "goal", ""),
            [
                (
                    each.label,
                    f"{each.mib:.0f}",
                    f"< {MOST_MEMORY_MIB}" if each.bounded else "",
                    verdict(reached=each.is_reached, has_goal=each.bounded),
                )
                for each in findings.memories
            ],
        )
    )
    parts.append("\n".join((*findings.machine, *findings.method)))
    return "\n\n".join(parts) + "\n"


def rules(first_syncs: Sequence[FirstSync], bounds: Sequence[Bound]) -> list[str]:
    """The tables about rules."""
    return [
        _table(
            ("First sync of a rule, appointments", "Calbridge", "vdirsyncer", "ratio", "possible", "goal", ""),
            [
                (
                    each.label,
                    duration(each.ours.seconds),
                    duration(each.peer.seconds),
                    ratio(each.ratio),
                    ratio(each.most),
                    f"{each.goal}x",
                    verdict(reached=each.is_reached, has_goal=True),
                )
                for each in first_syncs
            ],
        ),
        _table(
            ("Processor time of these", "Calbridge", "its server", "vdirsyncer", "its server", ""),
            [
                (
                    each.label,
                    *(duration(spent) for cost in (each.ours, each.peer) for spent in (cost.own, cost.server)),
                    "",
                )
                for each in first_syncs
            ],
        ),
        _table(
            ("Rules", "found", "goal", ""),
            [
                (
                    each.label,
                    f"{each.found:.3g} {each.unit}".strip(),
                    f"<= {each.most:g} {each.unit}".strip(),
                    verdict(reached=each.is_reached, has_goal=True),
                )
                for each in bounds
            ],
        ),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    lines = []
    for row in (head, ["-" * width for width in widths], *rows):
        first, *others = row
        cells = [
            first.ljust(widths[0]),
            *(each.rjust(width) for each, width in zip(others[:-1], widths[1:], strict=False)),
        ]
        lines.append("  ".join([*cells, others[-1]]).rstrip())
    return "\n".join(lines)
