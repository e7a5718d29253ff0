"""The measurements of each program -> one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from table import number


@dataclass(frozen=True)
class Bound:
    """A limit that must hold.

    Attributes:
        most: the figure is at most this.
        least: or it is at least this.
    """

    most: float | None = None
    least: float | None = None

    def holds(self, value: float) -> bool | None:
        """Whether it holds; None if there is no limit."""
        if self.most is not None:
            return value <= self.most
        return value >= self.least if self.least is not None else None

    def __str__(self) -> str:
        if self.most is not None:
            return f"<= {self.most:g}"
        return f">= {self.least:g}" if self.least is not None else "-"


ANY = Bound()


@dataclass(frozen=True)
class Reading:
    """One figure of one program.

    Attributes:
        work: what was done.
        unit: of the value.
        value: the figure; infinite if the wait was given up, NaN if the measurement failed.
        bound: the limit that must hold.
        note: additional information.
    """

    work: str
    unit: str
    value: float
    bound: Bound = ANY
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the limit holds; it does not for a measurement without a figure."""
        return False if math.isnan(self.value) else self.bound.holds(self.value)


Measure = Callable[[Path], Iterator[Reading]]
MEASUREMENTS: dict[str, Measure] = {}


def measurement(name: str) -> Callable[[Measure], Measure]:
    """Adds a function to the list of measurements."""

    def add(measure: Measure) -> Measure:
        MEASUREMENTS[name] = measure
        return measure

    return add


@dataclass
class Row:
    """One figure of all programs, by their names."""

    measurement: str
    first: Reading
    of: dict[str, Reading] = field(default_factory=dict)


def text(value: float) -> str:
    """A figure as text."""
    if math.isnan(value):
        return "-"
    return "never" if math.isinf(value) else number(value)


def render(rows: list[Row], programs: list[str]) -> str:
    """The table as Markdown, notes below; the last column is about the last program."""
    lines = [["measurement", "figure", "unit", *programs, "bound", "holds"]]
    notes = []
    for row in rows:
        figures = [text(row.of[name].value) if name in row.of else "-" for name in programs]
        last = row.of.get(programs[-1])
        holds = last.holds if last else None
        word = {None: "-", True: "yes", False: "NO"}[holds]
        bound = str(row.first.bound)
        lines.append([row.measurement, row.first.work, row.first.unit, *figures, bound, word])
        notes += [
            f"{row.measurement}, {reading.work}, {name}: {reading.note}"
            for name, reading in row.of.items()
            if reading.note
        ]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    table = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    return "\n".join(table + ([""] if notes else []) + notes)


def is_missed(rows: list[Row], program: str) -> bool:
    """Whether a limit does not hold for a program, or one of its measurements failed."""
    return any(row.of[program].holds is False for row in rows if program in row.of)
