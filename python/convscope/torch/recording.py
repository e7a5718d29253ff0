"""A model's convolutions at one step -> calls of the recorder."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from convscope.arrays import needs_others
from convscope.recorder import Recorder
from convscope.torch.convolutions import activation_layout, kernel_layout, n_axes, operation
from convscope.torch.evaluation import evaluated
from convscope.torch.model import sharded, unwrapped
from convscope.torch.state import Buffers
from convscope.torch.trouble import SHARDED, Trouble


class ModelRecorder:
    """Records the kernels, biases and activations of some layers of a model.

    Attributes:
        watched: the model with its wrappers, as it was given.
        layers: the layers by name.
    """

    def __init__(
        self, model: nn.Module, layers: dict[str, nn.Module], recorder: Recorder, trouble: Trouble
    ) -> None:
        self.watched = model
        self.layers = layers
        self._operations = {name: operation(one, n) for n, (name, one) in enumerate(layers.items())}
        self._recorder = recorder
        self._trouble = trouble

    @property
    def model(self) -> nn.Module:
        """The model itself."""
        return unwrapped(self.watched)

    def is_sharded(self) -> bool:
        """Whether this process has only a part of the model; warns of it once."""
        name = sharded(self.model)
        if name is not None:
            self._trouble.warn(SHARDED % name)
        return name is not None

    def kernels(self, step: int, buffers: Buffers | None = None) -> None:
        """Records kernels and biases as they are in evaluation mode.

        Args:
            step: the step.
            buffers: the model's buffers at this step, if they have changed since.
        """
        if self.is_sharded():
            # FSDP sometimes replaces the parameters of its modules, so the model's state is not
            # touched.
            self._kernels(step)
            return
        with evaluated(self.model, buffers):
            self._kernels(step)

    def output(self, layer: str, step: int, call: int, output: Any) -> None:
        """Records the output of a layer.

        Args:
            layer: its name.
            step: the step.
            call: how often it was called before in this pass; a number above 0 is added to the tag.
            output: with or without an axis of samples.
        """
        with self._trouble.guarded():
            module = self.layers[layer]
            is_unbatched = isinstance(output, torch.Tensor) and output.dim() == n_axes(module) + 1
            self._recorder.activation(
                layer,
                output.unsqueeze(0) if is_unbatched else output,
                step,
                activation_layout(module),
                name=f"activation_{call}" if call else "activation",
                operation=self._operations[layer],
            )

    def input(self, arguments: list[Any], step: int) -> None:
        """Records the first of the model's arguments that is a batch for a convolution."""
        layouts = {n_axes(layer) + 2: activation_layout(layer) for layer in self.layers.values()}
        for argument in arguments:
            if isinstance(argument, torch.Tensor) and argument.dim() in layouts:
                self._recorder.input(argument, step, layouts[argument.dim()])
                return

    def _kernels(self, step: int) -> None:
        for name, layer in self.layers.items():
            weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
            if nn.parameter.is_lazy(weight):
                continue
            if not needs_others(weight):
                layout, what = kernel_layout(layer), self._operations[name]
                self._recorder.kernel(name, weight, step, layout, operation=what)
            if bias is not None and not needs_others(bias):
                self._recorder.bias(name, bias, step)
