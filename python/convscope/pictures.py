"""Pictures -> the string tensor in which TensorBoard stores images.

PNGs are written with the standard library (PNG specification, third edition: chunks IHDR, IDAT,
IEND), since an image library would be one more dependency.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.arrays import Refused
from convscope.events import Payload, strings

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels to PNG's colour types: grey, grey with alpha, RGB, RGBA."""


def pixels_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Pictures with 8 bits per channel.

    Args:
        values: ``[height, width]``, ``[height, width, channels]`` or ``[n, height, width,
            channels]``; uint8, or floats in [0, 1], which are clipped, with NaN as 0.

    Returns:
        ``[n, height, width, channels]``, row-major.

    Raises:
        Refused: the array has not the shape or type of pictures.
    """
    shape = values.shape
    if values.ndim == 2:
        values = values[None, :, :, None]
    elif values.ndim == 3:
        values = values[None]
    if values.ndim != 4 or 0 in values.shape or values.shape[3] not in (1, 3, 4):
        raise Refused(
            f"the array of shape {shape} is not a picture; allowed shapes: [h, w], [h, w, c] and "
            "[n, h, w, c] with c = 1, 3 or 4"
        )
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype.kind != "f":
        raise Refused(
            f"the array has elements of the type {values.dtype.name}; pictures need uint8, or "
            "floats in [0, 1]"
        )
    whole = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    pixels: NDArray[np.uint8] = np.rint(np.clip(whole, 0.0, 1.0) * 255.0).astype(np.uint8)
    return pixels


def encoded(pixels: bytes, shape: tuple[int, int, int, int]) -> Payload:
    """Encodes pictures as TensorBoard does: a string tensor of width, height and one PNG per
    picture.

    Args:
        pixels: all pictures, as ``pixels_of`` returns them.
        shape: ``n``, height, width, channels.
    """
    n, height, width, channels = shape
    size = height * width * channels
    pngs = [png(pixels[i * size : (i + 1) * size], (height, width, channels)) for i in range(n)]
    return strings([b"%d" % width, b"%d" % height, *pngs], (n + 2,))


def png(pixels: bytes, shape: tuple[int, int, int]) -> bytes:
    """One picture.

    Args:
        pixels: row by row, channels last.
        shape: height, width and channels (1 to 4).
    """
    height, width, channels = shape
    row = width * channels
    # Every row begins with its filter type; 0 means none.
    rows = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 6)) + _chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
