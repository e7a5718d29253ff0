"""The program under test, and what readers other than ours make of a log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import probe_table

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The ``convscope`` program: the one in ``CONVSCOPE_BIN``, else the debug build."""
    path = Path(os.environ.get("CONVSCOPE_BIN") or REPOSITORY / "target" / "debug" / "convscope")
    assert path.is_file(), f"{path} is missing: run cargo build, or name one in CONVSCOPE_BIN"
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--probes`` prints what was tried as a probe."""
    parser.addoption("--probes", action="store_true", help="print the table of probes")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints the table at the end, where it is asked for."""
    if config.getoption("--probes"):
        terminalreporter.write_line("\n".join([*probe_table.HEAD, *probe_table.rows]))
