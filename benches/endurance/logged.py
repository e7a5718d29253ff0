"""Thousands or gigabytes of tensors -> event files, most of whose bytes take no disk space."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c
import numpy as np
import wire
from convscope.events import masked

NAME = "events.out.tfevents.1764000000.bench"
KERNEL = np.arange(36, dtype=np.float32).reshape(3, 3, 1, 4)
"""144 bytes."""


def file_of(run: Path, records: Iterable[bytes], name: str = NAME) -> Path:
    """Writes an event file of these records."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / name
    with path.open("wb") as file:
        file.write(wire.version())
        file.writelines(records)
    return path


def append(path: Path, record: bytes) -> None:
    """Appends a record to a file with one write."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, record)
    finally:
        os.close(file)


def step(tag: str, at: int, array: np.ndarray = KERNEL) -> bytes:
    """A complete record of one tensor."""
    return wire.logged(tag, at, wire.whole(array))


class Sparse:
    """An event file whose tensors are zeros that take no disk space; their CRCs are right."""

    def __init__(self, path: Path) -> None:
        """Begins the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._file.write(wire.version())

    def add(self, at: int, first: bytes, tag: str, shape: tuple[int, ...]) -> None:
        """Writes an event of two values.

        Args:
            at: the step.
            first: a value as bytes, or nothing.
            tag: of the second one.
            shape: of its float32 zeros.
        """
        n_bytes = 4 * int(np.prod(shape))
        tensor = (
            wire.number(1, wire.FLOAT)
            + wire.shape(shape)
            + wire.key(4, wire.BYTES)
            + wire.varint(n_bytes)
        )
        second = (
            wire.block(1, tag.encode())
            + wire.key(8, wire.BYTES)
            + wire.varint(len(tensor) + n_bytes)
        )
        n_second = len(second) + len(tensor) + n_bytes
        summary = first + wire.key(1, wire.BYTES) + wire.varint(n_second) + second + tensor
        event = wire.double(1, wire.WALL_TIME + at) + wire.number(2, at)
        head = event + wire.key(5, wire.BYTES) + wire.varint(len(summary) + n_bytes) + summary
        crc = google_crc32c.value(head)
        for begin in range(0, n_bytes, 1 << 20):
            crc = google_crc32c.extend(crc, bytes(min(1 << 20, n_bytes - begin)))
        self._file.write(wire.header(len(head) + n_bytes) + head)
        self._file.seek(n_bytes, os.SEEK_CUR)
        self._file.write(struct.pack("<I", masked(crc)))

    def close(self) -> None:
        """Ends the file."""
        self._file.close()
