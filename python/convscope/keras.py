"""A Keras model while it trains -> its kernels and activations, by a callback.

    model.fit(x, y, callbacks=[convscope.keras.Recorder("logs", probe=x[:4])])

Keras 3 on any backend and Keras 2 (``tf.keras``, ``tf_keras``). Layers are known by the names of
Keras's own classes, so that no version of it has to be installed beside the one in use.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from convscope.arrays import Refused, array_of
from convscope.layers import PROBE_REFUSED, chosen
from convscope.recorder import Recorder as ArrayRecorder

try:
    from keras.callbacks import Callback
except ImportError:
    from tf_keras.callbacks import Callback

log = logging.getLogger("convscope")

CONVOLUTIONS = {
    **{f"Conv{n}D": n for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": n for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": n for n in (1, 2)},
    **{f"SeparableConv{n}D": n for n in (1, 2)},
}
"""Classes of layers to the number of axes along which their window moves."""
WINDOWS = {1: "W", 2: "HW", 3: "DHW"}
PACKAGES = ("keras", "tf_keras", "tensorflow")


@dataclass(frozen=True)
class Output:
    """What a layer gave at one call.

    Attributes:
        name: the layer's path.
        layer: the layer.
        tag: the tag's end: ``activation``, with a number from the second call on.
        value: the backend's tensor.
        has_values: False for a tensor of a graph that is being built.
    """

    name: str
    layer: Any
    tag: str
    value: Any
    has_values: bool


class Recorder(Callback):  # type: ignore[misc]
    """Records every convolution of a model: before training, each ``every`` steps, and at the end.

    A step is one update of the weights; where an optimizer has counted some already, counting goes
    on from there.

    Args:
        log_dir: the run's directory.
        probe: a fixed batch as the model takes it (an array, or a list of them), whose activations
            are recorded; without
            it there are kernels and biases alone. A few samples are enough.
        layers: names of layers, or globs; None for all convolutions.
        every: steps from one recording to the next.
        options: those of ``convscope.Recorder``.

    Raises:
        ValueError: an option is out of range.
        RecordError: the directory cannot be written, and ``strict=True``.
    """

    def __init__(
        self,
        log_dir: str | PathLike[str],
        probe: Any = None,
        *,
        layers: Iterable[str] | None = None,
        every: int = 100,
        **options: Any,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every={every}: at least 1 is needed")
        self.recorder = ArrayRecorder(log_dir, **options)
        self.step = 0
        self._probe = probe
        self._wanted = layers
        self._every = every
        self._last: int | None = None
        self._step_of_epoch = 0
        self._has_facts = False
        self._has_failed = False

    # What Keras 2 asks of a callback, and Keras 3's base class does not have.
    _supports_tf_logs = True

    def _implements_train_batch_hooks(self) -> bool:
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    def on_train_begin(self, logs: Any = None) -> None:
        """Records the model as it is before the first update."""
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", 0)
        self.step = self._step_of_epoch = int(np.asarray(iterations))
        self._record()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes where the epoch's batches begin to count."""
        self._step_of_epoch = self.step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Records when ``every`` steps are over; with ``steps_per_execution`` batches come several
        at a time."""
        before = self.step
        self.step = self._step_of_epoch + batch + 1
        if before // self._every != self.step // self._every:
            self._record()

    def on_train_end(self, logs: Any = None) -> None:
        """Records the last step, and waits until everything is in the file."""
        if self._last != self.step:
            self._record()
        self.recorder.flush()

    def close(self) -> None:
        """Closes the event file; the end of the program does so too."""
        self.recorder.close()

    def _record(self) -> None:
        if self._has_failed:
            return
        self._last = self.step
        try:
            self._record_model()
        except Exception as error:
            if self.recorder.strict:
                raise
            self._has_failed = True
            log.warning(
                "convscope: recording failed at step %d and is given up; training goes on",
                self.step,
                exc_info=error,
            )

    def _record_model(self) -> None:
        if hasattr(self.model, "jax_state_sync"):
            # While Keras trains on JAX, weights are elsewhere until somebody asks for them.
            self.model.jax_state_sync()
        layers = chosen(convolutions(self.model), self._wanted)
        outputs = self._outputs(layers) if self._probe is not None else []
        for name, layer in layers.items():
            self._weights(name, layer)
        for one in outputs:
            layout = activation_layout(one.layer)
            self.recorder.activation(one.name, one.value, self.step, layout, name=one.tag)
        if not self._has_facts:
            self._has_facts = True
            self._facts(layers)

    def _weights(self, name: str, layer: Any) -> None:
        for variable, layout in kernel_layouts(layer).items():
            value = getattr(layer, variable, None)
            if value is not None:
                self.recorder.kernel(name, _value(value), self.step, layout, name=variable)
        bias = getattr(layer, "bias", None)
        if bias is not None:
            self.recorder.bias(name, _value(bias), self.step)

    def _outputs(self, layers: dict[str, Any]) -> list[Output]:
        """What each layer makes of the probe."""
        outputs: list[Output] = []
        try:
            with _listening(layers, outputs), _without_gradients():
                self.model(self._probe, training=False)
        except Exception as error:
            if self.recorder.strict:
                raise
            self._probe = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
            return []
        with_values = {one.name for one in outputs if one.has_values}
        # A call without values comes of a model that is being built; without any other, it is told.
        return [one for one in outputs if one.has_values or one.name not in with_values]

    def _facts(self, layers: dict[str, Any]) -> None:
        """What is the same at all steps: the model's description and the probe."""
        if not layers:
            names = ", ".join(convolutions(self.model)) or "none"
            log.warning(
                "convscope: no convolution is called %s; there are: %s", self._wanted, names
            )
        try:
            self.recorder.keras_model(self.model.to_json(), self.step)
        except Exception:
            # A model of the user's own class need not say what it is made of.
            log.info("convscope: the model has no JSON", exc_info=True)
        first = next(iter(layers.values()), None)
        if first is None or self._probe is None or isinstance(self._probe, dict):
            return
        probe = self._probe[0] if isinstance(self._probe, list | tuple) else self._probe
        layout = activation_layout(first)
        if len(np.shape(probe)) == len(layout):
            self.recorder.input(probe, self.step, layout)


def convolutions(model: Any) -> dict[str, Any]:
    """All convolutions of a model, also within others, by name: ``conv1``, ``encoder/conv1``."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for path, layer in _walk(model, ""):
        if id(layer) not in seen and _n_axes(layer):
            seen.add(id(layer))
            found[path] = layer
    return found


def kernel_layouts(layer: Any) -> dict[str, str]:
    """The names of a layer's kernels and their layouts, which do not depend on its data format."""
    kind, window = _kind(layer), WINDOWS[_n_axes(layer)]
    if kind.startswith("Separable"):
        return {"depthwise_kernel": f"{window}IM", "pointwise_kernel": f"{window}IO"}
    if kind.startswith("Depthwise"):
        # Keras 2 and 3 call it differently.
        own = "kernel" if getattr(layer, "kernel", None) is not None else "depthwise_kernel"
        return {own: f"{window}IM"}
    return {"kernel": f"{window}OI" if kind.endswith("Transpose") else f"{window}IO"}


def activation_layout(layer: Any) -> str:
    """The layout of what a layer gives."""
    window = WINDOWS[_n_axes(layer)]
    return f"NC{window}" if layer.data_format == "channels_first" else f"N{window}C"


def _walk(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        inner_path = f"{path}/{inner.name}" if path else inner.name
        yield inner_path, inner
        yield from _walk(inner, inner_path)


def _kind(layer: Any) -> str:
    """The name of Keras's own class that a layer is of; empty if it is no convolution."""
    for cls in type(layer).__mro__:
        if cls.__name__ in CONVOLUTIONS and cls.__module__.partition(".")[0] in PACKAGES:
            return cls.__name__
    return ""


def _n_axes(layer: Any) -> int:
    return CONVOLUTIONS.get(_kind(layer), 0)


def _value(variable: Any) -> Any:
    """What a variable holds: Keras 3 has the backend's tensor in ``value``, Keras 2 a method of
    that name."""
    value = getattr(variable, "value", variable)
    return value() if callable(value) else value


@contextmanager
def _listening(layers: dict[str, Any], outputs: list[Output]) -> Iterator[None]:
    """Has layers say what they give, without a change to the model's graph."""
    for name, layer in layers.items():
        object.__setattr__(layer, "call", _heard(name, layer, outputs))
    try:
        yield
    finally:
        for layer in layers.values():
            object.__delattr__(layer, "call")


def _without_gradients() -> AbstractContextManager[Any]:
    """PyTorch alone keeps what gradients need of every pass, unless it is told not to."""
    torch = sys.modules.get("torch")
    return nullcontext() if torch is None else torch.no_grad()


def _heard(name: str, layer: Any, outputs: list[Output]) -> Any:
    call = layer.call
    n_calls = 0

    def heard(*arguments: Any, **named: Any) -> Any:
        nonlocal n_calls
        value = call(*arguments, **named)
        tag = f"activation_{n_calls}" if n_calls else "activation"
        has_values = _has_values(value)
        n_calls += has_values
        outputs.append(Output(name, layer, tag, value, has_values))
        return value

    return heard


def _has_values(tensor: Any) -> bool:
    try:
        array_of(tensor)
    except Refused:
        return False
    return True
