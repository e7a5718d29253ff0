"""Fields -> protobuf's wire format, right or wrong as asked; payloads -> TFRecord frames."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import google_crc32c
import numpy as np
from convscope.events import masked
from convscope.events import record as framed

VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)
FLOAT = 1
WALL_TIME = 1_764_000_000.0


def varint(number: int) -> bytes:
    """A base-128 integer; negative ones in 64 bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def key(field: int, wire_type: int) -> bytes:
    """The key of a field."""
    return varint(field << 3 | wire_type)


def block(field: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return b"".join((key(field, BYTES), varint(len(content)), content))


def number(field: int, value: int) -> bytes:
    """A varint field."""
    return key(field, VARINT) + varint(value)


def double(field: int, value: float) -> bytes:
    """A double field."""
    return key(field, FIXED64) + struct.pack("<d", value)


def floating(field: int, value: float) -> bytes:
    """A float field."""
    return key(field, FIXED32) + struct.pack("<f", value)


def shape(dims: Sequence[int]) -> bytes:
    """The field ``tensor_shape`` of a TensorProto."""
    return block(2, b"".join(block(2, number(1, size)) for size in dims))


def tensor(dims: Sequence[int], elements: bytes, dtype: int = FLOAT) -> bytes:
    """A TensorProto: type, shape, and fields that hold the elements."""
    return number(1, dtype) + shape(dims) + elements


def whole(array: np.ndarray) -> bytes:
    """The TensorProto of a float32 array."""
    return tensor(array.shape, block(4, array.astype("<f4").tobytes()))


def metadata(plugin: str, content: bytes = b"") -> bytes:
    """The field ``metadata`` of a value."""
    return block(9, block(1, block(1, plugin.encode()) + block(2, content)))


def value(tag: str | bytes, content: bytes, more: bytes = b"") -> bytes:
    """A value of a summary that holds a TensorProto.

    Args:
        tag: under which it is logged.
        content: the TensorProto.
        more: further fields of the value.
    """
    raw = tag.encode() if isinstance(tag, str) else tag
    return block(1, block(1, raw) + more + block(8, content))


def event(step: int, values: bytes, wall_time: float = WALL_TIME) -> bytes:
    """An Event with a summary of these values."""
    return double(1, wall_time) + number(2, step) + block(5, values)


def record(payload: bytes) -> bytes:
    """A whole record."""
    return b"".join(framed([payload]))


def header(length: int) -> bytes:
    """The head of a record that claims this length; its CRC is right."""
    raw = struct.pack("<Q", length & 0xFFFFFFFFFFFFFFFF)
    return raw + struct.pack("<I", masked(google_crc32c.value(raw)))


def logged(tag: str | bytes, step: int, content: bytes, more: bytes = b"") -> bytes:
    """A whole record of one value with a TensorProto."""
    return record(event(step, value(tag, content, more)))


def version() -> bytes:
    """The record that a file begins with."""
    return record(double(1, WALL_TIME) + block(3, b"brain.Event:2"))


def flipped(data: bytes, at: int) -> bytes:
    """The same bytes with one bit flipped; ``at`` may count from the end."""
    out = bytearray(data)
    out[at] ^= 0x10
    return bytes(out)
