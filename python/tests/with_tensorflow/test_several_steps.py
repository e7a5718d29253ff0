"""Keras runs several steps in one call of TensorFlow's (``steps_per_execution``)."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import seen
from keras import layers

import convscope.keras


def test_every_call_that_passes_a_step_to_record_is_recorded(tmp_path: Path, binary: Path) -> None:
    body = [layers.Conv2D(2, 3, name="conv1"), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    model = keras.Sequential([keras.Input((6, 6, 2)), *body])
    model.compile("sgd", "mse", steps_per_execution=4)
    recorder = convscope.keras.Recorder(tmp_path, every=6, strict=True)
    x, y = np.ones((32, 6, 6, 2), "float32"), np.zeros((32, 1), "float32")
    model.fit(x, y, batch_size=2, verbose=0, callbacks=[recorder])
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        answer = server.get("steps", run=".", tag="conv1/kernel")
    assert json.loads(answer)["steps"] == [0, 8, 12, 16]
