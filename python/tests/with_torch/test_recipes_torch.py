"""The code that the page and ``ls`` suggest for logs without tensors works."""

from __future__ import annotations

from pathlib import Path

import pytest
import recipes

TRAINING = """
import torch
from torch.utils.tensorboard import SummaryWriter

model = torch.nn.Sequential()
model.add_module("conv1", torch.nn.Conv2d(3, 8, 3))
model.add_module("norm", torch.nn.BatchNorm2d(8))
model.add_module("depthwise", torch.nn.Conv2d(8, 8, 3, groups=8))
model.add_module("conv2", torch.nn.ConvTranspose2d(8, 6, 3))
images, labels = torch.rand(8, 3, 16, 16), torch.rand(8, 6, 14, 14)
optimizer = torch.optim.SGD(model.parameters(), 0.1)

def train(model):
    model.train()
    with SummaryWriter("LOGDIR") as log:
        for step in range(3):
            loss = torch.nn.functional.mse_loss(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            log.add_scalar("loss", loss.item(), step)
            log.add_histogram("conv1.weight", model.conv1.weight, step)

train(model)
"""
CONVOLUTIONS = {"conv1", "depthwise", "conv2"}


@pytest.mark.parametrize("with_package", [True, False])
def test_all_convolutions_are_shown(tmp_path: Path, binary: Path, with_package: bool) -> None:
    shown = recipes.layers_shown_after(
        binary, tmp_path, TRAINING, framework="PyTorch", with_package=with_package
    )
    assert {role: shown[role] for role in ("kernel", "activation")} == {
        "kernel": CONVOLUTIONS,
        "activation": CONVOLUTIONS,
    }


def test_the_lines_leave_the_model_as_it_was(tmp_path: Path, binary: Path) -> None:
    check = """
mean, was_training = model.norm.running_mean.clone(), model.training
log_tensors(images[:4], 9)
assert torch.equal(mean, model.norm.running_mean) and model.training == was_training
assert not model.conv1._forward_hooks
"""
    logdir = tmp_path / "logs"
    before = TRAINING.replace("LOGDIR", str(logdir))
    recipes.pages.run_blocks("without", [before], tmp_path)
    code = recipes.recipe(binary, logdir, tmp_path, "PyTorch", with_package=False)
    recipes.pages.run_blocks("PyTorch", [before, code, check], tmp_path)
