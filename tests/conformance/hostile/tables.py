"""Entries, right or wrong as asked -> sorted tables and bundles of TensorFlow."""

from __future__ import annotations

import struct

import google_crc32c
import numpy as np
import wire
from convscope.events import masked

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def in_common(before: bytes, key: bytes) -> int:
    """The length of the common beginning of two keys."""
    known, most = 0, min(len(before), len(key))
    while known < most:
        middle = (known + most + 1) // 2
        if before[:middle] == key[:middle]:
            known = middle
        else:
            most = middle - 1
    return known


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A block of entries, whose keys share what they have in common."""
    out, before = bytearray(), b""
    for key, value in entries:
        shared = in_common(before, key)
        own = key[shared:]
        out += wire.varint(shared) + wire.varint(len(own)) + wire.varint(len(value)) + own + value
        before = key
    return bytes(out) + struct.pack("<II", 0, 1)


def trailer(content: bytes, kind: int = 0, crc: int | None = None) -> bytes:
    """What follows a block."""
    raw = content + bytes([kind])
    return bytes([kind]) + struct.pack(
        "<I", masked(google_crc32c.value(raw)) if crc is None else crc
    )


def place(at: int, length: int) -> bytes:
    """The place of a block."""
    return wire.varint(at) + wire.varint(length)


def footer(index: bytes) -> bytes:
    """The end of a table whose index is at a place; that of its other index is the same."""
    places = index + index
    return places + bytes(40 - len(places)) + MAGIC


def table(blocks: list[bytes], last_keys: list[bytes], kind: int = 0) -> bytes:
    """A table of these blocks."""
    out, places = bytearray(), []
    for content in blocks:
        places.append(place(len(out), len(content)))
        out += content + trailer(content, kind)
    index = block(list(zip(last_keys, places, strict=True)))
    at = len(out)
    out += index + trailer(index)
    return bytes(out) + footer(place(at, len(index)))


def of_entries(entries: list[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    """A table of one block."""
    return table([block(entries)], [entries[-1][0] + b"\xff"], kind)


def header(n_shards: int = 1) -> tuple[bytes, bytes]:
    """The entry of a bundle's header."""
    return b"", wire.number(1, n_shards) + wire.block(3, wire.number(1, 1))


def entry(
    shape: tuple[int, ...],
    size: int,
    *,
    offset: int = 0,
    crc: int = 0,
    shard: int = 0,
    dtype: int = 1,
) -> bytes:
    """The entry of a tensor."""
    fields = wire.number(1, dtype) + wire.shape(shape)
    fields += wire.number(3, shard) + wire.number(4, offset) + wire.number(5, size)
    return fields + wire.key(6, wire.FIXED32) + struct.pack("<I", crc)


def of_array(array: np.ndarray, offset: int = 0) -> bytes:
    """The entry of a float32 array."""
    raw = array.astype("<f4").tobytes()
    return entry(array.shape, len(raw), offset=offset, crc=masked(google_crc32c.value(raw)))
