"""Opcodes, right or wrong as asked -> pickles; members -> the archives of ``torch.save``."""

from __future__ import annotations

import struct

import numpy as np
import zips

PROTOCOL, STOP, MARK, EMPTY_DICT, EMPTY_LIST = b"\x80\x02", b".", b"(", b"}", b"]"
EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2 = b")", b"t", b"\x85", b"\x86"
APPEND, APPENDS, SET, SETS, REDUCE, BUILD, POP = b"a", b"e", b"s", b"u", b"R", b"b", b"0"
PERSISTENT, NONE, FALSE = b"Q", b"N", b"\x89"


def name(module: str, attribute: str) -> bytes:
    """A class or a function."""
    return f"c{module}\n{attribute}\n".encode()


def text(value: str | bytes) -> bytes:
    """A text."""
    raw = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value: int) -> bytes:
    """An integer of 32 bits, or of as many as it needs."""
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def put(number: int) -> bytes:
    """Notes what is on top of the stack."""
    return b"r" + struct.pack("<I", number)


def get(number: int) -> bytes:
    """What was noted."""
    return b"j" + struct.pack("<I", number)


def numbers(values: list[int] | tuple[int, ...]) -> bytes:
    """A tuple of integers."""
    return MARK + b"".join(integer(value) for value in values) + TUPLE


def storage(key: str, count: int, dtype: str = "FloatStorage") -> bytes:
    """A storage by its key."""
    parts = text("storage") + name("torch", dtype) + text(key) + text("cpu") + integer(count)
    return MARK + parts + TUPLE + PERSISTENT


def tensor(
    key: str,
    shape: tuple[int, ...],
    *,
    stride: tuple[int, ...] | None = None,
    offset: int = 0,
    count: int | None = None,
) -> bytes:
    """A view of a storage."""
    dense = [1]
    for length in shape[:0:-1]:
        dense.insert(0, dense[0] * length)
    count = int(np.prod(shape)) if count is None else count
    place = numbers(shape) + numbers(stride if stride is not None else tuple(dense[: len(shape)]))
    hooks = name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
    args = storage(key, count) + integer(offset) + place + FALSE + hooks
    return name("torch._utils", "_rebuild_tensor_v2") + MARK + args + TUPLE + REDUCE


def dictionary(entries: dict[str, bytes]) -> bytes:
    """A dictionary of objects that are pickled already."""
    pairs = b"".join(text(key) + value for key, value in entries.items())
    return EMPTY_DICT + MARK + pairs + SETS


def whole(value: bytes) -> bytes:
    """A pickle of one object."""
    return PROTOCOL + value + STOP


def saved(pickle: bytes, storages: dict[str, bytes] | None = None) -> list[zips.Member]:
    """The members that ``torch.save`` writes."""
    members = [zips.Member("m/data.pkl", pickle), zips.Member("m/byteorder", b"little")]
    for key, content in (storages or {}).items():
        members.append(zips.Member(f"m/data/{key}", content))
    return [*members, zips.Member("m/version", b"3\n")]


def archive(pickle: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """An archive as ``torch.save`` writes it."""
    return zips.archive(saved(pickle, storages))


def old_file(value: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """What PyTorch wrote before 1.6: storages of float32 by key."""
    magic = PROTOCOL + b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" + STOP
    facts = whole(dictionary({"little_endian": b"\x88"}))
    storages = storages or {}
    keys = whole(EMPTY_LIST + MARK + b"".join(text(key) for key in storages) + APPENDS)
    data = b"".join(struct.pack("<Q", len(raw) // 4) + raw for raw in storages.values())
    return magic + whole(integer(1_001)) + facts + whole(value) + keys + data
