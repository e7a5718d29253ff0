"""A training is the same with ``convscope.torch.watch`` as without it, bit for bit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

import seen
from trainings import MODELS, X, conv, made, steps

import convscope.torch
from convscope import Recorder

PROBES = {"probe": X[:2] * 3, "batch": None}


@contextmanager
def watched(model: nn.Module, path: Path | None, **options: Any) -> Iterator[Any]:
    """Watches the model, if there is a path."""
    if path is None:
        yield None
        return
    with Recorder(path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=2, **options) as watch:
            yield watch


def state(model: nn.Module) -> dict[str, Any]:
    """The whole state of a training, including modes and random numbers."""
    held: dict[str, Any] = {"random": torch.get_rng_state(), **model.state_dict()}
    for name, weight in model.named_parameters():
        held[f"{name}.grad"] = weight.grad
    for name, module in model.named_modules():
        held[f"{name}.training"] = torch.tensor(module.training)
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                held[f"{name}.{key}"] = value
                held[f"{name}.{key} is learnt"] = torch.tensor(value.requires_grad)
    return {key: value.clone() for key, value in held.items() if value is not None}


def check(train: Callable[[Path | None], nn.Module], path: Path) -> None:
    """A training ends as it does without a watch, which records something.

    Args:
        train: takes the directory to record into, or None; gives the model.
        path: the directory.
    """
    without, under = state(train(None)), state(train(path))
    differing = [key for key in without if not torch.equal(without[key], under[key])]
    assert (list(under), differing) == (list(without), [])
    assert any(b"/kernel" in file.read_bytes() for file in path.iterdir())


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("name", MODELS)
def test_a_training_is_not_changed(tmp_path: Path, name: str, probe: str) -> None:
    def train(path: Path | None) -> nn.Module:
        model = made(name)
        model[2].eval()
        with watched(model, path, probe=PROBES[probe]):
            steps(model, 5)
        return model

    check(train, tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_a_record_between_the_passes_is_not_in_the_gradients(tmp_path: Path, name: str) -> None:
    def train(path: Path | None) -> nn.Module:
        model = made(name)
        with watched(model, path, probe=X) as watch:
            loss = model(X).pow(2).mean()
            if watch is not None:
                watch.record(1)
            loss.backward()
        return model

    check(train, tmp_path)


class Doubled(nn.Module):
    """A parametrization."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight * 2


@pytest.mark.parametrize("probe", PROBES)
def test_weights_that_are_cached_keep_their_gradients(tmp_path: Path, probe: str) -> None:
    def train(path: Path | None) -> nn.Module:
        model = made("spectral_norm")
        parametrize.register_parametrization(model[5], "weight", Doubled())
        with watched(model, path, probe=PROBES[probe]):
            with parametrize.cached():
                (model(X) + model(X * 2) + model(X * 3)).sum().backward()
        assert all(weight.grad is not None for weight in model.parameters())
        return model

    check(train, tmp_path)


KEEPS: list[tuple[bool, bool]] = []
"""Outside of the module, because changes of the probe's pass within it are undone."""


class Casting(nn.Conv2d):
    """Stores whether autocast caches the casts of its weights."""

    def __init__(self) -> None:
        super().__init__(1, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        KEEPS.append((self.training, torch.is_autocast_cache_enabled()))
        return super().forward(x)


def test_autocast_keeps_no_weights_of_a_probe(tmp_path: Path) -> None:
    def train(path: Path | None) -> nn.Module:
        torch.manual_seed(0)
        KEEPS.clear()
        model = nn.Sequential(Casting(), nn.Flatten(), nn.Linear(108, 1))
        with watched(model, path, probe=X):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                model(X).sum().backward()
        # The training is the first to call the model.
        own = [] if path is None else [(False, False)]
        assert KEEPS == [(True, True), *own, *own]
        return model

    check(train, tmp_path)


def lazy() -> nn.Sequential:
    """Layers whose weights are drawn in the first pass."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.LazyConv2d(3, 3), nn.LazyBatchNorm2d(), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(2)
    )


@pytest.mark.parametrize("probe", PROBES)
def test_lazy_layers_are_drawn_by_the_training(tmp_path: Path, binary: Path, probe: str) -> None:
    drawn: dict[str, torch.Tensor] = {}

    def train(path: Path | None) -> nn.Module:
        model = lazy()
        with watched(model, path, probe=PROBES[probe]):
            loss = model(X).pow(2).mean()
            drawn["0/kernel"] = model[0].weight.detach().clone()
            loss.backward()
            steps(model, 2)
        return model

    check(train, tmp_path / "log")
    found = seen.series(binary, tmp_path / "log")
    assert (found["0/kernel"]["steps"], found["0/kernel"]["first_step"]) == (3, 0)
    assert found["0/activation"]["first_step"] == 0
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path / "log", tmp_path / "scratch") as server:
        assert server.tensor("0/kernel", 0).tobytes() == drawn["0/kernel"].numpy().tobytes()


def lazy_buffers() -> nn.Sequential:
    """Weights that have a shape, and statistics that have none yet."""
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.LazyBatchNorm2d(affine=False))


@pytest.mark.parametrize("kind", [lazy, lazy_buffers])
def test_lazy_layers_that_never_ran_are_left_alone(
    tmp_path: Path, kind: Callable[[], nn.Sequential]
) -> None:
    model = kind()
    with watched(model, tmp_path, probe=X) as watch:
        watch.record(0)
    assert nn.parameter.is_lazy(model[1].running_mean)


def test_a_lazy_pass_that_failed_is_not_recorded_by_the_next(tmp_path: Path, binary: Path) -> None:
    model = lazy()
    with watched(model, tmp_path, probe=X):
        with pytest.raises(RuntimeError):
            model(torch.rand(2, 8))
        model(X)
    assert seen.series(binary, tmp_path)["0/kernel"]["first_step"] == 2


class Checkpointed(nn.Module):
    """Stores no activations but computes them again for the gradients."""

    def __init__(self, is_reentrant: bool) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(0.2))
        self.is_reentrant = is_reentrant

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.clone().requires_grad_()
        return checkpoint(self.block, x, use_reentrant=self.is_reentrant)


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("is_reentrant", [True, False])
def test_a_pass_that_is_computed_again_is_no_step(
    tmp_path: Path, binary: Path, is_reentrant: bool, probe: str
) -> None:
    def train(path: Path | None) -> nn.Module:
        torch.manual_seed(0)
        model = Checkpointed(is_reentrant)
        with watched(model, path, probe=PROBES[probe]) as watch:
            for step in range(4):
                x = (X + step).requires_grad_()
                checkpoint(model, x, use_reentrant=is_reentrant).pow(2).mean().backward()
            assert watch is None or watch.n_steps == 4
        return model

    check(train, tmp_path)
    found = seen.series(binary, tmp_path)
    assert (found["block.0/kernel"]["steps"], found["block.0/kernel"]["last_step"]) == (3, 4)
    assert found["block.0/activation"]["first_step"] == 0
    assert "block.0/activation_1" not in found


class Penalized(nn.Module):
    """Computes gradients within its own pass, as a gradient penalty does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = checkpoint(self.conv, x.clone().requires_grad_(), use_reentrant=True)
        y.sum().backward()
        return y.detach()


def test_an_activation_that_is_computed_again_is_recorded_once(
    tmp_path: Path, binary: Path
) -> None:
    model = Penalized()
    with watched(model, tmp_path):
        model(X)
    assert set(seen.series(binary, tmp_path)) == {"conv/kernel", "conv/bias", "conv/activation"}


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_of_a_pass_is_held(tmp_path: Path, probe: str) -> None:
    model = conv()
    with watched(model, tmp_path, probe=PROBES[probe]):
        outputs = [model(X)]
        freed = weakref.ref(outputs.pop())
        gc.collect()
        assert freed() is None


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:FutureWarning")
def test_a_probe_has_no_part_in_scripted_modules(tmp_path: Path) -> None:
    def train(path: Path | None) -> nn.Module:
        torch.manual_seed(0)
        norm = torch.jit.trace(nn.BatchNorm2d(3).eval(), torch.rand(2, 3, 6, 6))
        model = nn.Sequential(nn.Conv2d(1, 3, 3), norm)
        with watched(model, path, probe=X) if path else nullcontext():
            steps(model, 3)
        return model

    check(train, tmp_path)
