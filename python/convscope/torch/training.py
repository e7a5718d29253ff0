"""The calls of the hooks on a model -> what is recorded, and at which step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from convscope.torch.compiled import eager_layers, register
from convscope.torch.hooks import OutputHooks, hook_passes
from convscope.torch.model import is_lazy
from convscope.torch.passes import is_backward, is_capturing
from convscope.torch.probe import Probe
from convscope.torch.recording import ModelRecorder
from convscope.torch.state import Buffers, buffers_of
from convscope.torch.steps import StepCounter
from convscope.torch.trouble import CAPTURED, NO_BATCH, TRACED, UNCOUNTED, UNSEEN, Trouble
from convscope.torch.updates import CountedParameter, hook_updates


@dataclass(frozen=True)
class _FirstPass:
    """A step that is recorded after its pass, the first one.

    Attributes:
        step: the step.
        buffers: the model's buffers before the pass.
        has_kernels: whether its kernels were recorded before the pass.
    """

    step: int
    buffers: Buffers
    has_kernels: bool


class Training:
    """A model that trains, with hooks on it until ``close``.

    Attributes:
        counter: its steps.
    """

    def __init__(
        self, recording: ModelRecorder, counter: StepCounter, trouble: Trouble, probe: Any
    ) -> None:
        """Puts the hooks on the model.

        Args:
            recording: records the model's layers.
            counter: counts the steps.
            trouble: handles warnings and errors.
            probe: the fixed input whose activations are recorded; None to record those of the
                batch.
        """
        self._recording = recording
        self.counter = counter
        self._trouble = trouble
        self._takes_batch = probe is None
        self._has_run = False
        self._first_pass: _FirstPass | None = None
        key = register(self)
        self._outputs = OutputHooks(key, recording.output)
        self._probe = Probe(probe, recording, self._outputs, trouble)
        self._counted_parameter = CountedParameter(recording.watched)
        self._updates: RemovableHandle | None = None
        self._passes = hook_passes(recording.watched, key, self._begin_pass, self._end_pass)

    def record(self, step: int | None) -> None:
        """Records kernels, and activations if there is a probe, at this step or the current one."""
        with self._trouble.guarded():
            number = self.counter.known() if step is None else step
            if number is None:
                self._trouble.warn(UNCOUNTED)
            else:
                self._record(number)

    def close(self) -> None:
        """Records the last step and removes the hooks; a second call does nothing."""
        try:
            if self._passes and not self._trouble.has_failed:
                self._record_last_step()
        finally:
            for one in self._passes:
                one.remove()
            self._passes = []
            if self._updates is not None:
                self._updates.remove()
            self._updates = None
            self._outputs.remove()

    def pass_is_traced(self) -> None:
        """From now on, counts updates of the weights, which are not a part of compiled code."""
        if self._updates is None and self._passes:
            self._trouble.warn(TRACED)
            self.counter.miss_passes()
            self._updates = hook_updates(self._begin_update)

    def output_is_traced(self) -> None:
        """Warns that a layer has no activations."""
        self._trouble.warn(NO_BATCH)

    def _begin_pass(self, model: nn.Module) -> None:
        if self._probe.is_running or is_backward():
            return
        # A pass that raised an error has left its hooks on the layers.
        self._outputs.remove()
        self._first_pass = None
        if not model.training:
            return
        if is_capturing():
            self.counter.miss_replays()
            self._trouble.warn(CAPTURED)
        elif not self._trouble.has_failed:
            with self._trouble.guarded():
                self._begin_step()

    def _end_pass(self, model: nn.Module) -> None:
        if self._probe.is_running or is_backward() or is_capturing():
            return
        self._outputs.remove()
        self._has_run = True
        first_pass, self._first_pass = self._first_pass, None
        if first_pass is not None:
            with self._trouble.guarded():
                self._record_first_pass(first_pass)

    def _begin_update(self, optimizer: torch.optim.Optimizer) -> None:
        """Called before the update, when the weights are still those of the pass."""
        if torch.compiler.is_compiling() or is_capturing() or self._trouble.has_failed:
            return
        with self._trouble.guarded():
            if not self._counted_parameter.is_updated_by(optimizer):
                return
            self._has_run = True
            step = self.counter.count_update()
            if step is not None:
                self._record(step)

    def _begin_step(self) -> None:
        step = self.counter.count_pass()
        if step is None:
            return
        self.counter.last = step
        if self._has_run:
            self._record(step)
        else:
            self._begin_first_pass(step)
        if self._takes_batch:
            self._hook_batch(step)

    def _begin_first_pass(self, step: int) -> None:
        """Records the weights before the first pass; the probe runs only after it.

        What a model creates in its first pass must fit the batch of the training. Before that pass,
        lazy layers have no weights; those of other layers do not change in it.
        """
        model = self._recording.model
        has_weights = not is_lazy(model)
        self._first_pass = _FirstPass(step, buffers_of(model), has_weights)
        if has_weights:
            self._recording.kernels(step)

    def _hook_batch(self, step: int) -> None:
        """Adds hooks for the outputs of this pass to the layers that are not compiled."""
        layers = eager_layers(self._recording.watched, self._recording.layers)
        if len(layers) < len(self._recording.layers):
            self._trouble.warn(NO_BATCH)
        self._outputs.put_on(layers, step)

    def _record(self, step: int) -> None:
        self.counter.last = step
        self._recording.kernels(step)
        self._probe.run(step)

    def _record_first_pass(self, first_pass: _FirstPass) -> None:
        self.counter.last = first_pass.step
        if not first_pass.has_kernels:
            self._recording.kernels(first_pass.step, first_pass.buffers)
        self._probe.run(first_pass.step, first_pass.buffers)

    def _record_last_step(self) -> None:
        with self._trouble.guarded():
            step = self.counter.known()
            if step is not None and step != self.counter.last:
                self._record(step)
            elif step is None and self.counter.has_seen_nothing:
                self._trouble.warn(UNSEEN)
