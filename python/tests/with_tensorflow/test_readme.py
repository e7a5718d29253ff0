"""The code for Keras and TensorFlow in the README and in docs/logging.md runs, and ConvScope shows
what it logs."""

from __future__ import annotations

from pathlib import Path

import pages
import seen

KERAS = """
import keras, numpy as np
x, y = np.random.rand(32, 8, 8, 3), np.zeros(32)
layers = keras.layers
body = [layers.Conv2D(4, 3, name="conv1"), layers.GlobalAveragePooling2D(), layers.Dense(1)]
model = keras.Sequential([keras.Input((8, 8, 3)), *body])
model.compile("sgd", "mse")
"""
TENSORFLOW_2 = """
import keras, tensorflow as tf
images = tf.random.uniform([2, 8, 8, 3])
layer, step = keras.layers.Conv2D(4, 3), 0
layer(images)
"""
TENSORFLOW_1 = """
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
kernel = tf.compat.v1.get_variable("weights", [5, 5, 3, 8])
conv1 = tf.nn.relu(tf.nn.conv2d(tf.random.uniform([2, 16, 16, 3]), kernel, 1, "SAME", name="conv1"))
sess, global_step = tf.compat.v1.Session(), 0
sess.run(tf.compat.v1.global_variables_initializer())
"""


def roles(binary: Path, logdir: Path) -> dict[str, str]:
    """Tags to what ConvScope takes them for, of kernels and activations."""
    found = seen.series(binary, logdir)
    return {
        tag: one["role"] for tag, one in found.items() if one["role"] in ("kernel", "activation")
    }


def test_the_callback(tmp_path: Path, binary: Path) -> None:
    pages.run_block("README.md", 0, KERAS, tmp_path)
    expected = {"conv1/kernel": "kernel", "conv1/activation": "activation"}
    assert roles(binary, tmp_path / "logs") == expected


def test_tensorflow_2(tmp_path: Path, binary: Path) -> None:
    pages.run_block("docs/logging.md", 0, TENSORFLOW_2, tmp_path)
    expected = {"conv1/kernel": "kernel", "conv1/activation": "activation"}
    assert roles(binary, tmp_path / "logs" / "train") == expected


def test_tensorflow_1(tmp_path: Path, binary: Path) -> None:
    pages.run_block("docs/logging.md", 1, TENSORFLOW_1, tmp_path)
    expected = {"conv1/weights": "kernel", "conv1/activation": "activation"}
    assert roles(binary, tmp_path / "logs" / "train") == expected
