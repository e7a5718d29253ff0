"""Values -> the bytes of an event file: protobuf's wire format in TFRecord frames.

Field numbers are those of tensorflow/core/util/event.proto, framework/summary.proto and
framework/tensor.proto; frames are ``u64 length | u32 masked CRC-32C of it | data | u32 masked
CRC-32C of the data``. A tensor's bytes are the last part of its message, so they are written
without being copied into the message.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import google_crc32c

DT_STRING = 7
MASK_DELTA = 0xA282EAD8
VARINT, FIXED64, LENGTH_DELIMITED = 0, 1, 2
FILE_VERSION = "brain.Event:2"


@dataclass(frozen=True)
class Payload:
    """A serialised TensorProto in two parts.

    Attributes:
        head: all fields before the content, and the content's key and length.
        content: the elements.
    """

    head: bytes
    content: bytes


@dataclass(frozen=True)
class Metadata:
    """The metadata that is written with the first value of a tag.

    Attributes:
        plugin: the name of the plugin that reads it.
        content: data for that plugin.
    """

    plugin: str
    content: bytes


@dataclass(frozen=True)
class Value:
    """One tensor under a tag, at a step and a wall time in seconds since 1970."""

    tag: str
    step: int
    wall_time: float
    payload: Payload
    metadata: Metadata | None


def numbers(dtype: int, shape: Sequence[int], content: bytes) -> Payload:
    """A tensor of numbers.

    Args:
        dtype: TensorFlow's DataType.
        shape: lengths of the axes.
        content: the elements, row-major, little-endian.
    """
    return Payload(
        _tensor_head(dtype, shape) + _key(4, LENGTH_DELIMITED) + _varint(len(content)), content
    )


def strings(values: Sequence[bytes], shape: Sequence[int]) -> Payload:
    """A tensor of byte strings; its shape is ``()`` for a single one."""
    return Payload(
        _tensor_head(DT_STRING, shape), b"".join(_bytes_field(8, value) for value in values)
    )


def value_record(value: Value) -> list[bytes]:
    """One value as a framed event, in parts that are written one after another."""
    payload = value.payload
    n_tensor = len(payload.head) + len(payload.content)
    head = _bytes_field(1, value.tag.encode())
    if value.metadata is not None:
        head += _bytes_field(9, _metadata(value.metadata))
    head += _key(8, LENGTH_DELIMITED) + _varint(n_tensor)
    n_value = len(head) + n_tensor
    summary = _key(1, LENGTH_DELIMITED) + _varint(n_value)
    n_summary = len(summary) + n_value
    event = _key(1, FIXED64) + struct.pack("<d", value.wall_time)
    event += _key(2, VARINT) + _varint(value.step)
    event += _key(5, LENGTH_DELIMITED) + _varint(n_summary)
    return record([event + summary + head + payload.head, payload.content])


def first_record(wall_time: float, writer: str) -> list[bytes]:
    """The event that every file begins with: the version of the format and the writer's name."""
    event = _key(1, FIXED64) + struct.pack("<d", wall_time)
    event += _bytes_field(3, FILE_VERSION.encode())
    event += _bytes_field(10, _bytes_field(1, writer.encode()))
    return record([event])


def record(parts: Sequence[bytes]) -> list[bytes]:
    """Frames one message, given and returned in parts."""
    length = struct.pack("<Q", sum(map(len, parts)))
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    header = length + struct.pack("<I", masked(google_crc32c.value(length)))
    return [header + parts[0], *parts[1:], struct.pack("<I", masked(crc))]


def masked(crc: int) -> int:
    """TFRecord's mask of a CRC-32C: rotated right by 15 bits, plus a constant."""
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF


def _metadata(metadata: Metadata) -> bytes:
    plugin = _bytes_field(1, metadata.plugin.encode()) + _bytes_field(2, metadata.content)
    return _bytes_field(1, plugin)


def _tensor_head(dtype: int, shape: Sequence[int]) -> bytes:
    axes = b"".join(_bytes_field(2, _key(1, VARINT) + _varint(length)) for length in shape)
    return _key(1, VARINT) + _varint(dtype) + _bytes_field(2, axes)


def _key(field: int, wire_type: int) -> bytes:
    return bytes([field << 3 | wire_type])


def _bytes_field(field: int, content: bytes) -> bytes:
    return _key(field, LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """An integer as protobuf encodes it; a negative one as two's complement of 64 bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
