"""What the Keras callback records of real trainings, on whichever backend Keras runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import seen
from keras import layers
from keras_models import PROBE, digits, layers_to_one_number, model_of, numpy_of, train_on_noise

import convscope.keras


class ByKeras(keras.callbacks.Callback):
    """Keeps weights and activations at each step, which it reads through Keras alone."""

    def __init__(self, probe: Any, names: list[str]) -> None:
        super().__init__()
        self.probe, self.names = probe, names
        self.step = 0
        self.kept: dict[tuple[str, int], np.ndarray] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        self.keep()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        self.keep()

    def keep(self) -> None:
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        outputs = [self.model.get_layer(name).output for name in self.names]
        maps = keras.Model(self.model.inputs, outputs)(self.probe, training=False)
        for name, output in zip(self.names, maps, strict=True):
            layer = self.model.get_layer(name)
            self.kept[f"{name}/activation", self.step] = numpy_of(output)
            for variable in layer.weights:
                self.kept[f"{name}/{variable.name}", self.step] = numpy_of(variable)


def test_a_real_training_is_recorded_bit_for_bit(tmp_path: Path, binary: Path) -> None:
    keras.utils.set_random_seed(3)
    x, y = digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
            layers.BatchNormalization(),
            layers.SeparableConv2D(8, 3, activation="relu", name="separable"),
            layers.Conv2DTranspose(5, 3, strides=2, name="transposed"),
            layers.Conv2D(4, 1, use_bias=False, name="conv2"),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(10, name="dense"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    names = ["conv1", "depthwise", "separable", "transposed", "conv2"]
    truth = ByKeras(x[:3], names)
    recorder = convscope.keras.Recorder(tmp_path, probe=x[:3], every=10, strict=True)
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[recorder, truth])
    assert history.history["accuracy"][1] > history.history["accuracy"][0]
    assert recorder.step == 50

    found = seen.series(binary, tmp_path)
    tags = {tag for tag, _ in truth.kept}
    assert set(found) == {*tags, "input"}
    assert seen.sure_layouts(found) == {
        **{f"{name}/activation": "NHWC" for name in names},
        **{"conv1/kernel": "HWIO", "conv2/kernel": "HWIO", "depthwise/kernel": "HWIM"},
        **{"separable/depthwise_kernel": "HWIM", "separable/pointwise_kernel": "HWIO"},
        **{"transposed/kernel": "HWOI", "input": "NHWC"},
    }
    assert {one["layer"] for one in found.values()} == {*names, "input"}
    assert seen.faults(binary, tmp_path) == ""
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        for tag in tags:
            assert found[tag]["steps"] == 6
            for step in (0, 10, 20, 30, 40, 50):
                got, expected = server.tensor(tag, step), truth.kept[tag, step]
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
                assert got.tobytes() == expected.tobytes(), (tag, step)
        assert server.tensor("input", 0).tobytes() == x[:3].tobytes()


class OwnClass(keras.Model):
    """A model of a user's own class, with a layer that is used twice and a list of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = layers.Conv2D(2, 3, padding="same", name="twice")
        self.blocks = [layers.Conv2D(2, 3, name=f"block{i}") for i in range(2)]
        self.pool = layers.GlobalAveragePooling2D()
        self.out = layers.Dense(1)

    def call(self, x: Any) -> Any:
        x = self.twice(self.twice(x))
        for block in self.blocks:
            x = block(x)
        return self.out(self.pool(x))


def test_models_of_own_classes_and_shared_layers_are_recorded(tmp_path: Path, binary: Path) -> None:
    train_on_noise(OwnClass(), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    activations = {tag for tag in seen.series(binary, tmp_path) if "activation" in tag}
    assert activations == {
        *("twice/activation", "twice/activation_1"),
        *("block0/activation", "block1/activation"),
    }


def test_a_call_that_somebody_put_on_a_layer_stays_there(tmp_path: Path, binary: Path) -> None:
    conv = layers.Conv2D(2, 3, name="conv1")
    model = model_of(conv)
    original = conv.call

    def doubled(x: Any) -> Any:
        return original(x) * 2

    object.__setattr__(conv, "call", doubled)
    train_on_noise(model, convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    assert conv.call is doubled
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        last = server.tensor("conv1/activation", 8)
    np.testing.assert_array_equal(last, numpy_of(doubled(keras.ops.convert_to_tensor(PROBE))))


class SameNames(keras.Model):
    """Two layers of one name, which Keras allows in a user's own class."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(2, 3, name="conv")
        self.second = layers.Conv2D(3, 3, name="conv")
        self.end = layers_to_one_number()

    def call(self, x: Any) -> Any:
        x = self.second(self.first(x))
        for layer in self.end:
            x = layer(x)
        return x


def test_layers_of_one_name_have_different_tags(tmp_path: Path, binary: Path) -> None:
    train_on_noise(SameNames(), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    shapes = {tag: found[tag]["shape"] for tag in ("conv/kernel", "conv_1/kernel")}
    assert shapes == {"conv/kernel": [3, 3, 2, 2], "conv_1/kernel": [3, 3, 2, 3]}
    assert found["conv_1/activation"]["shape"] == [2, 2, 2, 3]


def test_layers_of_models_within_models_have_different_tags(tmp_path: Path, binary: Path) -> None:
    parts = [
        keras.Sequential([layers.Conv2D(2, 3, padding="same", name="conv")], name=name)
        for name in ("encoder", "decoder")
    ]
    train_on_noise(model_of(*parts), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    assert {"encoder/conv/kernel", "decoder/conv/kernel", "decoder/conv/activation"} <= set(found)
    assert set(seen.sure_layouts(found).values()) == {"HWIO", "NHWC"}


def test_only_the_layers_that_are_wanted_are_recorded(tmp_path: Path, binary: Path) -> None:
    body = [layers.Conv2D(2, 1, name=name) for name in ("stem", "block1_a", "block1_b", "block2_a")]
    recorder = convscope.keras.Recorder(tmp_path, layers=["stem", "block1_*"], strict=True)
    train_on_noise(model_of(*body), recorder)
    names = {one["layer"] for one in seen.series(binary, tmp_path).values()}
    assert names == {"stem", "block1_a", "block1_b"}


def test_a_name_that_no_layer_has_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = convscope.keras.Recorder(tmp_path, layers=["conv9"])
    train_on_noise(model_of(layers.Conv2D(2, 1, name="conv1")), recorder)
    assert "no convolution is called ['conv9']; there are: conv1" in caplog.text


def test_a_model_without_convolutions_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train_on_noise(model_of(layers.Activation("relu")), convscope.keras.Recorder(tmp_path))
    assert "the model has no convolution" in caplog.text


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_recorded_as_it_is(tmp_path: Path, binary: Path, policy: str) -> None:
    body = layers.Conv2D(2, 3, name="conv1", dtype=policy)
    train_on_noise(model_of(body), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    assert found["conv1/kernel"]["dtype"] == "float32"
    assert found["conv1/activation"]["dtype"] == policy.removeprefix("mixed_")
