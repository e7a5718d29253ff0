"""A training is the same with the Keras callback as without it, and continues if recording
fails."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import seen
from keras import layers
from keras_models import PROBE, digits, model_of, numpy_of, train_on_noise

import convscope.keras
from convscope.recorder import RecordError


ON_JAX = keras.backend.backend() == "jax"
"""On JAX, Keras refuses shared seeds and metrics within layers."""


class AddsNoise(layers.Layer):
    """Adds noise also in evaluation mode, as variational networks do, from seeds of both kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, x: Any) -> Any:
        shape = keras.ops.shape(x)
        x = x + 0.1 * keras.random.normal(shape, seed=self.seeds)
        return x if ON_JAX else x + 0.1 * keras.random.normal(shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class CountsCalls(layers.Layer):
    """Has a variable that no gradient changes, and a metric of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.metric = keras.metrics.Mean(name="mean_map")

    def build(self, shape: Any) -> None:
        self.n_calls = self.add_weight(name="n", initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.n_calls.assign(self.n_calls + 1)
        if not ON_JAX:
            self.metric.update_state(x)
        return x * (1 + 0.01 * self.n_calls)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


LAYERS_WITH_STATE = {
    "noise": lambda: (layers.Conv2D(4, 3, name="conv1"), AddsNoise()),
    "a count and a metric": lambda: (layers.Conv2D(4, 3, name="conv1"), CountsCalls()),
    "statistics and dropout": lambda: (
        *(layers.Conv2D(4, 3, name="conv1"), layers.BatchNormalization(), layers.Dropout(0.5)),
    ),
}


@pytest.mark.parametrize("kind", LAYERS_WITH_STATE)
def test_recording_changes_nothing_of_the_training(tmp_path: Path, binary: Path, kind: str) -> None:
    def trained(callbacks: list[Any]) -> list[np.ndarray]:
        # The seeds that calls without a seed share are global state of Keras.
        keras.utils.clear_session()
        keras.utils.set_random_seed(5)
        model = model_of(*LAYERS_WITH_STATE[kind]())
        model.compile("sgd", "mse")
        x, y = digits()
        x = np.repeat(x[:32, :6, :6], 2, axis=3)
        past = model.fit(x, y[:32], batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
        numbers = [np.array(past.history[name]) for name in sorted(past.history)]
        return [*numbers, *(numpy_of(weight) for weight in model.weights)]

    plain = trained([])
    recorded = trained([convscope.keras.Recorder(tmp_path, probe=PROBE, every=3, strict=True)])
    for one, other in zip(plain, recorded, strict=True):
        np.testing.assert_array_equal(one, other)
    assert seen.series(binary, tmp_path)["conv1/activation"]["steps"] == 7


def test_a_probe_that_does_not_fit_warns_once_and_kernels_are_recorded(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = convscope.keras.Recorder(tmp_path, probe=np.zeros((2, 3)), every=2)
    caplog.set_level(logging.WARNING, logger="convscope")
    train_on_noise(model_of(layers.Conv2D(2, 3, name="conv1")), recorder)
    said = [one for one in caplog.records if one.name == "convscope"]
    assert len(said) == 1 and "does not accept the probe" in said[0].getMessage()
    found = seen.series(binary, tmp_path)
    assert set(found) == {"conv1/kernel", "conv1/bias"} and found["conv1/kernel"]["steps"] == 5


def test_a_strict_callback_stops_at_a_probe_that_does_not_fit(tmp_path: Path) -> None:
    recorder = convscope.keras.Recorder(tmp_path, probe=np.zeros((2, 3)), strict=True)
    with pytest.raises(ValueError):
        train_on_noise(model_of(layers.Conv2D(2, 3, name="conv1")), recorder)


def test_an_unwritable_directory_warns_or_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError):
        convscope.keras.Recorder(tmp_path / "file", strict=True)
    train_on_noise(
        model_of(layers.Conv2D(2, 3)), convscope.keras.Recorder(tmp_path / "file", probe=PROBE)
    )
    said = [one for one in caplog.records if one.name == "convscope"]
    assert len(said) == 1
