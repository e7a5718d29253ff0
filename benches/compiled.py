"""Measures how much longer a compiled step of PyTorch takes under ``convscope.torch.watch``.

A step is a pass, its gradients and an update, of five convolutions of 8 channels on a batch of 16
pictures of 32x32, on one thread. ``watch`` records step 0, step 100 and the last one; the figure is
the time of the fastest of 120 steps, that is, of a step that is not recorded. Without and with
``watch`` are measured in turn, four times; each pair is one line of the table.

    target/venv-torch/bin/python benches/compiled.py
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

import convscope.torch  # noqa: E402
from convscope import Recorder  # noqa: E402

ORDERS = ("compile, watch", "watch, compile")
N_WARM, N_STEPS, N_PAIRS = 10, 130, 4


class Net(nn.Module):
    """A user's own class, whose hooks PyTorch compiles apart from its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(4))
        self.out = nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x))
        for block in self.blocks:
            x = x + torch.relu(block(x))
        return self.out(x.mean((2, 3)))


def step_ms(order: str, is_watched: bool) -> float:
    """The milliseconds of the fastest step of a new model, compiled before or after the watch."""
    torch.manual_seed(7)
    model, images = Net(), torch.rand(16, 1, 32, 32)
    is_compiled_first = order == ORDERS[0]
    with tempfile.TemporaryDirectory() as folder, Recorder(folder) as recorder:
        run = torch.compile(model) if is_compiled_first else model
        watch = convscope.torch.watch(run, recorder) if is_watched else nullcontext()
        with watch:
            run = run if is_compiled_first else torch.compile(model)
            fastest = min(times_of_steps(run, model, images)[N_WARM:])
    torch._dynamo.reset()
    return 1000 * fastest


def times_of_steps(run: nn.Module, model: nn.Module, images: torch.Tensor) -> list[float]:
    """The seconds of each step of a training."""
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    times = []
    for _ in range(N_STEPS):
        begin = time.perf_counter()
        optimizer.zero_grad()
        run(images).mean().backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    return times


def main() -> None:
    """Prints the table."""
    # The second order logs a warning, as it should.
    logging.getLogger("convscope").disabled = True
    torch.set_num_threads(1)
    print("| order | without watch | with watch | difference |\n|---|---|---|---|")
    for order in ORDERS:
        # What is imported and compiled for the first time takes longer.
        step_ms(order, is_watched=False)
        for _ in range(N_PAIRS):
            without, under = (step_ms(order, is_watched=one) for one in (False, True))
            print(f"| {order} | {without:.2f} ms | {under:.2f} ms | {under / without - 1:+.1%} |")


if __name__ == "__main__":
    main()
