"""Networks of gigabytes that take hardly any disk: real heads, and numbers that are holes.

Each format has one large tensor, ``ballast``, and the kernel ``conv1`` after it. All bytes but the
head's and the kernel's are holes of the file system. What a head claims of the ballast's checksum
is what zeros give.
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    str(HERE.parent / "tests" / "conformance" / "hostile"),
    str(HERE.parent / "python"),
]

import pickles  # noqa: E402
import safetensors_files  # noqa: E402
import tables  # noqa: E402
import zips  # noqa: E402

KERNEL = np.random.default_rng(0).normal(0, 0.1, (8, 3, 5, 5)).astype("<f4")
RAW = KERNEL.tobytes()
BALLAST_ROWS = 1 << 16


class Hole:
    """So many zero bytes that are not written."""

    def __init__(self, length: int) -> None:
        """A hole of a length."""
        self.length = length


def write(path: Path, *parts: bytes | Hole) -> None:
    """Writes bytes and holes one after the other."""
    with path.open("wb") as file:
        for part in parts:
            if isinstance(part, Hole):
                file.seek(part.length, os.SEEK_CUR)
            else:
                file.write(part)
        file.truncate()


def columns(length: int) -> int:
    """The columns of the ballast, so that the whole file has about this length."""
    return length // 4 // BALLAST_ROWS


def of_safetensors(path: Path, length: int) -> None:
    """A safetensors file."""
    shape = [BALLAST_ROWS, columns(length)]
    n_bytes = 4 * shape[0] * shape[1]
    header = {
        "ballast": safetensors_files.entry(0, n_bytes, shape),
        "conv1.weight": safetensors_files.entry(n_bytes, n_bytes + len(RAW), list(KERNEL.shape)),
    }
    write(path, safetensors_files.of(header), Hole(n_bytes), RAW)


def of_archive(path: Path, members: list[tuple[str, bytes | Hole]]) -> None:
    """A zip archive with stored members; PyTorch writes 0 for a CRC that it does not compute."""
    parts: list[bytes | Hole] = []
    directory, at = b"", 0
    for name, content in members:
        is_hole = isinstance(content, Hole)
        length = content.length if is_hole else len(content)
        crc = 0 if is_hole else zlib.crc32(content)
        member = zips.Member(name, b"", length=length, crc=crc, long=length >= 1 << 31)
        directory += zips.listed(member, at)
        head = zips.local(member)
        parts += [head, content]
        at += len(head) + length
    last = zips.long_end(len(members), len(directory), at, at + len(directory))
    write(path, *parts, directory, last)


def of_pytorch(path: Path, length: int) -> None:
    """What ``torch.save`` writes of a state dictionary."""
    shape = (BALLAST_ROWS, columns(length))
    entries = {
        "ballast": pickles.tensor("0", shape),
        "conv1.weight": pickles.tensor("1", KERNEL.shape),
    }
    pickle = pickles.whole(pickles.dictionary(entries))
    members = [("m/data.pkl", pickle), ("m/byteorder", b"little")]
    members += [("m/data/0", Hole(4 * shape[0] * shape[1])), ("m/data/1", RAW)]
    of_archive(path, [*members, ("m/version", b"3\n")])


def weights_of_keras(length: int) -> list[bytes | Hole]:
    """What h5py writes for Keras, cut where the ballast is: the head, a hole, the rest."""
    import h5py

    kernel = KERNEL.transpose(2, 3, 1, 0)
    buffer = io.BytesIO()
    # The HDF5 library leaves the place of numbers that were not written undefined, so it writes a
    # small file; then the ballast, which is its last dataset, is made long in the head.
    with h5py.File(buffer, "w") as file:
        layers = file.create_group("layers")
        conv = layers.create_group("conv2d/vars")
        conv.attrs["name"] = "conv1"
        conv.create_dataset("0", data=kernel)
        dense = layers.create_group("dense/vars")
        dense.attrs["name"] = "ballast"
        dense.create_dataset("0", data=np.full((BALLAST_ROWS, 1), 7, "<f4"))
    raw = bytearray(buffer.getvalue())
    n_bytes = 4 * BALLAST_ROWS * columns(length)
    at = raw.index(np.full(BALLAST_ROWS, 7, "<f4").tobytes())
    rest = bytes(raw[at + 4 * BALLAST_ROWS :])
    if rest.strip(b"\0"):
        raise ValueError("the ballast is not the last part of the file")
    head = raw[:at]
    shape = struct.pack("<QQ", BALLAST_ROWS, 1)
    head = head.replace(shape, struct.pack("<QQ", BALLAST_ROWS, columns(length)))
    place = struct.pack("<QQ", at, 4 * BALLAST_ROWS)
    head = head.replace(place, struct.pack("<QQ", at, n_bytes))
    end = struct.pack("<Q", len(raw))
    head = head.replace(end, struct.pack("<Q", at + n_bytes), 1)
    return [bytes(head), Hole(n_bytes)]


CONFIG = json.dumps(
    {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "Conv2D", "config": {"name": "conv1", "use_bias": False}},
                {"class_name": "Dense", "config": {"name": "ballast", "use_bias": False}},
            ]
        },
    }
).encode()


def of_keras(path: Path, length: int) -> None:
    """What ``Model.save`` of Keras 3 writes."""
    head, hole = weights_of_keras(length)
    n_bytes = len(head) + hole.length
    members = [("metadata.json", b"{}"), ("config.json", CONFIG)]
    parts: list[bytes | Hole] = []
    directory, at = b"", 0
    for name, content in members:
        member = zips.Member(name, content)
        directory += zips.listed(member, at)
        parts.append(zips.local(member))
        at += len(parts[-1])
    member = zips.Member("model.weights.h5", b"", length=n_bytes, crc=0, long=n_bytes >= 1 << 31)
    directory += zips.listed(member, at)
    parts += [zips.local(member), head, hole]
    at += len(zips.local(member)) + n_bytes
    last = zips.long_end(3, len(directory), at, at + len(directory))
    write(path, *parts, directory, last)


def of_tensorflow(path: Path, length: int) -> None:
    """A bundle: ``path`` is that of its index, and is written last."""
    kernel = KERNEL.transpose(2, 3, 1, 0)
    shape = (BALLAST_ROWS, columns(length))
    n_bytes = 4 * shape[0] * shape[1]
    ballast = tables.entry(shape, n_bytes)
    conv = tables.of_array(kernel, offset=n_bytes)
    entries = [tables.header(), (b"ballast/kernel", ballast), (b"conv1/kernel", conv)]
    write(path.with_name(f"{path.stem}.data-00000-of-00001"), Hole(n_bytes), kernel.tobytes())
    path.write_bytes(tables.of_entries(entries))


FORMATS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "safetensors": (".safetensors", of_safetensors),
    "pytorch": (".pt", of_pytorch),
    "keras": (".keras", of_keras),
    "tensorflow": (".index", of_tensorflow),
}
"""Format -> the ending of the file that is opened, and the function that writes it."""
