"""Models, batches and trainings that several tests of the Keras callback use."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits


PROBE = np.random.default_rng(1).random((2, 6, 6, 2)).astype("float32")
"""Two samples, as `model_of` and `train_on_noise` take them."""


def numpy_of(tensor: Any) -> np.ndarray:
    """A variable or tensor of the backend as an array."""
    return np.array(keras.ops.convert_to_numpy(tensor))


def model_of(*body: Any) -> Any:
    """A model of these layers, with one number per sample as its output."""
    return keras.Sequential([keras.Input((6, 6, 2)), *body, *layers_to_one_number()])


def layers_to_one_number() -> list[Any]:
    """The layers that make one number of the maps."""
    return [layers.GlobalAveragePooling2D(), layers.Dense(1)]


def train_on_noise(
    model: Any, recorder: Any, shape: tuple[int, ...] = (6, 6, 2), **options: Any
) -> None:
    """Trains with eight batches of noise and this callback."""
    model.compile("sgd", "mse", **options)
    x = np.random.default_rng(0).random((16, *shape)).astype("float32")
    y = np.zeros((16, 1), "float32")
    model.fit(x, y, batch_size=2, verbose=0, callbacks=[recorder])


def digits() -> tuple[np.ndarray, np.ndarray]:
    """400 scanned digits of 8x8 pixels in [0, 1], and what they are."""
    data = load_digits()
    return (data.images[:400, :, :, None] / 16).astype("float32"), data.target[:400]
