"""A training with Keras whose ModelCheckpoint overwrites one file."""

import sys
import time

import keras
import numpy as np


class Slow(keras.utils.PyDataset):
    """A dataset that takes its time, as real ones do."""

    def __len__(self):
        return 4

    def __getitem__(self, idx):
        time.sleep(0.2)
        rng = np.random.default_rng(idx)
        return rng.normal(size=(16, 16, 16, 3)).astype("float32"), rng.integers(0, 4, 16)


keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((16, 16, 3)),
        keras.layers.Conv2D(8, 5, activation="relu", name="conv1"),
        keras.layers.Flatten(),
        keras.layers.Dense(4),
    ]
)
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
saver = keras.callbacks.ModelCheckpoint(sys.argv[1] + "/model.keras")
model.fit(Slow(), epochs=8, callbacks=[saver], verbose=0)
