"""Every code block of docs/pytorch.md runs, and the README's lines for PyTorch."""

from __future__ import annotations

from pathlib import Path

import pages
import seen


def test_pytorch(tmp_path: Path, binary: Path) -> None:
    listing, served = pages.run("pytorch.md", tmp_path, binary)
    assert "4 steps, 0 to 21" in listing and served == ""
    layouts = set(seen.sure_layouts(seen.series(binary, tmp_path / "logs")).values())
    assert layouts == {"OIHW", "NCHW"}


def test_readme(tmp_path: Path, binary: Path) -> None:
    before = """
import torch
model = torch.nn.Sequential()
model.add_module("conv1", torch.nn.Conv2d(3, 4, 3))
activation, step = model.conv1(torch.rand(2, 3, 8, 8)), 0
"""
    pages.run_readme(3, before, tmp_path)
    found = seen.series(binary, tmp_path / "logs" / "train")
    assert {tag: one["role"] for tag, one in found.items()} == {
        "conv1.weight": "kernel",
        "conv1.activation": "activation",
    }
