"""Every code block of docs/pytorch.md runs."""

from __future__ import annotations

from pathlib import Path

import pages
import seen


def test_pytorch(tmp_path: Path, binary: Path) -> None:
    listing, served = pages.run("pytorch.md", tmp_path, binary)
    assert "4 steps, 0 to 21" in listing and served == ""
    layouts = set(seen.sure_layouts(seen.series(binary, tmp_path / "logs")).values())
    assert layouts == {"OIHW", "NCHW"}
