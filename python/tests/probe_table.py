"""A table of probes: what is wrong, the model, the warning, and that nothing changed."""

from __future__ import annotations

import logging

HEAD = (
    "| probe | model | what was said | same losses | same weights |",
    "|---|---|---|---|---|",
)
rows: list[str] = []
"""The lines of all trainings that ended with the same numbers, in the order of the tests."""


def add(way: str, model: str, said: list[logging.LogRecord]) -> None:
    """Adds a line for a training that ended with the same numbers, bit for bit."""
    rows.append(row(way, model, said))


def row(way: str, model: str, said: list[logging.LogRecord]) -> str:
    """A line of the table."""
    return f"| {way} | {model} | {words(said)} | yes | yes |"


def words(said: list[logging.LogRecord]) -> str:
    """One line: the first warning, and its cause without the lines that Keras adds."""
    if not said:
        return "nothing: taken"
    error = said[0].exc_info[1] if said[0].exc_info else None
    lines = [line for line in str(error).splitlines() if line and "Exception enc" not in line]
    first = (lines[0] if lines else "").replace("\033[1m", "").replace("\033[0m", "")
    cause = f"{type(error).__name__}: {first}"
    return f"{said[0].getMessage().removeprefix('convscope: ').split(',')[0]} ({cause:.60})"
