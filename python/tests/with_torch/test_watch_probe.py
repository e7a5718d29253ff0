"""A probe that a model does not take, and models that raise: the training is the one without.

``pytest -s`` prints a line for each way of being wrong: the way, the model, what is said, and that
the training ended with the same losses and the same weights, bit for bit.
"""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import probe_table
import seen
from trainings import around

import convscope.torch
from convscope import Recorder

IMAGES = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class SelfBuilding(nn.Module):
    """Makes its last layer when it sees how large its first batch is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.out: Any = None
        self.seen: list[int] = []
        self.sizes: dict[str, int] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x)).flatten(1)
        self.seen.append(len(x))
        if self.out is None:
            self.out = nn.Linear(x.shape[1], 1)
            self.sizes["out"] = x.shape[1]
            self.register_buffer("scale", torch.rand(()))
        assert x.shape[1] == self.sizes["out"]
        return self.out(x) * self.scale + len(self.seen)


class InPlace(nn.Module):
    """Changes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x.sub_(0.5).div_(0.25))


class RaisesInEvaluation(nn.Module):
    """Cannot be run but for training, and says so half way."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x))
        if not self.training:
            torch.rand(3)
            self.norm.running_mean += 1
            raise RuntimeError("only for training")
        return x


class Shared(nn.Module):
    """Uses its convolution twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.conv(x))


class Keeping(nn.Module):
    """Keeps what it saw in all that Python has for it, as a hook does, and draws; all counts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.last: deque[int] = deque(maxlen=2)
        self.by_size: defaultdict[int, list[int]] = defaultdict(list)
        self.often: Counter[int] = Counter()
        self.known: set[int] = set()
        self.within = ({"lists": [[0]]},)
        self.mean = torch.zeros(())
        n_passes, passed = 0, []

        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
            nonlocal n_passes
            n_passes += 1
            passed.append(len(output))
            return output * (n_passes + sum(passed))

        self.conv.register_forward_hook(hook)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.last.append(len(x))
        self.by_size[len(x)].append(1)
        self.often[len(x)] += 1
        self.known.add(len(x))
        self.within[0]["lists"][0].append(len(x))
        counts = [len(one) for one in self.by_size.values()]
        kept = (self.last, self.known, counts, self.often.values(), *self.within[0]["lists"])
        self.mean.mul_(0.9).add_(x.mean())
        drawn = random.random() + np.random.rand()
        return self.conv(x) * self.mean / (1 + sum(map(sum, kept)) + drawn)


class LimitsItsWeights(nn.Module):
    """Writes its kernels in place before it uses them, as max-norm and EEGNet do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.second = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 3, 3)
        self.embedding = nn.Embedding(4, 3, max_norm=0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            self.conv.weight.mul_(0.99).clamp_(-0.1, 0.1)
        self.second.weight.data = torch.renorm(self.second.weight.data, p=2, dim=0, maxnorm=0.3)
        scale = self.embedding(torch.arange(3)).sum()
        return self.second(self.conv(x)) * scale


class Drawing(nn.Module):
    """Has random numbers of its own, and a hook that is a method and one that is a partial."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.generator = torch.Generator().manual_seed(3)
        self.numpy, self.old = np.random.default_rng(3), np.random.RandomState(3)
        self.python = random.Random(3)
        self.seen = Seen()
        self.conv.register_forward_hook(self.seen.count)
        self.conv.register_forward_hook(partial(self.seen.scale, 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drawn = self.numpy.random() + self.old.rand() + self.python.random()
        return self.conv(x) * (torch.rand((), generator=self.generator) + drawn)


class Seen:
    """Counts the passes through a module."""

    n_passes = 0

    def count(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        self.n_passes += 1
        return output * self.n_passes

    def scale(
        self, by: float, module: nn.Module, inputs: Any, output: torch.Tensor
    ) -> torch.Tensor:
        return output * by


def compiled() -> nn.Module:
    model = around(nn.Conv2d(1, 3, 3))
    model.compile(backend="eager")
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: around(nn.Conv2d(1, 3, 3)),
    "lazy": lambda: nn.Sequential(nn.LazyConv2d(3, 3), nn.Flatten(), nn.LazyLinear(1)),
    "builds itself": SelfBuilding,
    "in place": InPlace,
    "raises in evaluation": RaisesInEvaluation,
    "shared layer": Shared,
    "keeps what it saw": Keeping,
    "limits its weights": LimitsItsWeights,
    "draws": Drawing,
    "compiled": compiled,
}


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
    """All that a training leaves: its losses, the images, the model, random numbers."""
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
    torch._dynamo.reset()
    left |= {"images": images, "random": torch.get_rng_state(), **model.state_dict()}
    for key, value in vars(model).items():
        if type(value) in (list, dict) and not key.startswith("_"):
            left[key] = torch.tensor([*value] if isinstance(value, list) else [*value.values()])
    return left


def check(
    name: str, way: str, probe: Any, logdir: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Trains with this probe; what was said."""
    without = trained(name)
    caplog.clear()
    with Recorder(logdir) as recorder:
        under = trained(
            name, lambda model: convscope.torch.watch(model, recorder, probe=probe, every=2)
        )
    assert list(under) == list(without)
    assert [key for key in without if not torch.equal(without[key], under[key])] == []
    said = [one for one in caplog.records if one.name == "convscope"]
    assert all(one.levelno == logging.WARNING for one in said)
    print(probe_table.row(way, f"PyTorch, {name}", said))
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
    # Either its activations are there, or one sentence says why not. A model may come to its first
    # layers before it finds that a probe does not fit.
    is_refused = any("does not take the probe" in one for one in said)
    assert len(said) == is_refused
    assert is_refused or has_activations(binary, tmp_path)


@pytest.mark.parametrize("way", ["another number of axes", "no batch axis", "a generator"])
@pytest.mark.parametrize("name", ["in place", "shared layer", "compiled"])
def test_a_wrong_probe_harms_no_kind_of_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, way: str
) -> None:
    (said,) = check(name, way, WRONG[way](), tmp_path, caplog)
    assert "does not take the probe" in said


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
