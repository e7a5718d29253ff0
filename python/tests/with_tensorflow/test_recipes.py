"""The code that the page and ``ls`` suggest for logs without tensors works."""

from __future__ import annotations

from pathlib import Path

import pytest
import recipes

KERAS = """
import keras, numpy as np
x, y = np.random.rand(32, 16, 16, 3).astype("float32"), np.zeros(32)
layers = keras.layers
model = keras.Sequential([
    layers.Conv2D(4, 3, name="conv1"),
    layers.BatchNormalization(),
    layers.SeparableConv2D(6, 3, name="separable"),
    layers.DepthwiseConv2D(3, name="depthwise"),
    layers.Conv2DTranspose(5, 3, name="transposed"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(1),
])
model.compile("sgd", "mse")
model.fit(x, y, verbose=0, callbacks=[keras.callbacks.TensorBoard("LOGDIR", histogram_freq=1)])
"""
CONVOLUTIONS = {"conv1", "separable", "depthwise", "transposed"}

TENSORFLOW_2 = """
import keras, tensorflow as tf
images, step = tf.random.uniform([8, 8, 8, 3]), 0
conv1 = keras.layers.Conv2D(4, 3)
conv1(images)
with tf.summary.create_file_writer("LOGDIR").as_default(step=step):
    tf.summary.scalar("loss", 0.5)
"""
TENSORFLOW_1 = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
images = tf.placeholder(tf.float32, [None, 16, 16, 3])
with tf.variable_scope("conv1"):
    kernel = tf.get_variable("weights", [5, 5, 3, 8])
    conv1 = tf.nn.relu(tf.nn.conv2d(images, kernel, [1, 1, 1, 1], "SAME"))
session, step = tf.Session(), 0
session.run(tf.global_variables_initializer())
feed_dict = {images: session.run(tf.random_uniform([2, 16, 16, 3]))}
with tf.summary.FileWriter("LOGDIR") as writer:
    loss = tf.summary.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.summary.Summary(value=[loss]), step)
"""


@pytest.mark.parametrize("with_package", [True, False])
def test_keras_shows_all_convolutions(tmp_path: Path, binary: Path, with_package: bool) -> None:
    shown = recipes.layers_shown_after(
        binary, tmp_path, KERAS, framework="Keras", with_package=with_package
    )
    assert {shown_role: shown[shown_role] for shown_role in ("kernel", "activation")} == {
        "kernel": CONVOLUTIONS,
        "activation": CONVOLUTIONS,
    }


@pytest.mark.parametrize(
    ("framework", "training"), [("TensorFlow 2", TENSORFLOW_2), ("TensorFlow 1", TENSORFLOW_1)]
)
def test_tensorflow_shows_the_convolution(
    tmp_path: Path, binary: Path, framework: str, training: str
) -> None:
    shown = recipes.layers_shown_after(
        binary, tmp_path, training, framework=framework, with_package=False
    )
    assert shown == {"kernel": {"conv1"}, "activation": {"conv1"}}
