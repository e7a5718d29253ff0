"""A Keras model while it trains -> its kernels and activations, by a callback.

    model.fit(x, y, callbacks=[convscope.keras.Recorder("logs", probe=x[:4])])

Keras 3 on any backend and Keras 2 (``tf.keras``, ``tf_keras``). Layers are known by the names of
Keras's own classes, so that no version of it has to be installed beside the one in use.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from convscope.arguments import whole
from convscope.keras.layers import activation_layout, convolutions, holder, kernel_layouts
from convscope.keras.probe import Output, is_built, outputs_of
from convscope.layers import PROBE_REFUSED, chosen
from convscope.recorder import Recorder as ArrayRecorder

try:
    from keras.callbacks import Callback
except ImportError as without_keras:
    try:
        from tf_keras.callbacks import Callback
    except ImportError:
        raise ImportError(
            f"convscope.keras needs Keras with a backend, or tf_keras: {without_keras}"
        ) from without_keras

log = logging.getLogger("convscope")


class Recorder(Callback):  # type: ignore[misc]
    """Records every convolution of a model: before training, each ``every`` steps, and at the end.

    A step is one update of the weights; where an optimizer has counted some already, counting goes
    on from there. A model that its first batch builds is recorded from after that batch on.

    Args:
        log_dir: the run's directory.
        probe: a fixed batch as the model takes it (an array, or a list of them), whose activations
            are recorded; without it there are kernels and biases alone. A few samples are enough.
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
        self._every = whole("every", every)
        self.recorder = ArrayRecorder(log_dir, **options)
        self.step = 0
        self._probe = probe
        self._wanted = layers if layers is None or isinstance(layers, str) else [*layers]
        self._is_due = False
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
        """Records the model as it is before the first update, if it has all of its weights."""
        with self._guarded():
            # Compiled again, or with optimizers of its own, a model counts from 0 once more.
            self.step = self._step_of_epoch = max(self.step, self._iterations())
            # Never is a model called before the training calls it, where that makes its weights.
            self._is_due = not self._is_built()
            if not self._is_due:
                self._record()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes where the epoch's batches begin to count."""
        with self._guarded():
            self._count()
            self._step_of_epoch = self.step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Records when ``every`` steps are over; with ``steps_per_execution`` batches come several
        at a time."""
        with self._guarded():
            before = self.step
            self.step = self._step_of_epoch + batch + 1
            if before // self._every != self.step // self._every:
                self._count()
            if self._is_due or before // self._every != self.step // self._every:
                self._is_due = False
                self._record()

    def on_train_end(self, logs: Any = None) -> None:
        """Records the last step, and waits until everything is in the file."""
        with self._guarded():
            self._count()
            if self._last != self.step and not self._is_due:
                self._record()
        self.recorder.flush()

    def flush(self) -> None:
        """Waits until everything recorded is in the file; see ``convscope.Recorder.flush``."""
        self.recorder.flush()

    def close(self) -> None:
        """Closes the event file; the end of the program does so too."""
        self.recorder.close()

    def _iterations(self) -> int:
        """What the optimizer has counted."""
        optimizer = getattr(self.model, "optimizer", None)
        return int(np.asarray(_value(getattr(optimizer, "iterations", 0))))

    def _count(self) -> None:
        """Keras 3 reports the last batches of an epoch as ``steps_per_execution``, though they are
        fewer."""
        together = getattr(self.model, "steps_per_execution", 1)
        if not isinstance(together, int) or together < 2:
            return
        self._synchronize()
        iterations = self._iterations()
        if self.step - together < iterations < self.step:
            self.step = iterations

    def _synchronize(self) -> None:
        """While Keras trains on JAX, weights are elsewhere until somebody asks for them."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()

    def _is_built(self) -> bool:
        """Whether the training has built the model, or somebody before it."""
        return is_built(self.model) or (self.model.built and self._iterations() > 0)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Nothing of ours stops a training that did not ask for it."""
        try:
            yield
        except Exception as error:
            if self.recorder.strict:
                raise
            if not self._has_failed:
                log.warning(
                    "convscope: recording failed at step %s and has ended; training goes on",
                    self.step,
                    exc_info=error,
                )
            self._has_failed = True

    def _record(self) -> None:
        if not self._has_failed:
            self._last = self.step
            self._record_model()

    def _record_model(self) -> None:
        self._synchronize()
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
        held = holder(layer)
        for variable, layout in kernel_layouts(layer).items():
            value = getattr(held, variable, None)
            if value is not None:
                self.recorder.kernel(name, _value(value), self.step, layout, name=variable)
        bias = getattr(held, "bias", None)
        if bias is not None:
            self.recorder.bias(name, _value(bias), self.step)

    def _outputs(self, layers: dict[str, Any]) -> list[Output]:
        """What each layer makes of the probe."""
        try:
            return outputs_of(self.model, layers, self._probe)
        except Exception as error:
            if self.recorder.strict:
                raise
            self._probe = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
            return []

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


def _value(variable: Any) -> Any:
    """What a variable holds: Keras 3 has the backend's tensor in ``value``, Keras 2 a method of
    that name."""
    value = getattr(variable, "value", variable)
    return value() if callable(value) else value
