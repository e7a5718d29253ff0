"""A real training with the callback in Keras 2, as ``tf_keras`` has it beside Keras 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import probe_table
import seen
import tf_keras
from sklearn.datasets import load_digits
from tf_keras import layers

import convscope.keras


def test_a_training_in_keras_2_is_recorded_bit_for_bit(tmp_path: Path, binary: Path) -> None:
    data = load_digits()
    x, y = (data.images[:200, :, :, None] / 16).astype("float32"), data.target[:200]
    model = tf_keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", name="conv1", input_shape=(8, 8, 1)),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.SeparableConv2D(6, 3, name="separable"),
            layers.Conv2DTranspose(5, 2, name="transposed"),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.compile("sgd", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    recorder = convscope.keras.Recorder(tmp_path, probe=x[:2], every=10, strict=True)
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[recorder])
    found = seen.series(binary, tmp_path)
    names = ["conv1", "depthwise", "separable", "transposed"]
    assert seen.sure_layouts(found) == {
        **{f"{name}/activation": "NHWC" for name in names},
        **{"conv1/kernel": "HWIO", "depthwise/depthwise_kernel": "HWIM"},
        **{"separable/depthwise_kernel": "HWIM", "separable/pointwise_kernel": "HWIO"},
        **{"transposed/kernel": "HWOI", "input": "NHWC"},
    }
    assert found["conv1/kernel"]["operation"]["padding"] == "valid"
    outputs = [model.get_layer(name).output for name in names]
    maps = tf_keras.Model(model.inputs, outputs)(x[:2], training=False)
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        for name, output in zip(names, maps, strict=True):
            got = server.tensor(f"{name}/activation", 25)
            np.testing.assert_array_equal(got, output.numpy())
            for variable in model.get_layer(name).weights:
                end = variable.name.partition(":")[0].rpartition("/")[2]
                got = server.tensor(f"{name}/{end}", 25)
                assert got.tobytes() == variable.numpy().tobytes()


class Counting(layers.Layer):
    """Has a variable that no gradient changes, and a metric of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.metric = tf_keras.metrics.Mean(name="mean_map")

    def build(self, shape: Any) -> None:
        self.n_calls = self.add_weight(name="n", initializer="zeros", trainable=False)
        self.n_traces, self.traces = 0, []

    def call(self, x: Any) -> Any:
        self.n_calls.assign_add(1.0)
        self.metric.update_state(x)
        self.n_traces += 1
        self.traces.append(self.n_traces)
        return x * (1 + 0.01 * self.n_calls) + self.n_traces * len(self.traces) * x * x


def test_recording_changes_nothing_of_a_training_in_keras_2(tmp_path: Path, binary: Path) -> None:
    def trained(callbacks: list[Any]) -> list[np.ndarray]:
        tf_keras.utils.set_random_seed(5)
        body = [
            layers.Conv2D(4, 3, name="conv1", input_shape=(8, 8, 1)),
            Counting(),
            layers.BatchNormalization(),
        ]
        end = [layers.Dropout(0.5), layers.GlobalAveragePooling2D(), layers.Dense(1)]
        model = tf_keras.Sequential([*body, *end])
        model.compile("sgd", "mse")
        past = model.fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
        numbers = [np.array(past.history[name]) for name in sorted(past.history)]
        return [*numbers, *(weight.numpy() for weight in model.weights)]

    data = load_digits()
    x, y = (data.images[:80, :, :, None] / 16).astype("float32"), data.target[:80]
    recorder = convscope.keras.Recorder(tmp_path, probe=x[:2], every=3, strict=True)
    for one, other in zip(trained([]), trained([recorder]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert seen.series(binary, tmp_path)["conv1/activation"]["steps"] == 5


class AnyShape(tf_keras.Model):
    """Is built for the shape of its first batch; takes no ``training``."""

    def __init__(self) -> None:
        super().__init__()
        conv = layers.Conv2D(3, 3, padding="same", name="conv1")
        first = [layers.Flatten(), layers.Dense(16), layers.Reshape((4, 4, 1))]
        self.body = [*first, conv, layers.GlobalAveragePooling2D(), layers.Dense(1)]

    def call(self, x: Any) -> Any:
        for layer in self.body:
            x = layer(x)
        return x


class WithTraining(AnyShape):
    """The same with ``training``."""

    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(x)


PROBES = {
    "fits": lambda x: x[:2],
    "no batch axis": lambda x: x[0],
    "another size": lambda x: np.zeros((2, 9, 9, 1), "float32"),
    "no samples": lambda x: x[:0],
    "an empty list": lambda x: [],
    "a generator": lambda x: (one for one in x),
    "a dict": lambda x: {"picture": x[:2]},
    "a function": lambda x: len,
    "text": lambda x: np.array([["a"], ["b"]]),
}


@pytest.mark.parametrize("kind", [AnyShape, WithTraining])
def test_wrong_probes_change_nothing_of_a_training_in_keras_2(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, kind: type
) -> None:
    x, y = np.random.default_rng(0).random((16, 6, 6, 1)).astype("float32"), np.ones(16)

    def trained(callbacks: list[Any]) -> list[np.ndarray]:
        tf_keras.utils.set_random_seed(5)
        model = kind()
        model.compile("adam", "mse")
        past = model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
        return [np.array(past.history["loss"]), *(one.numpy() for one in model.weights)]

    # All at once, because a training takes seconds and any of them could change it.
    recorders = [
        convscope.keras.Recorder(tmp_path / way, probe=probe(x), every=3)
        for way, probe in PROBES.items()
    ]
    for one, other in zip(trained([]), trained(recorders), strict=True):
        np.testing.assert_array_equal(one, other)
    refusals = iter([one for one in caplog.records if one.name == "convscope"])
    for way in PROBES:
        found = seen.series(binary, tmp_path / way)
        kernel = found["conv1/kernel"]
        assert (kernel["first_step"], kernel["last_step"]) == (1, 8)
        assert ("conv1/activation" in found) == (way == "fits")
        told = [] if way == "fits" else [next(refusals)]
        probe_table.add(way, f"Keras 2, {kind.__name__}", told)
    assert next(refusals, None) is None
