"""Models whose passes change more than weights: an additional pass changes their training."""

from __future__ import annotations

import random
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from trainings import around


class SelfBuilding(nn.Module):
    """Creates its last layer for the size of its first batch."""

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
    """Changes its input in place."""

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
    """Stores its inputs in containers of all kinds, draws random numbers, and uses all of them."""

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
    """Changes its kernels in place before it uses them, as max-norm and EEGNet do."""

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


class Kept(list[Any]):
    """A derived list with attributes of its own."""

    n_added = 0

    def append(self, one: Any) -> None:
        self.n_added += 1
        super().append(one)

    def __iter__(self) -> Any:
        raise NotImplementedError


class Sizes(OrderedDict[int, int]):
    """A dict that cannot be made without an argument."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@dataclass
class Statistics:
    """A record with a number, a list and a tensor."""

    n_passes: int = 0
    sizes: list[int] = field(default_factory=list)
    mean: torch.Tensor = field(default_factory=lambda: torch.ones(()))


class KeepingInRecords(nn.Module):
    """Keeps what it saw in records and in derived containers, and writes tensors there in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.kept, self.sizes = Kept(), Sizes("sizes")
        self.of_users = (UserList([0]), UserDict({0: 0}), ChainMap({0: 0}))
        self.space, self.record = SimpleNamespace(n=0), Statistics()
        self.means, self.pair = [torch.ones(())], (torch.ones(()), "mean")
        self.by_name = {"array": np.ones(2), "weight": self.conv.weight}
        self.bytes, self.numbers = bytearray(1), array("i", [0])
        self.hidden = [nn.BatchNorm2d(1)]
        self.generators = {"numpy": np.random.default_rng(3)}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.kept.append(len(x))
        self.sizes[len(x)] = self.sizes.get(len(x), 0) + 1
        self.sizes.move_to_end(len(x), last=False)
        users, by_name, maps = self.of_users
        users.append(len(x))
        by_name[len(by_name)] = maps[len(maps)] = 1
        self.space.n += 1
        self.record.n_passes += 1
        self.record.sizes.append(len(x))
        for one in (self.record.mean, self.means[0], self.pair[0]):
            one.mul_(0.9)
        self.by_name["array"] *= 0.9
        with torch.no_grad():
            self.by_name["weight"].mul_(0.99)
        self.bytes[0] += 1
        self.numbers[0] += 1
        x = self.hidden[0](x) + self.hidden[0].running_mean.sum()
        lengths = map(len, (self.kept, users, by_name, maps, self.record.sizes))
        counts = sum(lengths) + self.kept.n_added + next(iter(self.sizes.values()))
        counts += self.space.n + self.record.n_passes + self.bytes[0] + self.numbers[0]
        counts += self.by_name["array"].sum() + self.generators["numpy"].random()
        return self.conv(x) * self.record.mean * self.means[0] * self.pair[0] * float(counts) / 50


class BuildsParts(nn.Module):
    """Creates a buffer and a submodule with a buffer in its first call, and writes into both."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.part: Any = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.part is None:
            self.register_buffer("n_passes", torch.zeros(()))
            self.part = nn.BatchNorm2d(1, momentum=None)
            self.part.register_buffer("scale", torch.ones(()))
        self.n_passes += 1
        self.part.scale.mul_(0.9)
        return self.conv(self.part(x)) * (self.part.scale + self.n_passes)


class Hooked(nn.Module):
    """Has hooks of every form, which count or write in place, and a wrapped call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        mean, within = torch.ones(()), {"n": 0}

        def count() -> int:
            within["n"] += 1
            return within["n"]

        def scaled(module: nn.Module, inputs: Any, y: torch.Tensor, by: Any = [0.0]) -> Any:  # noqa: B006
            by[0] += 1
            return y * mean.mul_(0.9) * by[0] / count()

        def partially(passed: list[int], module: nn.Module, inputs: Any) -> Any:
            passed.append(1)
            return (inputs[0] / len(passed),)

        def called(x: torch.Tensor) -> torch.Tensor:
            return forward(x) * count()

        scaled.__defaults__ = ([0.0],)
        forward, self.conv.forward = self.conv.forward, called
        self.conv.register_forward_hook(scaled)
        self.conv.register_forward_pre_hook(partial(partially, []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Recurrent(nn.Module):
    """Has weights that are also in a list, and layers whose passes change them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 3, 3))
        self.norm = nn.BatchNorm2d(3, momentum=None)
        self.lstm = nn.LSTM(36, 4, dropout=0.2, num_layers=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(self.norm(self.conv(x)).flatten(2))[0]


class Drawing(nn.Module):
    """Has a random number generator of its own, a hook that is a method, and one that is a
    partial."""

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
    "keeps in records": KeepingInRecords,
    "builds parts": BuildsParts,
    "hooked": Hooked,
    "recurrent": Recurrent,
    "compiled": compiled,
}
