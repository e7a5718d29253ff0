"""Arrays and headers, right or wrong as asked -> the bytes of safetensors files."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np


def raw(header: bytes, data: bytes = b"") -> bytes:
    """A file of these header bytes; its length is right."""
    return struct.pack("<Q", len(header)) + header + data


def of(header: dict[str, Any], data: bytes = b"") -> bytes:
    """A file of this header."""
    return raw(json.dumps(header).encode(), data)


def entry(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    """The entry of a tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def whole(tensors: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> bytes:
    """A good file of float32 arrays."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, array in tensors.items():
        content = array.astype("<f4").tobytes()
        header[name] = entry(len(data), len(data) + len(content), list(array.shape))
        data += content
    return of(header, data)
