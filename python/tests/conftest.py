"""The program under test, the deadline of each test, and the option ``--probes``."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import probe_table

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 600
"""Ends a test that waits for something that never comes; no test should take this long."""


@pytest.fixture(scope="session")
def binary() -> Path:
    """The ``convscope`` program: the one in ``CONVSCOPE_BIN``, otherwise the debug build."""
    path = Path(os.environ.get("CONVSCOPE_BIN") or REPOSITORY / "target" / "debug" / "convscope")
    assert path.is_file(), f"{path} is missing: run cargo build, or name one in CONVSCOPE_BIN"
    return path


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """Makes a test fail that has not ended within ``DEADLINE_S``."""

    def fail(*_: object) -> None:
        # This raises no Exception, so that no error handler in the code under test catches it.
        pytest.fail(f"the test did not end within {DEADLINE_S} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(DEADLINE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--probes`` prints the table of the probes that were tried."""
    parser.addoption("--probes", action="store_true", help="print the table of probes")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints the table at the end, if ``--probes`` is given."""
    if config.getoption("--probes"):
        terminalreporter.write_line("\n".join([*probe_table.HEAD, *probe_table.rows]))
