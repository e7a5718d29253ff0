"""Models that are compiled before and after ``convscope.torch.watch``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Nothing is compiled yet."""
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def wrapped(model: nn.Module) -> nn.Module:
    return torch.compile(model, backend="eager")


def in_place(model: nn.Module) -> nn.Module:
    model.compile(backend="eager")
    return model


def in_part(model: nn.Module) -> nn.Module:
    model[0].compile(backend="eager")
    return model


@pytest.mark.parametrize("probe", [X, None], ids=["probe", "batch"])
@pytest.mark.parametrize("compiled", [wrapped, in_place, in_part])
def test_a_model_that_is_compiled_when_watched_records_all_steps(
    tmp_path: Path, binary: Path, compiled: Callable[[nn.Module], nn.Module], probe: object
) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe, every=5):
            run = compiled(model)
            for _ in range(21):
                run(X).sum().backward()
    found = seen.series(binary, tmp_path)
    for tag, last in {"0/kernel": 21, "0/activation": 20 if probe is None else 21}.items():
        steps = found[tag]["first_step"], found[tag]["last_step"], found[tag]["steps"]
        assert steps == (0, last, 5 + (last == 21)), tag


@pytest.mark.parametrize("compiled", [wrapped, in_place, in_part])
def test_nothing_of_ours_is_compiled(
    tmp_path: Path, compiled: Callable[[nn.Module], nn.Module]
) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X, every=2):
            run = compiled(model)
            run(X), run(X), run(X)
            n_frames = counters["frames"]["total"]
            for _ in range(9):
                run(X)
    # The model, in parts where the hooks are, and the first lines of the two hooks. Our own
    # functions are dozens.
    assert 0 < counters["frames"]["total"] == n_frames <= 8, counters


@pytest.mark.parametrize("is_in_place", [True, False])
def test_a_model_that_is_compiled_whole_is_watched_afterwards(
    tmp_path: Path, binary: Path, is_in_place: bool
) -> None:
    model = conv()
    run = torch.compile(model, backend="eager", fullgraph=True)
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(run, recorder, probe=X, every=2):
            for _ in range(5):
                run(X).sum().backward()
    assert seen.series(binary, tmp_path)["0/activation"]["steps"] == 4


def test_the_compiler_is_not_imported_by_a_watch(tmp_path: Path) -> None:
    script = """
import sys, torch, convscope, convscope.torch
model, x = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)), torch.rand(1, 1, 2, 2)
with convscope.Recorder(sys.argv[1]) as recorder:
    with convscope.torch.watch(model, recorder, probe=x, every=1):
        model(x).sum().backward()
assert "torch._dynamo" not in sys.modules
"""
    at = Path(convscope.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True, cwd=at)
