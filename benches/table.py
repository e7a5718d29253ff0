"""Rows of the benchmark's table, and the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from process import Unavailable


@dataclass
class Row:
    """One comparison.

    Attributes:
        work: what was done.
        peer: the other program.
        unit: the unit of all figures; less is better.
        factor: the goal: how many times better than the peer.
        limit: the goal as a figure, if no peer does the work.
        theirs: the peer's figures, one per round.
        ours: our figures, one per round.
        note: additional information.
        quantile: which of our figures counts; None for the median.
    """

    work: str
    peer: str
    unit: str
    factor: float | None = None
    limit: float | None = None
    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    note: str = ""
    quantile: float | None = None

    @property
    def ratio(self) -> float | None:
        """The peer's figure divided by ours."""
        if not self.theirs or not self.ours or not median(self.theirs):
            return None
        return median(self.theirs) / max(self.our_figure, 1e-9)

    @property
    def our_figure(self) -> float:
        """The figure that is compared with the goal."""
        if self.quantile is None:
            return median(self.ours)
        ordered = sorted(self.ours)
        return ordered[min(len(ordered) - 1, int(self.quantile * len(ordered)))]

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is no goal or no figure."""
        if not self.ours:
            return None
        if self.limit is not None:
            return self.our_figure <= self.limit
        if self.factor is None or self.ratio is None:
            return None
        return self.ratio >= self.factor

    def cells(self) -> list[str]:
        """The row as text."""
        goal = f"< {self.limit:g} {self.unit}" if self.limit is not None else "-"
        if self.factor is not None:
            goal = f"{self.factor:g}x"
        ours = "-"
        if self.ours:
            ours = f"{number(self.our_figure)} (min {number(min(self.ours))})"
        return [
            self.work,
            self.peer,
            f"{number(median(self.theirs))} (min {number(min(self.theirs))})"
            if self.theirs
            else "-",
            ours,
            self.unit,
            f"{self.ratio:.1f}x" if self.ratio is not None else "-",
            goal,
            {None: "-", True: "yes", False: "NO"}[self.met],
        ]


HEADER = ["work", "peer", "peer's median", "ours", "unit", "ratio", "goal", "met"]


def number(value: float) -> str:
    """Three digits, never an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def attempt(row: Row, measure: Callable[[], float]) -> None:
    """Adds a figure of ours, or the reason why there is none."""
    try:
        row.ours.append(measure())
    except Unavailable as error:
        row.note = str(error)


def render(rows: list[Row]) -> str:
    """The table as Markdown, notes below."""
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADER))]
    cells.insert(1, ["-" * width for width in widths])
    lines = [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    notes = [f"{row.work}: {row.note}" for row in rows if row.note]
    return "\n".join(lines + ([""] if notes else []) + notes)
