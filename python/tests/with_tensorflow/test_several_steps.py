"""Keras runs several steps in one call of TensorFlow's (``steps_per_execution``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import seen
import tensorflow as tf
from keras import layers

import convscope.keras


def trained(recorder: convscope.keras.Recorder, x: Any, together: int, **options: Any) -> None:
    """A training that runs several steps together."""
    body = [layers.Conv2D(2, 3, name="conv1"), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    model = keras.Sequential([keras.Input((6, 6, 2)), *body])
    model.compile("sgd", "mse", steps_per_execution=together)
    model.fit(x, verbose=0, callbacks=[recorder], **options)
    assert recorder.step == int(model.optimizer.iterations)


def steps(binary: Path, logdir: Path) -> list[int]:
    """What was recorded."""
    (logdir / "scratch").mkdir()
    with seen.served(binary, logdir, logdir / "scratch") as server:
        return json.loads(server.get("steps", run=".", tag="conv1/kernel"))["steps"]


X, Y = np.ones((32, 6, 6, 2), "float32"), np.zeros((32, 1), "float32")


def test_every_call_that_passes_a_step_to_record_is_recorded(tmp_path: Path, binary: Path) -> None:
    recorder = convscope.keras.Recorder(tmp_path, every=6, strict=True)
    trained(recorder, X, 4, y=Y, batch_size=2)
    assert steps(binary, tmp_path) == [0, 8, 12, 16]


@pytest.mark.parametrize("is_length_known", [True, False])
def test_the_last_call_of_an_epoch_may_have_fewer(
    tmp_path: Path, binary: Path, is_length_known: bool
) -> None:
    recorder = convscope.keras.Recorder(tmp_path, every=1, strict=True)
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    if not is_length_known:
        batches = batches.filter(lambda *_: True)
    trained(recorder, batches, 3, epochs=2)
    assert steps(binary, tmp_path) == [0, 3, 4, 7, 8]
