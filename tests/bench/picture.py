"""Findings as a picture: for each operation two bars on a logarithmic scale, and the factor between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.bench.table import duration, ratio

if TYPE_CHECKING:
    from tests.bench.findings import Comparison, Findings

_WIDTH = 920
_LEFT, _RIGHT = 300, 176
_TOP, _ROW, _BAR = 104, 44, 14
_STYLE = """
  text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 18px; font-weight: 600; }
  .quiet { font-size: 12px; fill: #59636e; }
  .value { font-size: 12px; }
  .ratio { font-weight: 600; }
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .ours { fill: #0a7f64; }
  .peer { fill: #b4bcc5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .ground { fill: #0d1117; stroke: #3d444d; }
    .grid { stroke: #2a313a; }
    .ours { fill: #3fc79f; }
    .peer { fill: #6e7681; }
  }
"""


@dataclass(slots=True)
class _Scale:
    """Where a time stands on a logarithmic scale over whole powers of ten."""

    low: int
    high: int

    def x(self, seconds: float) -> float:
        share = (log10(seconds) - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


@dataclass(slots=True)
class _Drawing:
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> None:
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'
        )

    def bar(self, x: float, y: float, width: float, kind: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BAR}" rx="2" class="{kind}"/>')


def svg(findings: Findings) -> str:
    """The comparison with the peer as an SVG document that reads in light and in dark."""
    rows = findings.comparisons
    shortest = min(min(each.ours, each.peer) for each in rows)
    longest = max(max(each.ours, each.peer) for each in rows)
    scale = _Scale(floor(log10(shortest)), ceil(log10(longest)))
    bottom = _TOP + len(rows) * _ROW
    height = bottom + 24 + 19 * len(_notes(findings))
    drawing = _Drawing()
    title = f"Calbridge and plain {findings.peer}, {findings.count:,} appointments in one calendar"
    drawing.text(24, 36, title, "title")
    drawing.bar(24, 54, _BAR, "ours")
    drawing.text(44, 66, "Calbridge", "quiet")
    drawing.bar(124, 54, _BAR, "peer")
    drawing.text(144, 66, findings.peer, "quiet")
    drawing.text(_WIDTH - 24, 66, "time of one request, logarithmic; shorter is better", "quiet", "end")
    for power in range(scale.low, scale.high + 1):
        x = scale.x(10.0**power)
        drawing.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom}" class="grid"/>')
        drawing.text(x, _TOP - 14, _tick(power), "quiet", "middle")
    for number, row in enumerate(rows):
        _row(drawing, scale, row, _TOP + number * _ROW)
    for number, line in enumerate(_notes(findings)):
        drawing.text(24, bottom + 28 + number * 19, line, "quiet")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n'
        f'<rect x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8" class="ground"/>\n'
        + "\n".join(drawing.parts)
        + "\n</svg>\n"
    )


def _row(drawing: _Drawing, scale: _Scale, row: Comparison, y: float) -> None:
    drawing.text(24, y + 21, row.label)
    for place, (seconds, kind) in enumerate(((row.ours, "ours"), (row.peer, "peer"))):
        top = y + 2 + place * (_BAR + 2)
        end = max(scale.x(seconds), _LEFT + 2)
        drawing.bar(_LEFT, top, end - _LEFT, kind)
        drawing.text(end + 6, top + _BAR - 3, duration(seconds), "value")
    drawing.text(_WIDTH - 24, y + 21, f"{ratio(row.ratio)} faster", "ratio", "end")


def _tick(power: int) -> str:
    return f"{10.0**power:,g} s" if power >= 0 else f"{10.0 ** (power + 3):g} ms"


def _notes(findings: Findings) -> list[str]:
    notes = []
    if findings.throughputs:
        first = findings.throughputs[0]
        notes.append(f"One worker answers {first.ours:,.0f} requests a second for a feed that has not changed (304).")
    bounded = [each for each in findings.memories if each.bounded]
    if bounded:
        notes.append(f"Resident memory of an idle server: {bounded[-1].mib:.0f} MiB. {bounded[-1].label}.")
    return [*notes, " ".join(findings.machine[:2])]
