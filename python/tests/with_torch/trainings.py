"""Small models in PyTorch, of every kind that recording could disturb."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

import seen

X = torch.rand(4, 1, 8, 8)


def conv() -> nn.Sequential:
    """One layer, for pictures of 8x8."""
    return nn.Sequential(nn.Conv2d(1, 3, 3))


class Merging(nn.Conv2d):
    """Merges learned values into its weights in evaluation mode, as LoRA does."""

    def train(self, mode: bool = True) -> nn.Module:
        self.weight.data += -1 if mode else 1
        return super().train(mode)


class Noisy(nn.Conv2d):
    """Draws random numbers in evaluation mode, too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + torch.rand(())


def around(layer: nn.Module) -> nn.Sequential:
    """A network with this layer, for pictures of 8x8."""
    return nn.Sequential(
        layer,
        nn.BatchNorm2d(3),
        nn.Dropout(0.2),
        nn.Conv2d(3, 2, 3),
        nn.Flatten(),
        nn.Linear(32, 1),
    )


def old(wrap: Callable[[nn.Module], nn.Module]) -> nn.Sequential:
    """The convolution and the linear layer within a deprecated wrapper."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = around(wrap(nn.Conv2d(1, 3, 3)))
        model[5] = wrap(model[5])
    return model


def pruned() -> nn.Sequential:
    """Pruned twice, so that one hook holds two masks."""
    model = around(nn.Conv2d(1, 3, 3))
    prune.random_unstructured(model[0], "weight", 0.3)
    prune.l1_unstructured(model[0], "weight", 0.2)
    prune.l1_unstructured(model[0], "bias", 1)
    return model


def quantized() -> nn.Sequential:
    """Trained for eight bits: observers count every pass, also in evaluation mode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.ao.quantization.fuse_modules_qat(around(nn.Conv2d(1, 3, 3)), [["0", "1"]])
        model.qconfig = torch.ao.quantization.get_default_qat_qconfig("fbgemm")
        return torch.ao.quantization.prepare_qat(model)


MODELS: dict[str, Callable[[], nn.Sequential]] = {
    "plain": lambda: around(nn.Conv2d(1, 3, 3)),
    "spectral_norm": lambda: around(parametrizations.spectral_norm(nn.Conv2d(1, 3, 3))),
    "weight_norm": lambda: around(parametrizations.weight_norm(nn.Conv2d(1, 3, 3))),
    "old spectral_norm": lambda: old(nn.utils.spectral_norm),
    "old weight_norm": lambda: old(nn.utils.weight_norm),
    "pruned": pruned,
    "quantized": quantized,
    "merging": lambda: around(Merging(1, 3, 3)),
    "noisy": lambda: around(Noisy(1, 3, 3)),
}


def made(name: str) -> nn.Sequential:
    """The same model each time, in training mode."""
    torch.manual_seed(5)
    return MODELS[name]().train()


def steps(model: nn.Module, n: int, before: Callable[[int], None] = lambda step: None) -> None:
    """Trains for some steps."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for step in range(n):
        before(step)
        optimizer.zero_grad()
        model(X + step).pow(2).mean().backward()
        optimizer.step()


@contextmanager
def tensors(binary: Path, logdir: Path) -> Iterator[Callable[[str, int], np.ndarray]]:
    """A function that returns the tensor of a tag at a step."""
    scratch = logdir.parent / f"{logdir.name}-scratch"
    scratch.mkdir()
    with seen.served(binary, logdir, scratch) as server:
        yield server.tensor
