"""An array -> a copy, and a function that encodes it later, on the writer's thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from convscope.arrays import DATA_TYPES, Array, Refused
from convscope.events import Payload, numbers

MOST_BYTES = 1 << 30
"""Readers treat longer records as damage (``--max-record-mb`` of ConvScope; protobuf's limit is 2
GiB)."""
NARROWED = ("float32", "float64")
"""The types that ``dtype="float16"`` stores as float16."""


def payload_of(array: Array, dtype: str | None) -> Callable[[], Payload]:
    """Copies an array's elements.

    Args:
        array: the array.
        dtype: ``"float16"`` to store float32 and float64 as float16; None for every bit.

    Returns:
        A function that encodes the copy as a tensor.

    Raises:
        Refused: the array is larger than readers accept.
    """
    if array.values.nbytes > MOST_BYTES:
        raise Refused(
            f"the array of shape {array.shape} has {array.values.nbytes} bytes; "
            f"at most {MOST_BYTES} are allowed: set max_samples or max_channels, or record a part"
        )
    make = _narrowed if dtype and array.dtype in NARROWED else _as_it_is
    return partial(make, array.content(), array.dtype, array.shape)


def _as_it_is(content: bytes, dtype: str, shape: tuple[int, ...]) -> Payload:
    return numbers(DATA_TYPES[dtype], shape, content)


def _narrowed(content: bytes, dtype: str, shape: tuple[int, ...]) -> Payload:
    """As float16, unless a finite number would become infinite."""
    wide = np.frombuffer(content, np.dtype(dtype).newbyteorder("<"))
    with np.errstate(over="ignore", under="ignore"):
        narrow = wide.astype("<f2")
    if np.count_nonzero(np.isinf(narrow)) != np.count_nonzero(np.isinf(wide)):
        return _as_it_is(content, dtype, shape)
    return numbers(DATA_TYPES["float16"], shape, narrow.tobytes())
