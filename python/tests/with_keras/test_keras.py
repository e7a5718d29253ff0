"""Real trainings with the Keras callback, on whichever backend Keras runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import seen
from keras import layers
from sklearn.datasets import load_digits

import convscope.keras
from convscope.recorder import RecordError


def numpy_of(tensor: Any) -> np.ndarray:
    """A variable or tensor of the backend as an array."""
    return np.array(keras.ops.convert_to_numpy(tensor))


class Truth(keras.callbacks.Callback):
    """Keeps what the model holds and gives at some steps, by means of Keras's own."""

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


def digits() -> tuple[np.ndarray, np.ndarray]:
    """400 scanned digits of 8x8 pixels in [0, 1], and what they are."""
    data = load_digits()
    return (data.images[:400, :, :, None] / 16).astype("float32"), data.target[:400]


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
    truth = Truth(x[:3], names)
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


KINDS = {
    "Conv1D": ({"kernel": "WIO"}, "NWC"),
    "Conv2D": ({"kernel": "HWIO"}, "NHWC"),
    "Conv3D": ({"kernel": "DHWIO"}, "NDHWC"),
    "Conv1DTranspose": ({"kernel": "WOI"}, "NWC"),
    "Conv2DTranspose": ({"kernel": "HWOI"}, "NHWC"),
    "Conv3DTranspose": ({"kernel": "DHWOI"}, "NDHWC"),
    "DepthwiseConv1D": ({"kernel": "WIM"}, "NWC"),
    "DepthwiseConv2D": ({"kernel": "HWIM"}, "NHWC"),
    "SeparableConv1D": ({"depthwise_kernel": "WIM", "pointwise_kernel": "WIO"}, "NWC"),
    "SeparableConv2D": ({"depthwise_kernel": "HWIM", "pointwise_kernel": "HWIO"}, "NHWC"),
}


def layer_of(kind: str) -> Any:
    """A layer of 3 outputs, or of 2 for each input, with a window of 2."""
    cls = getattr(layers, kind)
    return cls(2, name="c") if kind.startswith("Depthwise") else cls(3, 2, name="c")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_convolution_has_its_layout(tmp_path: Path, binary: Path, kind: str) -> None:
    kernels, activation = KINDS[kind]
    shape = (6, 5, 4)[: len(activation) - 2] + (2,)
    model = keras.Sequential([keras.Input(shape), layer_of(kind), layers.Flatten()])
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((4, *shape)).astype("float32")
    recorder = convscope.keras.Recorder(tmp_path, probe=x[:2], strict=True)
    model.fit(x, np.zeros(4), verbose=0, callbacks=[recorder])
    expected = {f"c/{name}": layout for name, layout in kernels.items()}
    assert seen.sure_layouts(seen.series(binary, tmp_path)) == {
        **expected,
        "c/activation": activation,
        "input": activation,
    }


@pytest.mark.parametrize(
    ("n_axes", "gives_sequence"), [(1, True), (2, False), (2, True), (3, False)]
)
def test_recurrent_convolutions_are_recorded(
    tmp_path: Path, binary: Path, n_axes: int, gives_sequence: bool
) -> None:
    layer = getattr(layers, f"ConvLSTM{n_axes}D")(
        3, 2, return_sequences=gives_sequence, name="lstm"
    )
    shape = (4, *(6, 5, 4)[:n_axes], 2)
    model = keras.Sequential([keras.Input(shape), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((4, *shape)).astype("float32")
    recorder = convscope.keras.Recorder(tmp_path, probe=x[:2], strict=True)
    model.fit(x, np.zeros(4), verbose=0, callbacks=[recorder])
    window = ("W", "HW", "DHW")[n_axes - 1]
    kernels = {"lstm/kernel": f"{window}IO", "lstm/recurrent_kernel": f"{window}IO"}
    expected = {**kernels, "lstm/activation": f"N{window}C"}
    assert seen.sure_layouts(seen.series(binary, tmp_path)) == expected
    given = numpy_of(layer(x[:2]))
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        got = server.tensor("lstm/activation", 1)
        np.testing.assert_array_equal(got, given[:, -1] if gives_sequence else given)
        for name in ("kernel", "recurrent_kernel"):
            weights = numpy_of(getattr(layer.cell, name))
            assert server.tensor(f"lstm/{name}", 1).tobytes() == weights.tobytes()


def fit(model: Any, recorder: Any, shape: tuple[int, ...] = (6, 6, 2), **options: Any) -> None:
    """Eight batches of noise."""
    model.compile("sgd", "mse", **options)
    x = np.random.default_rng(0).random((16, *shape)).astype("float32")
    y = np.zeros((16, 1), "float32")
    model.fit(x, y, batch_size=2, verbose=0, callbacks=[recorder])


PROBE = np.random.default_rng(1).random((2, 6, 6, 2)).astype("float32")


def head(*body: Any) -> Any:
    """A model of some layers and one number at the end."""
    return keras.Sequential([keras.Input((6, 6, 2)), *body, *head_layers()])


def head_layers() -> list[Any]:
    """From maps to one number."""
    return [layers.GlobalAveragePooling2D(), layers.Dense(1)]


class Own(keras.Model):
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
    fit(Own(), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    activations = {tag for tag in seen.series(binary, tmp_path) if "activation" in tag}
    assert activations == {
        *("twice/activation", "twice/activation_1"),
        *("block0/activation", "block1/activation"),
    }


def test_a_call_that_somebody_put_on_a_layer_stays_there(tmp_path: Path, binary: Path) -> None:
    conv = layers.Conv2D(2, 3, name="conv1")
    model = head(conv)
    original = conv.call

    def doubled(x: Any) -> Any:
        return original(x) * 2

    object.__setattr__(conv, "call", doubled)
    fit(model, convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    assert conv.call is doubled
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        last = server.tensor("conv1/activation", 8)
    np.testing.assert_array_equal(last, numpy_of(doubled(keras.ops.convert_to_tensor(PROBE))))


class SameNames(keras.Model):
    """Two layers of one name, which Keras allows in classes of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(2, 3, name="conv")
        self.second = layers.Conv2D(3, 3, name="conv")
        self.end = head_layers()

    def call(self, x: Any) -> Any:
        x = self.second(self.first(x))
        for layer in self.end:
            x = layer(x)
        return x


def test_layers_of_one_name_are_told_apart(tmp_path: Path, binary: Path) -> None:
    fit(SameNames(), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    shapes = {tag: found[tag]["shape"] for tag in ("conv/kernel", "conv_1/kernel")}
    assert shapes == {"conv/kernel": [3, 3, 2, 2], "conv_1/kernel": [3, 3, 2, 3]}
    assert found["conv_1/activation"]["shape"] == [2, 2, 2, 3]


def test_layers_of_models_within_models_are_told_apart(tmp_path: Path, binary: Path) -> None:
    parts = [
        keras.Sequential([layers.Conv2D(2, 3, padding="same", name="conv")], name=name)
        for name in ("encoder", "decoder")
    ]
    fit(head(*parts), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    assert {"encoder/conv/kernel", "decoder/conv/kernel", "decoder/conv/activation"} <= set(found)
    assert set(seen.sure_layouts(found).values()) == {"HWIO", "NHWC"}


def test_only_the_layers_that_are_wanted_are_recorded(tmp_path: Path, binary: Path) -> None:
    body = [layers.Conv2D(2, 1, name=name) for name in ("stem", "block1_a", "block1_b", "block2_a")]
    recorder = convscope.keras.Recorder(tmp_path, layers=["stem", "block1_*"], strict=True)
    fit(head(*body), recorder)
    names = {one["layer"] for one in seen.series(binary, tmp_path).values()}
    assert names == {"stem", "block1_a", "block1_b"}


def test_a_name_that_no_layer_has_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = convscope.keras.Recorder(tmp_path, layers=["conv9"])
    fit(head(layers.Conv2D(2, 1, name="conv1")), recorder)
    assert "no convolution is called ['conv9']; there are: conv1" in caplog.text


def test_a_model_without_convolutions_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(head(layers.Activation("relu")), convscope.keras.Recorder(tmp_path))
    assert "the model has no convolution" in caplog.text


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_recorded_as_it_is(tmp_path: Path, binary: Path, policy: str) -> None:
    body = layers.Conv2D(2, 3, name="conv1", dtype=policy)
    fit(head(body), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    found = seen.series(binary, tmp_path)
    assert found["conv1/kernel"]["dtype"] == "float32"
    assert found["conv1/activation"]["dtype"] == policy.removeprefix("mixed_")


def test_the_model_says_strides_and_padding(tmp_path: Path, binary: Path) -> None:
    body = layers.Conv2D(2, 3, strides=2, padding="same", activation="relu", name="conv1")
    fit(head(body), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    operation = seen.series(binary, tmp_path)["conv1/kernel"]["operation"]
    assert (operation["strides"], operation["padding"]) == ([2, 2], "same")


def test_steps_go_on_where_an_earlier_training_ended(tmp_path: Path, binary: Path) -> None:
    model = head(layers.Conv2D(2, 3, name="conv1"))
    fit(model, convscope.keras.Recorder(tmp_path / "first", every=3, strict=True))
    x, y = np.zeros((6, 6, 6, 2), "float32"), np.zeros((6, 1), "float32")
    recorder = convscope.keras.Recorder(tmp_path / "second", every=3, strict=True)
    model.fit(x, y, batch_size=1, verbose=0, callbacks=[recorder])
    first = seen.series(binary, tmp_path / "first")["conv1/kernel"]
    second = seen.series(binary, tmp_path / "second")["conv1/kernel"]
    assert (first["first_step"], first["last_step"], first["steps"]) == (0, 8, 4)
    assert (second["first_step"], second["last_step"], second["steps"]) == (8, 14, 4)


def test_steps_go_on_where_a_model_is_compiled_again(tmp_path: Path, binary: Path) -> None:
    model = head(layers.Conv2D(2, 3, name="conv1"))
    recorder = convscope.keras.Recorder(tmp_path, every=4, strict=True)
    for _ in range(2):
        fit(model, recorder)
    series = seen.series(binary, tmp_path)["conv1/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (0, 16, 5)


def test_batches_that_come_several_at_a_time_are_counted(tmp_path: Path, binary: Path) -> None:
    recorder = convscope.keras.Recorder(tmp_path, every=2, strict=True)
    recorder.set_model(head(layers.Conv2D(2, 3, name="conv1")))
    # As Keras calls with steps_per_execution=4, which it does not take on PyTorch.
    recorder.on_train_begin()
    recorder.on_epoch_begin(0)
    for batch in (3, 7):
        recorder.on_train_batch_end(batch)
    recorder.on_train_end()
    series = seen.series(binary, tmp_path)["conv1/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (0, 8, 3)


ON_JAX = keras.backend.backend() == "jax"
"""Keras refuses common seeds and metrics within layers there."""


class Noisy(layers.Layer):
    """Adds noise in evaluation too, as variational networks do, from seeds of both kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, x: Any) -> Any:
        shape = keras.ops.shape(x)
        x = x + 0.1 * keras.random.normal(shape, seed=self.seeds)
        return x if ON_JAX else x + 0.1 * keras.random.normal(shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class Counting(layers.Layer):
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


BODIES = {
    "noise": lambda: (layers.Conv2D(4, 3), Noisy()),
    "a count and a metric": lambda: (layers.Conv2D(4, 3), Counting()),
    "statistics and dropout": lambda: (
        *(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Dropout(0.5)),
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_recording_changes_nothing_of_the_training(tmp_path: Path, kind: str) -> None:
    def trained(callbacks: list[Any]) -> list[np.ndarray]:
        # The seeds that unseeded calls share are Keras's state, and older ones keep it.
        keras.utils.clear_session()
        keras.utils.set_random_seed(5)
        model = head(*BODIES[kind]())
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


def test_a_probe_that_does_not_fit_warns_once_and_kernels_are_recorded(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = convscope.keras.Recorder(tmp_path, probe=np.zeros((2, 3)), every=2)
    caplog.set_level(logging.WARNING, logger="convscope")
    fit(head(layers.Conv2D(2, 3, name="conv1")), recorder)
    said = [one for one in caplog.records if one.name == "convscope"]
    assert len(said) == 1 and "does not take the probe" in said[0].getMessage()
    found = seen.series(binary, tmp_path)
    assert set(found) == {"conv1/kernel", "conv1/bias"} and found["conv1/kernel"]["steps"] == 5


def test_a_strict_callback_stops_at_a_probe_that_does_not_fit(tmp_path: Path) -> None:
    recorder = convscope.keras.Recorder(tmp_path, probe=np.zeros((2, 3)), strict=True)
    with pytest.raises(ValueError):
        fit(head(layers.Conv2D(2, 3, name="conv1")), recorder)


def test_an_unwritable_directory_warns_or_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError):
        convscope.keras.Recorder(tmp_path / "file", strict=True)
    fit(head(layers.Conv2D(2, 3)), convscope.keras.Recorder(tmp_path / "file", probe=PROBE))
    said = [one for one in caplog.records if one.name == "convscope"]
    assert len(said) == 1
