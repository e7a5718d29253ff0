"""Measures how long 8 MiB of logged elements take to become numbers.

The peer is NumPy: ``np.frombuffer(content, dtype).astype(np.float32)``, which
is what ``tf.make_ndarray`` and a cast do; for float32, it is the copy that
both need to compute with the numbers. Ours is the Rust benchmark
``decode``, which also parses the serialized message.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
from pictures import milliseconds, rust_medians
from process import Unavailable
from table import Row

CONTENT_BYTES = 8 << 20
LEAST_GB_S = 2.0
TYPES = {
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
}


def decoding(rounds: int) -> list[Row]:
    """A row for each type, and one for float32 without a copy."""
    content = (np.arange(CONTENT_BYTES) * 7 % 113).astype(np.uint8).tobytes()
    ours, why = {}, ""
    try:
        ours = rust_medians(["cargo", "bench", "--quiet", "--bench", "decode", "--", "--json"])
    except Unavailable as error:
        why = str(error)
    rows = []
    for name, dtype in TYPES.items():
        array = np.frombuffer(content, dtype)
        row = Row(f"8 MiB of {name} to float32", "NumPy astype", "ms", theirs=[], note=why)
        row.theirs = milliseconds(lambda array=array: array.astype(np.float32, copy=True), rounds)
        if dtype is not ml_dtypes.float8_e4m3fn:
            row.limit = CONTENT_BYTES / LEAST_GB_S / 1e6
        add(row, ours.get(f"read_{name}"))
        rows.append(row)
    row = Row("8 MiB of float32 up to the tensor", "a copy by NumPy", "ms", factor=1000, note=why)
    row.theirs = milliseconds(lambda: np.frombuffer(content, np.float32).copy(), rounds)
    add(row, ours.get("decode_float32"))
    return [*rows, row]


def add(row: Row, ours_ms: float | None) -> None:
    """Adds our figure, also in GB/s of logged bytes."""
    if ours_ms is not None:
        row.ours.append(ours_ms)
        row.note = f"{CONTENT_BYTES / ours_ms / 1e6:.1f} GB/s of logged bytes"
