"""Pixels of 8 bit -> a PNG, with the standard library alone (PNG specification, third edition,
chunks IHDR, IDAT, IEND)."""

from __future__ import annotations

import struct
import zlib

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels to PNG's colour types: grey, grey with alpha, RGB, RGBA."""


def encode(pixels: bytes, shape: tuple[int, int, int]) -> bytes:
    """One picture.

    Args:
        pixels: row by row, channels last.
        shape: height, width and channels (1 to 4).
    """
    height, width, channels = shape
    row = width * channels
    # Every row begins with the number of its filter; 0 is none.
    rows = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 6)) + _chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
