"""Models of which each process has a part: FSDP, and DTensors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.testing._internal.distributed.fake_pg import FakeStore

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder
from convscope.recorder import RecordError


@pytest.fixture
def alone() -> Iterator[None]:
    """A process group of this process alone."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.fixture
def one_of_four() -> Iterator[Any]:
    """A mesh of four processes; PyTorch simulates the three others."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=4)
    yield init_device_mesh("cpu", (4,))
    dist.destroy_process_group()


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3))


def train(model: nn.Module, n: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for step in range(n):
        optimizer.zero_grad()
        model(X + step).pow(2).mean().backward()
        optimizer.step()


@pytest.mark.parametrize("probe", [X, None], ids=["probe", "batch"])
def test_fsdp_of_one_process_trains_as_without_and_has_its_kernels(
    tmp_path: Path,
    binary: Path,
    alone: None,
    probe: torch.Tensor | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def trained(path: Path | None) -> list[torch.Tensor]:
        model = net()
        fully_shard(model)
        if path is None:
            train(model, 5)
        else:
            with Recorder(path) as recorder:
                with convscope.torch.watch(model, recorder, probe=probe, every=2):
                    train(model, 5)
        held = [*model.parameters(), *model.buffers()]
        return [getattr(one, "full_tensor", lambda one=one: one)() for one in held]

    for one, other in zip(trained(None), trained(tmp_path), strict=True):
        assert torch.equal(one, other)
    (said,) = [one.getMessage() for one in caplog.records]
    assert "FSDP" in said and "full_tensor()" in said
    found = seen.series(binary, tmp_path)
    assert (found["0/kernel"]["steps"], found["0/kernel"]["last_step"]) == (4, 5)
    assert ("0/activation" in found) == (probe is None)


def test_a_part_of_a_kernel_is_not_recorded_and_nobody_is_waited_for(
    tmp_path: Path,
    binary: Path,
    one_of_four: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def waits(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("this waits for all processes")

    model = conv()
    weight = distribute_tensor(nn.Parameter(torch.rand(4, 1, 3, 3)), one_of_four, [Shard(0)])
    model[0].weight = nn.Parameter(weight)
    model[0].bias = nn.Parameter(
        distribute_tensor(torch.arange(4.0), one_of_four, [Replicate()], src_data_rank=None)
    )
    for name in ("all_gather_into_tensor", "broadcast", "all_reduce"):
        monkeypatch.setattr(dist, name, waits)
    monkeypatch.setattr(type(weight), "full_tensor", waits)
    with Recorder(tmp_path) as recorder:
        watch = convscope.torch.watch(model, recorder, probe=X)
        watch.record(0)
        watch.close()
    (said,) = [one.getMessage() for one in caplog.records]
    assert "each process has only a part of the model (0.weight" in said
    assert set(seen.series(binary, tmp_path)) == {"0/bias"}


def test_a_dtensor_by_hand_is_refused_with_what_to_do(tmp_path: Path, one_of_four: Any) -> None:
    part = distribute_tensor(torch.rand(4, 1, 3, 3), one_of_four, [Shard(0)])
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match="record its full_tensor.., which all processes"):
            recorder.kernel("conv1", part, 0)


TWO = """
import os, sys, torch, torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
import convscope.torch
from convscope import Recorder

rank, logdir, is_watched = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "watched"
store = dist.FileStore(sys.argv[4], 2)
dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
torch.manual_seed(3)
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
for layer in (model[0], model[2], model):
    fully_shard(layer)
watch = recorder = None
if rank == 0 and is_watched:
    recorder = Recorder(logdir)
    watch = convscope.torch.watch(model, recorder, probe=torch.rand(2, 1, 8, 8), every=1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
x = torch.linspace(0, 1, 256).reshape(4, 1, 8, 8)
for step in range(4):
    optimizer.zero_grad()
    model(x + step + rank).pow(2).mean().backward()
    optimizer.step()
if watch is not None:
    watch.close()
    recorder.close()
full = [one.full_tensor() for one in model.parameters()]
if rank == 0:
    torch.save(full, sys.argv[5])
dist.destroy_process_group()
"""


def test_two_processes_of_which_one_watches_go_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(convscope.__file__).parents[1])}
    said = ""
    for how in ("plain", "watched"):
        files = [str(tmp_path / "log"), how, str(tmp_path / f"{how}.store"), str(tmp_path / how)]
        command = [sys.executable, "-c", TWO]
        processes = [
            subprocess.Popen(
                [*command, str(rank), *files], env=environment, stderr=subprocess.PIPE, text=True
            )
            for rank in range(2)
        ]
        # A process that waits for the other one would wait until the test is ended.
        ends = [process.communicate(timeout=300) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], ends
        said = ends[0][1]
    for one, other in zip(
        torch.load(tmp_path / "plain"), torch.load(tmp_path / "watched"), strict=True
    ):
        assert torch.equal(one, other)
    assert said.count("convscope:") == 1 and "each process has only a part" in said
