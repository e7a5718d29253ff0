"""Each kind of Keras layer -> its layouts and its operation, as they are recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import seen
from keras import layers
from keras_models import PROBE, model_of, numpy_of, train_on_noise

import convscope.keras


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


def convolution_of(kind: str) -> Any:
    """A layer of 3 outputs, or of 2 for each input, with a window of 2."""
    cls = getattr(layers, kind)
    return cls(2, name="c") if kind.startswith("Depthwise") else cls(3, 2, name="c")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_convolution_has_its_layout(tmp_path: Path, binary: Path, kind: str) -> None:
    kernels, activation = KINDS[kind]
    shape = (6, 5, 4)[: len(activation) - 2] + (2,)
    model = keras.Sequential([keras.Input(shape), convolution_of(kind), layers.Flatten()])
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


def test_the_model_says_strides_and_padding(tmp_path: Path, binary: Path) -> None:
    body = layers.Conv2D(2, 3, strides=2, padding="same", activation="relu", name="conv1")
    train_on_noise(model_of(body), convscope.keras.Recorder(tmp_path, probe=PROBE, strict=True))
    operation = seen.series(binary, tmp_path)["conv1/kernel"]["operation"]
    assert (operation["strides"], operation["padding"]) == ([2, 2], "same")
