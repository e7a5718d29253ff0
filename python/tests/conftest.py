"""The program under test, and what readers other than ours make of a log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary() -> Path:
    """The ``convscope`` program: the one in ``CONVSCOPE_BIN``, else the debug build."""
    path = Path(os.environ.get("CONVSCOPE_BIN") or REPOSITORY / "target" / "debug" / "convscope")
    assert path.is_file(), f"{path} is missing: run cargo build, or name one in CONVSCOPE_BIN"
    return path
