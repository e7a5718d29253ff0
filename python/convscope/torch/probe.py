"""A pass of a fixed input through a PyTorch model -> the outputs of its convolutions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from convscope.layers import PROBE_REFUSED, batch_of
from convscope.torch.evaluation import evaluated
from convscope.torch.hooks import OutputHooks
from convscope.torch.model import is_lazy
from convscope.torch.recording import ModelRecorder
from convscope.torch.state import Buffers, State
from convscope.torch.trouble import Trouble

log = logging.getLogger("convscope")


class Probe:
    """A fixed input, or none.

    Attributes:
        is_running: whether the running pass is that of the probe.
    """

    def __init__(
        self, given: Any, recording: ModelRecorder, outputs: OutputHooks, trouble: Trouble
    ) -> None:
        """Runs nothing yet.

        Args:
            given: a tensor, a tuple of arguments or a dict of named ones; None for no probe.
            recording: records outputs, and the probe itself.
            outputs: the hooks on the layers.
            trouble: knows whether errors are raised.
        """
        self.is_running = False
        self._given = given
        self._recording = recording
        self._outputs = outputs
        self._trouble = trouble
        self._has_recorded_input = False

    def run(self, step: int, buffers: Buffers | None = None) -> None:
        """Records the activations of a pass in evaluation mode, which leaves the model unchanged.

        Args:
            step: the step.
            buffers: the model's buffers at this step, if they have changed since.
        """
        model = self._recording.model
        if self._given is None or is_lazy(model) or self._recording.is_sharded():
            return
        with evaluated(model, buffers) as state:
            self._run(model, state, step)

    def _run(self, model: nn.Module, state: State, step: int) -> None:
        device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        self.is_running = True
        self._outputs.put_on(self._recording.layers, step)
        try:
            state.use_copies()
            unnamed, named = _arguments(_moved(batch_of(self._given), device))
            model(*unnamed, **named)
            self._record_input(step)
        except Exception as error:
            if self._trouble.is_strict:
                raise
            self._given = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
        finally:
            self._outputs.remove()
            self.is_running = False

    def _record_input(self, step: int) -> None:
        """Records the probe itself, the first time."""
        if self._has_recorded_input:
            return
        self._has_recorded_input = True
        unnamed, named = _arguments(self._given)
        self._recording.input([*unnamed, *named.values()], step)


def _arguments(probe: Any) -> tuple[list[Any], dict[str, Any]]:
    """The probe as positional and named arguments of the model."""
    if isinstance(probe, Mapping):
        return [], dict(probe)
    return (list(probe) if isinstance(probe, tuple) else [probe]), {}


def _moved(argument: Any, device: torch.device) -> Any:
    """The argument with tensors on the model's device, also in lists, tuples and dicts."""
    if isinstance(argument, torch.Tensor):
        return argument.to(device)
    if type(argument) is dict:
        return {name: _moved(one, device) for name, one in argument.items()}
    if type(argument) in (list, tuple):
        return type(argument)(_moved(one, device) for one in argument)
    return argument
