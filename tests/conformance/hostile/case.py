"""A case: hostile files, and the expected results.

Nothing here comes from the program: the function that makes a case knows what it wrote, so it knows
which tensors are intact and which kinds of faults health has to list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import wire

TAG = "conv1/kernel"
SHAPE = (3, 3, 2, 4)
EVENT_FILE = "events.out.tfevents.1764000000.hostile"
Tensors = dict[tuple[str, int], np.ndarray]
"""Tag and step -> the logged array."""


class Wrong(Exception):
    """The program did something that it must not; the message says what."""


@dataclass(frozen=True)
class Case:
    """One run directory with something hostile in it.

    Attributes:
        name: unique; also the name of the run.
        make: writes into the run's directory, which exists.
        told: kinds of faults that health must list for this run, once per file; ``a|b`` means
            one of the two.
        may: further kinds that it may list.
        counts: kind -> its expected count, if that is known.
        good: tensors that are served bit for bit.
        refused: tags that are listed or not, and whose tensors are never 200.
        is_alone: whether it has a daemon of its own.
        ends_loading: whether the scan ends within the patience of the suite.
    """

    name: str
    make: Callable[[Path], None]
    told: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    good: Tensors = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    is_alone: bool = False
    ends_loading: bool = True


Cases = Iterator[Case]
KINDS: dict[str, list[Callable[[], Iterable[Case]]]] = {}
"""Group -> the functions that make its cases."""


def kind(group: str) -> Callable[[Callable[[], Iterable[Case]]], Callable[[], Iterable[Case]]]:
    """Adds a function that makes cases to a group, whose cases share one daemon."""

    def add(make: Callable[[], Iterable[Case]]) -> Callable[[], Iterable[Case]]:
        KINDS.setdefault(group, []).append(make)
        return make

    return add


def kernel(step: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """The good kernel of a step."""
    rng = np.random.default_rng(step & 0xFFFFFFFF)
    return rng.normal(0, 0.1, shape).astype(np.float32)


def kernels(*steps: int) -> Tensors:
    """The good kernels of some steps, by tag and step."""
    return {(TAG, step): kernel(step) for step in steps}


def good_records(*steps: int) -> bytes:
    """Records of the good kernels of some steps."""
    return b"".join(wire.logged(TAG, step, wire.whole(kernel(step))) for step in steps)


def file_of(content: bytes, name: str = EVENT_FILE) -> Callable[[Path], None]:
    """Writes one event file."""
    return lambda run: (run / name).write_bytes(content) and None


def between(hostile: bytes) -> Callable[[Path], None]:
    """Writes an event file: good steps 0 and 1, the hostile bytes, good steps 2 and 3."""
    return file_of(wire.version() + good_records(0, 1) + hostile + good_records(2, 3))


AROUND = kernels(0, 1, 2, 3)
"""The good kernels around hostile bytes that affect nothing else."""
