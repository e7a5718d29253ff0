"""A pass of a probe through a Keras model -> the outputs of its layers; the model stays unchanged.

The pass runs outside of compiled functions. A compiled pass is faster (0.5 ms instead of 1.2 ms
for a toy model, 6 ms instead of 27 ms for four convolutions of 32x32), but it has to be traced
first, and a compiler may round the last bits differently. A toy model with steps of 1 ms is slowed
down by more than 1 %.

The training must be the first to call its model: what a first pass creates, such as weights, is
final and fits the shape of that pass. So nothing is run before all layers are built, and a probe
builds none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from convscope.arrays import Refused, array_of
from convscope.contents import contents
from convscope.generators import GeneratorStates, same_randomness
from convscope.keras.layers import maps_of
from convscope.layers import batch_of


@dataclass(frozen=True)
class Output:
    """The output of one call of a layer.

    Attributes:
        name: the layer's path.
        layer: the layer.
        tag: the tag's end: ``activation``, with a number from the second call on.
        value: the backend's tensor.
        has_values: False for a tensor in a function that is being traced.
    """

    name: str
    layer: Any
    tag: str
    value: Any
    has_values: bool


def outputs_of(model: Any, layers: dict[str, Any], probe: Any) -> list[Output]:
    """The outputs of each layer for the probe, in evaluation mode.

    Raises:
        Exception: whatever the model raises if it does not accept the probe.
    """
    outputs: list[Output] = []
    batch = batch_of(probe)
    with (
        # First, so that the collected outputs are not among the restored attributes.
        _attributes_restored(model),
        _collecting(layers, outputs),
        _state_restored(model),
        _building_refused(model),
    ):
        model(batch, training=False)
    with_values = {one.name for one in outputs if one.has_values}
    # A call without values comes from a function that is being traced. It is returned only for a
    # layer without other calls, so that a warning says why the layer has no activation.
    return [one for one in outputs if one.has_values or one.name not in with_values]


def is_built(model: Any) -> bool:
    """Whether all layers have their weights, so that a pass creates none.

    Layers that the training does not use may never have any.
    """
    return all(layer.built for layer in model._flatten_layers())


class NotBuilt(ValueError):
    """The pass of a probe reached a layer that the training has not built."""


@contextmanager
def _building_refused(model: Any) -> Iterator[None]:
    """Keeps a probe from building layers, because the first batch of a layer determines its
    shape."""

    def refuse(layer: Any) -> Any:
        def refused(*arguments: Any) -> None:
            raise NotBuilt(
                f"the layer {layer.name!r} is not built: no batch of the training has reached it"
            )

        return refused

    unbuilt = [layer for layer in model._flatten_layers() if not layer.built]
    for layer in unbuilt:
        object.__setattr__(layer, "_maybe_build", refuse(layer))
    try:
        yield
    finally:
        for layer in unbuilt:
            object.__delattr__(layer, "_maybe_build")


@contextmanager
def _state_restored(model: Any) -> Iterator[None]:
    """Undoes the changes that layers make to their variables, seeds and metrics during the pass."""
    keras, torch = (sys.modules.get(name) for name in ("keras", "torch"))
    is_keras_3 = hasattr(keras, "StatelessScope") and not _is_keras_2(model)
    with ExitStack() as scopes:
        if torch is not None:
            # Without this, Keras on PyTorch stores what gradients need in every pass.
            scopes.enter_context(torch.no_grad())
            scopes.enter_context(torch.random.fork_rng(devices=_cuda_devices(torch)))
        if not is_keras_3:
            scopes.enter_context(_variables_restored(model))
        else:
            scopes.enter_context(keras.StatelessScope())  # type: ignore[union-attr]
        yield


@contextmanager
def _attributes_restored(model: Any) -> Iterator[None]:
    """Undoes the changes that layers make to their own attributes and the containers in them: a
    count of calls would be a constant in the function that is traced next."""
    held = contents(map(vars, model._flatten_layers()), lambda cls: False)
    generators = GeneratorStates(held)
    try:
        with same_randomness():
            yield
    finally:
        for one in held:
            one.put_back()
        generators.put_back()


def _is_keras_2(model: Any) -> bool:
    return any(cls.__module__.partition(".")[0] == "tf_keras" for cls in type(model).__mro__)


def _cuda_devices(torch: Any) -> list[int]:
    return [torch.cuda.current_device()] if torch.cuda.is_initialized() else []


@contextmanager
def _variables_restored(model: Any) -> Iterator[None]:
    """Restores the variables that are not trained; Keras 2 has no scope for this."""
    of_metrics = [variable for metric in model.metrics for variable in metric.variables]
    held = {id(one): one for one in [*model.non_trainable_variables, *of_metrics]}
    before = [(variable, variable.numpy()) for variable in held.values()]
    try:
        yield
    finally:
        for variable, values in before:
            if not np.array_equal(variable.numpy(), values, equal_nan=values.dtype.kind == "f"):
                variable.assign(values)


@contextmanager
def _collecting(layers: dict[str, Any], outputs: list[Output]) -> Iterator[None]:
    """Collects the outputs of layers without changing the model's graph."""
    own = {name: vars(layer)["call"] for name, layer in layers.items() if "call" in vars(layer)}
    for name, layer in layers.items():
        object.__setattr__(layer, "call", _collected(name, layer, outputs))
    try:
        yield
    finally:
        for name, layer in layers.items():
            if name in own:
                object.__setattr__(layer, "call", own[name])
            else:
                object.__delattr__(layer, "call")


def _collected(name: str, layer: Any, outputs: list[Output]) -> Any:
    call = layer.call
    n_calls = 0

    def collect(*arguments: Any, **named: Any) -> Any:
        nonlocal n_calls
        value = call(*arguments, **named)
        tag = f"activation_{n_calls}" if n_calls else "activation"
        shown = maps_of(layer, value)
        has_values = _has_values(shown)
        n_calls += has_values
        outputs.append(Output(name, layer, tag, shown, has_values))
        return value

    return collect


def _has_values(tensor: Any) -> bool:
    try:
        array_of(tensor)
    except Refused:
        return False
    return True
