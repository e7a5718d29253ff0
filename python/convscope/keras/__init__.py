"""A Keras model during training -> records of its kernels and activations, by a callback.

    model.fit(x, y, callbacks=[convscope.keras.Recorder("logs", probe=x[:4])])

Works with Keras 3 on any backend and with Keras 2 (``tf.keras``, ``tf_keras``). Layers are
recognized by the names of Keras's own classes, so only the version in use has to be installed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from convscope.arguments import whole
from convscope.keras.layers import activation_layout, convolutions, kernel_layouts, weights_holder
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
    """Records every convolution of a model: before training, every ``every`` steps, and at the end.

    A step is one update of the weights; if the optimizer has already counted some, counting
    continues from there. A model that is built by its first batch is first recorded after that
    batch.

    Args:
        log_dir: the run's directory.
        probe: a fixed batch as the model takes it (an array, or a list of them), whose activations
            are recorded; without it, only kernels and biases are recorded. A few samples are
            enough.
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

    # Keras 2 needs these, and the base class of Keras 3 does not have them.
    _supports_tf_logs = True

    def _implements_train_batch_hooks(self) -> bool:
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    def on_train_begin(self, logs: Any = None) -> None:
        """Records the model before the first update, if it has all of its weights."""
        with self._guarded():
            # The counter of a model that is compiled again, or has optimizers of its own, restarts
            # at 0.
            self.step = self._step_of_epoch = max(self.step, self._iterations())
            # A model whose first call creates its weights must first be called by the training.
            self._is_due = not self._is_built()
            if not self._is_due:
                self._record()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Stores the step at which the batches of the epoch begin."""
        with self._guarded():
            self._count()
            self._step_of_epoch = self.step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Records every ``every`` steps; with ``steps_per_execution``, it is called once for
        several batches."""
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
        """Closes the event file; the end of the program does this too."""
        self.recorder.close()

    def _iterations(self) -> int:
        """The number of updates that the optimizer has counted."""
        optimizer = getattr(self.model, "optimizer", None)
        return int(np.asarray(_value(getattr(optimizer, "iterations", 0))))

    def _count(self) -> None:
        """Corrects the step: Keras 3 reports the last batches of an epoch as
        ``steps_per_execution`` even if there are fewer."""
        together = getattr(self.model, "steps_per_execution", 1)
        if not isinstance(together, int) or together < 2:
            return
        self._synchronize()
        iterations = self._iterations()
        if self.step - together < iterations < self.step:
            self.step = iterations

    def _synchronize(self) -> None:
        """Copies the weights into the model's variables: while Keras trains on JAX, they are stored
        elsewhere."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()

    def _is_built(self) -> bool:
        """Whether the training, or a call before it, has built the model."""
        return is_built(self.model) or (self.model.built and self._iterations() > 0)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Keeps errors of recording from the training, unless the recorder is strict."""
        try:
            yield
        except Exception as error:
            if self.recorder.strict:
                raise
            if not self._has_failed:
                log.warning(
                    "convscope: recording failed at step %s and has stopped; training continues",
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
        held = weights_holder(layer)
        for variable, layout in kernel_layouts(layer).items():
            value = getattr(held, variable, None)
            if value is not None:
                self.recorder.kernel(name, _value(value), self.step, layout, name=variable)
        bias = getattr(held, "bias", None)
        if bias is not None:
            self.recorder.bias(name, _value(bias), self.step)

    def _outputs(self, layers: dict[str, Any]) -> list[Output]:
        """The output of each layer for the probe."""
        try:
            return outputs_of(self.model, layers, self._probe)
        except Exception as error:
            if self.recorder.strict:
                raise
            self._probe = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
            return []

    def _warn_of_none(self) -> None:
        names = ", ".join(convolutions(self.model))
        if names:
            log.warning(
                "convscope: no convolution is called %s; there are: %s", self._wanted, names
            )
        else:
            log.warning("convscope: the model has no convolution, so no kernels are recorded")

    def _facts(self, layers: dict[str, Any]) -> None:
        """Records what does not change between steps: the model's description and the probe."""
        if not layers:
            self._warn_of_none()
        try:
            self.recorder.keras_model(self.model.to_json(), self.step)
        except Exception:
            # A model of the user's own class may have no description.
            log.info("convscope: the model has no JSON", exc_info=True)
        first = next(iter(layers.values()), None)
        if first is None or self._probe is None or isinstance(self._probe, dict):
            return
        probe = self._probe[0] if isinstance(self._probe, list | tuple) else self._probe
        layout = activation_layout(first)
        if len(np.shape(probe)) == len(layout):
            self.recorder.input(probe, self.step, layout)


def _value(variable: Any) -> Any:
    """The tensor of a variable: an attribute ``value`` in Keras 3, a method of that name in Keras
    2."""
    value = getattr(variable, "value", variable)
    return value() if callable(value) else value
