"""Measures what recording costs a training in Python.

One tensor: 0.8 MB of float32, an activation of 1x56x56x64. The peer is TensorBoard's own
``EventFileWriter``, which PyTorch's ``SummaryWriter`` uses; ours is ``convscope.Recorder``.
Both write into a directory of their own, tensor after tensor, and the time from the first
call until everything is in the file is divided by their number: this includes CRC and write.
The caller's time is that of one call alone, while the writer's thread works in the background.

Training: blocks of 100 steps in turn, one without the callback and one with it, which records one
step of each block (kernels, biases, and the activations of a probe of 4 pictures). A block with it
is compared with the mean of its two neighbours, so that a machine that gets slower counts on both
sides; the figure is the median. Networks: four convolutions on pictures of 32x32 in batches of 16,
and, as the worst case, a toy model whose step takes about a millisecond, mostly in Python.

    .venv/bin/python benches/bench.py --only recording
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from process import Unavailable
from table import Row, attempt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

SHAPE = (1, 56, 56, 64)
PEERS_TENSORS = 5
OUR_TENSORS = 200
EVERY = 100
BLOCKS = {"four convolutions, 32x32": 9, "a toy of one convolution, 8x8": 60}


def recording(rounds: int) -> list[Row]:
    """One tensor against TensorBoard's writer, the caller's time, and a training."""
    return [*one_tensor(rounds), *(training(name) for name in BLOCKS)]


def one_tensor(rounds: int) -> list[Row]:
    """0.8 MB, written with a CRC."""
    work = "record one 0.8 MB tensor"
    whole = Row(f"{work}, until it is in the file", "TensorBoard's writer", "ms", factor=50)
    caller = Row(f"{work}, the caller's time", "-", "ms", limit=2.0)
    array = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    for _ in range(rounds):
        whole.theirs.append(by_tensorboard(array))
        attempt(whole, lambda: by_recorder(array, caller))
    return [whole, caller]


def by_tensorboard(array: np.ndarray) -> float:
    """Milliseconds per tensor."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    with tempfile.TemporaryDirectory() as folder:
        writer = EventFileWriter(folder)
        started = time.perf_counter()
        for step in range(PEERS_TENSORS):
            value = summary_pb2.Summary.Value(tag="conv1", tensor=make_tensor_proto(array))
            summary = summary_pb2.Summary(value=[value])
            writer.add_event(event_pb2.Event(step=step, summary=summary))
        writer.flush()
        took = time.perf_counter() - started
        writer.close()
    return took / PEERS_TENSORS * 1e3


def by_recorder(array: np.ndarray, caller: Row) -> float:
    """Milliseconds per tensor; stores the median call."""
    from convscope import Recorder

    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(folder, strict=True)
        calls = []
        started = time.perf_counter()
        for step in range(OUR_TENSORS):
            before = time.perf_counter()
            recorder.activation("conv1", array, step, "NHWC")
            calls.append(time.perf_counter() - before)
        recorder.flush()
        took = time.perf_counter() - started
        recorder.close()
        (file,) = Path(folder).iterdir()
        if file.stat().st_size < OUR_TENSORS * array.nbytes:
            raise Unavailable("the recorder wrote less than was recorded")
    caller.ours.append(sorted(calls)[len(calls) // 2] * 1e3)
    return took / OUR_TENSORS * 1e3


def training(name: str) -> Row:
    """The time that the callback adds to a training, in percent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    row = Row(f"train {name}, recorded every {EVERY} steps: slower by", "-", "%", limit=1.0)
    with tempfile.TemporaryDirectory() as folder:
        attempt(row, lambda: slowdown(name, Path(folder)))
    return row


def slowdown(name: str, folder: Path) -> float:
    """Percent of the time without the callback."""
    import keras

    import convscope.keras

    keras.utils.set_random_seed(0)
    model, x = network(keras, name)
    y = np.zeros(len(x), np.int32)
    recorder = convscope.keras.Recorder(folder, probe=x[:4], every=EVERY, strict=True)
    recorder.set_model(model)
    # The first steps trace the graph, and the first recording warms up its own code.
    model.train_on_batch(x, y)
    recorder.on_train_begin()
    recorder.on_epoch_begin(0)

    def plain() -> float:
        with seconds() as took:
            for _ in range(EVERY):
                model.train_on_batch(x, y)
        return took[0]

    def recorded(block: int) -> float:
        with seconds() as took:
            for batch in range(block * EVERY, (block + 1) * EVERY):
                model.train_on_batch(x, y)
                recorder.on_train_batch_end(batch)
        return took[0]

    without, longer = plain(), []
    for block in range(BLOCKS[name]):
        ours, after = recorded(block), plain()
        longer.append(2 * ours / (without + after) - 1)
        without = after
    recorder.close()
    if recorder._last != recorder.step // EVERY * EVERY or recorder.recorder.n_lost:
        raise Unavailable("the callback did not record every block")
    return median(longer) * 100


def network(keras: Any, name: str) -> tuple[Any, np.ndarray]:
    """Some convolutions with a classifier, and a batch for them."""
    layers = keras.layers
    is_toy = "toy" in name
    shape, widths = ((8, 8, 1), (8,)) if is_toy else ((32, 32, 3), (32, 32, 64, 64))
    model = keras.Sequential([keras.Input(shape)])
    for width in widths:
        model.add(layers.Conv2D(width, 3, padding="same", activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    x = np.random.default_rng(0).random((16, *shape), np.float32)
    return model, x


@contextmanager
def seconds() -> Iterator[list[float]]:
    """The duration of the block, after it has ended."""
    took: list[float] = []
    started = time.perf_counter()
    yield took
    took.append(time.perf_counter() - started)
