"""Every block of docs/pytorch.md runs, and the PyTorch lines of README and docs/logging.md."""

from __future__ import annotations

from pathlib import Path

import pages
import seen


def test_pytorch(tmp_path: Path, binary: Path) -> None:
    listing, served = pages.run("pytorch.md", tmp_path, binary)
    assert "4 steps, 0 to 21" in listing and served == ""
    layouts = set(seen.sure_layouts(seen.series(binary, tmp_path / "logs")).values())
    assert layouts == {"OIHW", "NCHW"}


def roles(binary: Path, logdir: Path) -> dict[str, str]:
    """Tags -> the roles and layouts that ConvScope infers."""
    return {tag: one["role"] for tag, one in seen.series(binary, logdir).items()}


def test_readme(tmp_path: Path, binary: Path) -> None:
    before = """
import torch
model, x = torch.nn.Sequential(), torch.rand(8, 3, 8, 8)
model.add_module("conv1", torch.nn.Conv2d(3, 4, 3))
def train(model):
    model(x)
"""
    pages.run_block("README.md", 1, before, tmp_path)
    assert roles(binary, tmp_path / "logs") == {
        "conv1/kernel": "kernel",
        "conv1/bias": "bias",
        "conv1/activation": "activation",
        "input": "input",
    }


def test_logging(tmp_path: Path, binary: Path) -> None:
    before = """
import torch
model = torch.nn.Sequential()
model.add_module("conv1", torch.nn.Conv2d(3, 4, 3))
activation, step = model.conv1(torch.rand(2, 3, 8, 8)), 0
"""
    pages.run_block("docs/logging.md", 2, before, tmp_path)
    assert roles(binary, tmp_path / "logs" / "train") == {
        "conv1.weight": "kernel",
        "conv1.activation": "activation",
    }
