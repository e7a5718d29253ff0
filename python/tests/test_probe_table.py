"""The lines of the table that the tests of probes print."""

from __future__ import annotations

import logging

import probe_table

WARNING = "convscope: the model does not accept the probe, so it has no activations"


def said(error: Exception) -> list[logging.LogRecord]:
    """One warning with this cause."""
    cause = (type(error), error, None)
    return [logging.LogRecord("convscope", logging.WARNING, "", 0, WARNING, (), cause)]


def test_a_line_has_the_warning_and_its_cause() -> None:
    line = probe_table.row("no samples", "PyTorch, lazy", said(ValueError("empty\nand more")))
    told = "the model does not accept the probe (ValueError: empty)"
    assert line == f"| no samples | PyTorch, lazy | {told} | yes | yes |"
    assert "| nothing: taken |" in probe_table.row("fits", "plain", [])


def test_what_keras_puts_around_a_cause_is_left_out() -> None:
    framed = "Exception encountered when calling Conv2D.call().\n\n\033[1mbad shape\033[0m"
    assert "(TypeError: bad shape)" in probe_table.words(said(TypeError(framed)))
