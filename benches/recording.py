"""Measures what recording costs a training in Python.

One tensor: 0.8 MB of float32, an activation of 1x56x56x64. The peer is TensorBoard's own
``EventFileWriter``, which PyTorch's ``SummaryWriter`` uses; ours is ``convscope.Recorder``.
Both write into a directory of their own, tensor after tensor, and the time from the first
call until everything is in the file is divided by their number: CRC and write are within.
The caller's time is that of one call alone, with the writer's thread at work behind it.

Training: a network of four convolutions on pictures of 32x32, batches of 64, as Keras trains
it. What the callback adds (every 100 steps, a probe of 4 pictures, steps 0, 100 and 200) is the
time in its methods and the processor time of the writer's thread; the rest is the training.
Taking the difference of two trainings instead would measure the noise of the machine.

    .venv/bin/python benches/bench.py --only recording
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from process import Unavailable
from table import Row, attempt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

SHAPE = (1, 56, 56, 64)
PEERS_TENSORS = 5
OUR_TENSORS = 200
STEPS = 200
EVERY = 100


def recording(rounds: int) -> list[Row]:
    """One tensor against TensorBoard's writer, the caller's time, and a training."""
    return [*one_tensor(rounds), training()]


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
    """Milliseconds a tensor."""
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
    """Milliseconds a tensor; notes the median call."""
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


def training() -> Row:
    """What the callback adds to a training, in percent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    row = Row("a training of 200 steps, recorded every 100: slower by", "-", "%", limit=1.0)
    with tempfile.TemporaryDirectory() as folder:
        attempt(row, lambda: slowdown(Path(folder)))
    return row


def slowdown(folder: Path) -> float:
    """Percent of the training's own time."""
    import keras

    import convscope.keras

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).random((STEPS * 64, 32, 32, 3), np.float32)
    y = np.zeros(len(x), np.int32)
    model = network(keras)
    # The first steps trace the graph, which is no part of a training's pace.
    model.fit(x[:256], y[:256], batch_size=64, verbose=0)
    model.optimizer.iterations.assign(0)
    recorder = convscope.keras.Recorder(folder, probe=x[:4], every=EVERY, strict=True)
    added = Stopwatch()
    for name in ("on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_train_end"):
        setattr(recorder, name, added.around(getattr(recorder, name), time.perf_counter))
    writer = recorder.recorder._writer
    writer._write = added.around(writer._write, time.thread_time)
    with seconds() as whole:
        model.fit(x, y, batch_size=64, verbose=0, callbacks=[recorder])
    recorder.close()
    return added.seconds / (whole[0] - added.seconds) * 100


def network(keras: Any) -> Any:
    """Four convolutions and a classifier."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for width in (32, 32, 64, 64):
        model.add(layers.Conv2D(width, 3, padding="same", activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


class Stopwatch:
    """Adds up the time in some functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any], clock: Callable[[], float]) -> Any:
        """The function, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            started = clock()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += clock() - started

        return timed


@contextmanager
def seconds() -> Iterator[list[float]]:
    """How long the block took, once it is over."""
    took: list[float] = []
    started = time.perf_counter()
    yield took
    took.append(time.perf_counter() - started)
