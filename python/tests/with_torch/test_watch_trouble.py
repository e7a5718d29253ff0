"""Errors in ``convscope.torch.watch`` stop no training, unless the recorder is strict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder
from convscope.recorder import RecordError


def no_step() -> int:
    raise KeyError("global_step")


STEPS: dict[str, Callable[[], Any]] = {
    "raises": no_step,
    "text": lambda: "7",
    "nothing": lambda: None,
    "a fraction": lambda: 0.5,
}


def n_hooks(model: nn.Module) -> int:
    """Hooks on the model and its layers."""
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_no_number_warns_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, step=STEPS[step]):
            model(X), model(X)
    assert len(caplog.records) == 1 and "training continues" in caplog.text
    assert n_hooks(model) == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_no_number_raises_if_it_is_to(tmp_path: Path, step: str) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        watch = convscope.torch.watch(model, recorder, step=STEPS[step])
        for act in (lambda: model(X), watch.close):
            with pytest.raises((KeyError, TypeError), match="global_step|not a whole number"):
                act()
    assert n_hooks(model) == 0


def test_the_last_step_needs_a_number_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        convscope.torch.watch(model, recorder, step=no_step).close()
    assert len(caplog.records) == 1 and n_hooks(model) == 0


def test_steps_are_any_whole_numbers(tmp_path: Path, binary: Path) -> None:
    model, at = conv(), torch.tensor(40)
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=20, step=lambda: at):
            model(X)
    assert seen.series(binary, tmp_path)["0/kernel"]["last_step"] == 40


def test_hooks_come_off_though_the_last_step_is_refused(tmp_path: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        watch = convscope.torch.watch(model, recorder)
        model(X)
    with pytest.raises(RecordError, match="was closed"):
        watch.close()
    assert n_hooks(model) == 0
    watch.close()
