"""Event files as read by TensorFlow's and TensorBoard's own readers, which check CRCs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New


def only_file(logdir: Path) -> Path:
    """The one event file of a directory."""
    (path,) = logdir.glob("events.out.tfevents.*")
    return path


def by_tensorflow(logdir: Path) -> Iterator[Any]:
    """Values with their event's step, by TensorFlow's C++ reader, which stops at a wrong CRC."""
    for raw in tf.data.TFRecordDataset(str(only_file(logdir))):
        event = tf.compat.v1.Event.FromString(raw.numpy())
        for value in event.summary.value:
            yield event.step, value


def by_tensorboard(logdir: Path) -> Iterator[Any]:
    """The same by the loader that TensorBoard uses for its tabs."""
    for event in event_file_loader.EventFileLoader(str(only_file(logdir))).Load():
        for value in event.summary.value:
            yield event.step, value


def by_tensorboard_alone(logdir: Path) -> Iterator[Any]:
    """The same by the reader of a TensorBoard without TensorFlow: another CRC, in Python."""
    reader = PyRecordReader_New(str(only_file(logdir)))
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return
        event = event_pb2.Event.FromString(reader.record())
        for value in event.summary.value:
            yield event.step, value


ALL = (by_tensorflow, by_tensorboard, by_tensorboard_alone)
