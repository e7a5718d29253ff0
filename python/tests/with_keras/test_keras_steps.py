"""At which steps the Keras callback records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import seen
from keras import layers
from keras_models import model_of, train_on_noise

import convscope.keras


def test_steps_go_on_where_an_earlier_training_ended(tmp_path: Path, binary: Path) -> None:
    model = model_of(layers.Conv2D(2, 3, name="conv1"))
    train_on_noise(model, convscope.keras.Recorder(tmp_path / "first", every=3, strict=True))
    x, y = np.zeros((6, 6, 6, 2), "float32"), np.zeros((6, 1), "float32")
    recorder = convscope.keras.Recorder(tmp_path / "second", every=3, strict=True)
    model.fit(x, y, batch_size=1, verbose=0, callbacks=[recorder])
    first = seen.series(binary, tmp_path / "first")["conv1/kernel"]
    second = seen.series(binary, tmp_path / "second")["conv1/kernel"]
    assert (first["first_step"], first["last_step"], first["steps"]) == (0, 8, 4)
    assert (second["first_step"], second["last_step"], second["steps"]) == (8, 14, 4)


def test_steps_go_on_where_a_model_is_compiled_again(tmp_path: Path, binary: Path) -> None:
    model = model_of(layers.Conv2D(2, 3, name="conv1"))
    recorder = convscope.keras.Recorder(tmp_path, every=4, strict=True)
    for _ in range(2):
        train_on_noise(model, recorder)
    series = seen.series(binary, tmp_path)["conv1/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (0, 16, 5)


def test_batches_that_come_several_at_a_time_are_counted(tmp_path: Path, binary: Path) -> None:
    recorder = convscope.keras.Recorder(tmp_path, every=2, strict=True)
    recorder.set_model(model_of(layers.Conv2D(2, 3, name="conv1")))
    # The calls of Keras with steps_per_execution=4, which it does not support on PyTorch.
    recorder.on_train_begin()
    recorder.on_epoch_begin(0)
    for batch in (3, 7):
        recorder.on_train_batch_end(batch)
    recorder.on_train_end()
    series = seen.series(binary, tmp_path)["conv1/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (0, 8, 3)
