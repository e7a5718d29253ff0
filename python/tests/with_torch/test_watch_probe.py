"""Probes that a model does not accept, and models that raise errors: the training is unchanged.

``make probes`` prints them as a table with the warnings.
"""

from __future__ import annotations

import functools
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import probe_table
import seen
from changing_models import MODELS, InPlace
from trainings import around

import convscope.torch
from convscope import Recorder

IMAGES = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def no_call(*arguments: Any, **named: Any) -> Any:
    raise KeyError("no probe today")


WRONG: dict[str, Callable[[], Any]] = {
    "another number of axes": lambda: torch.rand(2, 3),
    "another number of channels": lambda: torch.rand(2, 5, 8, 8),
    "another size": lambda: torch.rand(2, 1, 12, 12),
    "no batch axis": lambda: IMAGES[0, 0],
    "no batch axis, but channels": lambda: IMAGES[0],
    "whole numbers": lambda: (IMAGES[:2] * 255).long(),
    "doubles": lambda: IMAGES[:2].double(),
    "complex numbers": lambda: IMAGES[:2] + 0j,
    "sparse": lambda: IMAGES[:2].to_sparse(),
    "on another device (meta)": lambda: torch.empty(2, 1, 8, 8, device="meta"),
    "an array of NumPy": lambda: IMAGES[:2].numpy(),
    "a list": lambda: [IMAGES[:2]],
    "nested lists": lambda: IMAGES[:2].tolist(),
    "no samples": lambda: IMAGES[:0],
    "an empty list": list,
    "an empty tuple": tuple,
    "an empty dict": dict,
    "False": lambda: False,
    "a number": lambda: 0.0,
    "an empty text": lambda: "",
    "a generator": lambda: (one for one in IMAGES),
    "an iterator of batches": lambda: iter([IMAGES]),
    "a function": lambda: lambda: IMAGES[:2],
    "a function that raises": lambda: no_call,
    "a dict": lambda: {"picture": IMAGES[:2]},
    "two arguments": lambda: (IMAGES[:2], IMAGES[:2]),
    "a class": lambda: torch.Tensor,
}


def trained(name: str, watch: Callable[[nn.Module], Any] | None = None) -> dict[str, Any]:
    """Everything after a training: its losses, the images, the model, random numbers."""
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    model = MODELS[name]()
    images, left = IMAGES.clone(), {}
    made = None if watch is None else watch(model)
    optimizer: Any = None
    for step in range(6):
        loss = model(images[step : step + 3].clone()).pow(2).mean()
        optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        left[f"loss {step}"] = loss.detach()
    if made is not None:
        made.close()
        assert made.n_steps == 6
    if name == "compiled":
        torch._dynamo.reset()
    left |= {"images": images, "random": torch.get_rng_state(), **model.state_dict()}
    for key, value in vars(model).items():
        numbers = [*value.values()] if type(value) is dict else value
        if type(numbers) is list and all(isinstance(one, int) for one in numbers):
            left[key] = torch.tensor(numbers)
    return left


@functools.cache
def plain(name: str) -> dict[str, Any]:
    """The same training without a watch."""
    return trained(name)


def check(
    name: str, way: str, probe: Any, logdir: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Trains with this probe; returns the warnings."""
    without = plain(name)
    caplog.clear()
    with Recorder(logdir) as recorder:
        under = trained(
            name, lambda model: convscope.torch.watch(model, recorder, probe=probe, every=2)
        )
    assert list(under) == list(without)
    assert [key for key in without if not torch.equal(without[key], under[key])] == []
    said = [one for one in caplog.records if one.name == "convscope"]
    assert all(one.levelno == logging.WARNING for one in said)
    probe_table.add(way, f"PyTorch, {name}", said)
    return [one.getMessage() for one in said]


def has_activations(binary: Path, logdir: Path) -> bool:
    """Whether there are any, beside the kernels, which are there in any case."""
    found = seen.series(binary, logdir)
    kernel = next(one for tag, one in found.items() if tag.endswith("/kernel"))
    assert (kernel["first_step"], kernel["last_step"], kernel["steps"]) == (0, 6, 4)
    return any(tag.endswith("/activation") for tag in found)


@pytest.mark.parametrize("name", ["plain", "lazy", "builds itself"])
@pytest.mark.parametrize("way", WRONG)
def test_a_wrong_probe_changes_nothing_of_the_training(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, name: str, way: str
) -> None:
    said = check(name, way, WRONG[way](), tmp_path, caplog)
    # Either its activations are recorded, or one warning says why not. A model may run its first
    # layers before a later layer raises an error for the probe.
    is_refused = any("does not accept the probe" in one for one in said)
    assert len(said) == is_refused
    assert is_refused or has_activations(binary, tmp_path)


@pytest.mark.parametrize("way", ["another number of axes", "no batch axis", "a generator"])
@pytest.mark.parametrize("name", ["in place", "shared layer", "compiled"])
def test_a_wrong_probe_harms_no_kind_of_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, way: str
) -> None:
    (said,) = check(name, way, WRONG[way](), tmp_path, caplog)
    assert "does not accept the probe" in said


@pytest.mark.parametrize("name", MODELS)
def test_a_probe_that_fits_changes_nothing_and_says_nothing(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    said = check(name, "a probe that fits", IMAGES[:2], tmp_path, caplog)
    assert has_activations(binary, tmp_path)
    assert len(said) == (name == "raises in evaluation")


def test_a_probe_that_is_a_part_of_the_data_leaves_the_data(tmp_path: Path, binary: Path) -> None:
    data = IMAGES.clone()
    model = InPlace()
    with Recorder(tmp_path / "log", strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=data[:2], every=1):
            model(IMAGES.clone())
            model(IMAGES.clone())
    assert torch.equal(data, IMAGES)
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path / "log", tmp_path / "scratch") as server:
        np.testing.assert_array_equal(server.tensor("input", 0), IMAGES[:2])


def test_an_iterator_is_not_used_up(tmp_path: Path) -> None:
    batches = iter([IMAGES, IMAGES])
    model = around(nn.Conv2d(1, 3, 3))
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, probe=batches):
            model(IMAGES)
    assert len(list(batches)) == 2


class Counted(nn.Module):
    """Tells others when it is called, and in which mode."""

    def __init__(self, calls: list[bool]) -> None:
        super().__init__()
        self.conv, self.calls = nn.Conv2d(1, 3, 3), (calls.append,)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls[0](self.training)
        return self.conv(x)


def test_the_training_is_the_first_to_call_its_model(tmp_path: Path) -> None:
    calls: list[bool] = []
    model = Counted(calls)
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=IMAGES[:2], every=1):
            assert calls == []
            model(IMAGES)
            assert calls == [True, False]
            model(IMAGES)
    assert calls == [True, False, False, True, False]


def test_a_watched_model_may_raise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = around(nn.Conv2d(1, 3, 3))
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, probe=IMAGES[:2], every=1) as watch:
            for _ in range(2):
                with pytest.raises(RuntimeError):
                    model(torch.rand(2, 5, 8, 8))
                model(IMAGES)
        assert watch.n_steps == 4
    assert caplog.records == []
