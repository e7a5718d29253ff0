"""Models that are captured in CUDA graphs, as far as this can be tested without a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder


@pytest.fixture
def capturing(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Pretends that the current stream is captured; reading a tensor is an error during that
    time."""
    now = {"is_capturing": False}
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: now["is_capturing"])
    cpu = torch.Tensor.cpu

    def read(tensor: torch.Tensor) -> torch.Tensor:
        assert not now["is_capturing"], "operation not permitted when stream is capturing"
        return cpu(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", read)
    return now


def train(model: nn.Module, capturing: dict[str, bool]) -> None:
    """Three passes to warm up, and one that is captured."""
    for n in range(4):
        capturing["is_capturing"] = n == 3
        model(X).sum().backward()
    capturing["is_capturing"] = False


@pytest.mark.parametrize("probe", [X, None], ids=["probe", "batch"])
def test_nothing_is_read_in_a_capture_nor_recorded_under_a_wrong_step(
    tmp_path: Path,
    binary: Path,
    capturing: dict[str, bool],
    probe: torch.Tensor | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe, every=2) as watch:
            train(model, capturing)
            # A hundred replays, which nothing sees.
            watch.record(103)
            model(X)
            watch.record()
    kernel = seen.series(binary, tmp_path)["0/kernel"]
    assert (kernel["steps"], kernel["first_step"], kernel["last_step"]) == (3, 0, 103)
    captured, uncounted = [one.getMessage() for one in caplog.records]
    assert "CUDA graph" in captured and "record(step)" in captured
    assert "record needs the step" in uncounted


def test_a_step_of_the_users_own_counts_replays(
    tmp_path: Path, binary: Path, capturing: dict[str, bool]
) -> None:
    model, at = conv(), {"step": 0}
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X, step=lambda: at["step"]):
            train(model, capturing)
            at["step"] = 250
    kernel = seen.series(binary, tmp_path)["0/kernel"]
    assert (kernel["steps"], kernel["last_step"]) == (2, 250)


def test_evaluation_that_is_captured_is_nothing_to_say(
    tmp_path: Path, capturing: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder) as watch:
            model(X)
            capturing["is_capturing"] = True
            model.eval()(X)
            capturing["is_capturing"] = False
            model.train()(X)
            assert watch.n_steps == 2
    assert caplog.records == []
